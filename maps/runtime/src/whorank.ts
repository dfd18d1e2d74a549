/** Somebody who answers for a target, at the moment of the page. */
export interface Holder {
  layer: string;
  target: string;
  /** The position of the name among all names: they are compared as Python compares texts. */
  holder: number;
  name: string;
  role: string;
  category: string | null;
  /** The stretch of a road, in metres from its beginning; null: from its beginning, to its end. */
  from: number | null;
  to: number | null;
  until: string | null;
  phone: string | null;
  source: string | null;
  /** The position of the assignment's code among all codes. */
  code: number;
}

export type Rule = "inside" | "along" | "near" | "territory";

/** A target that a point belongs to: by which rule, how far away it is and how large. */
export interface Found {
  layer: string;
  /** The position of its group. */
  group: number;
  code: string;
  name: string;
  rule: Rule;
  extent: number;
  distance: number;
  /** How far along a road the point is; null for anything else. */
  chainage: number | null;
}

/** Somebody to ask about a point, and why. */
export interface Answer extends Holder {
  found: Found;
  rule: Rule;
}

/** The order in which to ask, as `gridmap/analysis/responsibility/asking.py` lays it down. */
export interface AskingOrder {
  roles: string[];
  fallback: string;
  territory: string[];
  columns: string[];
  territory_columns: string[];
  once: string[];
}

/**
 * Returns everyone who answers for a point, in the order in which to ask them.
 *
 * @param category only those for this category and those for all; null: everyone
 */
export function answers(
  found: Found[],
  holdersOf: (target: Found) => Holder[],
  order: AskingOrder,
  category: string | null,
): Answer[] {
  const named = found.flatMap((target) =>
    holdersOf(target)
      .filter((holder) => fits(holder, category) && isOnStretch(holder, target.chainage))
      .map((holder) => ({ ...holder, found: target, rule: target.rule })),
  );
  const all = sorted([...named, ...territorial(named, order)], order.columns, order);
  const told = new Set<string>();
  return all.filter((answer) => {
    const same = JSON.stringify(order.once.map((name) => plain(answer, name)));
    return !told.has(same) && told.add(same);
  });
}

function fits({ category }: Holder, asked: string | null): boolean {
  return asked === null || category === null || category === asked;
}

function isOnStretch({ from, to }: Holder, chainage: number | null): boolean {
  if (chainage === null) return true;
  return (from === null || chainage >= from) && (to === null || chainage <= to);
}

/** Who answers for the territory, where nobody is named for what nobody else answers for. */
function territorial(named: Answer[], order: AskingOrder): Answer[] {
  if (named.some(({ role }) => role === order.fallback)) return [];
  const inside = named.filter(({ layer }) => order.territory.includes(layer));
  const first = sorted(inside, order.territory_columns, order).slice(0, 1);
  return first.map((answer) => ({ ...answer, role: order.fallback, rule: "territory" }));
}

function sorted(some: Answer[], columns: string[], order: AskingOrder): Answer[] {
  const keyed = some.map((answer) => ({
    answer,
    keys: columns.map((name) => key(answer, name, order)),
  }));
  keyed.sort((one, other) => {
    const at = one.keys.findIndex((value, i) => value !== other.keys[i]);
    return at < 0 ? 0 : one.keys[at] - other.keys[at];
  });
  return keyed.map(({ answer }) => answer);
}

/** What an answer is sorted by in a column of the order. */
function key(answer: Answer, column: string, order: AskingOrder): number {
  switch (column) {
    case "last":
      return Number(answer.role === order.fallback);
    case "extent_m2":
      return answer.found.extent;
    case "distance_m":
      return answer.found.distance;
    case "general":
      return Number(answer.category === null);
    case "place":
      return order.roles.indexOf(answer.role);
    case "holder":
      return answer.holder;
    case "code":
      return answer.code;
    default:
      throw new Error(`answers cannot be sorted by ${column}`);
  }
}

/** What answers are compared by where the same one is told but once. */
function plain(answer: Answer, column: string): string | number | null {
  switch (column) {
    case "holder":
    case "role":
    case "layer":
    case "target":
    case "category":
      return answer[column];
    default:
      throw new Error(`answers cannot be compared by ${column}`);
  }
}
