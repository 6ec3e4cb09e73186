import assert from "node:assert/strict";
import { test } from "node:test";

import { FLAG, LIMITS } from "../../js/.modules/pose/model/types.js";
import { isPresent, isShown, makeFrame, nobody, place } from "../../js/.modules/pose/model/people.js";
import { PRESETS } from "../../js/.modules/pose/edit/presets.js";
import * as s from "../../js/.modules/pose/model/skeleton.js";
import * as S from "../../js/.modules/pose/edit/state.js";
import { parse, serialise } from "../../js/.modules/pose/io/value.js";
import { chanceOf, randomFrame, randomPerson } from "./random.mjs";

const SIZE = { width: 331, height: 457 }, NOSE = 0;

/** A state after these events. */
function after(state, ...events) {
  return events.reduce(S.update, state);
}

function report(frames, more = {}) {
  const incoming = frames.map((frame, index) => ({ ...frame, fingerprint: index.toString(16).padStart(16, "0") }));
  return { type: "detected", report: { incoming, pictures: frames.map(() => null), replaced: [], notices: [], ...more } };
}

function started(seed = 1, frames = 1, people = 2) {
  const chance = chanceOf(seed);
  return after(S.start(SIZE), report(Array.from({ length: frames }, () => randomFrame(chance, people))));
}

function at(state, person, point) {
  return place(S.shownFrame(state).people[person], point);
}

const drag = (person, point, x, y) => ({ type: "dragPoint", person, point, to: { x, y } });

test("a new editor shows a standing person on a blank canvas and writes nothing", () => {
  const state = S.start(SIZE);
  assert.equal(S.shownFrame(state).people.length, 1);
  assert.deepEqual([S.shownFrame(state).width, S.shownFrame(state).height], [331, 457]);
  assert.equal(S.valueOf(state), "");
  assert.deepEqual([state.past, state.future], [[], []]);
});

test("a gesture is one step of undo however many moves it has, in sixteenths of a pixel", () => {
  const start = S.start(SIZE);
  const state = after(start, { type: "begin" }, drag(0, s.R_KNEE, 10, 20), drag(0, s.R_KNEE, 100.03, 500.3), { type: "commit" });
  assert.deepEqual(at(state, 0, s.R_KNEE), { x: 100, y: 500.3125 });
  assert.equal(state.past.length, 1);
  assert.deepEqual(S.update(state, { type: "undo" }).frames, start.frames);
  assert.deepEqual(after(state, { type: "undo" }, { type: "redo" }).frames, state.frames);
});

test("drags are measured from the begin, so a way round a corner ends like the straight one", () => {
  const start = started();
  const swing = (x, y) => ({ type: "dragLimb", person: 0, limb: 7, grip: { x: 5, y: 9 }, to: { x, y } });
  const around = after(start, { type: "begin" }, swing(400, 3), swing(-77, 12), swing(60, 61), { type: "commit" });
  const straight = after(start, { type: "begin" }, swing(60, 61), { type: "commit" });
  assert.deepEqual(around.frames, straight.frames);
});

test("a cancelled or empty gesture leaves no step and no edit", () => {
  const start = S.start(SIZE);
  assert.equal(after(start, { type: "begin" }, drag(0, 9, 1, 2), { type: "cancel" }).frames, start.frames);
  const back = at(start, 0, 9);
  const still = after(start, { type: "begin" }, drag(0, 9, 1, 2), drag(0, 9, back.x, back.y), { type: "commit" });
  assert.equal(still.past.length, 0);
  assert.equal(S.valueOf(still), "");
});

test("an event that changes nothing gives back the same state", () => {
  const start = S.start(SIZE);
  const events = [
    { type: "undo" }, { type: "redo" }, { type: "commit" }, { type: "cancel" }, { type: "dismiss" }, { type: "reset" },
    { type: "delete" }, { type: "nudge", x: 1, y: 0 }, { type: "frame", index: 7 }, { type: "selectNone" },
    { type: "deletePerson", person: 4 }, drag(3, 2, 1, 1), { type: "selectPerson", person: 9 },
    { type: "load", value: "" }, { type: "resize", ...SIZE }, { type: "restore" },
    { type: "transform", move: { x: 3, y: 3 } }, { type: "lock", on: true },
  ];
  for (const event of events) assert.equal(S.update(start, event), start, event.type);
  assert.throws(() => S.update(start, { type: "drag-point" }), /drag-point/);
});

