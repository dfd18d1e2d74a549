import type { Context } from "./context";
import type { Features, Twin } from "./features";
import { filteringOf, onFiltered } from "./filtering";
import { LEFT, RIGHT, swipePanes } from "./swipe";

type Mask = Uint8Array | null;

/**
 * The rows of a layer once for each side of the divider. What lies between them is not drawn, but
 * answers the pointer.
 */
export class Sides {
  private features: Features | null = null;
  private twins: Twin[] = [];
  private masks: Mask[] = [];

  constructor(
    private readonly context: Context,
    private readonly overlay: string,
  ) {
    swipePanes(context.map);
    context.watch(() => this.follow());
    onFiltered(context, () => this.filter());
  }

  /** Draws both sides: `style` gives a side its colours, `masks` say which rows it has. */
  draw(features: Features, style: (twin: Twin, side: number) => void, masks: Mask[] = []): void {
    if (!this.features) {
      this.features = features;
      this.twins = [LEFT, RIGHT].map((pane) => features.twin(pane));
      features.veil(true);
    }
    this.masks = masks;
    this.twins.forEach(style);
    this.filter();
    this.follow();
  }

  end(): void {
    for (const { layer } of this.twins) layer.remove();
    this.features?.veil(false);
    this.twins = [];
    this.features = null;
  }

  private filter(): void {
    if (!this.features) return;
    const { keep } = filteringOf(this.context, this.features);
    this.twins.forEach((twin, side) => twin.filter(both(keep, this.masks[side] ?? null)));
  }

  /** They are there while their overlay is. */
  private follow(): void {
    const { map } = this.context;
    for (const { layer } of this.twins) {
      if (!this.context.isShown(this.overlay)) layer.remove();
      else if (!map.hasLayer(layer)) layer.addTo(map);
    }
  }
}

function both(one: Mask, other: Mask): Mask {
  return one && other ? one.map((kept, row) => kept & other[row]) : (one ?? other);
}
