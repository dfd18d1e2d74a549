/** Streams of bytes as `_pack_bytes.py` writes them. */
export type Streams = Record<string, Uint8Array>;

interface Base64 {
  fromBase64?(text: string): Uint8Array<ArrayBuffer>;
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const { fromBase64: native } = Uint8Array as unknown as Base64;
  if (native) return native.call(Uint8Array, text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Inflates into an array of known size, and tells what share is done. */
export async function inflate(
  deflated: Uint8Array<ArrayBuffer>,
  size: number,
  progress: (share: number) => void,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  // The bytes of a Blob would travel to another process of the browser and back.
  const { body } = new Response(deflated);
  if (!body) throw new Error("this browser streams no bytes");
  const reader = body.pipeThrough(new DecompressionStream("deflate")).getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes.set(value, at);
    at += value.length;
    progress(at / size);
  }
}

export function cutStreams(bytes: Uint8Array, sizes: [name: string, size: number][]): Streams {
  const streams: Streams = {};
  let at = 0;
  for (const [name, size] of sizes) {
    streams[name] = bytes.subarray(at, at + size);
    at += size;
  }
  return streams;
}

/** Reads integers of at least 0 that have at most 53 bits. */
export function readVarints<A extends { [index: number]: number; readonly length: number }>(
  bytes: Uint8Array,
  into: A,
): A {
  let at = 0;
  for (let i = 0; i < into.length; i++) {
    let byte = bytes[at++];
    let value = byte & 127;
    let unit = 128;
    while (byte > 127) {
      byte = bytes[at++];
      value += (byte & 127) * unit;
      unit *= 128;
    }
    into[i] = value;
  }
  return into;
}

/** Reads differences in zigzag order, and adds them up. */
export function readSums(bytes: Uint8Array, count: number): Int32Array {
  const sums = new Int32Array(count);
  let at = 0;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    let byte = bytes[at++];
    let value = byte & 127;
    let shift = 7;
    while (byte > 127) {
      byte = bytes[at++];
      // The fifth byte of a varint of 32 bits holds its last four.
      value |= (byte & 127) << shift;
      shift += 7;
    }
    sum += (value >>> 1) ^ -(value & 1);
    sums[i] = sum;
  }
  return sums;
}

/** Turns counts into where each one's things start, and the end of the last. */
export function starts(bytes: Uint8Array, count: number, least = 0): Uint32Array {
  const start = readVarints(bytes, new Uint32Array(count + 1).subarray(1));
  const all = new Uint32Array(start.buffer);
  for (let i = 1; i <= count; i++) all[i] += all[i - 1] + least;
  return all;
}
