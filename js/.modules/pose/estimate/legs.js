/** Where hidden hips, knees and ankles go: core/pose/legs.py again. */

import { FRONTAL, GRAVITY, LEFT, RIGHT } from "./body.js";
import * as p from "./proportions.js";
import { L_HIP, R_HIP } from "../model/skeleton.js";
import { opposite, SEATED, strideShank, strideThigh, thighSwing } from "./stance.js";
import { across, angleFrom, clip, dot, length, minus, plus, RADIANS, times } from "../model/vectors.js";
import { towards, turned } from "../model/vectors.js";

/** @typedef {import("./body.js").Body} Body @typedef {import("./stance.js").Stance} Stance */

// How much of a length towards the camera shows as a length downwards in a picture taken from eye height; one looks
// down at somebody who sits.
export const VIEW_FROM_ABOVE = 0.1;
const VIEW_OF_SEATED = 0.25;
const STRAIGHT = 10 * RADIANS;
const ALIKE = 20 * RADIANS;
// Knees and toes on the ground.
export const KNEELING_SHANK = -105 * RADIANS;

/** Puts missing hips beside the other one, below the shoulders or head, or above a knee. @param {Body} body */
export function placeHips(body) {
  const half = times((p.HIP_WIDTH / 2) * body.q * body.sideways, across(body.trunk));
  if (body.present[R_HIP] || body.present[L_HIP]) {
    body.put(L_HIP, plus(body.points[R_HIP], times(2, half)));
    body.put(R_HIP, minus(body.points[L_HIP], times(2, half)));
    return;
  }
  const head = p.headMiddle(body.placed);
  const belowHead = head && plus(head, times((p.EYE_HEIGHT - p.SHOULDER_HEIGHT) * body.q, body.trunk));
  const shoulders = p.shouldersMiddle(body.placed) ?? belowHead;
  if (shoulders) {
    const middle = plus(shoulders, times(p.TRUNK * body.q, body.trunk));
    body.put(R_HIP, minus(middle, half));
    body.put(L_HIP, plus(middle, half));
    return;
  }
  for (const [hip, knee] of [LEFT, RIGHT]) {
    if (!body.present[knee]) continue;
    body.put(hip, minus(body.points[knee], times(p.THIGH * body.q, body.down)));
    placeHips(body);
  }
}

/** The other leg's vector, mirrored about `down` or as it is, no longer than `longest`. */
function guided(body, vector, longest, mirrored) {
  const aside = across(body.down);
  const guide = mirrored ? minus(vector, times(2 * dot(vector, aside), aside)) : vector;
  const long = length(guide);
  return long ? times(Math.min(1, longest / long), guide) : times(longest, body.down);
}

function thigh(body, leg, other, stance) {
  const long = p.THIGH * body.q;
  const guide = body.vector(other[0], other[1]);
  if (guide) {
    const seated = Math.abs(angleFrom(guide, body.down)) > SEATED;
    const like = guided(body, guide, long, Math.abs(body.sideways) > FRONTAL || !seated);
    const swing = thighSwing(body, other);
    if (swing === null) return like;
    return towards(like, times(long, body.swung(opposite(swing), VIEW_FROM_ABOVE)), stance.stride);
  }
  if (stance.kind === "sitting") return times(long, body.swung(Math.PI / 2, VIEW_OF_SEATED));
  const swung = body.swung(strideThigh(stance, leg), VIEW_FROM_ABOVE);
  return times(long, towards(body.down, swung, stance.stride));
}

/** How far the thigh of a placed knee swings forward; the stride's own swing where that cannot be seen. */
function swingOf(body, leg, stance) {
  if (!body.inProfile) return strideThigh(stance, leg);
  return body.swing(minus(body.points[leg[1]], body.points[leg[0]]), body.down);
}

function shank(body, leg, other, stance) {
  const long = p.SHANK * body.q;
  const mirrored = Math.abs(body.sideways) > FRONTAL;
  const [own, beside] = [leg, other].map(([hip, knee]) =>
    angleFrom(minus(body.points[knee], body.points[hip]), body.down),
  );
  const guide = body.vector(other[1], other[2]);
  // In a stride the legs do different things; the other one only guides while the thighs agree.
  if (guide && Math.abs(own - (mirrored ? -beside : beside)) <= ALIKE) return guided(body, guide, long, mirrored);
  if (stance.kind === "kneeling") return times(long, body.swung(KNEELING_SHANK, VIEW_FROM_ABOVE));
  const hangs = stance.kind === "sitting" || Math.abs(own) > SEATED;
  const still = hangs ? GRAVITY : turned(body.down, clip(own, -STRAIGHT, STRAIGHT));
  if (!stance.stride) return times(long, still);
  const swings = [swingOf(body, leg, stance), swingOf(body, other, stance)];
  const swung = body.swung(strideShank(stance, leg, ...swings), VIEW_FROM_ABOVE);
  return times(long, towards(still, swung, stance.stride));
}

/** Puts missing knees and ankles; the hips are there. @param {Body} body @param {Stance} stance */
export function placeLegs(body, stance) {
  const pairs = [[LEFT, RIGHT], [RIGHT, LEFT]];
  for (const [leg, other] of pairs) {
    const [hip, knee, ankle] = leg;
    if (body.present[ankle] && !body.present[knee]) {
      body.put(knee, towards(body.points[hip], body.points[ankle], p.THIGH / (p.THIGH + p.SHANK)));
    }
    body.put(knee, plus(body.points[hip], thigh(body, leg, other, stance)));
  }
  for (const [leg, other] of pairs) body.put(leg[2], plus(body.points[leg[1]], shank(body, leg, other, stance)));
}
