/** Upper ends of classes with about as many areas each, of those that have any event. */
export function quantileEnds(parts: Uint32Array[], classes: number): number[] {
  const some = parts.flatMap((part) => [...part.filter((count) => count > 0)]);
  some.sort((a, b) => a - b);
  const ends = Array.from(
    { length: classes },
    (_, i) => some[Math.ceil(((i + 1) / classes) * some.length) - 1] ?? 0,
  );
  return [...new Set(ends)].filter((end) => end > 0);
}

/** 0: no event; then the class whose upper end is the first to hold the count. */
export function classOf(count: number, ends: number[]): number {
  if (!count) return 0;
  const at = ends.findIndex((end) => count <= end);
  return (at < 0 ? ends.length - 1 : at) + 1;
}

/** The least and the most events of a class. */
export function limitsOf(at: number, ends: number[]): [least: number, most: number] {
  if (!at) return [0, 0];
  return [at > 1 ? ends[at - 2] + 1 : 1, ends[at - 1]];
}
