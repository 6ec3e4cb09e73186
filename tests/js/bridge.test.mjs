import assert from "node:assert/strict";
import { test } from "node:test";

import { readEstimates, readReport, readStart } from "../../js/.modules/pose/io/bridge.js";
import { fingerprint } from "../../js/.modules/pose/io/fingerprint.js";
import { readOpenPose, writeOpenPose } from "../../js/.modules/pose/io/openpose.js";
import { PRESETS, presetFrame, presetPerson } from "../../js/.modules/pose/edit/presets.js";
import { extensionNeeded } from "../../js/.modules/pose/estimate/extension.js";
import { FLAG } from "../../js/.modules/pose/model/types.js";
import { boundingBox } from "../../js/.modules/pose/model/geometry.js";
import { makeFrame, nobody, place } from "../../js/.modules/pose/model/people.js";
import * as s from "../../js/.modules/pose/model/skeleton.js";

const ELBOW = [...Array(9).fill(0), 10.5, 20.25, 1, ...Array(42).fill(0)];

function result(more = {}) {
  const frame = { canvas_width: 331, canvas_height: 457, people: [{ pose_keypoints_2d: ELBOW }], fingerprint: "0f" };
  return { recompose: [{ pose: [frame], pictures: [{ filename: "a.jpg", subfolder: "", type: "temp" }], replaced: [], notices: ["n"], ...more }] };
}

test("widgets are read by name, wherever they stand", () => {
  const widgets = [{ name: "width", value: 640 }, { name: "edit", value: "{}" }, { name: "height", value: 480 }];
  assert.deepEqual(readStart(widgets), { width: 640, height: 480, value: "{}" });
});

const STRANGE = [
  [undefined, { width: 512, height: 768, value: "" }],
  [[], { width: 512, height: 768, value: "" }],
  [[{ name: "width", value: "640" }, { name: "height", value: -3 }], { width: 640, height: 768, value: "" }],
  [[{ name: "width", value: NaN }, { name: "height", value: 1e9 }], { width: 512, height: 768, value: "" }],
  [[{ name: "edit", value: { version: 1 } }], { width: 512, height: 768, value: '{"version":1}' }],
  [[{ name: "edit", value: undefined }], { width: 512, height: 768, value: "" }],
  [[{ name: "edit", value: 17 }], { width: 512, height: 768, value: "17" }],
];
for (const [widgets, expected] of STRANGE) {
  test(`strange widgets give a usable start: ${JSON.stringify(widgets)}`, () => assert.deepEqual(readStart(widgets), expected));
}

test("the node's result becomes frames in sixteenths of a pixel with the server's fingerprint", () => {
  const { incoming, pictures, replaced, notices } = readReport(result());
  assert.deepEqual(place(incoming[0].people[0], s.R_ELBOW), { x: 10.5, y: 20.25 });
  assert.equal(incoming[0].people[0].flags.filter(Boolean).length, 1);
  assert.equal(incoming[0].fingerprint, "0f");
  assert.deepEqual([pictures[0].filename, replaced, notices], ["a.jpg", [], ["n"]]);
});

test("a result without a fingerprint gets its own", () => {
  const output = result();
  delete output.recompose[0].pose[0].fingerprint;
  const { incoming } = readReport(output);
  assert.equal(incoming[0].fingerprint, fingerprint(incoming[0]));
  assert.equal(incoming[0].fingerprint.length, 16);
});

test("the answer of the route becomes people, and any other answer none", () => {
  const entry = { ...result().recompose[0].pose[0], people: [{ pose_keypoints_2d: ELBOW, recompose: { estimated: [0, 0, 0, 1] } }] };
  const [person] = readEstimates({ pose: [entry] });
  assert.equal(person.flags[s.R_ELBOW], FLAG.PRESENT | FLAG.ESTIMATED);
  for (const answer of [null, undefined, [], { error: "no" }, { pose: 3 }, { pose: [] }, { pose: [{}] }]) {
    assert.equal(readEstimates(answer), null, JSON.stringify(answer));
  }
});

