import type { View } from "../canvaslayer";
import type { Days } from "../chosen";
import type { Spots } from "../decode";
import type { Heights, Lattice } from "../projection";
import type { Device, Uniforms } from "./device";

/** What says that a point is not drawn, in place of its style. */
const LEFT_OUT = 0xffff;
/** Steps that the world is wide: one is less than a centimetre, and all fit 32 bits. */
const STEPS = 2 ** 32;
/** The attributes of a point, in the order of their places. */
export const ATTRIBUTES = ["place", "day", "kind", "weight"];
const [PLACE, DAY, KIND, WEIGHT] = ATTRIBUTES.keys();

/** What a vertex shader of points begins with. */
export const POINT = `
in ivec2 place;
in uint day;
in uint kind;
in float weight;
uniform ivec2 origin;
uniform vec2 shift;
uniform float scale;
uniform ivec2 days;

const vec4 NOWHERE = vec4(2.0, 2.0, 2.0, 1.0);

bool isChosen() {
  return kind != ${LEFT_OUT}u && int(day) >= days.x && int(day) < days.y;
}

// Whole numbers are subtracted before they become floats, which hold but 24 bits.
vec2 pixelOf() {
  return vec2(place - origin) * scale + shift;
}

bool isIn(ivec2 cell, ivec2 size) {
  return all(greaterThanEqual(cell, ivec2(0))) && all(lessThan(cell, size));
}

vec4 middleOf(ivec2 cell, ivec2 size) {
  return vec4((vec2(cell) + 0.5) / vec2(size) * 2.0 - 1.0, 0.0, 1.0);
}
`;

/** Where the points of a layer lie, on the card. */
export class Places {
  readonly count: number;
  readonly buffers: { place: WebGLBuffer; day: WebGLBuffer | null; weight: WebGLBuffer | null };
  private readonly least = [Infinity, Infinity];
  private readonly most = [-Infinity, -Infinity];

  constructor({ gl }: Device, { x, y, day, weight }: Spots, lattice: Lattice, heights: Heights) {
    this.count = x.length;
    const steps = new Int32Array(x.length * 2);
    for (let i = 0; i < x.length; i++) {
      steps[i * 2] = ((lattice.west + x[i] * lattice.step_x) / 360) * STEPS;
      steps[i * 2 + 1] = (heights.at(y[i]) - 0.5) * STEPS;
    }
    for (let i = 0; i < steps.length; i++) {
      this.least[i & 1] = Math.min(this.least[i & 1], steps[i]);
      this.most[i & 1] = Math.max(this.most[i & 1], steps[i]);
    }
    this.buffers = {
      place: bufferOf(gl, steps),
      day: day && bufferOf(gl, day),
      weight: weight && bufferOf(gl, weight),
    };
  }

  /** Returns the uniforms that bring the points to the pixels of a view, on some days or all. */
  uniforms({ zoom, corner, ratio }: View, days: Days): [whole: Uniforms, others: Uniforms] {
    const perPixel = STEPS / (256 * 2 ** zoom);
    const at = [corner.x * perPixel - STEPS / 2, corner.y * perPixel - STEPS / 2];
    // Close to the view, and never so far from the points that a difference overflows.
    const origin = at.map((place, i) =>
      Math.round(Math.min(Math.max(place, this.least[i]), this.most[i])),
    );
    const scale = ratio / perPixel;
    return [
      { origin, days: days ? days.map((day) => Math.max(day, 0)) : [0, 0x10000] },
      { shift: origin.map((place, i) => (place - at[i]) * scale), scale: [scale] },
    ];
  }
}

/** The points of a layer in its styles, without those that are filtered out. */
export class Styled {
  private readonly array: WebGLVertexArrayObject;
  private readonly kinds: WebGLBuffer;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    readonly places: Places,
  ) {
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    const { place, day, weight } = places.buffers;
    this.kinds = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, place);
    gl.enableVertexAttribArray(PLACE);
    gl.vertexAttribIPointer(PLACE, 2, gl.INT, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.kinds);
    gl.enableVertexAttribArray(KIND);
    gl.vertexAttribIPointer(KIND, 1, gl.UNSIGNED_SHORT, 0, 0);
    if (day) {
      gl.bindBuffer(gl.ARRAY_BUFFER, day);
      gl.enableVertexAttribArray(DAY);
      gl.vertexAttribIPointer(DAY, 1, gl.UNSIGNED_SHORT, 0, 0);
    }
    if (weight) {
      gl.bindBuffer(gl.ARRAY_BUFFER, weight);
      gl.enableVertexAttribArray(WEIGHT);
      gl.vertexAttribPointer(WEIGHT, 1, gl.FLOAT, false, 0, 0);
    }
    gl.bindVertexArray(null);
  }

  fill({ row }: Spots, style: ArrayLike<number>, keeps: (row: number) => boolean): void {
    const { gl, places } = this;
    const kinds = new Uint16Array(places.count);
    for (let i = 0; i < kinds.length; i++) kinds[i] = keeps(row[i]) ? style[row[i]] : LEFT_OUT;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.kinds);
    gl.bufferData(gl.ARRAY_BUFFER, kinds, gl.DYNAMIC_DRAW);
  }

  /** Draws all points with the program in use. */
  draw(): void {
    const { gl } = this;
    gl.bindVertexArray(this.array);
    // For layers without them.
    gl.vertexAttribI4ui(DAY, 0, 0, 0, 0);
    gl.vertexAttrib1f(WEIGHT, 1);
    gl.drawArrays(gl.POINTS, 0, this.places.count);
    gl.bindVertexArray(null);
  }
}

function bufferOf(gl: WebGL2RenderingContext, data: ArrayBufferView): WebGLBuffer {
  const buffer = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
  return buffer;
}