test("the selection follows clicks, boxes, Tab and Ctrl+A and forgets what is gone", () => {
  const one = (point) => ({ type: "select", points: [{ person: 0, point }], mode: "toggle" });
  let state = after(S.start(SIZE), one(4), one(7));
  assert.deepEqual(S.selectedPoints(state).map(({ point }) => point), [4, 7]);
  state = after(state, one(4));
  assert.deepEqual(state.selection, [7]);
  assert.deepEqual(after(state, { type: "selectNext", step: 1 }).selection, [8]);
  assert.deepEqual(after(state, { type: "selectNext", step: -1 }).selection, [6]);
  assert.deepEqual(after(state, { type: "selectNone" }, { type: "selectNext", step: -1 }).selection, [23]);
  assert.equal(after(state, { type: "selectAll" }).selection.length, 24);
  assert.equal(after(state, { type: "selectNext", step: 1, by: "person" }).selection.length, 24);
  assert.deepEqual(after(state, { type: "delete" }).selection, []);
});

test("Tab by person goes from one to the next and round", () => {
  const two = after(S.start(SIZE), { type: "addPerson", preset: "standing" }, { type: "selectPerson", person: 1 });
  assert.deepEqual(after(two, { type: "selectNext", step: 1, by: "person" }).selection[0], 0);
  assert.deepEqual(after(two, { type: "selectNext", step: -1, by: "person" }).selection[0], 0);
});

test("the selection is moved, scaled and turned about its middle", () => {
  const select = { type: "select", points: [s.R_HIP, s.L_HIP].map((point) => ({ person: 0, point })) };
  const state = after(S.start(SIZE), select, { type: "transform", scale: 2 });
  const [right, left] = [at(state, 0, s.R_HIP), at(state, 0, s.L_HIP)];
  assert.ok(Math.abs((right.x + left.x) / 2 - 331 / 2) <= 1 / 16);
  const before = S.start(SIZE);
  assert.ok(Math.abs(left.x - right.x - 2 * (at(before, 0, s.L_HIP).x - at(before, 0, s.R_HIP).x)) <= 1 / 8);
});

test("points are deleted, hidden, locked and come back", () => {
  const start = started(3);
  const [person, point] = [0, s.R_KNEE];
  const put = after(start, { type: "addPoint", person, point, at: { x: 5, y: 9 } });
  assert.equal(S.shownFrame(put).people[0].flags[point], FLAG.PRESENT);
  const outside = after(start, { type: "addPoint", person, point, at: { x: 5, y: 99999 } });
  assert.equal(S.shownFrame(outside).people[0].flags[point], FLAG.PRESENT | FLAG.ESTIMATED);
  const selected = after(put, { type: "select", points: [{ person, point }] });
  const gone = after(selected, { type: "delete" });
  assert.ok(!isPresent(S.shownFrame(gone).people[0], point));
  assert.ok(isPresent(S.shownFrame(after(gone, { type: "restorePoint", person, point })).people[0], point));
  const hidden = after(selected, { type: "hide", on: true });
  assert.ok(!isShown(S.shownFrame(hidden).people[0], point) && isPresent(S.shownFrame(hidden).people[0], point));
  assert.deepEqual(after(hidden, { type: "hide", on: false }).frames, selected.frames);
  const locked = after(selected, { type: "lock", on: true });
  assert.equal(after(locked, drag(person, point, 0, 0)), locked);
  assert.ok(isPresent(S.shownFrame(after(locked, { type: "delete" })).people[0], point));
});