const MALFORMED = [undefined, {}, { recompose: [] }, { recompose: "abc" }, { recompose: [{ pose: 3 }] }];
for (const output of MALFORMED) {
  test(`no result is seen in ${JSON.stringify(output)}`, () => assert.equal(readReport(output), null));
}

test("malformed parts of a result are left out", () => {
  const people = [null, { pose_keypoints_2d: "x" }, { pose_keypoints_2d: [1, 2] }, { pose_keypoints_2d: [NaN, 2, 1, 5, "6", 1, 7, 8, 1] }];
  const frame = { canvas_width: 331, canvas_height: 457, people };
  const { incoming, pictures, replaced, notices } = readReport(
    result({ pose: [frame, null, { canvas_width: -1 }, { canvas_width: 9, canvas_height: 9 }], pictures: "x", replaced: ["y", 2], notices: [{}] }),
  );
  assert.deepEqual(incoming.map((each) => each && each.people.length), [4, null, null, 0]);
  assert.deepEqual(incoming[0].people.map((person) => person.flags.filter(Boolean).length), [0, 0, 0, 1]);
  assert.deepEqual([pictures, replaced, notices], [[null, null, null, null], [2], []]);
});

test("the fingerprint is FNV-1a of the frame's canonical text", () => {
  assert.equal(fingerprint(makeFrame(331, 457)), "1f3f218a2f679d7c");
});

test("names from a file never become more than points", () => {
  const hostile = '<img src=x onerror="alert(1)">';
  const text = JSON.stringify({ people: [{ name: hostile, pose_keypoints_2d: ELBOW }], canvas_width: 9, canvas_height: 9, [hostile]: 1 });
  const [frame] = readOpenPose(text);
  assert.ok(!writeOpenPose([frame]).includes("img"));
});

test("a normalised file becomes pixels of its picture, and a file without size takes the one given", () => {
  const text = JSON.stringify({ people: [{ pose_keypoints_2d: ELBOW.map((value) => value / 21) }] });
  const [frame] = readOpenPose(text, { size: { width: 210, height: 420 }, threshold: 0 });
  assert.deepEqual([frame.width, frame.height], [210, 420]);
  const elbow = place(frame.people[0], s.R_ELBOW);
  assert.ok(Math.abs(elbow.x - 105) < 1e-9 && Math.abs(elbow.y - 405) < 1e-9);
});

test("estimated points are read and written as such, hidden ones are left out", () => {
  const person = presetPerson("standing", { x: 100, y: 300 }, 250);
  person.flags[s.R_KNEE] |= FLAG.ESTIMATED;
  person.flags[s.L_KNEE] |= FLAG.HIDDEN;
  const [read] = readOpenPose(writeOpenPose([makeFrame(200, 310, [person])]));
  assert.equal(read.people[0].flags[s.R_KNEE], FLAG.PRESENT | FLAG.ESTIMATED);
  assert.equal(read.people[0].flags[s.L_KNEE], 0);
  assert.throws(() => writeOpenPose([read], "coco17"), /coco17/);
});

test("every preset is whole, on the ground, and fits its thumbnail", () => {
  for (const name of PRESETS) {
    const person = presetPerson(name, { x: 100, y: 300 }, 250);
    const box = boundingBox([person]);
    assert.ok(Math.abs(box.y + box.height - 300) < 1e-9 && Math.abs(box.x + box.width / 2 - 100) < 1, name);
    const thumbnail = boundingBox(presetFrame(name, 61, 83).people);
    assert.ok(thumbnail.x > 0 && thumbnail.x + thumbnail.width < 61, name);
    assert.ok(thumbnail.y > 0 && thumbnail.y + thumbnail.height < 83, name);
  }
  assert.throws(() => presetPerson("flying", { x: 0, y: 0 }, 1), /flying/);
});

