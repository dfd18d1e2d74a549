/** A 1 for each row that is drawn; null: all are. */
export type Mask = Uint8Array | null;

/** The rows that two masks both keep. */
export function both(one: Mask, other: Mask): Mask {
  return one && other ? one.map((kept, row) => kept & other[row]) : (one ?? other);
}

/** The rows that either of two masks keeps. */
export function either(one: Mask, other: Mask): Mask {
  return one && other && one.map((kept, row) => kept | other[row]);
}
