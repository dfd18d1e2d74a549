import { pixelsOf, type View } from "../canvaslayer";

/** Renderers that reckon on the processor, where the canvas is the faster one. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|swrast|software|basic render/i;

/** The graphics card: what it draws for any layer, it draws on one sheet. */
export interface Device {
  gl: WebGL2RenderingContext;
  sheet: OffscreenCanvas;
}

let held: Device | null | undefined;
/** Gets a "lost" when the card goes away, as it does when its driver fails. */
export const deviceEvents = new EventTarget();

/** Returns the graphics card; null where there is none, or none that a page may use. */
export function deviceOf(): Device | null {
  if (held === undefined) held = open();
  return held;
}

function open(): Device | null {
  const sheet = new OffscreenCanvas(1, 1);
  const wish = { antialias: false, depth: false, failIfMajorPerformanceCaveat: true };
  const gl = sheet.getContext("webgl2", wish);
  if (!gl || SOFTWARE.test(nameOf(gl))) return null;
  sheet.addEventListener("webglcontextlost", () => {
    held = null; // it is not asked again
    deviceEvents.dispatchEvent(new Event("lost"));
  });
  return { gl, sheet };
}

function nameOf(gl: WebGL2RenderingContext): string {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  return String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}

/** Returns what is drawn onto the empty sheet; null if the card went away meanwhile. */
export function pictureOf(
  { gl, sheet }: Device,
  view: View,
  draw: (height: number) => void,
): ImageBitmap | null {
  const { x: width, y: height } = pixelsOf(view);
  [sheet.width, sheet.height] = [width, height];
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.viewport(0, 0, width, height);
  draw(height);
  return gl.isContextLost() ? null : sheet.transferToImageBitmap();
}

/** Numbers for the shaders, one or two of a name. */
export type Uniforms = { [name: string]: number[] };

/** A pair of shaders. */
export class Program {
  private readonly program: WebGLProgram;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    vertex: string,
    fragment: string,
    /** The attributes, in the order of their places. */
    attributes: string[] = [],
  ) {
    this.program = gl.createProgram();
    this.add(gl.VERTEX_SHADER, vertex);
    this.add(gl.FRAGMENT_SHADER, fragment);
    for (const [place, name] of attributes.entries()) {
      gl.bindAttribLocation(this.program, place, name);
    }
    gl.linkProgram(this.program);
    if (gl.getProgramParameter(this.program, gl.LINK_STATUS) || gl.isContextLost()) return;
    const shaders = gl.getAttachedShaders(this.program) ?? [];
    const logs = shaders.map((shader) => gl.getShaderInfoLog(shader));
    throw new Error([gl.getProgramInfoLog(this.program), ...logs].join("\n"));
  }

  private add(kind: GLenum, text: string): void {
    const { gl } = this;
    const shader = gl.createShader(kind);
    if (!shader) return; // the card went away
    gl.shaderSource(
      shader,
      `#version 300 es\nprecision highp float;\nprecision highp int;\n${text}`,
    );
    gl.compileShader(shader);
    gl.attachShader(this.program, shader);
  }

  /** Makes it the program of the next drawing; whole numbers and others have their own uniforms. */
  use(whole: Uniforms, others: Uniforms, textures: { [name: string]: Texels } = {}): void {
    const { gl, program } = this;
    gl.useProgram(program);
    for (const [name, value] of Object.entries(whole)) {
      const at = gl.getUniformLocation(program, name);
      if (value.length === 1) gl.uniform1iv(at, value);
      else gl.uniform2iv(at, value);
    }
    for (const [name, value] of Object.entries(others)) {
      const at = gl.getUniformLocation(program, name);
      if (value.length === 1) gl.uniform1fv(at, value);
      else gl.uniform2fv(at, value);
    }
    Object.entries(textures).forEach(([name, texels], unit) => {
      gl.uniform1i(gl.getUniformLocation(program, name), unit);
      gl.activeTexture(gl.TEXTURE0 + unit);
      texels.bind();
    });
  }
}

/** A texture whose texels are read one by one; all are zero at first. */
export class Texels {
  private readonly kind: GLenum;
  private readonly texture: WebGLTexture;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    format: GLenum,
    private readonly width: number,
    private readonly height: number,
    private readonly layers = 0,
  ) {
    this.kind = layers ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D;
    this.texture = gl.createTexture();
    this.bind();
    gl.texParameteri(this.kind, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(this.kind, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    if (layers) gl.texStorage3D(this.kind, 1, format, width, height, layers);
    else gl.texStorage2D(this.kind, 1, format, width, height);
  }

  bind(): void {
    this.gl.bindTexture(this.kind, this.texture);
  }

  /** Takes red, green, blue, alpha of each texel. */
  fill(bytes: Uint8Array): this {
    const { gl, kind, width, height, layers } = this;
    this.bind();
    const { RGBA, UNSIGNED_BYTE } = gl;
    if (layers) {
      gl.texSubImage3D(kind, 0, 0, 0, 0, width, height, layers, RGBA, UNSIGNED_BYTE, bytes);
    } else {
      gl.texSubImage2D(kind, 0, 0, 0, width, height, RGBA, UNSIGNED_BYTE, bytes);
    }
    return this;
  }

  /** Draws into it. */
  draw(drawing: () => void): this {
    const { gl, width, height } = this;
    const frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    const { FRAMEBUFFER, COLOR_ATTACHMENT0 } = gl;
    gl.framebufferTexture2D(FRAMEBUFFER, COLOR_ATTACHMENT0, this.kind, this.texture, 0);
    gl.viewport(0, 0, width, height);
    drawing();
    gl.deleteFramebuffer(frame);
    return this;
  }

  free(): void {
    this.gl.deleteTexture(this.texture);
  }
}

/** Draws with colours that are laid over, or numbers that are added to, what is there. */
export function blended(gl: WebGL2RenderingContext, over: boolean, drawing: () => void): void {
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, over ? gl.ONE_MINUS_SRC_ALPHA : gl.ONE);
  drawing();
  gl.disable(gl.BLEND);
}

/** The vertex shader of a drawing on all pixels. */
export const EVERYWHERE = `
void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

/** Draws on all pixels, with one triangle. */
export function everywhere(gl: WebGL2RenderingContext): void {
  gl.drawArrays(gl.TRIANGLES, 0, 3);
}
