import type L from "leaflet";
import type { Context } from "./context";
import type { Features } from "./features";

const FILTERED = "gridmap:filtered";
const made = new WeakMap<Features, Filtering>();

/** What several cards leave of one layer: a row is drawn if all of them keep it. */
export class Filtering {
  private readonly masks = new Map<string, Uint8Array>();
  /** 1 where a row is drawn; null: all are. */
  keep: Uint8Array | null = null;

  constructor(
    private readonly map: L.Map,
    private readonly features: Features,
  ) {}

  /** Sets what one card keeps; null: it keeps all. */
  set(card: string, mask: Uint8Array | null): void {
    if (mask) this.masks.set(card, mask);
    else if (!this.masks.delete(card)) return;
    const masks = [...this.masks.values()];
    this.keep = masks.length
      ? Uint8Array.from({ length: this.features.count }, (_, row) =>
          masks.every((one) => one[row]) ? 1 : 0,
        )
      : null;
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
