import type L from "leaflet";
import type { Context } from "./context";
import { fromBase64, readSums } from "./packed/bytes";
import {
  type Metres,
  metresAt,
  type Nearby,
  type PackedShapes,
  type Place,
  Shapes,
} from "./whofind";
import {
  type Answer,
  type AskingOrder,
  answers,
  type Found,
  type Holder,
  type Rule,
} from "./whorank";
import type { Words } from "./words";

/** A column of different values: which of them each row has, -1 for none. */
interface Coded<T> {
  values: T[];
  rows: string;
}

/** The targets of one layer and kind: drawn by an overlay, or with shapes of their own. */
export interface Group {
  layer: string;
  kind: string;
  what: Words;
  rule: Exclude<Rule, "territory">;
  reach: number;
  /** In the order of the overlay's rows; null: a row that is no target. */
  codes: (string | null)[];
  names: (string | null)[];
  extents: (number | null)[];
  overlay?: string;
  shapes?: PackedShapes;
}

/** All that the answer depends on but the place and the category, as `who.py` writes it. */
export interface Ownership {
  at: string;
  order: AskingOrder;
  roles: Record<string, Words>;
  /** Why each rule counts, and what is said of an assignment without an end and of nobody. */
  texts: Record<Rule | "open_end" | "nobody", Words>;
  categories: [code: string, name: string][];
  holders: {
    count: number;
    columns: Record<TextColumn, Coded<string>> & Record<NumberColumn, Coded<number>>;
  };
  groups: Group[];
  required: { title: Words; groups: number[] }[];
  metres: Metres | null;
}

type TextColumn =
  | "layer"
  | "target"
  | "holder"
  | "role"
  | "category"
  | "until"
  | "phone"
  | "source";
type NumberColumn = "from_m" | "to_m";

/** Finds what a point belongs to, and who answers for it. */
export class Asked {
  private readonly holders = new Map<string, Holder[]>();
  private readonly shapes: (Shapes | null)[];

  constructor(
    private readonly context: Context,
    private readonly ownership: Ownership,
  ) {
    for (const holder of holdersOf(ownership)) {
      const key = keyOf(holder.layer, holder.target);
      const some = this.holders.get(key);
      if (some) some.push(holder);
      else this.holders.set(key, [holder]);
    }
    this.shapes = ownership.groups.map(({ shapes }) => (shapes ? new Shapes(shapes) : null));
  }

  /** Everyone who answers for a point, in the order in which to ask them; null: for any category. */
  answers(point: L.LatLng, category: string | null): Answer[] {
    const holders = (target: Found) => this.namedFor(target);
    return answers(this.found(point), holders, this.ownership.order, category);
  }

  /** The layers that must have somebody, and have nobody at a point. */
  ownerless(point: L.LatLng): Words[] {
    const found = this.found(point);
    const bare = this.ownership.required.filter(({ groups }) => {
      const here = found.filter(({ group }) => groups.includes(group));
      return here.length === 0 || here.some((target) => this.namedFor(target).length === 0);
    });
    return bare.map(({ title }) => title);
  }

  /** What a point lies in, along or near. */
  private found(point: L.LatLng): Found[] {
    const { groups, metres } = this.ownership;
    const place = metres && metresAt(metres, point.lng, point.lat);
    return groups.flatMap((group, at) =>
      this.nearby(group, at, point, place).flatMap((target) => foundAs(group, at, target)),
    );
  }

  private nearby(group: Group, at: number, point: L.LatLng, place: Place | null): Nearby[] {
    const inside = (row: number) => ({ row, distance: 0, chainage: 0 });
    if (group.overlay !== undefined) {
      return this.context.geoLayers.get(group.overlay)?.rowsAt(point).map(inside) ?? [];
    }
    const shapes = this.shapes[at];
    if (!shapes || !place) return [];
    if (group.rule === "inside") return shapes.holding(place).map(inside);
    return group.rule === "along"
      ? shapes.nearest(place, group.reach)
      : shapes.near(place, group.reach);
  }

  private namedFor({ layer, code }: Found): Holder[] {
    return this.holders.get(keyOf(layer, code)) ?? [];
  }
}

function foundAs(group: Group, at: number, { row, distance, chainage }: Nearby): Found[] {
  const code = group.codes[row];
  if (code === null) return [];
  const { layer, rule } = group;
  const name = group.names[row] ?? "";
  const along = rule === "along" ? chainage : null;
  const extent = group.extents[row] ?? 0;
  return [{ layer, group: at, code, name, rule, extent, distance, chainage: along }];
}

function keyOf(layer: string, code: string): string {
  return `${layer} ${code}`;
}

function holdersOf({ holders: { count, columns } }: Ownership): Holder[] {
  const rows = <T>(column: Coded<T>) => readSums(fromBase64(column.rows), count);
  const values = <T>(column: Coded<T>) => {
    const at = rows(column);
    return (row: number): T | null => column.values[at[row]] ?? null;
  };
  const holder = rows(columns.holder);
  const [layer, target, role] = [columns.layer, columns.target, columns.role].map(values);
  const [category, until] = [columns.category, columns.until].map(values);
  const [phone, source] = [columns.phone, columns.source].map(values);
  const [from, to] = [columns.from_m, columns.to_m].map(values);
  return Array.from({ length: count }, (_, row) => ({
    layer: layer(row) ?? "",
    target: target(row) ?? "",
    holder: holder[row],
    name: columns.holder.values[holder[row]],
    role: role(row) ?? "",
    category: category(row),
    from: from(row),
    to: to(row),
    until: until(row),
    phone: phone(row),
    source: source(row),
    code: row,
  }));
}
