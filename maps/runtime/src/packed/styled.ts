import type { Geometry } from "geojson";
import type L from "leaflet";
import { groundOf, onGround } from "../ground";
import { CanvasLayer, type View } from "./canvaslayer";
import type { Decoded, Rows } from "./decode";
import { type Look, lookOf } from "./look";
import { Heights, type Lattice, Projection } from "./projection";

export interface StyledOptions {
  lattice: Lattice;
  styles: L.PathOptions[];
}

/** What canvases of packed areas, lines and points share: rows with styles, some filtered out. */
export abstract class StyledCanvas<Held extends Rows> extends CanvasLayer {
  protected held: Held | null = null;
  protected style: ArrayLike<number> = [];
  protected styles: L.PathOptions[];
  protected keep: Uint8Array | null = null;
  protected veiled = false;
  protected heights: Heights;
  private leaveGround: (() => void) | null = null;

  constructor(
    pane: string,
    protected readonly setup: StyledOptions,
  ) {
    super(pane);
    this.styles = setup.styles;
    this.heights = new Heights(setup.lattice, 0);
  }

  onAdd(map: L.Map): this {
    this.leaveGround = onGround(map, () => this.redraw());
    return super.onAdd(map);
  }

  onRemove(map: L.Map): this {
    this.leaveGround?.();
    return super.onRemove(map);
  }

  protected abstract heldOf(decoded: Decoded): Held | null;

  abstract geometry(row: number): Geometry | null;

  fill(decoded: Decoded): void {
    this.held = this.heldOf(decoded);
    if (!this.held) return;
    // A card may have given other styles while the data was on its way.
    if (!this.style.length) this.style = decoded.style;
    const [boxes] = this.held.tree.levels;
    let rows = 0;
    for (let i = 3; i < boxes.length; i += 4) rows = Math.max(rows, boxes[i]);
    this.heights = new Heights(this.setup.lattice, rows);
    this.ready = true;
    this.redraw();
  }

  keeps(row: number): boolean {
    return this.keep === null || this.keep[row] === 1;
  }

  filter(keep: Uint8Array | null): void {
    this.keep = keep;
    this.redraw();
  }

  restyle(style: ArrayLike<number>, styles: L.PathOptions[]): void {
    this.style = style;
    this.styles = styles;
    this.redraw();
  }

  veil(on: boolean): void {
    this.veiled = on;
    this.redraw();
  }

  /** Draws the same features, in the same styles and as filtered. */
  protected likeness(of: StyledCanvas<Held>): void {
    ({ held: this.held, style: this.style, styles: this.styles, keep: this.keep } = of);
    ({ heights: this.heights, ready: this.ready } = of);
  }

  classOf(row: number): number {
    return this.style[row] ?? 0;
  }

  styleOf(row: number): L.PathOptions {
    return this.styles[this.classOf(row)] ?? {};
  }

  /** The styles as they are drawn in a view. */
  protected looks({ ratio }: View, filled = true): Look[] {
    const ground = groundOf(this._map);
    const inked = (style: L.PathOptions) => ground.ink(filled ? style : { ...style, fill: false });
    return this.styles.map((style) => lookOf(inked(style), ratio));
  }

  protected drawn(): void {
    performance.mark("gridmap:drawn");
  }

  protected projection(view: View): Projection {
    return new Projection(this.setup.lattice, this.heights, view.zoom, view.corner, view.ratio);
  }

  /** The column and the line of the lattice at a point, and how many lines a pixel has there. */
  protected locate({ lng, lat }: L.LatLng): { column: number; line: number; lines: number } {
    const { west, south, step_x: stepX, step_y: stepY } = this.setup.lattice;
    const below = this._map.unproject(this._map.project([lat, lng]).add([0, 1]));
    return {
      column: (lng - west) / stepX,
      line: (lat - south) / stepY,
      lines: (lat - below.lat) / stepY,
    };
  }

  /** How many lines high a column is wide on the ground. */
  protected aspect(lat: number): number {
    const { step_x: stepX, step_y: stepY } = this.setup.lattice;
    return (stepX / stepY) * Math.cos((lat * Math.PI) / 180);
  }
}
