/** What each event does to the shown frame: (frame, event, state) -> frame; the same object where nothing changes. */

import { POINTS } from "../model/skeleton.js";
import { FLAG, LIMITS } from "../model/types.js";
import { copied, isPresent, put, withPerson } from "../model/people.js";
import { fitted, limbSwung, mirrored, pointMoved, reached, sidesSwapped, transformed } from "./kinematics.js";
import { selectionBox } from "../model/geometry.js";
import { presetPerson } from "./presets.js";
import { asDetected, completed, restoredPoint } from "./restore.js";

/** @import { Event, EventOf, Frame, Person, State, Vector } from "../model/types.js" */

/**
 * One person through `change`; persons that do not exist change nothing.
 * @param {Frame} frame @param {number} index @param {(person: Person) => Person} edit @returns {Frame}
 */
function change(frame, index, edit) {
  const person = frame.people[index];
  return person ? withPerson(frame, index, edit(person)) : frame;
}

/**
 * The selected points by person: [[person index, [point, …]], …].
 * @param {State} state @returns {[number, number[]][]}
 */
function selected(state) {
  const found = new Map();
  for (const key of state.selection) {
    const person = Math.floor(key / POINTS);
    if (!found.has(person)) found.set(person, []);
    found.get(person).push(key % POINTS);
  }
  return [...found];
}

/**
 * @param {Frame} frame @param {State} state @param {(person: Person, points: number[]) => Person} edit
 * @returns {Frame}
 */
function overSelection(frame, state, edit) {
  return selected(state).reduce(
    (result, [index, points]) => change(result, index, (person) => edit(person, points)),
    frame,
  );
}

/** @param {Person} person @param {number[]} points @param {number} bit @param {boolean} on @returns {Person} */
function flagged(person, points, bit, on) {
  const result = copied(person);
  for (const point of points) {
    if (isPresent(person, point)) result.flags[point] = on ? person.flags[point] | bit : person.flags[point] & ~bit;
  }
  return result;
}

/** @param {Person} person @param {number[]} points @returns {Person} */
function without(person, points) {
  const result = copied(person);
  for (const point of points) {
    if (!(person.flags[point] & FLAG.LOCKED)) result.flags[point] = 0;
  }
  return result;
}

/**
 * A point set by hand; one outside the picture was never seen there, so it counts as estimated.
 * @param {Frame} frame @param {Person} person @param {number} point @param {Vector} at @returns {Person}
 */
function pointAdded(frame, person, point, at) {
  const outside = at.x < 0 || at.y < 0 || at.x > frame.width || at.y > frame.height;
  const result = copied(person);
  result.flags[point] = FLAG.PRESENT | (outside ? FLAG.ESTIMATED : 0);
  put(result, point, at.x, at.y);
  return result;
}

/** @param {Frame} frame @param {State} state @returns {Vector} */
function anchorOf(frame, state) {
  const box = selectionBox(frame, state.selection);
  return box ? { x: box.x + box.width / 2, y: box.y + box.height / 2 } : { x: 0, y: 0 };
}

/** @param {Frame} frame @param {EventOf<"addPerson">} given @returns {Frame} */
function personAdded(frame, { person, preset, at, height }) {
  if (frame.people.length >= LIMITS.people) return frame;
  const stature = height ?? 0.9 * frame.height;
  const ground = at ?? { x: frame.width / 2, y: 0.95 * frame.height };
  const added = person ? { ...copied(person), from: -1 } : presetPerson(preset ?? "standing", ground, stature);
  return { ...frame, people: [...frame.people, added] };
}

/** @param {Frame} frame @param {readonly Person[]} people @returns {Frame} */
function pasted(frame, people) {
  const room = LIMITS.people - frame.people.length;
  const added = people.slice(0, Math.max(0, room)).map((person) => ({ ...copied(person), from: -1 }));
  return added.length ? { ...frame, people: [...frame.people, ...added] } : frame;
}

/** @typedef {{[T in Event["type"]]?: (frame: Frame, event: EventOf<T>, state: State) => Frame}} Edits */

/** Measured from the frames at the begin of the gesture. @type {Edits} */
export const GESTURES = {
  dragPoint: (frame, { person, point, to }) => change(frame, person, (each) => pointMoved(each, point, to)),
  dragLimb: (frame, { person, limb, grip, to, stretch }) =>
    change(frame, person, (each) => limbSwung(each, limb, grip, to, stretch)),
  reach: (frame, { person, point, to }) => change(frame, person, (each) => reached(each, point, to)),
  transform: (frame, { type: _, ...asked }, state) => {
    const anchor = asked.anchor ?? anchorOf(frame, state);
    return overSelection(frame, state, (person, points) => transformed(person, points, { ...asked, anchor }));
  },
};

/** Measured from what is there now. @type {Edits} */
export const EDITS = {
  nudge: (frame, { x, y }, state) =>
    overSelection(frame, state, (person, points) => transformed(person, points, { move: { x, y } })),
  lock: (frame, { on }, state) =>
    overSelection(frame, state, (person, points) => flagged(person, points, FLAG.LOCKED, on)),
  hide: (frame, { on }, state) =>
    overSelection(frame, state, (person, points) => flagged(person, points, FLAG.HIDDEN, on)),
  delete: (frame, _, state) => overSelection(frame, state, without),
  restore: (frame, _, state) => {
    const wanted = state.selection.length ? selected(state).map(([index]) => index) : frame.people.keys();
    return [...wanted].reduce(
      (result, index) => change(result, index, (person) => asDetected(person, state)),
      frame,
    );
  },
  addPoint: (frame, { person, point, at }) => change(frame, person, (each) => pointAdded(frame, each, point, at)),
  restorePoint: (frame, { person, point, estimate }, state) =>
    change(frame, person, (each) => restoredPoint(frame, each, point, state, estimate)),
  addPerson: personAdded,
  deletePerson: (frame, { person }) =>
    frame.people[person] ? { ...frame, people: frame.people.filter((_, index) => index !== person) } : frame,
  restorePerson: (frame, { from }, state) => {
    const person = state.incoming[state.frame]?.people[from];
    const there = frame.people.some((each) => each.from === from);
    return person && !there ? { ...frame, people: [...frame.people, person] } : frame;
  },
  complete: (frame, { person, estimate }) => change(frame, person, (each) => completed(each, estimate)),
  swapSides: (frame, { person }) => change(frame, person, sidesSwapped),
  mirror: (frame, { person }) => change(frame, person, mirrored),
  fit: (frame, { person }) => change(frame, person, (each) => fitted(each, frame.width, frame.height)),
  paste: (frame, { people }) => pasted(frame, people),
};
