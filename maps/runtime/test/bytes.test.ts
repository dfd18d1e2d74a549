import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import {
  cutStreams,
  fromBase64,
  inflate,
  readSums,
  readVarints,
  starts,
} from "../src/packed/bytes";

test("base64 is read as bytes", () => {
  assert.deepEqual([...fromBase64("AP+A")], [0, 255, 128]);
});

test("a stream inflates to its size, and tells how far it is", async () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251);
  const shares: number[] = [];
  const deflated = new Uint8Array(deflateSync(bytes));
  const read = await inflate(deflated, bytes.length, (share) => shares.push(share));
  assert.deepEqual(read, bytes);
  assert.ok(shares.length > 1 && shares.every((share, i) => i === 0 || share > shares[i - 1]));
  assert.equal(shares.at(-1), 1);
});

test("what is no stream is an error", async () => {
  await assert.rejects(inflate(Uint8Array.of(1, 2, 3), 3, () => undefined));
});

test("streams lie one behind the other, some of them empty", () => {
  const streams = cutStreams(Uint8Array.of(1, 2, 3), [
    ["a", 2],
    ["none", 0],
    ["b", 1],
  ]);
  assert.deepEqual(streams, {
    a: Uint8Array.of(1, 2),
    none: new Uint8Array(),
    b: Uint8Array.of(3),
  });
});

test("varints hold seven bits a byte, the lowest first, up to 53", () => {
  const bytes = [0, 127, 0x80, 1, 0xac, 2, ...[255, 255, 255, 255, 255, 255, 255, 15]];
  const read = readVarints(Uint8Array.from(bytes), new Float64Array(5));
  assert.deepEqual([...read], [0, 127, 128, 300, Number.MAX_SAFE_INTEGER]);
});

test("signed differences add up, beyond 31 bits and back", () => {
  assert.deepEqual([...readSums(Uint8Array.of(4, 3, 2), 3)], [2, 0, 1]);
  // 2 ** 31 - 1 in zigzag order, then its negative.
  const far = [0xfe, 255, 255, 255, 15, 0xfd, 255, 255, 255, 15];
  assert.deepEqual([...readSums(Uint8Array.from(far), 2)], [2 ** 31 - 1, 0]);
});

test("counts become starts, each with the least it has", () => {
  assert.deepEqual([...starts(Uint8Array.of(2, 0, 3), 3)], [0, 2, 2, 5]);
  assert.deepEqual([...starts(Uint8Array.of(2, 0, 3), 3, 2)], [0, 4, 6, 11]);
});
