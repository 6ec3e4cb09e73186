/** Where points and limbs lie: what is under the pointer, what is inside a box, how far people reach. */

import { ALL_LIMBS, POINTS } from "./skeleton.js";
import { isPresent, isShown } from "./people.js";

/** @import { Box, Frame, Hit, Person, PointRef, Vector } from "./types.js" */

/**
 * Distance from a place to the line between two others.
 * @param {number} x @param {number} y @param {number} ax @param {number} ay @param {number} bx @param {number} by
 */
function distanceToSegment(x, y, ax, ay, bx, by) {
  const dx = bx - ax, dy = by - ay;
  const square = dx * dx + dy * dy;
  const along = square > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / square)) : 0;
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/**
 * The point or limb nearest to a place, within `reach` pixels of the picture; a point beats every limb, people in
 * front (later ones) beat those behind at the same distance. Hidden points only count with `hidden`.
 * @param {Frame} frame @param {Vector} at @param {number} reach
 * @param {{hidden?: boolean, skip?: (person: number, point: number) => boolean}} [options] `skip`: points not to be hit
 * @returns {Hit|null}
 */
export function hitTest(frame, at, reach, { hidden = false, skip = () => false } = {}) {
  /** @param {Person} person @param {number} point @param {number} index */
  const usable = (person, point, index) => (hidden ? isPresent : isShown)(person, point) && !skip(index, point);
  return nearestPoint(frame, at, reach, usable) ?? nearestLimb(frame, at, reach, usable);
}

/**
 * @param {Frame} frame @param {Vector} at @param {number} reach
 * @param {(person: Person, point: number, index: number) => boolean} usable @returns {Hit|null}
 */
function nearestPoint(frame, at, reach, usable) {
  let best = null;
  for (let index = frame.people.length - 1; index >= 0; index--) {
    const person = frame.people[index];
    for (let point = 0; point < POINTS; point++) {
      const distance = Math.hypot(person.xy[2 * point] - at.x, person.xy[2 * point + 1] - at.y);
      if (distance <= reach && (!best || distance < best.distance) && usable(person, point, index)) {
        best = { person: index, point, distance };
      }
    }
  }
  return best;
}

/**
 * @param {Frame} frame @param {Vector} at @param {number} reach
 * @param {(person: Person, point: number, index: number) => boolean} usable @returns {Hit|null}
 */
function nearestLimb(frame, at, reach, usable) {
  /** @type {Hit|null} */
  let best = null;
  for (let index = frame.people.length - 1; index >= 0; index--) {
    const person = frame.people[index], xy = person.xy;
    for (const [limb, [a, b]] of ALL_LIMBS.entries()) {
      if (!usable(person, a, index) || !usable(person, b, index)) continue;
      const distance = distanceToSegment(at.x, at.y, xy[2 * a], xy[2 * a + 1], xy[2 * b], xy[2 * b + 1]);
      if (distance <= reach && (!best || distance < best.distance)) best = { person: index, limb, distance };
    }
  }
  return best;
}

/** The shown points inside a box (which may have negative sides). @param {Frame} frame @param {Box} box */
export function pointsInBox(frame, box) {
  const left = Math.min(box.x, box.x + box.width), right = Math.max(box.x, box.x + box.width);
  const top = Math.min(box.y, box.y + box.height), bottom = Math.max(box.y, box.y + box.height);
  /** @type {PointRef[]} */
  const found = [];
  frame.people.forEach((person, index) => {
    for (let point = 0; point < POINTS; point++) {
      const x = person.xy[2 * point], y = person.xy[2 * point + 1];
      if (isShown(person, point) && x >= left && x <= right && y >= top && y <= bottom) {
        found.push({ person: index, point });
      }
    }
  });
  return found;
}

/** The box around the shown points of some people; null where nobody has one. @param {Iterable<Person>} people */
export function boundingBox(people) {
  let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
  for (const person of people) {
    for (let point = 0; point < POINTS; point++) {
      if (!isShown(person, point)) continue;
      left = Math.min(left, person.xy[2 * point]);
      right = Math.max(right, person.xy[2 * point]);
      top = Math.min(top, person.xy[2 * point + 1]);
      bottom = Math.max(bottom, person.xy[2 * point + 1]);
    }
  }
  return left > right ? null : { x: left, y: top, width: right - left, height: bottom - top };
}

/**
 * The box around the selected points; null where none of them is there.
 * @param {Frame} frame @param {readonly number[]} selection
 */
export function selectionBox(frame, selection) {
  const people = frame.people.map((person) => ({ ...person, flags: new Uint8Array(POINTS) }));
  // Somebody who was added and selected during a gesture is not in the frame it began with.
  for (const key of selection) {
    const person = people[Math.floor(key / POINTS)];
    if (person) person.flags[key % POINTS] = 1;
  }
  return boundingBox(people);
}
