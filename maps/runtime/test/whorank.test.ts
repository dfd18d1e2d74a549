import assert from "node:assert/strict";
import { test } from "node:test";
import { type AskingOrder, answers, type Found, type Holder } from "../src/whorank";

const ORDER: AskingOrder = {
  roles: ["lead", "direct", "fallback"],
  fallback: "fallback",
  territory: ["grids"],
  columns: ["last", "extent_m2", "distance_m", "general", "place", "holder", "code"],
  territory_columns: ["extent_m2", "place", "holder", "code"],
  once: ["holder", "role", "layer", "target", "category"],
};
const target = (layer: string, extent: number, rest: Partial<Found> = {}): Found => ({
  layer,
  group: 0,
  code: layer,
  name: layer,
  rule: "inside",
  extent,
  distance: 0,
  chainage: null,
  ...rest,
});
const person = (holder: number, role: string, rest: Partial<Holder> = {}): Holder => ({
  layer: "grids",
  target: "grids",
  holder,
  name: `N${holder}`,
  role,
  category: null,
  from: null,
  to: null,
  until: null,
  phone: null,
  source: null,
  code: holder,
  ...rest,
});

function ask(found: Found[], people: Holder[], category: string | null = null): string[] {
  const holdersOf = ({ layer }: Found) => people.filter((one) => one.layer === layer);
  return answers(found, holdersOf, ORDER, category).map(({ name, role }) => `${name} ${role}`);
}

test("the smallest is asked first, then the line's own, then by role, the fallback last", () => {
  const people = [
    person(1, "direct"),
    person(2, "direct", { category: "lamps" }),
    person(3, "lead"),
    person(4, "fallback"),
    person(5, "direct", { layer: "zones" }),
  ];
  const found = [target("grids", 200), target("zones", 100)];
  const everyone = ["N5 direct", "N2 direct", "N3 lead", "N1 direct", "N4 fallback"];
  assert.deepEqual(ask(found, people), everyone);
  const others = everyone.filter((told) => !told.startsWith("N2"));
  assert.deepEqual(ask(found, people, "waste"), others);
});

test("where no fallback is named, the first of the territory stands in", () => {
  const people = [person(1, "direct"), person(2, "lead"), person(3, "lead", { layer: "zones" })];
  const told = ask([target("grids", 200), target("zones", 100)], people);
  assert.deepEqual(told, ["N3 lead", "N2 lead", "N1 direct", "N2 fallback"]);
  assert.deepEqual(ask([target("zones", 100)], people), ["N3 lead"]);
});

test("on a road the chainage decides, its ends included", () => {
  const people = [
    person(1, "lead", { layer: "roads", to: 100 }),
    person(2, "lead", { layer: "roads", from: 100 }),
  ];
  const at = (chainage: number) => ask([target("roads", 1, { rule: "along", chainage })], people);
  assert.deepEqual([at(50), at(100), at(150)], [["N1 lead"], ["N1 lead", "N2 lead"], ["N2 lead"]]);
});

test("an order of columns that nobody knows is refused", () => {
  const unknown = { ...ORDER, columns: ["luck"] };
  const some = () => answers([target("grids", 1)], () => [person(1, "lead")], unknown, null);
  assert.throws(some, /cannot be sorted by luck/);
});
