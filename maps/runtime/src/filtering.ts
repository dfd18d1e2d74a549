import type L from "leaflet";
import type { Context } from "./context";
import type { Features } from "./features";

const FILTERED = "gridmap:filtered";
const made = new WeakMap<Features, Filtering>();

/** What several cards leave of one layer: a row is drawn if all of them keep it. */
export class Filtering {
  private readonly masks = new Map<string, Uint8Array>();
  private off: ReadonlySet<number> = new Set();
  /** 1 where a row is drawn; null: all are. */
  keep: Uint8Array | null = null;

  constructor(
    private readonly map: Pick<L.Map, "fire">,
    private readonly features: Pick<Features, "count" | "classOf" | "filter">,
  ) {}

  /** Sets what one card keeps; null: it keeps all. */
  set(card: string, mask: Uint8Array | null): void {
    if (mask) this.masks.set(card, mask);
    else if (!this.masks.delete(card)) return;
    this.apply();
  }

  /** Leaves out the rows of some classes. */
  hide(classes: ReadonlySet<number>): void {
    if (!classes.size && !this.off.size) return;
    this.off = new Set(classes);
    this.apply();
  }

  /** Returns what is kept where rows have other classes than in the layer. */
  keptAs(classOf: (row: number) => number): Uint8Array | null {
    const { off, features } = this;
    const masks = [...this.masks.values()];
    if (!masks.length && !off.size) return null;
    return Uint8Array.from({ length: features.count }, (_, row) =>
      masks.every((one) => one[row]) && !off.has(classOf(row)) ? 1 : 0,
    );
  }

  private apply(): void {
    this.keep = this.keptAs((row) => this.features.classOf(row));
    this.features.filter(this.keep);
    this.map.fire(FILTERED);
  }
}

export function filteringOf(context: Context, features: Features): Filtering {
  const filtering = made.get(features) ?? new Filtering(context.map, features);
  made.set(features, filtering);
  return filtering;
}

/** Calls back whenever a layer is filtered. */
export function onFiltered({ map }: Context, callback: () => void): void {
  map.on(FILTERED, callback);
}
