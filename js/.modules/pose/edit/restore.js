/** Points that were deleted come back: as detected, else as estimated, else as a standing person would have them. */

import { FLAG } from "../model/types.js";
import { MAIN_POINTS, PARENT, POINTS } from "../model/skeleton.js";
import { boundingBox } from "../model/geometry.js";
import { copied, isEstimated, isPresent, place, put } from "../model/people.js";
import { presetPerson, TEMPLATE } from "./presets.js";

/** @import { Frame, Person, State } from "../model/types.js" */

/**
 * The person with what the detection had of them back, hidden points shown.
 * @param {Person} person @param {State} state @returns {Person}
 */
export function asDetected(person, state) {
  const detected = state.incoming[state.frame]?.people[person.from];
  const result = copied(person);
  let changed = false;
  // Parents are listed before their children.
  for (let point = 0; point < POINTS; point++) {
    if (isPresent(result, point) ? !show(result, point) : !bringBack(result, point, detected)) continue;
    changed = true;
  }
  return changed ? result : person;
}

/**
 * The person with a point back: as detected, else as estimated, else as a standing person would have it. A hidden one
 * is shown.
 * @param {Frame} frame @param {Person} person @param {number} point @param {State} state
 * @param {Person|null} [estimate] the person as Complete Pose has them @returns {Person}
 */
export function restoredPoint(frame, person, point, state, estimate = null) {
  const detected = state.incoming[state.frame]?.people[person.from];
  const result = copied(person);
  if (isPresent(result, point)) return show(result, point) ? result : person;
  if (bringBack(result, point, detected)) return result;
  if (estimate && isPresent(estimate, point)) guess(result, point, estimate);
  else if (point < MAIN_POINTS) follow(result, point, standing(frame, person), FLAG.PRESENT | FLAG.ESTIMATED);
  else return person;
  return result;
}

/**
 * The person with the points that an estimate adds; hidden ones stay hidden, measured ones where they are.
 * @param {Person} person @param {Person} estimate @returns {Person}
 */
export function completed(person, estimate) {
  const result = copied(person);
  let added = false;
  for (let point = 0; point < MAIN_POINTS; point++) {
    if (isPresent(person, point) || !isPresent(estimate, point) || !isEstimated(estimate, point)) continue;
    guess(result, point, estimate);
    added = true;
  }
  return added ? result : person;
}

/** @param {Person} person @param {number} point @param {Person} estimate */
function guess(person, point, estimate) {
  const { x, y } = place(estimate, point);
  person.flags[point] = FLAG.PRESENT | FLAG.ESTIMATED;
  put(person, point, x, y);
}

/** Shows a hidden point. @returns {boolean} whether it was hidden @param {Person} person @param {number} point */
function show(person, point) {
  const hidden = (person.flags[point] & FLAG.HIDDEN) !== 0;
  person.flags[point] &= ~FLAG.HIDDEN;
  return hidden;
}

/**
 * Puts a point where the detection had it.
 * @returns {boolean} whether the detection had it
 * @param {Person} person @param {number} point @param {Person|undefined} detected
 */
function bringBack(person, point, detected) {
  if (!detected || !isPresent(detected, point)) return false;
  follow(person, point, detected, detected.flags[point]);
  return true;
}

/**
 * The point goes where `model` has it, as seen from the nearest point above it that both have.
 * @param {Person} person @param {number} point @param {Person} model @param {number} flags
 */
function follow(person, point, model, flags) {
  const there = place(model, point);
  let above = PARENT[point];
  while (above >= 0 && !(isPresent(person, above) && isPresent(model, above))) above = PARENT[above];
  const from = above >= 0 ? place(model, above) : there;
  const now = above >= 0 ? place(person, above) : there;
  person.flags[point] = flags;
  put(person, point, now.x + there.x - from.x, now.y + there.y - from.y);
}

/**
 * The template person as tall as this one, or as a person of the picture where too little is there to tell.
 * @param {Frame} frame @param {Person} person @returns {Person}
 */
function standing(frame, person) {
  const box = boundingBox([person]);
  const template = presetPerson(TEMPLATE, { x: frame.width / 2, y: 0.95 * frame.height }, 1000);
  let lowest = -Infinity, highest = Infinity;
  for (let point = 0; point < MAIN_POINTS; point++) {
    if (!isPresent(person, point)) continue;
    lowest = Math.max(lowest, place(template, point).y);
    highest = Math.min(highest, place(template, point).y);
  }
  const stature = box && box.height > 0 && lowest - highest > 100 ? (1000 * box.height) / (lowest - highest) : 0;
  return presetPerson(TEMPLATE, { x: frame.width / 2, y: 0.95 * frame.height }, stature || 0.9 * frame.height);
}
