import type L from "leaflet";

/** Where the lattice lies: see `Lattice` in `_pack_rings.py`. */
export interface Lattice {
  west: number;
  south: number;
  step_x: number;
  step_y: number;
  quantum_m: number;
}

/** Web-Mercator heights are looked up at this distance; between, a line is right to 5 mm. */
const TABLE_DEGREES = 0.005;

/** Heights of the lattice's rows in web Mercator: 0 at the north end of the world, 1 at the south. */
export class Heights {
  private readonly table: Float64Array;
  private readonly perRow: number;

  constructor(
    private readonly lattice: Lattice,
    rows: number,
  ) {
    const size = Math.ceil((rows * lattice.step_y) / TABLE_DEGREES) + 2;
    this.perRow = lattice.step_y / TABLE_DEGREES;
    this.table = Float64Array.from({ length: size }, (_, i) =>
      heightOf(lattice.south + i * TABLE_DEGREES),
    );
  }

  /** Returns the height of a row. */
  at(row: number): number {
    const place = row * this.perRow;
    const i = place | 0;
    const low = this.table[i];
    return low + (place - i) * (this.table[i + 1] - low);
  }

  /** Returns the row at a height, fractional, and outside of the table too. */
  rowAt(height: number): number {
    const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * height))) * 180) / Math.PI;
    return (lat - this.lattice.south) / this.lattice.step_y;
  }
}

function heightOf(lat: number): number {
  return 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI);
}

/** From the lattice to the pixels of a canvas. */
export class Projection {
  readonly scaleX: number;
  readonly offsetX: number;
  private readonly world: number;

  constructor(
    lattice: Lattice,
    readonly heights: Heights,
    zoom: number,
    /** World pixel, at that zoom, of the canvas's corner. */
    private readonly corner: L.Point,
    private readonly ratio: number,
  ) {
    this.world = 256 * 2 ** zoom * ratio;
    this.scaleX = (lattice.step_x / 360) * this.world;
    this.offsetX = ((lattice.west + 180) / 360) * this.world - corner.x * ratio;
  }

  x(column: number): number {
    return column * this.scaleX + this.offsetX;
  }

  y(row: number): number {
    return this.heights.at(row) * this.world - this.corner.y * this.ratio;
  }

  column(x: number): number {
    return (x - this.offsetX) / this.scaleX;
  }

  row(y: number): number {
    return this.heights.rowAt((y + this.corner.y * this.ratio) / this.world);
  }
}
