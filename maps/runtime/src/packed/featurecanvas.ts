import type { Geometry } from "geojson";
import type L from "leaflet";
import { type Canvas2D, onCanvas, type View } from "./canvaslayer";
import type { Decoded, Shapes } from "./decode";
import { type Drawing, Filler } from "./fill";
import { distance, geometryOf, holds } from "./hit";
import type { Look } from "./look";
import { Strokes } from "./strokes";
import { StyledCanvas, type StyledOptions } from "./styled";
import { search } from "./tree";

export interface FeatureOptions extends StyledOptions {
  kind: "polygons" | "lines";
  tolerances: number[];
}

/** A vertex may lie this many pixels off the line that is drawn without it. */
const OFF = 0.4;
/** Areas below this size, in CSS pixels, get no outline, which would hide them. */
const LEAST_OUTLINED = 7;
const FEATURES_A_STEP = 512;
/** How many pixels beside a line still count as on it. */
const REACH = 4;
const MARGIN = 8;

/** The canvas of packed polygons or lines. */
export class FeatureCanvas extends StyledCanvas<Shapes> {
  constructor(
    private readonly config: FeatureOptions,
    pane = "gm-packed",
  ) {
    super(pane, config);
  }

  twin(pane: string): FeatureCanvas {
    const twin = new FeatureCanvas(this.config, pane);
    twin.likeness(this);
    return twin;
  }

  protected heldOf({ shapes }: Decoded): Shapes | null {
    return shapes;
  }

  box(row: number): ArrayLike<number> | null {
    if (!this.held) return null;
    const at = this.held.feature[row] * 4;
    const box = this.held.boxes.subarray(at, at + 4);
    return box[0] <= box[2] ? box : null;
  }

  find([west, south, east, north]: [number, number, number, number], found: (row: number) => void) {
    const { held } = this;
    if (held) search(held.tree, west, south, east, north, (feature) => found(held.row[feature]));
  }

  holds(row: number, column: number, line: number): boolean {
    return this.held !== null && holds(this.held, this.held.feature[row], column, line);
  }

  together(row: number): number[] {
    return [row];
  }

  geometry(row: number): Geometry | null {
    const { lattice, kind } = this.config;
    return this.held && geometryOf(this.held, lattice, this.held.feature[row], kind);
  }

  hit(point: L.LatLng): number {
    return this.config.kind === "lines" ? this.lineAt(point) : this.areaAt(point);
  }

  private areaAt(point: L.LatLng): number {
    const { held } = this;
    let uppermost = -1;
    if (!held) return uppermost;
    const { column, line } = this.locate(point);
    search(held.tree, column, line, column, line, (feature) => {
      const row = held.row[feature];
      if (this.keeps(row) && holds(held, feature, column, line)) uppermost = row;
    });
    return uppermost;
  }

  private lineAt(point: L.LatLng): number {
    const { held } = this;
    if (!held) return -1;
    const { column, line, lines } = this.locate(point);
    const reach = lines * REACH;
    const aspect = this.aspect(point.lat);
    const across = reach / aspect;
    let [least, nearest] = [reach * reach, -1];
    search(held.tree, column - across, line - reach, column + across, line + reach, (feature) => {
      if (!this.keeps(held.row[feature])) return;
      const square = distance(held, feature, column, line, aspect);
      if (square <= least) [least, nearest] = [square, held.row[feature]];
    });
    return nearest;
  }

  protected draw(view: View): Generator<void, ImageBitmap> {
    return onCanvas(view, (canvas) => this.drawOn(canvas, view));
  }

  private *drawOn(canvas: Canvas2D, view: View): Generator<void> {
    const { held: shapes } = this;
    if (!shapes || this.veiled) return;
    const projection = this.projection(view);
    const drawing = { shapes, projection, detail: this.detail(projection.scaleX) };
    const features = this.visible(drawing, canvas.canvas);
    const areas = this.config.kind === "polygons";
    const looks = this.looks(view, areas);
    if (areas) yield* this.fillAreas(canvas, drawing, features, looks);
    const strokes = new Strokes(drawing);
    const least = areas ? LEAST_OUTLINED * view.ratio : 0;
    for (let i = 0; i < features.length; i++) {
      const feature = features[i];
      if (isLarge(drawing, feature, least)) strokes.add(feature, this.classOf(shapes.row[feature]));
      if (i % FEATURES_A_STEP === 0) yield;
    }
    yield* strokes.draw(
      canvas,
      looks.map((look) => look.pen),
    );
  }

  private *fillAreas(
    canvas: Canvas2D,
    drawing: Drawing,
    features: number[],
    looks: Look[],
  ): Generator<void> {
    const { width, height } = canvas.canvas;
    const image = canvas.createImageData(width, height);
    const words = new Uint32Array(image.data.buffer);
    const filler = new Filler({ words, width, height }, drawing);
    for (let i = 0; i < features.length; i++) {
      const colour = looks[this.classOf(drawing.shapes.row[features[i]])].fill;
      if (colour !== 0) filler.fill(features[i], colour);
      if (i % FEATURES_A_STEP === 0) yield;
    }
    canvas.putImageData(image, 0, 0);
    yield;
  }

  private visible({ shapes, projection }: Drawing, { width, height }: OffscreenCanvas): number[] {
    const features: number[] = [];
    search(
      shapes.tree,
      projection.column(-MARGIN),
      projection.row(height + MARGIN),
      projection.column(width + MARGIN),
      projection.row(-MARGIN),
      (feature) => {
        if (this.keeps(shapes.row[feature])) features.push(feature);
      },
    );
    return features;
  }

  /** Returns the coarsest level whose lines look the same as the finest. */
  private detail(scale: number): number {
    const { lattice, tolerances } = this.config;
    return tolerances.filter((metres) => (metres / lattice.quantum_m) * scale <= OFF).length;
  }
}

function isLarge({ shapes, projection }: Drawing, feature: number, least: number): boolean {
  const { boxes } = shapes;
  const at = feature * 4;
  if (least === 0 || (boxes[at + 2] - boxes[at]) * projection.scaleX >= least) return true;
  return projection.y(boxes[at + 1]) - projection.y(boxes[at + 3]) >= least;
}
