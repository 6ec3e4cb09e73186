/** A value that the editor saved before the first release: it is read whole, and written again as it was. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { FLAG } from "../../js/.modules/pose/model/types.js";
import * as S from "../../js/.modules/pose/edit/state.js";
import { parse } from "../../js/.modules/pose/io/value.js";

const { value } = JSON.parse(readFileSync(new URL("../data/saved_edit.json", import.meta.url), "utf8"));

test("a saved edit opens without a notice and is saved as it was", () => {
  assert.deepEqual(parse(value).notices, []);
  const state = S.start({ width: 512, height: 768, value });
  assert.deepEqual(state.notices, []);
  assert.equal(state.frames.length, 2);
  assert.equal(S.valueOf(state), value);
});

test("its locked and hidden points are so in the editor", () => {
  const { frames } = S.start({ value });
  const points = (frame, flag) => [...frame.people[0].flags].flatMap((bits, point) => (bits & flag ? [point] : []));
  assert.deepEqual(points(frames[0], FLAG.LOCKED), [2, 5]);
  assert.deepEqual(points(frames[0], FLAG.HIDDEN), [3]);
  assert.deepEqual(points(frames[1], FLAG.LOCKED), [0]);
});
