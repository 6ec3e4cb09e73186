/**
 * Where hips, knees, ankles, heels and toes must be when the picture does not show them: Complete Pose's own estimate,
 * core/pose/complete.py again. Measured points never move.
 */

import { Body } from "./body.js";
import { placeFeet } from "./feet.js";
import { placeHips, placeLegs } from "./legs.js";
import { copied, isPresent, put } from "../model/people.js";
import { stature } from "./proportions.js";
import { L_HIP, MAIN_POINTS, R_HIP } from "../model/skeleton.js";
import { readStance } from "./stance.js";
import { FLAG } from "../model/types.js";

/** @typedef {import("../model/types.js").Person} Person */

/**
 * The person with hips, knees, ankles, heels and toes; the same object if nothing was missing. Feet that would lie
 * inside the picture unseen are left unseen, and hidden points stay hidden. Null when too little is visible to measure
 * the person by.
 * @param {Person} person @param {{width: number, height: number}} size of the picture
 * @param {import("./stance.js").Legs} [legs] what hidden legs do
 * @returns {Person|null}
 */
export function completedPerson(person, size, legs = "auto") {
  const q = stature(person);
  if (q === null) return null;
  const body = new Body(person, q);
  placeHips(body);
  if (!body.present[L_HIP] || !body.present[R_HIP]) return null;
  const stance = readStance(body, legs);
  placeLegs(body, stance);
  placeFeet(body, stance, size);
  const result = copied(person);
  let added = false;
  for (let point = 0; point < MAIN_POINTS; point++) {
    if (!body.present[point] || isPresent(person, point)) continue;
    result.flags[point] = FLAG.PRESENT | FLAG.ESTIMATED;
    put(result, point, ...body.points[point]);
    added = true;
  }
  return added ? result : person;
}
