import assert from "node:assert/strict";
import { test } from "node:test";

import { boundingBox, hitTest, pointsInBox, selectionBox } from "../../js/.modules/pose/model/geometry.js";
import * as k from "../../js/.modules/pose/edit/kinematics.js";
import { FLAG } from "../../js/.modules/pose/model/types.js";
import { isPresent, makeFrame, nobody, place } from "../../js/.modules/pose/model/people.js";
import * as s from "../../js/.modules/pose/model/skeleton.js";
import { chanceOf, randomPerson } from "./random.mjs";

/** A person with only these points: {point: [x, y, flags]}. */
function person(points) {
  const result = nobody();
  for (const [point, [x, y, flags = FLAG.PRESENT]] of Object.entries(points)) {
    result.flags[point] = flags;
    result.xy.set([x, y], 2 * point);
  }
  return result;
}

const ARM = { [s.NECK]: [90, 50], [s.R_SHOULDER]: [70, 50], [s.R_ELBOW]: [40, 90], [s.R_WRIST]: [70, 130] };
const HAND = { [s.PARTS.handRight.first]: [70, 132], [s.PARTS.handRight.first + 8]: [75, 150] };

function near(actual, expected, tolerance = 1e-9) {
  for (const axis of ["x", "y"]) {
    assert.ok(Math.abs(actual[axis] - expected[axis]) < tolerance, `${JSON.stringify(actual)} ≠ ${JSON.stringify(expected)}`);
  }
}

function distance(one, a, b) {
  return Math.hypot(one.xy[2 * a] - one.xy[2 * b], one.xy[2 * a + 1] - one.xy[2 * b + 1]);
}

test("a limb is hit beside it and not beyond its ends", () => {
  const frame = makeFrame(200, 200, [person({ [s.NECK]: [50, 60], [s.R_SHOULDER]: [90, 60] })]);
  assert.deepEqual(hitTest(frame, { x: 70, y: 66 }, 9), { person: 0, limb: 0, distance: 6 });
  assert.equal(hitTest(frame, { x: 70, y: 70 }, 9), null);
  assert.equal(hitTest(frame, { x: 101, y: 60 }, 9), null);
  const short = makeFrame(200, 200, [person({ [s.NECK]: [50, 60], [s.R_SHOULDER]: [50, 60] })]);
  assert.equal(hitTest(short, { x: 50, y: 70 }, 9), null);
});

test("a point beats the limb it lies on, and the nearer point the farther one", () => {
  const frame = makeFrame(200, 200, [person(ARM)]);
  assert.deepEqual(hitTest(frame, { x: 41, y: 90 }, 6), { person: 0, point: s.R_ELBOW, distance: 1 });
  assert.deepEqual(hitTest(frame, { x: 55, y: 70 }, 6), { person: 0, limb: 2, distance: 0 });
  assert.equal(hitTest(frame, { x: 150, y: 150 }, 6), null);
});

test("of two points on one place the person in front is hit", () => {
  const frame = makeFrame(200, 200, [person(ARM), person(ARM)]);
  assert.equal(hitTest(frame, { x: 40, y: 90 }, 6).person, 1);
});

test("hidden points are only hit when asked for, and skipped ones never", () => {
  const frame = makeFrame(200, 200, [person({ ...ARM, [s.R_WRIST]: [70, 130, FLAG.PRESENT | FLAG.HIDDEN] })]);
  assert.equal(hitTest(frame, { x: 70, y: 130 }, 6), null);
  assert.equal(hitTest(frame, { x: 70, y: 130 }, 6, { hidden: true }).point, s.R_WRIST);
  assert.equal(hitTest(frame, { x: 40, y: 90 }, 6, { skip: (_, point) => point === s.R_ELBOW }), null);
});

test("a box selects what it covers whichever corner it was drawn from", () => {
  const frame = makeFrame(200, 200, [person(ARM)]);
  const expected = [{ person: 0, point: s.R_SHOULDER }, { person: 0, point: s.R_ELBOW }];
  assert.deepEqual(pointsInBox(frame, { x: 30, y: 40, width: 45, height: 60 }), expected);
  assert.deepEqual(pointsInBox(frame, { x: 75, y: 100, width: -45, height: -60 }), expected);
});

test("boxes go around what is shown", () => {
  assert.deepEqual(boundingBox([person(ARM)]), { x: 40, y: 50, width: 50, height: 80 });
  assert.equal(boundingBox([nobody()]), null);
  const frame = makeFrame(200, 200, [nobody(), person(ARM)]);
  const selection = [s.POINTS + s.R_SHOULDER, s.POINTS + s.R_ELBOW];
  assert.deepEqual(selectionBox(frame, selection), { x: 40, y: 50, width: 30, height: 40 });
  assert.equal(selectionBox(frame, [2 * s.POINTS]), null, "nobody is there");
});

