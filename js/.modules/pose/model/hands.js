/** Which hand belongs to which wrist. The same rule as core/pose/hands.py. */

import { copied, isShown } from "./people.js";
import { L_ELBOW, L_WRIST, PARTS, R_ELBOW, R_WRIST } from "./skeleton.js";

/** @import { Person } from "./types.js" */

// A hand whose own wrist is absent belongs to the other one within this part of the other forearm.
const AT_WRIST = 0.5;
const LEFT = PARTS.handLeft.first, RIGHT = PARTS.handRight.first;

/** @param {Person} person @param {number} a @param {number} b @returns {number|null} null where one is absent */
function distance(person, a, b) {
  if (!isShown(person, a) || !isShown(person, b)) return null;
  const [x, y] = [0, 1].map((axis) => person.xy[2 * a + axis] - person.xy[2 * b + axis]);
  return Math.sqrt(x * x + y * y);
}

/** @param {Person} person @param {number} root @param {number} wrist @param {number} elbow */
function isAt(person, root, wrist, elbow) {
  const [away, forearm] = [distance(person, root, wrist), distance(person, wrist, elbow)];
  return away !== null && forearm !== null && away < AT_WRIST * forearm;
}

/** Whether the hands lie nearer to their wrists once they have changed places. @param {Person} person */
function nearerToTheOther(person) {
  const own = [distance(person, LEFT, L_WRIST), distance(person, RIGHT, R_WRIST)];
  const other = [distance(person, LEFT, R_WRIST), distance(person, RIGHT, L_WRIST)];
  if (isShown(person, L_WRIST) && isShown(person, R_WRIST)) {
    const hands = [0, 1].filter((hand) => own[hand] !== null);
    /** @param {(number|null)[]} found */
    const sum = (found) => hands.reduce((total, hand) => total + (found[hand] ?? 0), 0);
    return hands.length > 0 && sum(other) < sum(own);
  }
  for (const [mine, theirs] of [[own[0], other[1]], [own[1], other[0]]]) {
    if (mine !== null && theirs !== null) return theirs < mine;
  }
  return isAt(person, LEFT, R_WRIST, R_ELBOW) || isAt(person, RIGHT, L_WRIST, L_ELBOW);
}

/** The person with a hand that is nearer to the other wrist on that side. @param {Person} person */
export function settled(person) {
  if (!nearerToTheOther(person)) return person;
  const result = copied(person);
  for (let index = 0; index < PARTS.handLeft.count; index++) {
    for (const [to, from] of [[LEFT + index, RIGHT + index], [RIGHT + index, LEFT + index]]) {
      result.flags[to] = person.flags[from];
      result.xy.set(person.xy.subarray(2 * from, 2 * from + 2), 2 * to);
    }
  }
  return result;
}
