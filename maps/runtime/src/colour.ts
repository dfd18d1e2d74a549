let scratch: CanvasRenderingContext2D | null = null;

/**
 * Reads a CSS colour as red, green, blue (0 to 255) and alpha (0 to 1), through a canvas, which
 * gives `#rrggbb` or `rgba(r, g, b, a)` back; what is no colour is black.
 */
export function readColour(
  text: string,
): [red: number, green: number, blue: number, alpha: number] {
  scratch ??= document.createElement("canvas").getContext("2d");
  if (!scratch) return [0, 0, 0, 1];
  scratch.fillStyle = "#000000";
  scratch.fillStyle = text;
  const read = scratch.fillStyle;
  const [red, green, blue, alpha = 1] = read.startsWith("#")
    ? [1, 3, 5].map((at) => Number.parseInt(read.slice(at, at + 2), 16))
    : read.match(/[\d.]+/g)!.map(Number);
  return [red, green, blue, alpha];
}
