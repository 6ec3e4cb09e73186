/** Reproducible chance for the property tests, and people made of it. */

import { FLAG } from "../../js/.modules/pose/model/types.js";
import { makeFrame, nobody, quantisedFrame } from "../../js/.modules/pose/model/people.js";
import { POINTS } from "../../js/.modules/pose/model/skeleton.js";

/** Mulberry32: numbers 0 … 1 from a seed. */
export function chanceOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const between = (low, high) => low + (high - low) * next();
  const whole = (low, high) => Math.floor(between(low, high + 1));
  return { next, between, whole, happens: (share) => next() < share, choice: (list) => list[whole(0, list.length - 1)] };
}

export function randomPerson(chance, width, height, from = -1) {
  const person = nobody(from);
  for (let point = 0; point < POINTS; point++) {
    if (!chance.happens(0.8)) continue;
    person.flags[point] = FLAG.PRESENT | chance.choice([0, 0, 0, FLAG.ESTIMATED, FLAG.LOCKED, FLAG.HIDDEN, 14]);
    person.xy[2 * point] = chance.between(-width, 2 * width);
    person.xy[2 * point + 1] = chance.between(-height, 2 * height);
  }
  return person;
}

export function randomFrame(chance, people = chance.whole(0, 3)) {
  const [width, height] = [chance.whole(64, 4096), chance.whole(64, 4096)];
  const all = Array.from({ length: people }, (_, index) => randomPerson(chance, width, height, index));
  return quantisedFrame(makeFrame(width, height, all));
}
