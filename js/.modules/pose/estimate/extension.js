/** How much canvas the people of a frame need beyond their picture: core/pose/extension.py again. */

import { isEstimated, isShown } from "../model/people.js";
import { ANKLE_HEIGHT, FOOT_BREADTH, LEG_BREADTH, stature } from "./proportions.js";
import { BODY_POINTS, L_ANKLE, MAIN_POINTS, R_ANKLE } from "../model/skeleton.js";

/** @import { Frame, Person, Sides } from "../model/types.js" */

/** @type {[number, number[]][]} */
const ANKLES = [[L_ANKLE, [18, 19, 20]], [R_ANKLE, [21, 22, 23]]];

/**
 * Boxes [left, top, right, bottom] reached by what the picture does not show of the person.
 * @param {Person} person @param {Frame} given @returns {number[][]}
 */
function reaches(person, { width, height }) {
  const tall = stature(person) ?? 0;
  /** @param {number} point */
  const counts = (point) => {
    const x = person.xy[2 * point], y = person.xy[2 * point + 1];
    const outside = x < 0 || y < 0 || x > width || y > height;
    return isShown(person, point) && (outside || isEstimated(person, point));
  };
  const found = [];
  for (let point = 0; point < MAIN_POINTS; point++) {
    if (!counts(point)) continue;
    const x = person.xy[2 * point], y = person.xy[2 * point + 1];
    const breadth = ((point < BODY_POINTS ? LEG_BREADTH : FOOT_BREADTH) / 2) * tall;
    // Heel and toes lie on the sole already; nothing of the foot reaches below them.
    found.push([x - breadth, y - breadth, x + breadth, y + (point < BODY_POINTS ? breadth : 0)]);
  }
  for (const [ankle, foot] of ANKLES) {
    if (!isShown(person, ankle) || !(counts(ankle) || !foot.some((point) => isShown(person, point)))) continue;
    const x = person.xy[2 * ankle], y = person.xy[2 * ankle + 1];
    found.push([x, y, x, y + ANKLE_HEIGHT * tall]);
  }
  return found;
}

/**
 * Pixels needed beyond each side of the frame's picture, without margin and rounding: half a limb's breadth around
 * guessed points and points outside the picture, heels, toes and the sole below an ankle.
 * @param {Frame} frame @returns {Sides}
 */
export function extensionNeeded(frame) {
  const sides = { left: 0, top: 0, right: 0, bottom: 0 };
  for (const person of frame.people) {
    for (const [left, top, right, bottom] of reaches(person, frame)) {
      sides.left = Math.max(sides.left, -left);
      sides.top = Math.max(sides.top, -top);
      sides.right = Math.max(sides.right, right - frame.width);
      sides.bottom = Math.max(sides.bottom, bottom - frame.height);
    }
  }
  return sides;
}
