/** How much canvas the people of a frame need beyond their picture: core/pose/extension.py again. */

import { isEstimated, isShown } from "../model/people.js";
import { STEPS_PER_PIXEL } from "../model/types.js";
import { ANKLE_HEIGHT, EYES_TO_CROWN, FOOT_BREADTH, LEG_BREADTH, stature } from "./proportions.js";
import { BODY_POINTS, L_ANKLE, L_EAR, L_EYE, MAIN_POINTS, NOSE, R_ANKLE, R_EAR, R_EYE } from "../model/skeleton.js";

/** @import { Frame, Guesses, Person, Sides } from "../model/types.js" */

/** @type {[number, number[]][]} */
const ANKLES = [[L_ANKLE, [18, 19, 20]], [R_ANKLE, [21, 22, 23]]];
const FACE = [NOSE, R_EYE, L_EYE, R_EAR, L_EAR];
/** The standard deviation in statures that the margin covers. */
const SURE = 0.04;

/**
 * How many pixels further than guessed a point may reach; a point that was moved is no guess any more.
 * @param {Person} person @param {Guesses|undefined} guesses @param {number} point @param {number} tall
 */
function unsure(person, guesses, point, tall) {
  if (!guesses || !isEstimated(person, point)) return 0;
  const [x, y] = [2 * point, 2 * point + 1];
  const stayed = [x, y].every((at) => Math.abs(person.xy[at] - guesses.xy[at]) <= 1 / STEPS_PER_PIXEL);
  return stayed ? Math.max(0, guesses.uncertainty[point] - SURE * tall) : 0;
}

/**
 * How far what the picture does not show of the person lies beyond left, top, right, bottom, point by point.
 * @param {Person} person @param {Frame} given @param {Guesses|undefined} guesses @returns {number[][]}
 */
function reaches(person, { width, height }, guesses) {
  const tall = stature(person) ?? 0;
  /** @param {number} point */
  const counts = (point) => {
    const x = person.xy[2 * point], y = person.xy[2 * point + 1];
    const outside = x < 0 || y < 0 || x > width || y > height;
    return isShown(person, point) && (outside || isEstimated(person, point));
  };
  /** @type {number[][]} */
  const found = [];
  // A side that the guess itself does not need is not asked for on suspicion.
  /** @param {number} point @param {number[]} sides */
  const add = (point, sides) => {
    const more = unsure(person, guesses, point, tall);
    found.push(sides.map((side) => (side > 0 ? side + more : 0)));
  };
  for (let point = 0; point < MAIN_POINTS; point++) {
    if (!counts(point)) continue;
    const x = person.xy[2 * point], y = person.xy[2 * point + 1];
    const breadth = ((point < BODY_POINTS ? LEG_BREADTH : FOOT_BREADTH) / 2) * tall;
    // Heel and toes lie on the sole already; nothing of the foot reaches below them.
    const below = point < BODY_POINTS ? breadth : 0, above = FACE.includes(point) ? EYES_TO_CROWN * tall : breadth;
    add(point, [breadth - x, above - y, x - width + breadth, y - height + below]);
  }
  for (const [ankle, foot] of ANKLES) {
    if (!isShown(person, ankle) || !(counts(ankle) || !foot.some((point) => isShown(person, point)))) continue;
    const x = person.xy[2 * ankle], y = person.xy[2 * ankle + 1];
    add(ankle, [-x, -y, x - width, y - height + ANKLE_HEIGHT * tall]);
  }
  return found;
}

/**
 * Pixels needed beyond each side of the frame's picture, without margin and rounding: half a limb's breadth around
 * guessed points and points outside the picture, heels, toes, the sole below an ankle and the crown above a face; more
 * for unsure guesses.
 * @param {Frame} frame @param {Frame|null} [incoming] the detection that the frame may be an edit of @returns {Sides}
 */
export function extensionNeeded(frame, incoming = null) {
  const { people } = incoming && incoming.fingerprint === frame.fingerprint ? incoming : frame;
  const sides = { left: 0, top: 0, right: 0, bottom: 0 };
  for (const person of frame.people) {
    for (const [left, top, right, bottom] of reaches(person, frame, people[person.from]?.guesses)) {
      sides.left = Math.max(sides.left, left);
      sides.top = Math.max(sides.top, top);
      sides.right = Math.max(sides.right, right);
      sides.bottom = Math.max(sides.bottom, bottom);
    }
  }
  return sides;
}