test("the canvas has to grow by what lies outside and half a limb around it", () => {
  const person = nobody();
  for (const [point, x, y] of [[s.R_SHOULDER, 80, 50], [s.L_SHOULDER, 116, 50], [s.R_HIP, 88, 108.4], [s.L_HIP, 108, 108.4], [s.R_KNEE, -4, 230]]) {
    person.flags[point] = FLAG.PRESENT;
    person.xy.set([x, y], 2 * point);
  }
  // Trunk 58.4 and shoulders 36 give a stature of 200; a thigh of 152 one of 706, of which .03 is 21.2.
  const sides = extensionNeeded(makeFrame(200, 220, [person]));
  const half = (0.03 * Math.hypot(92, 121.6)) / 0.216;
  assert.ok(Math.abs(sides.left - 4 - half) < 1e-9 && Math.abs(sides.bottom - 10 - half) < 1e-9);
  assert.deepEqual([sides.top, sides.right], [0, 0]);
});

test("an unsure guess asks for more canvas until it is moved, in an edit of the detection, too", () => {
  const flat = (triples) => triples.flat();
  const body = Array.from({ length: 18 }, () => [0, 0, 0]);
  for (const [point, x, y] of [[2, 80, 50], [5, 116, 50], [8, 88, 108.4], [11, 108, 108.4], [10, 90, 230]]) body[point] = [x, y, 1];
  const marks = Array.from({ length: 24 }, (_, point) => Number(point === s.R_ANKLE));
  const recompose = { estimated: marks, uncertainty: marks.map((mark) => 20 * mark) };
  const people = [{ pose_keypoints_2d: flat(body), recompose }];
  const [incoming] = readOpenPose(JSON.stringify({ canvas_width: 200, canvas_height: 220, people }));
  // A stature of 200: the sole .06 below the ankle at 230, and 20 px of which .04 of the stature count for nothing.
  assert.ok(Math.abs(extensionNeeded(incoming).bottom - (230 + 12 - 220 + 12)) < 1e-6);
  const { guesses, ...plain } = incoming.people[0];
  const edit = { ...incoming, edited: true, people: [plain] };
  assert.ok(guesses && Math.abs(extensionNeeded(edit).bottom - 22) < 1e-6);
  assert.ok(Math.abs(extensionNeeded(edit, incoming).bottom - 34) < 1e-6);
  const moved = { ...plain, xy: plain.xy.slice() };
  moved.xy[2 * s.R_ANKLE] += 1;
  assert.ok(Math.abs(extensionNeeded({ ...edit, people: [moved] }, incoming).bottom - 22) < 1e-6);
  assert.ok(Math.abs(extensionNeeded({ ...edit, fingerprint: "other" }, incoming).bottom - 22) < 1e-6);
});

const MILLION = 10 ** 6;
const triples = (count) => Array(3 * count).fill(1);
const TOO_MANY = [
  ["points of a body", { people: [{ pose_keypoints_2d: triples(MILLION) }] }, /holds 1000000/],
  ["characters", { people: [], padding: "x".repeat(16 * 2 ** 20) }, /16 million characters/],
];
for (const [what, frame, sentence] of TOO_MANY) {
  test(`a file of very many ${what} is refused in a sentence`, () => {
    const text = JSON.stringify({ canvas_width: 64, canvas_height: 64, ...frame });
    assert.throws(() => readOpenPose(text), (error) => sentence.test(error.message) && error.message.split(". ").length === 1);
  });
}

test("a face of very many points is left out with a notice", () => {
  const people = [{ pose_keypoints_2d: triples(18), face_keypoints_2d: triples(MILLION) }];
  const notices = [];
  const [frame] = readOpenPose(JSON.stringify({ canvas_width: 64, canvas_height: 64, people }), { notices });
  assert.equal(frame.people[0].flags.filter(Boolean).length, 18);
  assert.match(notices[0], /^face_keypoints_2d holds 3000000 numbers, but 70 points/);
});

test("of a million people a hundred are read, and of a million points those a person has", () => {
  const crowd = { canvas_width: 64, canvas_height: 64, people: Array(MILLION).fill({}) };
  assert.equal(readOpenPose(JSON.stringify(crowd))[0].people.length, 100);
  const frame = { ...crowd, people: [{ pose_keypoints_2d: triples(MILLION), face_keypoints_2d: triples(MILLION) }] };
  const { incoming } = readReport(result({ pose: [frame] }));
  assert.equal(incoming[0].people[0].flags.filter(Boolean).length, 18 + 70);
});
