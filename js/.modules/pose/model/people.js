/** A person and a frame as plain records: make them, read them, change a copy. */

import { FLAG, LIMITS, STEPS_PER_PIXEL } from "./types.js";
import { MAIN_POINTS, POINTS } from "./skeleton.js";

/** @import { Frame, Person, Vector } from "./types.js" */

/** @returns {Person} a person without any point */
export function nobody(from = -1) {
  return { xy: new Float64Array(2 * POINTS), flags: new Uint8Array(POINTS), from };
}

/** @param {Person} person @returns {Person} a copy that may be changed until it is handed out */
export function copied(person) {
  return { ...person, xy: person.xy.slice(), flags: person.flags.slice() };
}

/** Whether the point exists (shown or hidden). @param {Person} person @param {number} point */
export function isPresent(person, point) {
  return (person.flags[point] & FLAG.PRESENT) !== 0;
}

/** Whether the point is drawn and given on: there and not hidden. @param {Person} person @param {number} point */
export function isShown(person, point) {
  return (person.flags[point] & (FLAG.PRESENT | FLAG.HIDDEN)) === FLAG.PRESENT;
}

/** @param {Person} person @param {number} point */
export function isLocked(person, point) {
  return (person.flags[point] & FLAG.LOCKED) !== 0;
}

/** @param {Person} person @param {number} point */
export function isEstimated(person, point) {
  return (person.flags[point] & FLAG.ESTIMATED) !== 0;
}

/** @param {Person} person @param {number} point @returns {Vector} */
export function place(person, point) {
  return { x: person.xy[2 * point], y: person.xy[2 * point + 1] };
}

/** Moves a point of a copy. @param {Person} person @param {number} point @param {number} x @param {number} y */
export function put(person, point, x, y) {
  person.xy[2 * point] = clamped(x);
  person.xy[2 * point + 1] = clamped(y);
}

/** @param {number} value */
function clamped(value) {
  return Math.min(LIMITS.coordinate, Math.max(-LIMITS.coordinate, value));
}

/** The nearest multiple of 1/16 px, halves up. @param {number} value */
function quantised(value) {
  // Adding 0 turns −0 into 0, which JSON could not keep apart.
  return Math.floor(value * STEPS_PER_PIXEL + 0.5) / STEPS_PER_PIXEL + 0;
}

/** The person with every coordinate a multiple of 1/16 px; the same object if they were. @param {Person} person */
export function quantisedPerson(person) {
  const xy = person.xy.map(quantised);
  return xy.every((value, index) => value === person.xy[index]) ? person : { ...person, xy };
}

/** The frame in multiples of 1/16 px; unchanged people stay the same objects. @param {Frame} frame */
export function quantisedFrame(frame) {
  const people = frame.people.map(quantisedPerson);
  return people.every((person, index) => person === frame.people[index]) ? frame : { ...frame, people };
}

/** The frame with one person replaced. @param {Frame} frame @param {number} index @param {Person} person */
export function withPerson(frame, index, person) {
  if (person === frame.people[index]) return frame;
  return { ...frame, people: frame.people.map((old, at) => (at === index ? person : old)) };
}

/** @param {number} width @param {number} height @param {readonly Person[]} people @returns {Frame} */
export function makeFrame(width, height, people = [], fingerprint = "", edited = false) {
  return { width, height, people, fingerprint, edited };
}

/** Whether two people are the same in every point and flag. @param {Person} a @param {Person} b */
export function samePerson(a, b) {
  return (
    a === b ||
    (a.from === b.from &&
      a.flags.every((flags, point) => flags === b.flags[point]) &&
      a.xy.every((value, index) => value === b.xy[index]))
  );
}

/** @param {Person} person @param {{first: number, count: number}} part @returns {number[]} */
export function triples(person, part) {
  const found = [];
  for (let point = part.first; point < part.first + part.count; point++) {
    if (isShown(person, point)) found.push(person.xy[2 * point], person.xy[2 * point + 1], 1);
    else found.push(0, 0, 0);
  }
  return found;
}

/**
 * The person with what its record's "recompose" says of how far off its guesses may be.
 * @param {Person} person @param {any} settings @returns {Person}
 */
export function withGuesses(person, settings) {
  const uncertainty = settings?.uncertainty;
  const known =
    Array.isArray(uncertainty) &&
    uncertainty.length === MAIN_POINTS &&
    uncertainty.every((value) => Number.isFinite(value) && value >= 0 && value <= LIMITS.coordinate);
  return known ? { ...person, guesses: { xy: person.xy.slice(0, 2 * MAIN_POINTS), uncertainty } } : person;
}
