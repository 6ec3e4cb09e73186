/** Whole people to start from: 18 body and 6 foot points as x, y in thousandths of stature, feet on the ground at 0. */

import { FLAG } from "./types.js";
import { MAIN_POINTS } from "./skeleton.js";
import { nobody, put, quantisedPerson } from "./people.js";

export const PRESETS = Object.freeze({
  standing: [
    0, -901, 0, -813, -130, -813, -168, -631, -181, -486, 130, -813, 168, -631, 181, -486, -50, -526, -71, -283, -93,
    -39, 50, -526, 71, -283, 93, -39, -25, -924, 25, -924, -60, -920, 60, -920, 100, 0, 137, -2, 85, -13, -100, 0, -137,
    -2, -85, -13,
  ],
});

/** The preset a blank canvas starts with. */
export const TEMPLATE = "standing";

/**
 * @param {string} name of a preset @param {import("./types.js").Vector} at the ground below the person
 * @param {number} stature in pixels @returns {import("./types.js").Person}
 */
export function presetPerson(name, at, stature) {
  const points = PRESETS[name];
  if (!points) throw new Error(`Expected one of ${Object.keys(PRESETS).join(", ")} as preset, got ${name}.`);
  const person = nobody();
  for (let point = 0; point < MAIN_POINTS; point++) {
    person.flags[point] = FLAG.PRESENT;
    put(person, point, at.x + (points[2 * point] * stature) / 1000, at.y + (points[2 * point + 1] * stature) / 1000);
  }
  return person;
}

/** The person a blank canvas of that size starts with: nine tenths of its height, in its middle, in 1/16 px. */
export function templatePerson(width, height) {
  return quantisedPerson(presetPerson(TEMPLATE, { x: width / 2, y: 0.95 * height }, 0.9 * height));
}
