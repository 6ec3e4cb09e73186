/** Whole people to start from. */

import { fitted } from "./kinematics.js";
import { makeFrame, nobody, put, quantisedPerson } from "../model/people.js";
import { PRESET_POINTS } from "./preset_points.js";
import { MAIN_POINTS } from "../model/skeleton.js";
import { FLAG } from "../model/types.js";

/** @import { Frame, Person, Vector } from "../model/types.js" */

/** Their names, as shown. */
export const PRESETS = Object.freeze(Object.keys(PRESET_POINTS));

/** The preset a blank canvas starts with. */
export const TEMPLATE = "standing";

/**
 * @param {string} name of a preset @param {Vector} at the ground below the person
 * @param {number} stature in pixels @returns {Person}
 */
export function presetPerson(name, at, stature) {
  const points = /** @type {Record<string, number[]>} */ (PRESET_POINTS)[name];
  if (!points) throw new Error(`Expected one of ${PRESETS.join(", ")} as preset, got ${name}.`);
  const person = nobody();
  for (let point = 0; point < MAIN_POINTS; point++) {
    person.flags[point] = FLAG.PRESENT;
    put(person, point, at.x + (points[2 * point] * stature) / 1000, at.y + (points[2 * point + 1] * stature) / 1000);
  }
  return person;
}

/**
 * The person a blank canvas of that size starts with: nine tenths of its height, in its middle, in 1/16 px.
 * @param {number} width @param {number} height @returns {Person}
 */
export function templatePerson(width, height) {
  return quantisedPerson(presetPerson(TEMPLATE, { x: width / 2, y: 0.95 * height }, 0.9 * height));
}

/**
 * A preset as large as fits into a picture of a size, for its thumbnail.
 * @param {string} name @param {number} width @param {number} height @returns {Frame}
 */
export function presetFrame(name, width, height) {
  return makeFrame(width, height, [fitted(presetPerson(name, { x: 0, y: 0 }, height), width, height)]);
}
