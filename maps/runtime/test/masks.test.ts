import assert from "node:assert/strict";
import { test } from "node:test";
import { both, either } from "../src/masks";

const [one, other] = [Uint8Array.of(1, 1, 0, 0), Uint8Array.of(1, 0, 1, 0)];

test("both keep what each keeps; no mask keeps all", () => {
  assert.deepEqual(both(one, other), Uint8Array.of(1, 0, 0, 0));
  assert.equal(both(one, null), one);
  assert.equal(both(null, other), other);
  assert.equal(both(null, null), null);
});

test("either keeps what one keeps; where one keeps all, both sides do", () => {
  assert.deepEqual(either(one, other), Uint8Array.of(1, 1, 1, 0));
  assert.equal(either(one, null), null);
  assert.equal(either(null, other), null);
});
