import { type Canvas2D, settle } from "./canvaslayer";
import type { Drawing } from "./fill";

/** How the lines of one style are drawn. */
export interface Pen {
  colour: string;
  width: number;
  opacity: number;
  dash: number[];
}

const VERTICES_PER_PATH = 3000;

/** Collects the arcs of visible features, each once, though two neighbours share it. */
export class Strokes {
  private readonly seen: Uint8Array;
  private readonly arcs = new Map<number, number[]>();

  constructor(private readonly drawing: Drawing) {
    this.seen = new Uint8Array(drawing.shapes.start.length - 1);
  }

  add(feature: number, pen: number): void {
    const { ring, use, arc } = this.drawing.shapes;
    const list = this.arcs.get(pen) ?? [];
    this.arcs.set(pen, list);
    for (let u = use[ring[feature]], end = use[ring[feature + 1]]; u < end; u++) {
      const a = arc[u] >> 1;
      if (this.seen[a]) continue;
      this.seen[a] = 1;
      list.push(a);
    }
  }

  /** Draws path by path, and gives way after each. */
  *draw(canvas: Canvas2D, pens: (Pen | null)[]): Generator<void> {
    for (const [style, arcs] of [...this.arcs].sort(([a], [b]) => a - b)) {
      const pen = pens[style];
      if (!pen) continue;
      usePen(canvas, pen);
      for (let i = 0; i < arcs.length; ) {
        canvas.beginPath();
        for (let vertices = 0; i < arcs.length && vertices < VERTICES_PER_PATH; i++) {
          vertices += this.trace(canvas, arcs[i]);
        }
        canvas.stroke();
        settle(canvas);
        yield;
      }
    }
    canvas.globalAlpha = 1;
  }

  /** Returns how many vertices it took. */
  private trace(canvas: Canvas2D, arc: number): number {
    const { shapes, projection, detail } = this.drawing;
    const { start, x, y, level } = shapes;
    const first = start[arc];
    let vertices = 1;
    canvas.moveTo(projection.x(x[first]), projection.y(y[first]));
    for (let k = first + 1; k < start[arc + 1]; k++) {
      if (level[k] < detail) continue;
      canvas.lineTo(projection.x(x[k]), projection.y(y[k]));
      vertices++;
    }
    return vertices;
  }
}

function usePen(canvas: Canvas2D, { colour, width, opacity, dash }: Pen): void {
  canvas.strokeStyle = colour;
  canvas.lineWidth = width;
  canvas.globalAlpha = opacity;
  canvas.lineJoin = "round";
  canvas.lineCap = "round";
  canvas.setLineDash(dash);
}