const R_HEEL = 23;
const LEG = [s.R_KNEE, s.R_ANKLE, 21, 22, R_HEEL];
const selectLeg = { type: "select", points: LEG.map((point) => ({ person: 0, point })) };
const restoreLeg = LEG.map((point) => ({ type: "restorePoint", person: 0, point }));

test("a deleted leg comes back where the detection had it", () => {
  const chance = chanceOf(8);
  const whole = randomPerson(chance, 300, 300, 0);
  whole.flags.fill(FLAG.PRESENT);
  const start = after(S.start(SIZE), report([makeFrame(300, 300, [whole])]));
  const gone = after(start, selectLeg, { type: "delete" });
  const left = (state) => [...S.shownFrame(state).people[0].flags].filter(Boolean).length;
  assert.equal(left(gone), s.POINTS - 5);
  const back = after(gone, ...restoreLeg);
  for (const point of [s.R_KNEE, s.R_ANKLE, R_HEEL]) {
    const [now, was] = [at(back, 0, point), place(whole, point)];
    assert.ok(Math.hypot(now.x - was.x, now.y - was.y) < 0.2);
  }
  const moved = after(gone, drag(0, s.R_HIP, at(gone, 0, s.R_HIP).x + 40, at(gone, 0, s.R_HIP).y), ...restoreLeg);
  assert.ok(Math.abs(at(moved, 0, s.R_KNEE).x - place(whole, s.R_KNEE).x - 40) < 0.2, "relative to the hip it hangs on");
});

test("an estimate adds what a person lacks, and a restored knee is the same guess", () => {
  const upright = S.start(SIZE);
  const estimate = { ...S.shownFrame(upright).people[0] };
  estimate.xy = estimate.xy.map((value) => value + 8);
  estimate.flags = estimate.flags.map((flags, point) => (LEG.includes(point) ? FLAG.PRESENT | FLAG.ESTIMATED : flags));
  const cut = after(upright, selectLeg, { type: "delete" });
  const whole = after(cut, { type: "complete", person: 0, estimate });
  for (let point = 0; point < s.MAIN_POINTS; point++) {
    const [was, is] = [at(upright, 0, point), at(whole, 0, point)], by = LEG.includes(point) ? 8 : 0;
    assert.deepEqual([is.x - was.x, is.y - was.y], [by, by]);
    assert.equal(S.shownFrame(whole).people[0].flags[point], FLAG.PRESENT | (by ? FLAG.ESTIMATED : 0));
  }
  assert.equal(whole.past.length, 2);
  assert.equal(after(upright, { type: "complete", person: 0, estimate }), upright);
  const hidden = after(upright, selectLeg, { type: "hide", on: true });
  assert.equal(after(hidden, { type: "complete", person: 0, estimate }), hidden);
  const knee = (more) => at(after(cut, { ...restoreLeg[0], ...more }), 0, s.R_KNEE);
  assert.deepEqual(knee({ estimate }), at(whole, 0, s.R_KNEE));
  assert.deepEqual(knee({}), at(upright, 0, s.R_KNEE), "without an estimate as a standing person has it");
});

test("people come, go, and come back", () => {
  const start = started(5);
  const gone = after(start, { type: "deletePerson", person: 0 });
  assert.equal(S.shownFrame(gone).people.length, 1);
  assert.equal(S.shownFrame(gone).people[0].from, 1);
  const back = after(gone, { type: "restorePerson", from: 0 });
  assert.equal(S.shownFrame(back).people.length, 2);
  assert.equal(after(back, { type: "restorePerson", from: 0 }), back);
  for (const preset of PRESETS) {
    const added = after(start, { type: "addPerson", preset, at: { x: 50, y: 400 }, height: 300 });
    assert.equal(S.shownFrame(added).people[2].from, -1);
  }
  const pasted = after(start, { type: "paste", people: S.shownFrame(start).people });
  assert.equal(S.shownFrame(pasted).people.length, 4);
  assert.equal(S.shownFrame(pasted).people[3].from, -1);
});