test("a dragged wrist takes its hand along and nothing else", () => {
  const moved = k.pointMoved(person({ ...ARM, ...HAND }), s.R_WRIST, { x: 80, y: 125 });
  near(place(moved, s.R_WRIST), { x: 80, y: 125 });
  near(place(moved, s.PARTS.handRight.first + 8), { x: 85, y: 145 });
  near(place(moved, s.R_ELBOW), { x: 40, y: 90 });
});

test("a dragged elbow leaves the hand where it is", () => {
  const moved = k.pointMoved(person({ ...ARM, ...HAND }), s.R_ELBOW, { x: 10, y: 20 });
  near(place(moved, s.R_WRIST), { x: 70, y: 130 });
  near(place(moved, s.PARTS.handRight.first), { x: 70, y: 132 });
});

test("a quarter turn of the upper arm carries forearm and hand about the shoulder", () => {
  // Gripped at (55, 70), 15 left of and 20 below the shoulder; pulled to 20 left of and 15 above it.
  const moved = k.limbSwung(person({ ...ARM, ...HAND }), 2, { x: 55, y: 70 }, { x: 50, y: 35 });
  near(place(moved, s.R_ELBOW), { x: 30, y: 20 });
  near(place(moved, s.R_WRIST), { x: -10, y: 50 });
  near(place(moved, s.PARTS.handRight.first), { x: -12, y: 50 });
  near(place(moved, s.R_SHOULDER), { x: 70, y: 50 });
});

test("stretching doubles the bone that is pulled and keeps the length of those below", () => {
  const before = person({ ...ARM, ...HAND });
  const moved = k.limbSwung(before, 2, { x: 55, y: 70 }, { x: 40, y: 90 }, true);
  near(place(moved, s.R_ELBOW), { x: 10, y: 130 });
  near(place(moved, s.R_WRIST), { x: 40, y: 170 });
  assert.equal(distance(moved, s.R_ELBOW, s.R_WRIST), distance(before, s.R_ELBOW, s.R_WRIST));
});

test("a limb pulled to its own pivot, or without one end, stays", () => {
  const before = person(ARM);
  assert.equal(k.limbSwung(before, 2, { x: 55, y: 70 }, { x: 70, y: 50 }), before);
  assert.equal(k.limbSwung(before, 11, { x: 55, y: 70 }, { x: 0, y: 0 }), before);
});

test("whatever is pulled, bone lengths of the limb and below it stay", () => {
  const chance = chanceOf(4);
  for (let round = 0; round < 300; round++) {
    const before = randomPerson(chance, 300, 500);
    before.flags.fill(FLAG.PRESENT);
    const limb = chance.whole(0, s.ALL_LIMBS.length - 1);
    const [upper, lower] = s.ALL_LIMBS[limb];
    const [grip, to] = [place(before, lower), { x: chance.between(-300, 900), y: chance.between(-300, 900) }];
    const moved = k.limbSwung(before, limb, grip, to);
    assert.ok(Math.abs(distance(moved, upper, lower) - distance(before, upper, lower)) < 1e-6);
    for (const point of s.DESCENDANTS[lower]) {
      const above = s.PARENT[point];
      assert.ok(Math.abs(distance(moved, above, point) - distance(before, above, point)) < 1e-6);
    }
    for (let point = 0; point < s.POINTS; point++) {
      if (point === lower || s.DESCENDANTS[lower].includes(point)) continue;
      assert.deepEqual(place(moved, point), place(before, point));
    }
  }
});

test("reaching bends the elbow so that both bones keep their length", () => {
  const before = person({ ...ARM, ...HAND });
  const moved = k.reached(before, s.R_WRIST, { x: 60, y: 100 });
  near(place(moved, s.R_WRIST), { x: 60, y: 100 });
  assert.ok(Math.abs(distance(moved, s.R_SHOULDER, s.R_ELBOW) - 50) < 1e-9);
  assert.ok(Math.abs(distance(moved, s.R_ELBOW, s.R_WRIST) - 50) < 1e-9);
  assert.ok(place(moved, s.R_ELBOW).x < 60, "the elbow stays on its side");
  assert.ok(Math.abs(distance(moved, s.R_WRIST, s.PARTS.handRight.first) - 2) < 1e-9);
});

test("out of reach the arm is straight and points to the place", () => {
  const moved = k.reached(person(ARM), s.R_WRIST, { x: 70, y: 1050 });
  near(place(moved, s.R_WRIST), { x: 70, y: 150 });
  near(place(moved, s.R_ELBOW), { x: 70, y: 100 });
});

test("too near the arm folds as far as its bones allow", () => {
  const arm = person({ [s.R_SHOULDER]: [0, 0], [s.R_ELBOW]: [60, 0], [s.R_WRIST]: [60, 20] });
  const moved = k.reached(arm, s.R_WRIST, { x: 10, y: 0 });
  near(place(moved, s.R_ELBOW), { x: 60, y: 0 });
  near(place(moved, s.R_WRIST), { x: 40, y: 0 });
});

const R_BIG_TOE = 21;

