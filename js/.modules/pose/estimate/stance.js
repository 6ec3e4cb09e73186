/**
 * What the person does with the legs, read from arms and thighs, and how thighs and shanks swing then.
 * core/pose/stance.py again, which names its sources.
 *
 * Angles are forward swings from hanging, in radians; a knee only bends backward.
 */

import { LEFT, RIGHT } from "./body.js";
import * as s from "../model/skeleton.js";
import { angleFrom, clip, RADIANS } from "../model/vectors.js";

/**
 * @typedef {import("./body.js").Body} Body @typedef {import("./body.js").Leg} Leg
 * @typedef {"auto"|"standing"|"walking"|"running"|"sitting"|"kneeling"} Legs
 * @typedef {{kind: Legs, stride: number, running: number, lead: number}} Stance `stride` 0 … 1 from standing to a whole
 *   stride, `running` 0 … 1 from walking to running, `lead` 1 when the left leg is in front and −1 when the right is
 */

/** What the hidden legs may be told to do; auto goes by what is visible. */
const LEGS = Object.freeze(["auto", "standing", "walking", "running", "sitting", "kneeling"]);

const degrees = (...angles) => angles.map((angle) => angle * RADIANS);

// Halfway between the extremes of a stride: the thigh in front, the thigh behind.
const WALKING = degrees(24, -18), RUNNING = degrees(36, -18);
// A hip flexes further than it extends.
const REAR_TO_FRONT = 0.75, FURTHEST_BACK = 25 * RADIANS;
// Thighs lifted further than this sit, unless the other one is behind.
export const SEATED = 40 * RADIANS;
// Ramps from no evidence to full evidence, as in Python.
const SWINGS = degrees(8, 18), APART = degrees(10, 30);
const BENT = degrees(45, 70), LIFTED = degrees(30, 42);
const NOT_IN_FRONT = degrees(-20, -5), BEHIND = degrees(0, 10);

function share(value, [low, high]) {
  return clip((value - low) / (high - low), 0, 1);
}

function stanceOf(kind, stride = 0, running = 0, lead = 0) {
  return { kind, stride, running, lead };
}

/** [swing from the trunk, bend of the elbow or null] of both arms; none unless both upper arms are seen. */
function arms(body) {
  const found = [[s.L_SHOULDER, s.L_ELBOW, s.L_WRIST], [s.R_SHOULDER, s.R_ELBOW, s.R_WRIST]].map(
    ([shoulder, elbow, wrist]) => {
      const upper = body.vector(shoulder, elbow), lower = body.vector(elbow, wrist);
      if (!upper) return null;
      const bend = lower && angleFrom(lower, upper) * Math.sign(body.profile);
      return [body.swing(upper, body.trunk), bend];
    },
  );
  return found.includes(null) ? [] : found;
}

/** Arms swing against the legs: one before and one behind the trunk, elbows bent when running. */
function byArms(body) {
  const found = body.inProfile ? arms(body) : [];
  if (!found.length) return stanceOf("auto");
  const [[left], [right]] = found;
  const bends = found.map(([, bend]) => bend).filter((bend) => bend !== null);
  const swings = share(Math.min(Math.max(left, right), -Math.min(left, right)), SWINGS);
  const running = bends.length ? swings * share(Math.min(...bends), BENT) : 0;
  return stanceOf("auto", swings * body.inProfile, running, Math.sign(right - left));
}

/** How far a measured thigh swings forward; null where that cannot be seen. @param {Body} body @param {Leg} leg */
export function thighSwing(body, leg) {
  const thigh = body.vector(leg[0], leg[1]);
  return thigh && body.inProfile ? body.swing(thigh, body.down) : null;
}

/** Thighs that are seen decide; where only one is, the other one is taken to swing against it. */
function byThighs(body, seenByArms) {
  let [left, right] = [thighSwing(body, LEFT), thighSwing(body, RIGHT)];
  const seen = [left, right].filter((swing) => swing !== null);
  if (!seen.length || (seen.length === 1 && seen[0] > SEATED)) return seenByArms;
  left ??= opposite(seen[0]);
  right ??= opposite(seen[0]);
  const front = Math.max(left, right), rear = Math.min(left, right);
  const apart = share(front - rear, APART) * share(-rear, NOT_IN_FRONT);
  const leaps = share(front, LIFTED) * share(-rear, BEHIND);
  return stanceOf("auto", apart * body.inProfile, Math.max(seenByArms.running, leaps), Math.sign(left - right));
}

/** The swing of the other thigh in a stride. @param {number} swing */
export function opposite(swing) {
  const against = swing > 0 ? -swing * REAR_TO_FRONT : -swing / REAR_TO_FRONT;
  return clip(against, -FURTHEST_BACK, SEATED);
}

function told(body, legs, seen) {
  // Nothing shows which leg leads: the far one, which the near one would otherwise hide.
  const lead = seen.lead || Math.sign(body.profile);
  const strides = (legs === "walking" || legs === "running") && lead !== 0;
  return stanceOf(legs, strides ? 1 : 0, legs === "running" ? 1 : 0, lead);
}

/** The stance that was told, or else the one that arms and thighs show. @param {Body} body @param {Legs} legs */
export function readStance(body, legs) {
  const seen = byThighs(body, byArms(body));
  return legs === "auto" ? seen : told(body, legs, seen);
}

function inFront(stance, leg) {
  return stance.lead > 0 === (leg === LEFT);
}

/** How far a hidden thigh swings forward in a stride. @param {Stance} stance @param {Leg} leg */
export function strideThigh(stance, leg) {
  const which = inFront(stance, leg) ? 0 : 1;
  return WALKING[which] + stance.running * (RUNNING[which] - WALKING[which]);
}

/** How far the shank below a thigh swings forward in a stride, whose other thigh is at `otherThigh`. */
export function strideShank(stance, leg, thigh, otherThigh) {
  const own = thigh * (180 / Math.PI), other = otherThigh * (180 / Math.PI);
  // In front: heel strike with a nearly straight knee; the higher it is lifted, the more it bends. Behind: it pushes
  // off; while the one in front of a runner is low, it is swinging through.
  const [walking, running] = inFront(stance, leg)
    ? [7 + 1.3 * Math.max(0, own - 30), clip(1.7 * own - 16, 10, 100)]
    : [clip(-1.15 * own, 0, 30), clip(20 + 1.5 * (60 - other), 20, 75)];
  return (own - walking - stance.running * (running - walking)) * RADIANS;
}