test("there is room for a hundred people and no more", () => {
  let state = after(S.start(SIZE), { type: "paste", people: Array(500).fill(nobody()) });
  assert.equal(S.shownFrame(state).people.length, LIMITS.people);
  assert.equal(S.update(state, { type: "addPerson" }), state);
});

test("each frame of a batch has its own edit, and reset gives back the detection", () => {
  const start = started(6, 3);
  const state = after(start, { type: "frame", index: 1 }, { type: "addPerson" }, { type: "frame", index: 2 });
  assert.deepEqual([...parse(S.valueOf(state)).frames.keys()], [1]);
  assert.equal(after(state, { type: "reset" }), state);
  const reset = after(state, { type: "frame", index: 1 }, { type: "reset" });
  assert.equal(S.valueOf(reset), "");
  assert.equal(S.shownFrame(reset), start.frames[1]);
  assert.equal(S.valueOf(after(state, { type: "resetAll" })), "");
  assert.equal(S.valueOf(after(reset, { type: "undo" })), S.valueOf(state));
});

test("a new detection shows where nothing was edited and the edit stays where something was", () => {
  const start = started(7, 2);
  const edited = after(start, drag(0, NOSE, 3, 4), { type: "addPerson" });
  const other = randomFrame(chanceOf(77), 1);
  const scaled = { ...other, width: S.shownFrame(start).width, height: S.shownFrame(start).height };
  const kept = after(edited, report([scaled, other], { notices: ["kept"] }));
  assert.deepEqual(kept.frames[0], edited.frames[0]);
  assert.equal(kept.frames[1].people, other.people);
  assert.deepEqual(kept.notices, ["kept"]);
  assert.deepEqual(after(kept, { type: "dismiss" }).notices, []);
  const replaced = after(edited, report([scaled, other], { replaced: [0] }));
  assert.equal(replaced.frames[0].people, scaled.people);
  assert.equal(S.valueOf(replaced), "");
  assert.deepEqual(after(replaced, { type: "undo" }).frames[0], edited.frames[0]);
});

test("on a picture of twice the size the edit is twice as large", () => {
  const edited = after(S.start(SIZE), drag(0, NOSE, 30, 41));
  const twice = after(edited, report([makeFrame(662, 914)]));
  assert.deepEqual(at(twice, 0, NOSE), { x: 60, y: 82 });
  assert.deepEqual(at(after(edited, { type: "resize", width: 662, height: 914 }), 0, NOSE), { x: 60, y: 82 });
});

test("an edit keeps its size when its workflow is opened, before its picture is there", () => {
  const value = S.valueOf(after(started(), drag(0, NOSE, 30, 41)));
  const [{ width, height }] = started().frames;
  assert.ok(width !== 77 && height !== 99);
  const opened = S.start({ width: 77, height: 99, value });
  assert.equal(S.valueOf(opened), value);
  assert.equal(S.valueOf(after(S.start({ width: 77, height: 99 }), { type: "load", value })), value);
});

test("the graph's undo and redo move through the editor's own steps", () => {
  const one = after(S.start(SIZE), drag(0, NOSE, 30, 41));
  const two = after(one, drag(0, NOSE, 50, 60));
  const back = after(two, { type: "load", value: S.valueOf(one) });
  assert.deepEqual([back.past.length, back.future.length], [1, 1]);
  assert.deepEqual(back.frames, one.frames);
  const forth = after(back, { type: "load", value: S.valueOf(two) });
  assert.deepEqual([forth.past.length, forth.future.length], [2, 0]);
  const start = after(back, { type: "load", value: "" });
  assert.equal(start.past.length, 0);
  const foreign = after(two, { type: "load", value: S.valueOf(after(S.start(SIZE), drag(0, 9, 1, 2))) });
  assert.equal(foreign.past.length, 3);
  assert.deepEqual(at(foreign, 0, 9), { x: 1, y: 2 });
});

