/** Points that were deleted come back: as detected, else as estimated, else as a standing person would have them. */

import { FLAG } from "../model/types.js";
import { MAIN_POINTS, PARENT } from "../model/skeleton.js";
import { completedPerson } from "../estimate/complete.js";
import { boundingBox } from "../model/geometry.js";
import { copied, isPresent, place, put } from "../model/people.js";
import { presetPerson, TEMPLATE } from "./presets.js";

/** @typedef {import("../model/types.js").Person} Person @typedef {import("../model/types.js").Vector} Vector */

/**
 * The person with the absent ones of `points` back, hidden ones shown; parents are listed before their children.
 * With `detectedOnly` only what the detection had.
 * @param {import("../model/types.js").Frame} frame @param {Person} person @param {readonly number[]} points
 * @param {import("../model/types.js").State} state @returns {Person}
 */
export function restoredPoints(frame, person, points, state, detectedOnly = false) {
  const detected = state.incoming[state.frame]?.people[person.from];
  const result = copied(person);
  const estimate = detectedOnly ? null : completedPerson(person, frame);
  let changed = false;
  for (const point of points) {
    if (isPresent(result, point)) {
      changed ||= (result.flags[point] & FLAG.HIDDEN) !== 0;
      result.flags[point] &= ~FLAG.HIDDEN;
    } else if (detected && isPresent(detected, point)) {
      follow(result, point, detected, detected.flags[point]);
      changed = true;
    } else if (estimate && isPresent(estimate, point)) {
      result.flags[point] = FLAG.PRESENT | FLAG.ESTIMATED;
      put(result, point, ...Object.values(place(estimate, point)));
      changed = true;
    } else if (!detectedOnly && point < MAIN_POINTS) {
      follow(result, point, standing(frame, person), FLAG.PRESENT | FLAG.ESTIMATED);
      changed = true;
    }
  }
  return changed ? result : person;
}

/** The point goes where `model` has it, as seen from the nearest point above it that both have. */
function follow(person, point, model, flags) {
  const there = place(model, point);
  let above = PARENT[point];
  while (above >= 0 && !(isPresent(person, above) && isPresent(model, above))) above = PARENT[above];
  const from = above >= 0 ? place(model, above) : there;
  const now = above >= 0 ? place(person, above) : there;
  person.flags[point] = flags;
  put(person, point, now.x + there.x - from.x, now.y + there.y - from.y);
}

/** The template person as tall as this one, or as a person of the picture where too little is there to tell. */
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
