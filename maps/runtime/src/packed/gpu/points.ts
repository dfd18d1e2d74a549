import type { View } from "../canvaslayer";
import type { Days } from "../chosen";
import type { Spots } from "../decode";
import { type HeatLook, spotHeat } from "../density";
import type { Look } from "../look";
import type { Heights, Lattice } from "../projection";
import { type Device, deviceOf } from "./device";
import { DotPrinter } from "./dots";
import { HeatPrinter } from "./heat";
import { Places, Styled } from "./places";

/** Points from which on the card is worth its start. */
const MANY = 20_000;

interface Printers {
  dots: DotPrinter;
  heat: HeatPrinter | null;
}

let printers: Printers | null | undefined;
/** Both sides of a comparison have their points at the same places. */
const placed = new WeakMap<Spots, Places>();

/** The points of a layer on the graphics card: none has to be walked through to draw them. */
export class GpuPoints {
  private readonly styled: Styled;
  private stale = true;

  private constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly printers: Printers,
    private readonly spots: Spots,
    places: Places,
  ) {
    this.styled = new Styled(gl, places);
  }

  /** Returns null where the canvas is to draw them. */
  static of(spots: Spots, lattice: Lattice, heights: Heights): GpuPoints | null {
    const device = spots.x.length >= MANY ? deviceOf() : null;
    if (!device) return null;
    if (printers === undefined) printers = printersOn(device);
    if (!printers) return null;
    const places = placed.get(spots) ?? new Places(device, spots, lattice, heights);
    placed.set(spots, places);
    return new GpuPoints(device.gl, printers, spots, places);
  }

  /** Tells whether the card has gone away. */
  get isLost(): boolean {
    return this.gl.isContextLost();
  }

  /** Takes the styles, and which points there are, anew for the next picture. */
  turn(): void {
    this.stale = true;
  }

  bring(style: ArrayLike<number>, keeps: (row: number) => boolean): void {
    if (this.stale) this.styled.fill(this.spots, style, keeps);
    this.stale = false;
  }

  dots(view: View, looks: Look[], days: Days): ImageBitmap | null {
    return this.printers.dots.picture(this.styled, view, looks, days);
  }

  heat(view: View, look: HeatLook, days: Days, share: number): ImageBitmap | null {
    const spot = spotHeat(this.spots, look.radius);
    return this.printers.heat?.picture(this.styled, view, look, days, share, spot) ?? null;
  }
}

function printersOn(device: Device): Printers | null {
  try {
    return { dots: new DotPrinter(device), heat: HeatPrinter.on(device) };
  } catch (error) {
    // biome-ignore lint/suspicious/noConsole: the page is right without a card, only slower
    console.warn(`gridmap draws without the graphics card: ${error}`);
    return null;
  }
}
