import type L from "leaflet";
import { pixelsOf, type View } from "../canvaslayer";
import type { Days } from "../chosen";
import {
  BELOW_FULL,
  boxReach,
  CELL,
  type HeatLook,
  LEAST_POINTS,
  rampOf,
  SHADES,
  STEPS,
  WARM,
} from "../density";
import { blended, type Device, EVERYWHERE, everywhere, Program, pictureOf, Texels } from "./device";
import { ATTRIBUTES, POINT, type Styled } from "./places";

/** How many cells wide and high a block is, of which the most is taken at once. */
const BLOCK = 8;

const COUNT = `${POINT}
uniform ivec2 size;
uniform float cell;
flat out float counted;

void main() {
  ivec2 place = ivec2(floor(pixelOf() / cell));
  counted = weight;
  gl_PointSize = 1.0;
  gl_Position = isChosen() && isIn(place, size) ? middleOf(place, size) : NOWHERE;
}`;

const COUNTED = `
flat in float counted;
out float heat;

void main() {
  heat = counted;
}`;

/** The mean of the cells around, along one axis; beyond the edge there is nothing. */
const BLUR = `
uniform sampler2D cells;
uniform ivec2 along;
uniform int reach;
out float heat;

void main() {
  ivec2 size = textureSize(cells, 0);
  float sum = 0.0;
  for (int i = -reach; i <= reach; i++) {
    ivec2 cell = ivec2(gl_FragCoord.xy) + i * along;
    bool inside = all(greaterThanEqual(cell, ivec2(0))) && all(lessThan(cell, size));
    if (inside) sum += texelFetch(cells, cell, 0).r;
  }
  heat = sum / float(2 * reach + 1);
}`;

/** The most of each block of cells. */
const MOST = `
uniform sampler2D cells;
out float most;

void main() {
  ivec2 first = ivec2(gl_FragCoord.xy) * ${BLOCK};
  ivec2 end = min(first + ${BLOCK}, textureSize(cells, 0));
  for (int y = first.y; y < end.y; y++) {
    for (int x = first.x; x < end.x; x++) most = max(most, texelFetch(cells, ivec2(x, y), 0).r);
  }
}`;

/** Each cell becomes a point: it is counted at its step. */
const SORT = `
uniform sampler2D cells;
uniform sampler2D most;

void main() {
  int width = textureSize(cells, 0).x;
  float heat = texelFetch(cells, ivec2(gl_VertexID % width, gl_VertexID / width), 0).r;
  float share = heat / texelFetch(most, ivec2(0), 0).r;
  float step = min(floor(share * ${STEPS}.0), ${STEPS - 1}.0);
  gl_PointSize = 1.0;
  bool warm = share > ${WARM};
  gl_Position = vec4(warm ? (step + 0.5) / ${STEPS / 2}.0 - 1.0 : 2.0, 0.0, 0.0, 1.0);
}`;

const SORTED = `
out float one;

void main() {
  one = 1.0;
}`;

/** The heat of the full colour, from the steps: see `fullHeat` and `fullOf`. */
const FULL = `
uniform sampler2D sorted;
uniform sampler2D most;
uniform float share;
uniform float spot;
out float full;

void main() {
  float warm = 0.0;
  for (int i = 0; i < ${STEPS}; i++) warm += texelFetch(sorted, ivec2(i, 0), 0).r;
  float below = 0.0;
  int step = -1;
  while (step < ${STEPS - 1} && below <= warm * ${BELOW_FULL}) {
    below += texelFetch(sorted, ivec2(++step, 0), 0).r;
  }
  float hottest = texelFetch(most, ivec2(0), 0).r;
  float mean = hottest * (float(step) + 0.5) / ${STEPS}.0 * share;
  float chance = share < 1.0 ? 2.0 * sqrt(mean * spot / 2.0) : 0.0;
  full = max(mean + chance, ${LEAST_POINTS}.0 * spot);
  if (full == 0.0) full = 1.0;
}`;

/** The colour of the heat between the middles of four cells. */
const SHADE = `
uniform sampler2D cells;
uniform sampler2D full;
uniform sampler2D shades;
uniform float cell;
uniform int height;
out vec4 colour;

float heatOf(ivec2 at) {
  return texelFetch(cells, clamp(at, ivec2(0), textureSize(cells, 0) - 1), 0).r;
}

void main() {
  // A card counts lines from the bottom.
  vec2 pixel = vec2(gl_FragCoord.x, float(height) - gl_FragCoord.y);
  vec2 place = pixel / cell - 0.5;
  ivec2 at = ivec2(floor(place));
  vec2 part = fract(place);
  float above = mix(heatOf(at), heatOf(at + ivec2(1, 0)), part.x);
  float below = mix(heatOf(at + ivec2(0, 1)), heatOf(at + ivec2(1, 1)), part.x);
  float share = min(mix(above, below, part.y) / texelFetch(full, ivec2(0), 0).r, 1.0);
  vec4 shade = texelFetch(shades, ivec2(round(share * ${SHADES - 1}.0), 0), 0);
  colour = vec4(shade.rgb * shade.a, shade.a);
}`;

