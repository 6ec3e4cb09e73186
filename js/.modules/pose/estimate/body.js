/**
 * One person while being completed: where the points are, which way the body stands, leans and looks.
 * core/pose/body.py again.
 */

import { isEstimated, isShown } from "../model/people.js";
import * as p from "./proportions.js";
import * as s from "../model/skeleton.js";
import { across, angleFrom, clip, dot, length, minus, plus, RADIANS, times, turned } from "../model/vectors.js";

/** @typedef {import("../model/types.js").Person} Person @typedef {import("../model/vectors.js").Pair} Pair */
/** @typedef {[number, number, number]} Leg hip, knee, ankle */

export const GRAVITY = /** @type {Pair} */ ([0, 1]);
export const LEFT = [s.L_HIP, s.L_KNEE, s.L_ANKLE], RIGHT = [s.R_HIP, s.R_KNEE, s.R_ANKLE];
export const FRONTAL = 0.7;
export const BOWED = 30 * RADIANS;
// Trunk lean is passed on to the legs up to the first angle, less and less up to the second: then it is a bow.
const LEAN = 15 * RADIANS, BOW = 45 * RADIANS;
const HEAD_DEPTH = 0.03;
// Shoulders seem narrow when they hunch: from this share of their width on a view counts as frontal.
const WHOLE_WIDTH = 0.85;
const PROFILE_FROM = 0.55, PROFILE_TO = 0.75;

/**
 * `q` is the stature in pixels, `trunk` the direction of the trunk and `down` that of the legs, `sideways` what a unit
 * from the person's right to the left is in the picture (1 frontal, 0 in profile, −1 from behind), `facing` the
 * profile (−1 left … 1 right).
 */
export class Body {
  /** @param {Person} person @param {number} q */
  constructor(person, q) {
    const main = Array.from({ length: s.MAIN_POINTS }, (_, point) => point);
    this.q = q;
    this.points = main.map((point) => /** @type {Pair} */ ([person.xy[2 * point], person.xy[2 * point + 1]]));
    this.present = main.map((point) => isShown(person, point));
    // Earlier guesses are no evidence: completing twice must not add to them.
    this.measured = main.map((point) => isShown(person, point) && !isEstimated(person, point));
    const seen = { at: (point) => this.points[point], has: (point) => this.measured[point] };
    this.trunk = trunkOf(seen);
    this.sideways = sidewaysOf(seen, this.trunk, q);
    this.facing = facingOf(seen, this.trunk, q);
    this.down = legsDown(this.trunk, this.sideways);
  }

  /** The points placed so far, as proportions.js wants them. */
  get placed() {
    return { at: (point) => this.points[point], has: (point) => this.present[point] };
  }

  /** What a unit forward is to the right of the picture, −1 … 1. */
  get profile() {
    return depth(this.sideways) * this.facing;
  }

  /** How far forward and backward can be told apart in the picture, 0 … 1. */
  get inProfile() {
    return seenFromTheSide(this.profile);
  }

  /** Places a point that is missing; a present one stays. @param {number} point @param {Pair} place */
  put(point, place) {
    if (this.present[point]) return;
    this.points[point] = place;
    this.present[point] = true;
  }

  /** From one measured point to another, null where one was not. */
  vector(first, second) {
    if (!this.measured[first] || !this.measured[second]) return null;
    return minus(this.points[second], this.points[first]);
  }

  /** How far a limb seen from the side swings forward from `down`, in radians; backward is negative. */
  swing(vector, down) {
    return Math.atan2(dot(vector, across(down)) / this.profile, dot(vector, down));
  }

  /** A unit along a limb that swings forward by `angle` from `down`; a unit towards the camera is `view` downwards. */
  swung(angle, view) {
    const forward = plus(times(this.profile, across(this.down)), times(this.sideways * view, this.down));
    return plus(times(Math.cos(angle), this.down), times(Math.sin(angle), forward));
  }
}

/** Downwards from shoulders to hips, else as far as head and shoulders agree on a lean. */
function trunkOf(seen) {
  const shoulders = p.shouldersMiddle(seen), hips = p.midpoint(seen, s.R_HIP, s.L_HIP);
  if (shoulders && hips && (hips[0] !== shoulders[0] || hips[1] !== shoulders[1])) {
    const trunk = minus(hips, shoulders);
    return times(1 / length(trunk), trunk);
  }
  const head = p.headMiddle(seen);
  if (!head || !shoulders || !seen.has(s.L_SHOULDER) || !seen.has(s.R_SHOULDER)) return GRAVITY;
  const line = minus(seen.at(s.L_SHOULDER), seen.at(s.R_SHOULDER));
  if (!line[0]) return GRAVITY;
  const byHead = angleFrom(minus(shoulders, head), GRAVITY), byShoulders = -Math.atan(line[1] / line[0]);
  if (byHead * byShoulders <= 0) return GRAVITY;
  return turned(GRAVITY, Math.sign(byHead) * Math.min(Math.abs(byHead), Math.abs(byShoulders), LEAN));
}

/** What a unit forward is across the picture, 0 frontal … 1 in profile. */
function depth(sideways) {
  return Math.sqrt(Math.max(0, 1 - (sideways / WHOLE_WIDTH) ** 2));
}

function seenFromTheSide(profile) {
  return clip((Math.abs(profile) - PROFILE_FROM) / (PROFILE_TO - PROFILE_FROM), 0, 1);
}

/** A whole body leans to its side; seen from the side it is the trunk alone that bends, over the feet. */
function legsDown(trunk, sideways) {
  const lean = angleFrom(trunk, GRAVITY);
  const share = clip((BOW - Math.abs(lean)) / (BOW - LEAN), 0, 1) * (1 - seenFromTheSide(depth(sideways)));
  return turned(GRAVITY, clip(lean, -LEAN, LEAN) * share);
}

function sidewaysOf(seen, trunk, q) {
  for (const [right, left, width] of [
    [s.R_SHOULDER, s.L_SHOULDER, p.SHOULDER_WIDTH],
    [s.R_HIP, s.L_HIP, p.HIP_WIDTH],
  ]) {
    if (!seen.has(right) || !seen.has(left)) continue;
    return clip(dot(minus(seen.at(left), seen.at(right)), across(trunk)) / (width * q), -1, 1);
  }
  return 1;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Which way the person looks, −1 left … 1 right: by a bow, nose against ears, or a thigh far to one side. */
function facingOf(seen, trunk, q) {
  if (Math.abs(angleFrom(trunk, GRAVITY)) > BOWED) return -Math.sign(trunk[0]);
  const ears = [s.R_EAR, s.L_EAR].filter(seen.has).map((ear) => seen.at(ear)[0]);
  if (seen.has(s.NOSE) && ears.length) {
    const look = clip((seen.at(s.NOSE)[0] - mean(ears)) / (HEAD_DEPTH * q), -1, 1);
    if (Math.abs(look) > 0.3) return look;
  }
  const thighs = [LEFT, RIGHT]
    .filter(([hip, knee]) => seen.has(hip) && seen.has(knee))
    .map(([hip, knee]) => seen.at(knee)[0] - seen.at(hip)[0]);
  if (!thighs.length) return 0;
  const reach = mean(thighs) / (p.THIGH * q);
  return Math.abs(reach) > 0.5 ? clip(2 * reach, -1, 1) : 0;
}
