/** Channels from 0 to 255, and opacity from 0 to 1. */
export type Colour = [red: number, green: number, blue: number, alpha: number];

let scratch: CanvasRenderingContext2D | null = null;

/**
 * Reads a CSS colour through a canvas, which gives `#rrggbb` or `rgba(r, g, b, a)` back; what is no
 * colour is black.
 */
export function readColour(text: string): Colour {
  scratch ??= document.createElement("canvas").getContext("2d");
  if (!scratch) return [0, 0, 0, 1];
  scratch.fillStyle = "#000000";
  scratch.fillStyle = text;
  return channelsOf(scratch.fillStyle);
}

/** Reads a colour as a canvas writes it. */
export function channelsOf(written: string): Colour {
  const [red, green, blue, alpha = 1] = written.startsWith("#")
    ? [1, 3, 5].map((at) => Number.parseInt(written.slice(at, at + 2), 16))
    : Array.from(written.matchAll(/[\d.]+/g), Number);
  return [red, green, blue, alpha];
}
