import L from "leaflet";

/** Part of the world as pixels: what a canvas shows. */
export interface View {
  zoom: number;
  /** World pixel, at that zoom, of the canvas's corner; whole, so that pixels meet the screen's. */
  corner: L.Point;
  /** In CSS pixels. */
  size: L.Point;
  /** Canvas pixels a CSS pixel. */
  ratio: number;
}

/** Of the map's size, on each side: a pan within draws nothing. */
const MARGIN = 0.15;
const MOST_RATIO = 2;
/** Milliseconds of drawing between which the browser can do other things. */
const SLICE = 12;

interface Animated {
  _getNewPixelOrigin(center: L.LatLng, zoom: number): L.Point;
}

/** What a drawing is made on. */
export type Canvas2D = OffscreenCanvasRenderingContext2D;

/**
 * A canvas over the map that shows a picture, made in slices, so that neither a pan nor a zoom
 * waits for it. It is made outside of the page: of a canvas that is drawn on inside, even hidden,
 * the browser would copy all pixels for every frame.
 */
export abstract class CanvasLayer extends L.Layer {
  private screen: HTMLCanvasElement | null = null;
  private shown: View | null = null;
  private job = 0;
  private busy = false;
  /** Whether there is anything to draw yet. */
  protected ready = false;

  constructor(private paneName: string) {
    super();
  }

  protected setPane(name: string): void {
    this.paneName = name;
    if (this.screen) this.pane().append(this.screen);
  }

  /** Makes a picture of a view; each step is short. */
  protected abstract draw(view: View): Generator<void, ImageBitmap>;

  /** Called when a drawing has come onto the screen. */
  protected abstract drawn(): void;

  getEvents(): { [name: string]: L.LeafletEventHandlerFn } {
    return {
      viewreset: () => this.place(),
      zoom: () => this.place(),
      move: () => this.follow(),
      moveend: () => {
        if (!this.covers()) this.redraw();
      },
      zoomanim: (event) => {
        const { center, zoom } = event as L.ZoomAnimEvent;
        this.place(center, zoom);
      },
    };
  }

  onAdd(_map: L.Map): this {
    this.screen = L.DomUtil.create("canvas", "gm-packed leaflet-zoom-animated", this.pane());
    this.redraw();
    return this;
  }

  onRemove(_map: L.Map): this {
    this.job++;
    this.screen?.remove();
    this.screen = this.shown = null;
    return this;
  }

  bringToFront(): this {
    if (this.screen) this.screen.parentElement?.append(this.screen);
    return this;
  }

  /** Begins a drawing of what the map shows now; one that is under way ends. */
  redraw(): void {
    if (!this.ready || !this.screen || !this._map) return;
    this.busy = true;
    const view = this.currentView();
    void this.run(++this.job, this.draw(view), view);
  }

  private async run(job: number, steps: Generator<void, ImageBitmap>, view: View): Promise<void> {
    let step = steps.next();
    for (let end = performance.now() + SLICE; !step.done; step = steps.next()) {
      if (performance.now() < end) continue;
      await pause();
      if (job !== this.job) return;
      end = performance.now() + SLICE;
    }
    const { screen } = this;
    if (job !== this.job || !screen) return;
    const picture = step.value;
    [screen.width, screen.height] = [picture.width, picture.height];
    screen.style.width = `${view.size.x}px`;
    screen.style.height = `${view.size.y}px`;
    screen.getContext("bitmaprenderer")?.transferFromImageBitmap(picture);
    this.shown = view;
    this.busy = false;
    this.place();
    this.drawn();
  }

  /** Draws ahead as soon as a pan shows more than there is on the canvas. */
  private follow(): void {
    if (!this.busy && this.shown?.zoom === this._map.getZoom() && !this.covers()) this.redraw();
  }

  /** Tells whether the canvas holds all that the map shows. */
  private covers(): boolean {
    if (this.busy || this.shown?.zoom !== this._map.getZoom()) return false;
    const { corner, size } = this.shown;
    return L.bounds(corner, corner.add(size)).contains(this._map.getPixelBounds());
  }

  private pane(): HTMLElement {
    return this._map.getPane(this.paneName) ?? this._map.createPane(this.paneName);
  }

  private currentView(): View {
    const shown = this._map.getPixelBounds();
    const margin = this._map.getSize().multiplyBy(MARGIN).round();
    const corner = shown.getTopLeft().subtract(margin).round();
    return {
      zoom: this._map.getZoom(),
      corner,
      size: shown.getBottomRight().add(margin).round().subtract(corner),
      // For paper the page pretends to be on a fine screen.
      ratio: Math.min(Math.max(window.devicePixelRatio, L.Browser.retina ? 2 : 1), MOST_RATIO),
    };
  }

  /** Puts the canvas where its view lies on the map, at the map's zoom or one it moves to. */
  private place(center = this._map.getCenter(), zoom = this._map.getZoom()): void {
    if (!this.shown || !this.screen) return;
    const scale = this._map.getZoomScale(zoom, this.shown.zoom);
    const origin = (this._map as unknown as Animated)._getNewPixelOrigin(center, zoom);
    const at = this.shown.corner.multiplyBy(scale).subtract(origin);
    L.DomUtil.setTransform(this.screen, scale === 1 ? at.round() : at, scale);
  }
}

/** Returns how many pixels a view has. */
export function pixelsOf({ size, ratio }: View): L.Point {
  return size.multiplyBy(ratio).round();
}

/** Makes a picture of a view on an empty canvas, in the steps of a drawing. */
export function* onCanvas(
  view: View,
  draw: (canvas: Canvas2D) => Generator<void>,
): Generator<void, ImageBitmap> {
  const { x: width, y: height } = pixelsOf(view);
  const sheet = new OffscreenCanvas(width, height);
  const canvas = sheet.getContext("2d", { willReadFrequently: true });
  if (!canvas) throw new Error("this browser has no canvas");
  yield* draw(canvas);
  return sheet.transferToImageBitmap();
}

/** Drawing is put off until it is read or shown: this makes it happen, and so be timed. */
export function settle(canvas: Canvas2D): void {
  canvas.getImageData(0, 0, 1, 1);
}

/** Lets the browser draw and answer before the next slice. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve();
    port2.postMessage(null);
  });
}