test("imported people take the place of the frame's, scaled to its picture", () => {
  const frame = makeFrame(662, 914, [randomPerson(chanceOf(2), 662, 914)]);
  const state = after(S.start(SIZE), { type: "import", frames: [frame, frame] });
  assert.equal(state.frames.length, 2);
  assert.deepEqual([state.frames[0].width, state.frames[0].height], [331, 457]);
  assert.ok(state.frames[0].edited && state.past.length === 1);
  const point = frame.people[0].flags.findIndex(Boolean);
  assert.ok(Math.abs(at(state, 0, point).x - place(frame.people[0], point).x / 2) <= 1 / 16);
});

/** An event of any kind, sensible or not. */
function randomEvent(chance, state) {
  const frame = S.shownFrame(state);
  const person = chance.whole(-1, frame.people.length), point = chance.whole(-1, s.POINTS);
  const spot = () => ({ x: chance.between(-9, 2) * frame.width, y: chance.between(-2, 9) * frame.height });
  const limb = chance.whole(0, s.ALL_LIMBS.length - 1), on = chance.happens(0.5);
  return chance.choice([
    { type: "begin" }, { type: "commit" }, { type: "cancel" }, { type: "undo" }, { type: "redo" },
    { type: "select", points: [{ person, point }], mode: chance.choice(["add", "toggle", "remove", "replace"]) },
    { type: "selectPerson", person }, { type: "selectAll" }, { type: "selectNone" },
    { type: "selectBox", box: { ...spot(), width: chance.between(-900, 900), height: chance.between(-900, 900) } },
    { type: "selectNext", step: chance.choice([1, -1]), by: chance.choice(["point", "person"]) },
    { type: "dragPoint", person, point, to: spot() },
    { type: "dragLimb", person, limb, grip: spot(), to: spot(), stretch: on },
    { type: "reach", person, point: chance.choice([4, 7, 10, 13, point]), to: spot() },
    { type: "transform", move: spot(), scale: chance.between(0, 3), angle: chance.between(-4, 4) },
    { type: "nudge", x: chance.whole(-1, 1), y: chance.whole(-10, 10) },
    { type: "lock", on }, { type: "hide", on }, { type: "delete" }, { type: "restore" },
    { type: "addPoint", person, point, at: spot() }, { type: "restorePoint", person, point },
    { type: "addPerson", preset: "standing", at: spot(), height: chance.between(1, 900) },
    { type: "deletePerson", person }, { type: "restorePerson", from: person },
    { type: "swapSides", person }, { type: "mirror", person },
    { type: "fit", person }, { type: "paste", people: frame.people.slice(0, 1) }, { type: "reset" },
    { type: "frame", index: chance.whole(-1, state.frames.length) }, { type: "resize", width: 77, height: 99 },
    { type: "import", frames: [randomFrame(chance, 1)] }, { type: "load", value: S.valueOf(state) },
    { type: "complete", person, estimate: randomPerson(chance, 300, 500) },
    { type: "restorePoint", person, point, estimate: randomPerson(chance, 300, 500) },
  ]);
}

function assertValid(state) {
  assert.ok(state.frames.length >= 1 && state.frames[state.frame]);
  for (const frame of state.frames) {
    assert.ok(frame.people.length <= LIMITS.people);
    for (const { xy, flags } of frame.people) {
      assert.equal(xy.length, 2 * s.POINTS);
      assert.equal(flags.length, s.POINTS);
      assert.ok(xy.every((value) => Math.abs(value) <= LIMITS.coordinate));
      assert.ok(state.before || xy.every((value) => Number.isInteger(value * 16)), "sixteenths of a pixel");
      assert.ok(flags.every((bits) => bits === 0 || (bits < 16 && bits & FLAG.PRESENT)));
    }
  }
  const people = S.shownFrame(state).people;
  state.selection.forEach((key, index) => {
    assert.ok(people[Math.floor(key / s.POINTS)].flags[key % s.POINTS], "only what is there is selected");
    assert.ok(index === 0 || key > state.selection[index - 1]);
  });
}

