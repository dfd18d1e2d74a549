import L from "leaflet";
import { type Context, contextOf } from "./context";
import { penOf } from "./dom";
import { filteringOf, onFiltered } from "./filtering";
import { breakText } from "./linebreaks";

export interface LabelConfig {
  overlay: string;
  texts: string[];
  /** Longitude and latitude of the middle of each area's largest circle; null: no label. */
  places: ([number, number] | null)[];
  /** Radii of these circles, in units of Web Mercator. */
  radii: number[];
  /** Pixels. */
  size: number;
}

const WORLD = 2 * Math.PI * 6378137;
const SMALLEST = 8;
/** On paper a name may be smaller, and none is lost. */
const SMALLEST_PRINTED = 5;
const MOST_LINES = 3;
const LEADING = 1.15;
/** How far the corners of a text may stand out of the circle, in radii. */
const BEYOND = 1.45;

interface Placed {
  lines: string[];
  size: number;
  box: [left: number, top: number, right: number, bottom: number];
}

/** Writes names inside of areas on a canvas; those that fit nowhere wait for a closer look. */
export function labels(map: L.Map, config: LabelConfig): L.Layer {
  const context = contextOf(map);
  const made = new Labels(context, config);
  context.watch(() => {
    if (context.isShown(config.overlay)) made.addTo(map);
    else made.remove();
  });
  return made;
}

class Labels extends L.Layer {
  private readonly canvas = L.DomUtil.create("canvas", "gm-labels leaflet-zoom-hide");
  private readonly pen: CanvasRenderingContext2D;
  /** Large areas first: they get their names before their neighbours. */
  private readonly order: number[];

  constructor(
    private readonly context: Context,
    private readonly config: LabelConfig,
  ) {
    super();
    this.pen = penOf(this.canvas);
    const { radii, texts, places } = config;
    this.order = texts.map((_, row) => row).filter((row) => texts[row] && places[row]);
    this.order.sort((a, b) => radii[b] - radii[a] || a - b);
    onFiltered(context, () => this.draw());
  }

  onAdd(map: L.Map): this {
    const pane = map.getPane("gm-labels") ?? map.createPane("gm-labels");
    pane.style.zIndex = "450";
    pane.style.pointerEvents = "none";
    pane.append(this.canvas);
    map.on("moveend resize gridmap:theme", this.draw, this);
    this.draw();
    return this;
  }

  onRemove(map: L.Map): this {
    this.canvas.remove();
    map.off("moveend resize gridmap:theme", this.draw, this);
    return this;
  }

  private draw(): void {
    const map = this._map;
    if (!map) return;
    const { x: width, y: height } = map.getSize();
    const ratio = L.Browser.retina ? Math.max(2, window.devicePixelRatio) : window.devicePixelRatio;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    L.DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([0, 0]));
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const placed = this.place(map);
    const style = getComputedStyle(map.getContainer());
    this.pen.fillStyle = style.getPropertyValue("--gm-ink").trim();
    this.pen.strokeStyle = style.getPropertyValue("--gm-ground").trim();
    for (const label of placed) this.write(label);
    this.canvas.dataset.written = String(placed.length);
  }

  private place(map: L.Map): Placed[] {
    const { config, context } = this;
    const features = context.geoLayers.get(config.overlay);
    const keep = features && filteringOf(context, features).keep;
    const scale = (map.options.crs ?? L.CRS.EPSG3857).scale(map.getZoom()) / WORLD;
    const size = map.getSize();
    const placed: Placed[] = [];
    for (const row of this.order) {
      const place = config.places[row];
      if (!place || (keep && !keep[row])) continue;
      const [lng, lat] = place;
      const at = map.latLngToContainerPoint([lat, lng]);
      if (at.x < 0 || at.y < 0 || at.x > size.x || at.y > size.y) continue;
      const printed = "print" in document.documentElement.dataset;
      const label = this.fit(config.texts[row], at, config.radii[row] * scale, printed);
      if (!label) continue;
      if (printed || !placed.some((other) => overlap(label.box, other.box))) placed.push(label);
    }
    return placed;
  }

  /** The largest letters in the fewest lines with which a text fits into a circle. */
  private fit(text: string, at: L.Point, radius: number, always: boolean): Placed | null {
    const smallest = always ? SMALLEST_PRINTED : SMALLEST;
    for (let size = this.config.size; size >= smallest; size--) {
      for (let count = 1; count <= MOST_LINES; count++) {
        const last = always && size - 1 < smallest && count === MOST_LINES;
        const lines = text.split("\n").flatMap((line) => breakText(line, count));
        this.pen.font = this.font(size);
        const width = Math.max(...lines.map((line) => this.pen.measureText(line).width)) / 2;
        const height = (lines.length * size * LEADING) / 2;
        if (!last && (Math.hypot(width, height) > radius * BEYOND || height > radius)) continue;
        const box: Placed["box"] = [at.x - width, at.y - height, at.x + width, at.y + height];
        return { lines, size, box };
      }
    }
    return null;
  }

  private font(size: number): string {
    return `500 ${size}px ${getComputedStyle(this.context.map.getContainer()).fontFamily}`;
  }

  private write({ lines, size, box: [left, top, right] }: Placed): void {
    const { pen } = this;
    pen.font = this.font(size);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.lineWidth = 3;
    lines.forEach((line, index) => {
      const x = (left + right) / 2;
      const y = top + (index + 0.5) * size * LEADING;
      pen.strokeText(line, x, y);
      pen.fillText(line, x, y);
    });
  }
}

function overlap(a: Placed["box"], b: Placed["box"]): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}
