/** Points as they are embedded: five decimals of a degree, differences, zigzag, varint, base64. */
export interface PackedPoints {
  data: string;
  count: number;
  /** What a weight of one is stored as; 0 where points have no weight. */
  weightScale: number;
}

export interface Points {
  lon: Float64Array;
  lat: Float64Array;
  weight: Float64Array;
}

const DEGREE = 1e5;

export function unpackPoints({ data, count, weightScale }: PackedPoints): Points {
  const next = integers(data);
  const lon = new Float64Array(count);
  const lat = new Float64Array(count);
  const weight = new Float64Array(count).fill(1);
  let x = 0;
  let y = 0;
  for (let i = 0; i < count; i++) {
    x += next();
    y += next();
    lon[i] = x / DEGREE;
    lat[i] = y / DEGREE;
    if (weightScale) weight[i] = next() / weightScale;
  }
  return { lon, lat, weight };
}

/** Reads signed integers one after the other. */
export function integers(data: string): () => number {
  const bytes = atob(data);
  let at = 0;
  return () => {
    let value = 0;
    let unit = 1;
    let byte: number;
    do {
      byte = bytes.charCodeAt(at++);
      value += (byte & 127) * unit;
      unit *= 128;
    } while (byte > 127);
    return value % 2 ? -(value + 1) / 2 : value / 2;
  };
}
