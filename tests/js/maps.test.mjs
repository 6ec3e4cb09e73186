import assert from "node:assert/strict";
import { test } from "node:test";

import { heatPixels } from "../../js/.modules/maps/heat.js";
import { cellAt, firstWord, highestFactor, isFlat, ranked, readRows } from "../../js/.modules/maps/overlay.js";

const base64 = (...bytes) => Buffer.from(bytes).toString("base64");

/** Three by two cells: the ball is in the second cell, the dog in the last two, "a" a little everywhere but the first. */
const ROW = {
  row: 0,
  asked: 1,
  size: [60, 40],
  grid: [3, 2],
  words: [
    { text: "ball", low: 0, high: 0.3, map: base64(0x0f, 0x00, 0x00) },
    { text: "dog", low: 0.1, high: 0.4, map: base64(0x03, 0x00, 0xff) },
    { text: "a", low: 0.5, high: 0.6, map: base64(0x0f, 0xff, 0xff) },
  ],
};
const read = (row) => readRows({ recompose: [{ overlays: [row] }] });

test("two cells are in a byte, the first in the higher half", () => {
  const levels = (map, grid) => read({ ...ROW, grid, words: [{ text: "x", low: 0, high: 1, map }] }).map(({ words }) => [...words[0].levels]);
  assert.deepEqual(levels(base64(0x1f, 0x0a, 0x27), [3, 2]), [[1, 15, 0, 10, 2, 7]]);
  assert.deepEqual(levels(base64(0x1f, 0xa0), [3, 1]), [[1, 15, 10]]);
  for (const [map, grid] of [[base64(1, 2), [5, 1]], [base64(1, 2), [2, 1]], ["%", [2, 1]], [7, [2, 1]], [undefined, [2, 1]]]) {
    assert.deepEqual(levels(map, grid), []);
  }
});

test("the words of a cell are ranked by how many times their mean they get there", () => {
  const [row] = read(ROW);
  const at = (cell) => ranked(row, cell).map(({ word, factor }) => [row.words[word].text, Math.round(100 * factor)]);
  // Means: 0.3 / 6; 0.1 + 0.3 · 33 / 90; 0.5 + 0.1 · 5 / 6.
  assert.deepEqual(row.words.map(({ mean }) => mean.toFixed(4)), ["0.0500", "0.2100", "0.5833"]);
  assert.deepEqual(at(1), [["ball", 600]]);
  assert.deepEqual(at(5), [["dog", 190]]);
  assert.deepEqual(at(0), []);
  assert.ok(Math.abs(highestFactor(row) - 6) < 1e-9);
  assert.equal(firstWord(row), 0);
});

test("words that are the same everywhere stand out nowhere", () => {
  const none = base64(0, 0, 0), flat = { ...ROW, words: [{ text: "x", low: 0.2, high: 0.2, map: none }, { text: "y", low: 0, high: 0, map: none }] };
  const [row] = read(flat);
  assert.deepEqual([isFlat(row), ranked(row, 2), highestFactor(row), firstWord(row)], [true, [], 1, 0]);
  assert.equal(isFlat(read(ROW)[0]), false);
  assert.equal(firstWord(read({ ...ROW, words: [flat.words[0], ROW.words[0]] })[0]), 1);
});

test("equal words keep their order", () => {
  const same = { ...ROW, words: [ROW.words[1], { ...ROW.words[1], text: "cat" }] };
  assert.deepEqual(ranked(read(same)[0], 4).map(({ word }) => word), [0, 1]);
});

test("a place of the picture is in one cell", () => {
  const [row] = read(ROW);
  assert.deepEqual([[0, 0], [19.9, 19.9], [20, 0], [59, 39], [60, 0], [0, -1]].map(([x, y]) => cellAt(row, x, y)), [0, 0, 1, 5, null, null]);
});

test("rows of all reports are read, and those that are none are left out", () => {
  const bad = [
    null, 3, {}, { ...ROW, size: [0, 4] }, { ...ROW, grid: [3] }, { ...ROW, grid: [2.5, 2] }, { ...ROW, words: [] },
    { ...ROW, words: [{ ...ROW.words[0], high: NaN }] }, { ...ROW, words: [{ ...ROW.words[0], low: 1 }] }, { ...ROW, words: [{ ...ROW.words[0], map: "" }] },
    { ...ROW, words: [{ ...ROW.words[0], text: null }, ROW.words[1]] },
  ];
  const reports = [{ overlays: [...bad, ROW] }, { notices: ["x"] }, { overlays: [{ ...ROW, asked: 99, picture: "/9g=" }] }];
  const found = readRows({ recompose: reports });
  assert.deepEqual(found.map(({ asked, picture }) => [asked, picture && [...picture]]), [[1, null], [3, [255, 216]]]);
  for (const output of [null, undefined, {}, { recompose: {} }, { recompose: [null] }]) assert.deepEqual(readRows(output), []);
});

test("heat has the node's colours, and lies over a picture as there", () => {
  const rgb = (level) => [...heatPixels({ levels: Uint8Array.from([level]) }, false)];
  // Stops of the colours are at 0, 3.75, 7.5, 11.25 and 15; level 6 is 60 % on the way from the second to the third.
  assert.deepEqual([0, 6, 15].map(rgb), [[0, 0, 0, 255], [141, 33, 92, 255], [252, 250, 170, 255]]);
  const word = { text: "x", levels: Uint8Array.from([0, 15]) };
  assert.deepEqual([...heatPixels(word, false)], [0, 0, 0, 255, 252, 250, 170, 255]);
  const [red, , , opacity] = [...heatPixels(word, true)].slice(4);
  // 0.35 of the picture and 0.65 of the colour.
  assert.ok(Math.abs(opacity / 255 - 0.65) < 0.01 && Math.abs((red * opacity) / 255 - 0.65 * 252) < 2);
  assert.ok(Math.abs(heatPixels(word, true)[3] / 255 - 0.55) < 0.01);
});