test("a foot keeps its direction when its ankle reaches", () => {
  const leg = { [s.R_HIP]: [50, 0], [s.R_KNEE]: [60, 50], [s.R_ANKLE]: [50, 100], [R_BIG_TOE]: [70, 105] };
  const moved = k.reached(person(leg), s.R_ANKLE, { x: 80, y: 80 });
  near(place(moved, R_BIG_TOE), { x: 100, y: 85 });
});

test("bones keep their length and the bend its side wherever a wrist or ankle reaches", () => {
  const chance = chanceOf(9);
  for (let round = 0; round < 500; round++) {
    const [root, middle, end, to] = Array.from({ length: 4 }, () => ({ x: chance.between(-50, 50), y: chance.between(-50, 50) }));
    const chain = { [s.R_SHOULDER]: root, [s.R_ELBOW]: middle, [s.R_WRIST]: end };
    const arm = person(Object.fromEntries(Object.entries(chain).map(([point, { x, y }]) => [point, [x, y]])));
    const moved = k.reached(arm, s.R_WRIST, to);
    const bent = { middle: place(moved, s.R_ELBOW), end: place(moved, s.R_WRIST) };
    const length = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
    assert.ok(Math.abs(length(root, bent.middle) - length(root, middle)) < 1e-6);
    assert.ok(Math.abs(length(bent.middle, bent.end) - length(middle, end)) < 1e-6);
    const side = (a, b, c) => (c.x - a.x) * (b.y - a.y) - (c.y - a.y) * (b.x - a.x);
    assert.ok(side(root, middle, end) * side(root, bent.middle, bent.end) >= -1e-6);
    const reach = Math.min(length(root, middle) + length(middle, end), Math.max(length(root, to), Math.abs(length(root, middle) - length(middle, end))));
    assert.ok(Math.abs(length(root, bent.end) - reach) < 1e-6);
  }
});

test("a locked point stays while everything around it moves", () => {
  const before = person({ ...ARM, [s.R_ELBOW]: [40, 90, FLAG.PRESENT | FLAG.LOCKED] });
  assert.equal(k.pointMoved(before, s.R_ELBOW, { x: 0, y: 0 }), before);
  const moved = k.transformed(before, [s.R_SHOULDER, s.R_ELBOW], { move: { x: 7, y: 0 } });
  near(place(moved, s.R_ELBOW), { x: 40, y: 90 });
  near(place(moved, s.R_SHOULDER), { x: 77, y: 50 });
  near(place(k.reached(before, s.R_WRIST, { x: 90, y: 90 }), s.R_ELBOW), { x: 40, y: 90 });
});

test("a selection is scaled and turned about its anchor, then moved", () => {
  const change = { scale: 2, angle: Math.PI / 2, anchor: { x: 70, y: 50 }, move: { x: 5, y: -1 } };
  const moved = k.transformed(person(ARM), [s.R_ELBOW], change);
  // (−30, 40) clockwise by a quarter is (−40, −30).
  near(place(moved, s.R_ELBOW), { x: 70 - 80 + 5, y: 50 - 60 - 1 });
});

test("swapping sides renames and mirroring moves, and either twice is nothing", () => {
  const before = person({ ...ARM, ...HAND, [s.L_SHOULDER]: [110, 50], [s.PARTS.face.first]: [60, 20] });
  const swapped = k.sidesSwapped(before);
  near(place(swapped, s.L_ELBOW), { x: 40, y: 90 });
  near(place(swapped, s.PARTS.handLeft.first + 8), { x: 75, y: 150 });
  near(place(swapped, s.PARTS.face.first + 16), { x: 60, y: 20 });
  assert.ok(!isPresent(swapped, s.R_ELBOW));
  assert.deepEqual(k.sidesSwapped(swapped), before);
  const mirrored = k.mirrored(before);
  // The middle of 40 … 110 is 75.
  near(place(mirrored, s.L_ELBOW), { x: 110, y: 90 });
  near(place(mirrored, s.R_SHOULDER), { x: 40, y: 50 });
  assert.deepEqual(boundingBox([mirrored]), boundingBox([before]));
  assert.deepEqual(k.mirrored(mirrored), before);
});

test("a person is fitted into the picture with a margin", () => {
  const box = boundingBox([k.fitted(person(ARM), 1000, 400)]);
  assert.ok(Math.abs(box.height - 360) < 1e-9 && Math.abs(box.width - 225) < 1e-9);
  assert.ok(Math.abs(box.x + box.width / 2 - 500) < 1e-9 && Math.abs(box.y - 20) < 1e-9);
});

test("the skeleton is one tree below the neck, and counterparts come in pairs", () => {
  assert.equal(s.DESCENDANTS[s.NECK].length, s.POINTS - 1);
  assert.deepEqual(s.DESCENDANTS[s.R_KNEE].toSorted((a, b) => a - b), [s.R_ANKLE, 21, 22, 23]);
  s.COUNTERPART.forEach((other, point) => assert.equal(s.COUNTERPART[other], point));
  assert.equal(new Set(s.POINT_NAMES).size, s.POINTS);
});