test("any thousand random edits keep the state valid, and undoing them all gives back the start", () => {
  for (const seed of [1, 2, 3]) {
    const chance = chanceOf(seed), start = started(seed, 3);
    let state = start;
    for (let round = 0; round < 1000; round++) {
      state = S.update(state, randomEvent(chance, state));
      assertValid(state);
    }
    assert.ok(state.past.length + state.future.length > 20);
    const end = S.update(state, { type: "commit" });
    let back = end;
    while (back.past.length) back = S.update(back, { type: "undo" });
    assert.deepEqual(back.frames, start.frames);
    while (back.future.length) back = S.update(back, { type: "redo" });
    assert.deepEqual(back.frames.length, (end.future.length ? back : end).frames.length);
  }
});

test("what is written is read back as it was", () => {
  const chance = chanceOf(12);
  for (let round = 0; round < 200; round++) {
    const frames = Array.from({ length: chance.whole(1, 4) }, () => ({ ...randomFrame(chance), edited: chance.happens(0.7) }));
    const text = serialise(frames);
    const { frames: read, notices } = parse(text);
    assert.deepEqual(notices, []);
    const clean = (person) => {
      const there = (value, index) => (person.flags[index >> 1] ? value : 0);
      return { ...person, xy: person.xy.map(there) };
    };
    frames.forEach((frame, index) => {
      const expected = frame.edited ? { ...frame, people: frame.people.map(clean) } : undefined;
      assert.deepEqual(read.get(index), expected);
    });
    assert.equal(serialise(Array.from({ length: frames.length }, (_, index) => read.get(index) ?? frames[index])), text);
  }
});

test("ten whole people fit into 40 KB wherever they stand", () => {
  const people = Array.from({ length: 10 }, (_, index) => {
    const person = nobody(index);
    person.flags.fill(FLAG.PRESENT | FLAG.ESTIMATED | FLAG.LOCKED | FLAG.HIDDEN);
    person.xy.fill(-4096 - 1 / 16);
    return person;
  });
  const text = serialise([{ ...makeFrame(4096, 4096, people, "0123456789abcdef"), edited: true }]);
  assert.ok(text.length <= 40_000, `${text.length} characters`);
});

test("five hundred damaged values give a usable editor and a notice", () => {
  const chance = chanceOf(31);
  const whole = serialise([{ ...randomFrame(chance, 2), edited: true }, { ...randomFrame(chance, 1), edited: true }]);
  let noticed = 0;
  for (let round = 0; round < 500; round++) {
    const [from, to] = [chance.whole(0, whole.length - 1), chance.whole(0, whole.length - 1)].sort((a, b) => a - b);
    const planted = chance.choice(["x", '"', "{", "}", "[", "]", ",", "-", "9e999", "NaN", "null", "true", "\\", "\0", "<b>"]);
    const value = chance.choice([whole.slice(0, from), whole.slice(from + 1), whole.slice(0, from) + planted + whole.slice(from + 1), whole.slice(0, from) + whole.slice(to + 1)]);
    const state = S.start({ ...SIZE, value });
    assertValid(state);
    assert.ok(state.notices.every((notice) => /^(The saved edit|Parts of the saved edit) .*\.$/.test(notice)));
    if (parse(value).frames.size < 2 && value) assert.equal(state.notices.length, 1, value.slice(0, 200));
    noticed += state.notices.length;
    const used = after(state, drag(0, NOSE, 3, 4), { type: "addPerson" }, { type: "undo" });
    assertValid(used);
    assert.deepEqual(parse(S.valueOf(after(used, { type: "addPerson" }))).notices, []);
  }
  assert.ok(noticed > 300, `${noticed} noticed`);
});

test("a value of a million points gives a usable editor and a notice", () => {
  const person = { from: 0, flags: "1".repeat(10 ** 6), xy: Array(2 * 10 ** 6).fill(16) };
  const value = JSON.stringify({ version: 1, frames: { 0: { size: [64, 64], fingerprint: "", people: [person] } } });
  const state = S.start({ ...SIZE, value });
  assert.deepEqual(state.notices, ["Parts of the saved edit are damaged and were left out; check the pose."]);
  assertValid(after(state, { type: "addPerson" }));
});
