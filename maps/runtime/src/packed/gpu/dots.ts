import { pixelsOf, type View } from "../canvaslayer";
import type { Days } from "../chosen";
import { type Stamp, stampOf } from "../dots";
import type { Look } from "../look";
import { blended, type Device, Program, pictureOf, Texels } from "./device";
import { ATTRIBUTES, POINT, type Styled } from "./places";

const CLAIM = `${POINT}
uniform ivec2 size;
flat out uint claimant;

void main() {
  ivec2 pixel = ivec2(floor(pixelOf()));
  claimant = uint(gl_VertexID) + 1u;
  gl_PointSize = 1.0;
  gl_Position = isChosen() && isIn(pixel, size) ? middleOf(pixel, size) : NOWHERE;
}`;

const CLAIMED = `
flat in uint claimant;
out uint claim;

void main() {
  claim = claimant;
}`;

const DOT = `${POINT}
uniform ivec2 size;
uniform int side;
uniform highp usampler2D claims;
flat out int stamp;

void main() {
  ivec2 pixel = ivec2(floor(pixelOf()));
  bool drawn = isChosen() && isIn(pixel, size)
    && texelFetch(claims, pixel, 0).r == uint(gl_VertexID) + 1u;
  stamp = int(kind);
  gl_PointSize = float(side);
  // A card counts lines from the bottom.
  gl_Position = drawn ? middleOf(pixel, size) * vec4(1.0, -1.0, 1.0, 1.0) : NOWHERE;
}`;

const STAMPED = `
uniform highp sampler2DArray stamps;
uniform int side;
flat in int stamp;
out vec4 colour;

void main() {
  colour = texelFetch(stamps, ivec3(gl_PointCoord * float(side), stamp), 0);
}`;

/** Draws dots as `drawDots` does: of several on one pixel the last. */
export class DotPrinter {
  private readonly claim: Program;
  private readonly dot: Program;
  private readonly largest: number;
  private readonly most: number;

  constructor(private readonly device: Device) {
    const { gl } = device;
    [, this.largest] = gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE) as Float32Array;
    this.most = gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS) as number;
    this.claim = new Program(device.gl, CLAIM, CLAIMED, ATTRIBUTES);
    this.dot = new Program(device.gl, DOT, STAMPED, ATTRIBUTES);
  }

  /** Returns null where there are more styles, or larger dots, than the card can draw. */
  picture(points: Styled, view: View, looks: Look[], days: Days): ImageBitmap | null {
    const { gl } = this.device;
    const shapes = looks.map(stampOf);
    const side = 2 * Math.max(...shapes.map(({ reach }) => reach)) + 1;
    if (side > this.largest || looks.length > this.most) return null;
    const { x: width, y: height } = pixelsOf(view);
    const [whole, others] = points.places.uniforms(view, days);
    whole.size = [width, height];
    const claims = new Texels(gl, gl.R32UI, width, height).draw(() => {
      this.claim.use(whole, others);
      points.draw();
    });
    const stamps = stampsOf(gl, shapes, side);
    const picture = pictureOf(this.device, view, () => {
      this.dot.use({ ...whole, side: [side] }, others, { claims, stamps });
      blended(gl, true, () => points.draw());
    });
    claims.free();
    stamps.free();
    return picture;
  }
}

/** The dot of each style on a layer of its own, in the middle, premultiplied. */
function stampsOf(gl: WebGL2RenderingContext, stamps: Stamp[], side: number): Texels {
  const bytes = new Uint8Array(stamps.length * side * side * 4);
  const middle = (side - 1) / 2;
  stamps.forEach(({ across, down, words }, layer) => {
    words.forEach((word, i) => {
      const at = ((layer * side + middle + down[i]) * side + middle + across[i]) * 4;
      const alpha = word >>> 24;
      for (const part of [0, 1, 2]) {
        bytes[at + part] = Math.round((((word >>> (part * 8)) & 255) * alpha) / 255);
      }
      bytes[at + 3] = alpha;
    });
  });
  return new Texels(gl, gl.RGBA8, side, side, stamps.length).fill(bytes);
}