/** Draws heat as `drawDensity` does. */
export class HeatPrinter {
  private readonly count: Program;
  private readonly blur: Program;
  private readonly most: Program;
  private readonly sort: Program;
  private readonly full: Program;
  private readonly shade: Program;

  private constructor(private readonly device: Device) {
    const { gl } = device;
    this.count = new Program(gl, COUNT, COUNTED, ATTRIBUTES);
    this.blur = new Program(gl, EVERYWHERE, BLUR);
    this.most = new Program(gl, EVERYWHERE, MOST);
    this.sort = new Program(gl, SORT, SORTED);
    this.full = new Program(gl, EVERYWHERE, FULL);
    this.shade = new Program(gl, EVERYWHERE, SHADE);
  }

  /** Returns null for a card that cannot add up. */
  static on(device: Device): HeatPrinter | null {
    const able = ["EXT_color_buffer_float", "EXT_float_blend"].every((name) =>
      device.gl.getExtension(name),
    );
    return able ? new HeatPrinter(device) : null;
  }

  /** `share` is that of all days which is drawn, `spot` the heat of one point. */
  picture(
    points: Styled,
    view: View,
    { colours, radius }: HeatLook,
    days: Days,
    share: number,
    spot: number,
  ): ImageBitmap | null {
    const { gl } = this.device;
    const cell = CELL * view.ratio;
    const cells = this.heat(points, view, cell, radius, days);
    const ofAll = share < 1 ? this.heat(points, view, cell, radius, null) : cells;
    const full = this.fullHeat(ofAll, pixelsOf(view).divideBy(cell), share, spot);
    const shades = new Texels(gl, gl.RGBA8, SHADES, 1);
    shades.fill(new Uint8Array(rampOf(colours).buffer));
    const picture = pictureOf(this.device, view, (height) => {
      this.shade.use({ height: [height] }, { cell: [cell] }, { cells, full, shades });
      everywhere(gl);
    });
    for (const texels of new Set([cells, ofAll, full, shades])) texels.free();
    return picture;
  }

  /** Counts the points of each cell and blurs the counts. */
  private heat(points: Styled, view: View, cell: number, radius: number, days: Days): Texels {
    const { gl } = this.device;
    const { x: columns, y: lines } = pixelsOf(view).divideBy(cell).ceil();
    const [whole, others] = points.places.uniforms(view, days);
    let [cells, spare] = [0, 1].map(() => new Texels(gl, gl.R32F, columns, lines));
    cells.draw(() => {
      this.count.use({ ...whole, size: [columns, lines] }, { ...others, cell: [cell] });
      blended(gl, false, () => points.draw());
    });
    const reach = [boxReach(radius)];
    for (let pass = 0; pass < 6; pass++) {
      spare.draw(() => {
        this.blur.use({ along: pass % 2 ? [1, 0] : [0, 1], reach }, {}, { cells });
        everywhere(gl);
      });
      [cells, spare] = [spare, cells];
    }
    spare.free();
    return cells;
  }

  /** Returns one texel with the heat of the full colour. */
  private fullHeat(cells: Texels, size: L.Point, share: number, spot: number): Texels {
    const { gl } = this.device;
    const halves: Texels[] = [];
    let most = cells;
    let { x: columns, y: lines } = size.ceil();
    const count = columns * lines;
    while (columns * lines > 1) {
      [columns, lines] = [Math.ceil(columns / BLOCK), Math.ceil(lines / BLOCK)];
      const above = most;
      most = new Texels(gl, gl.R32F, columns, lines).draw(() => {
        this.most.use({}, {}, { cells: above });
        everywhere(gl);
      });
      halves.push(most);
    }
    const sorted = new Texels(gl, gl.R32F, STEPS, 1).draw(() => {
      this.sort.use({}, {}, { cells, most });
      blended(gl, false, () => gl.drawArrays(gl.POINTS, 0, count));
    });
    const full = new Texels(gl, gl.R32F, 1, 1).draw(() => {
      this.full.use({}, { share: [share], spot: [spot] }, { sorted, most });
      everywhere(gl);
    });
    for (const texels of [...halves, sorted]) texels.free();
    return full;
  }
}
