import type L from "leaflet";
import type { Context } from "./context";
import type { Features, Twin } from "./features";
import { filteringOf, onFiltered } from "./filtering";
import { both, either, type Mask } from "./masks";
import { LEFT, RIGHT, swipePanes } from "./swipe";

/** What one side has of its own. */
export interface Side {
  /** Its rows; null: all. */
  mask?: Mask;
  /** The class of each row. */
  classes?: Uint8Array;
}

/**
 * The rows of a layer once for each side of the divider. What lies between them is not drawn, but
 * answers the pointer.
 */
export class Sides {
  private features: Features | null = null;
  private twins: Twin[] = [];
  private sides: Side[] = [];

  constructor(
    private readonly context: Context,
    private readonly overlay: string,
  ) {
    swipePanes(context.map);
    context.watch(() => this.follow());
    onFiltered(context, () => this.filter());
  }

  /** Draws both sides; `styles` are those of their classes. */
  draw(features: Features, sides: [Side, Side], styles: L.PathOptions[] = []): void {
    if (!this.features) {
      this.features = features;
      this.twins = [LEFT, RIGHT].map((pane) => features.twin(pane));
      features.veil(true);
    }
    this.sides = sides;
    for (const [side, twin] of this.twins.entries()) {
      const { classes } = sides[side];
      if (classes) twin.restyle(classes, styles);
    }
    this.filter();
    this.follow();
  }

  end(): void {
    for (const { layer } of this.twins) layer.remove();
    if (this.features) {
      this.features.veil(false);
      this.features.filter(filteringOf(this.context, this.features).keep);
    }
    this.twins = [];
    this.features = null;
  }

  private filter(): void {
    if (!this.features) return;
    const filtering = filteringOf(this.context, this.features);
    const kept = this.sides.map(({ mask = null, classes }) =>
      both(classes ? filtering.keptAs((row) => classes[row]) : filtering.keep, mask),
    );
    for (const [side, twin] of this.twins.entries()) twin.filter(kept[side]);
    // What either side has answers the pointer.
    const [left, right] = kept;
    this.features.filter(either(left, right));
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
