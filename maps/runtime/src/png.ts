import type { Context } from "./context";
import { penOf } from "./dom";
import { download } from "./download";

/** Cards that belong on a picture of the map. */
const CARDS = ".gm-title, .gm-legend, .gm-foot, .leaflet-control-attribution";
const RADIUS = 12;

/** Saves what the map shows, with title, legend, scale and north, as a picture. */
export function savePng(context: Context): void {
  drawPicture(context.map.getContainer(), window.devicePixelRatio).toBlob((blob) => {
    if (blob) download(`${context.say(context.config.title)}.png`, "image/png", blob);
  });
}

export function drawPicture(map: HTMLElement, ratio: number): HTMLCanvasElement {
  const frame = map.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(frame.width * ratio);
  canvas.height = Math.round(frame.height * ratio);
  const pen = penOf(canvas);
  pen.scale(ratio, ratio);
  pen.translate(-frame.left, -frame.top);
  pen.fillStyle = getComputedStyle(map).backgroundColor;
  pen.fillRect(frame.left, frame.top, frame.width, frame.height);
  for (const part of inOrder(map)) drawPane(pen, part);
  for (const card of map.parentElement?.querySelectorAll<HTMLElement>(CARDS) ?? []) {
    drawCard(pen, card);
  }
  return canvas;
}

/**
 * Tiles and canvases, as they lie over each other. A tile whose service does not let other pages
 * read its pixels would spoil the whole picture and is left out.
 */
function inOrder(map: HTMLElement): (HTMLCanvasElement | HTMLImageElement)[] {
  const drawn = "img.leaflet-tile, img.leaflet-image-layer, canvas";
  const order = (element: Element) => {
    const pane = element.closest<HTMLElement>(".leaflet-pane > .leaflet-pane");
    const own = pane === element.parentElement ? getComputedStyle(element).zIndex : "auto";
    return [Number(pane ? getComputedStyle(pane).zIndex : 0), Number(own) || 0];
  };
  return [...map.querySelectorAll<HTMLCanvasElement | HTMLImageElement>(drawn)]
    .filter(
      (one) => !(one instanceof HTMLImageElement) || one.crossOrigin || /^data:/.test(one.src),
    )
    .map((element, position) => ({ element, position, order: order(element) }))
    .sort((a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1] || a.position - b.position)
    .map(({ element }) => element);
}

function drawPane(pen: CanvasRenderingContext2D, part: HTMLCanvasElement | HTMLImageElement): void {
  const { left, top, width, height } = part.getBoundingClientRect();
  if (!width || !height || (part instanceof HTMLImageElement && !part.naturalWidth)) return;
  if (getComputedStyle(part).visibility === "hidden") return;
  pen.save();
  const clipped = part.closest<HTMLElement>('[style*="clip-path"]');
  if (clipped) clipTo(pen, clipped);
  pen.globalAlpha = Number(getComputedStyle(part).opacity);
  pen.drawImage(part, left, top, width, height);
  pen.restore();
}

/** One side of a comparison. */
function clipTo(pen: CanvasRenderingContext2D, pane: HTMLElement): void {
  const { left, top } = pane.getBoundingClientRect();
  const numbers = pane.style.clipPath.match(/-?[\d.]+(?=px)/g)?.map(Number) ?? [];
  pen.beginPath();
  for (let i = 0; i + 1 < numbers.length; i += 2)
    pen.lineTo(left + numbers[i], top + numbers[i + 1]);
  pen.clip();
}

/** Draws a card as the reader sees it: its ground, its coloured patches, its text. */
function drawCard(pen: CanvasRenderingContext2D, card: HTMLElement): void {
  for (const element of [card, ...card.querySelectorAll<HTMLElement>("*")]) {
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || element.matches("button.gm-button")) continue;
    drawGround(pen, element, box);
    for (const node of element.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) drawText(pen, node as Text, getComputedStyle(element));
    }
  }
}

function drawGround(pen: CanvasRenderingContext2D, element: HTMLElement, box: DOMRect): void {
  const style = getComputedStyle(element);
  const round = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, RADIUS);
  const radius = style.borderTopLeftRadius.endsWith("%") ? box.width / 2 : round;
  const colours = style.backgroundImage.match(/rgba?\([^)]*\)/g);
  if (colours) {
    const ramp = pen.createLinearGradient(box.left, 0, box.right, 0);
    for (const [i, colour] of colours.entries()) {
      ramp.addColorStop(i / Math.max(colours.length - 1, 1), colour);
    }
    pen.fillStyle = ramp;
  } else {
    pen.fillStyle = style.backgroundColor;
  }
  pen.beginPath();
  pen.roundRect(box.left, box.top, box.width, box.height, radius);
  pen.globalAlpha = Number(style.opacity);
  pen.fill();
  pen.globalAlpha = 1;
  drawBorders(pen, style, box);
}

function drawBorders(
  pen: CanvasRenderingContext2D,
  style: CSSStyleDeclaration,
  box: DOMRect,
): void {
  const sides: [string, string, number, number, number, number][] = [
    [style.borderTopWidth, style.borderTopColor, box.left, box.top, box.right, box.top],
    [style.borderBottomWidth, style.borderBottomColor, box.left, box.bottom, box.right, box.bottom],
    [style.borderLeftWidth, style.borderLeftColor, box.left, box.top, box.left, box.bottom],
    [style.borderRightWidth, style.borderRightColor, box.right, box.top, box.right, box.bottom],
  ];
  for (const [width, colour, x1, y1, x2, y2] of sides) {
    const thick = Number.parseFloat(width);
    if (!thick) continue;
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
  }
}

/** Draws each line of a text where the browser broke it. */
function drawText(pen: CanvasRenderingContext2D, node: Text, style: CSSStyleDeclaration): void {
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  pen.fillStyle = style.color;
  pen.textBaseline = "middle";
  const range = document.createRange();
  let line = { text: "", left: 0, middle: Number.NaN };
  const flush = () => pen.fillText(line.text, line.left, line.middle);
  for (let at = 0; at < node.length; at++) {
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    const middle = box.top + box.height / 2;
    if (Math.abs(middle - line.middle) < 2) {
      line.text += node.data[at];
      continue;
    }
    if (line.text) flush();
    line = { text: node.data[at], left: box.left, middle };
  }
  if (line.text) flush();
}
