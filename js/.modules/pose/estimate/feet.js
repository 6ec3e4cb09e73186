/** Where hidden heels and toes go: core/pose/feet.py again. */

import { BOWED, FRONTAL, GRAVITY, LEFT, RIGHT } from "./body.js";
import { KNEELING_SHANK, VIEW_FROM_ABOVE } from "./legs.js";
import * as p from "./proportions.js";
import { across, angleFrom, clip, dot, length, minus, plus, RADIANS, times } from "../model/vectors.js";

/** @typedef {import("./body.js").Body} Body @typedef {import("./stance.js").Stance} Stance */

const LYING = 60 * RADIANS;
// A sole lies flat as long as the ankle can bend: far when the shank leans forward over the foot, little the other
// way; toes point up no further than the last angle.
const FLAT = 26 * RADIANS, HEEL_STRIKE = 10 * RADIANS, TOES_UP = 25 * RADIANS;

/** Big toe, small toe and heel, and the side of the body the foot is on, along the line from right to left. */
function footOf(leg) {
  return leg === LEFT ? { points: [18, 19, 20], side: 1 } : { points: [21, 22, 23], side: -1 };
}

/** What a unit towards the toes is across the picture: by the other foot where that is seen. */
function profileOf(body, other, down) {
  const [bigToe, , heel] = footOf(other).points;
  const guide = body.vector(heel, bigToe);
  if (guide) {
    const seen = dot(guide, across(down)) / (p.FOOT_LENGTH * body.q);
    if (Math.abs(seen) > 0.4) return clip(seen, -1, 1) * (Math.abs(body.sideways) > FRONTAL ? -1 : 1);
  }
  return body.profile;
}

/** How far toes point up, in radians: flat unless the shank leans further than the ankle bends. */
function tiltOf(body, shank, kneels) {
  const swing = kneels ? KNEELING_SHANK : angleFrom(shank, GRAVITY) * Math.sign(body.profile);
  const share = kneels ? 1 : body.inProfile;
  return share * (Math.min(swing + FLAT, 0) + clip(swing - HEEL_STRIKE, 0, TOES_UP));
}

/** What a unit down to the sole and a unit towards the toes are in the picture. */
function axes(body, leg, other, kneels) {
  const shank = minus(body.points[leg[2]], body.points[leg[1]]);
  const bowed = Math.abs(angleFrom(body.trunk, GRAVITY)) > BOWED;
  const lying = Math.abs(angleFrom(shank, GRAVITY)) > LYING && (bowed || !body.inProfile) && !kneels;
  const down = lying ? times(1 / length(shank), shank) : GRAVITY;
  const forward = plus(
    times(profileOf(body, other, down), across(down)),
    times(body.sideways * VIEW_FROM_ABOVE, down),
  );
  const tilt = lying ? 0 : tiltOf(body, shank, kneels);
  return [
    plus(times(Math.cos(tilt), down), times(Math.sin(tilt), forward)),
    minus(times(Math.cos(tilt), forward), times(Math.sin(tilt), down)),
  ];
}

/** Big toe, small toe and heel of the foot below the leg's ankle. */
function foot(body, leg, other, kneels) {
  const [down, forward] = axes(body, leg, other, kneels);
  const outward = times(footOf(leg).side * body.sideways, across(GRAVITY));
  const sole = plus(body.points[leg[2]], times(p.ANKLE_HEIGHT * body.q, down));
  const toes = p.TOES_AHEAD * body.q, half = (p.FOOT_BREADTH / 2) * body.q;
  return [
    minus(plus(sole, times(toes, forward)), times(half / 2, outward)),
    plus(plus(sole, times(0.8 * toes, forward)), times(half, outward)),
    minus(sole, times(p.HEEL_BEHIND * body.q, forward)),
  ];
}

/**
 * A foot is placed where its ankle was guessed or where the picture cuts it off; else it stays unseen.
 * @param {Body} body @param {Stance} stance @param {{width: number, height: number}} size
 */
export function placeFeet(body, stance, { width, height }) {
  for (const [leg, other] of [[LEFT, RIGHT], [RIGHT, LEFT]]) {
    const ankle = leg[2], { points } = footOf(leg);
    const places = foot(body, leg, other, stance.kind === "kneeling" && !body.measured[ankle]);
    const concerned = [...places.filter((_, index) => !body.present[points[index]]), body.points[ankle]];
    const cutOff = concerned.some(([x, y]) => x < 0 || y < 0 || x > width || y > height);
    if (cutOff || !body.measured[ankle]) points.forEach((point, index) => body.put(point, places[index]));
  }
}
