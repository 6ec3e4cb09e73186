/**
 * The proportions of the body, and a person's stature in pixels measured by them; as in
 * core/pose/estimate/proportions.py.
 *
 * Fractions of stature between key points as detectors mark them.
 */

import { isEstimated, isShown } from "../model/people.js";
import * as s from "../model/skeleton.js";
import { angleFrom, halfway, length, minus, RADIANS } from "../model/vectors.js";

/** @import { Person } from "../model/types.js" */
/** @import { Pair } from "../model/vectors.js" */

export const ANKLE_HEIGHT = 0.06, FOOT_BREADTH = 0.055, LEG_BREADTH = 0.06, EYES_TO_CROWN = 0.075;
const SHANK = 0.213, THIGH = 0.216, TRUNK = 0.292;
const UPPER_ARM = 0.16, FOREARM = 0.138;
const SHOULDER_WIDTH = 0.18, HIP_WIDTH = 0.1, SHOULDERS_TO_EYES = 0.118;

const SIDE_OF_TRUNK = Math.hypot(TRUNK, (SHOULDER_WIDTH - HIP_WIDTH) / 2);
const FRONTAL = 0.78, BROAD = 1.12;
const BENT = 25 * RADIANS;
const SHORT = 0.75;
const AGREES = [0.92, 1.2];
const CHAINS = [
  [s.R_SHOULDER, s.R_ELBOW, s.R_WRIST],
  [s.L_SHOULDER, s.L_ELBOW, s.L_WRIST],
  [s.R_HIP, s.R_KNEE, s.R_ANKLE],
  [s.L_HIP, s.L_KNEE, s.L_ANKLE],
];
const LIMBS = [
  [s.R_HIP, s.R_KNEE, THIGH, 3],
  [s.L_HIP, s.L_KNEE, THIGH, 3],
  [s.R_KNEE, s.R_ANKLE, SHANK, 3],
  [s.L_KNEE, s.L_ANKLE, SHANK, 3],
  [s.R_SHOULDER, s.R_ELBOW, UPPER_ARM, 1],
  [s.L_SHOULDER, s.L_ELBOW, UPPER_ARM, 1],
  [s.R_ELBOW, s.R_WRIST, FOREARM, 1],
  [s.L_ELBOW, s.L_WRIST, FOREARM, 1],
];

/** @typedef {{at: (point: number) => Pair, has: (point: number) => boolean}} Points places, and which of them count */

/** The points that were seen, not guessed. @param {Person} person @returns {Points} */
function measuredPoints(person) {
  return {
    at: (point) => [person.xy[2 * point], person.xy[2 * point + 1]],
    has: (point) => isShown(person, point) && !isEstimated(person, point),
  };
}

/**
 * The point halfway between two present points, null where one is missing.
 * @param {Points} points
 * @param {number} first @param {number} second @returns {Pair|null}
 */
function midpoint(points, first, second) {
  return points.has(first) && points.has(second) ? halfway(points.at(first), points.at(second)) : null;
}

/**
 * Midway between the shoulders, or the neck where one of them is missing.
 * @param {Points} points
 * @returns {Pair|null}
 */
function shouldersMiddle(points) {
  return midpoint(points, s.R_SHOULDER, s.L_SHOULDER) ?? (points.has(s.NECK) ? points.at(s.NECK) : null);
}

/**
 * A point at the height of the eyes: between the ears, else between the eyes, else the one ear seen.
 * @param {Points} points @returns {Pair|null}
 */
function headMiddle(points) {
  for (const [first, second] of [[s.R_EAR, s.L_EAR], [s.R_EYE, s.L_EYE], [s.R_EAR, s.R_EAR], [s.L_EAR, s.L_EAR]]) {
    const middle = midpoint(points, first, second);
    if (middle) return middle;
  }
  return null;
}

/** @param {Pair} a @param {Pair} b */
function distance(a, b) {
  return length(minus(a, b));
}

/** @param {Points} points @returns {Pair[]} */
function trunkSegments(points) {
  const shoulders = shouldersMiddle(points), hips = midpoint(points, s.R_HIP, s.L_HIP);
  if (shoulders && hips) return [[distance(shoulders, hips) / TRUNK, 3]];
  return [[s.R_SHOULDER, s.R_HIP], [s.L_SHOULDER, s.L_HIP]]
    .filter(([shoulder, hip]) => points.has(shoulder) && points.has(hip))
    .map(([shoulder, hip]) => [distance(points.at(shoulder), points.at(hip)) / SIDE_OF_TRUNK, 3]);
}

/** @param {Points} points @returns {Pair[]} */
function headSegment(points) {
  const shoulders = shouldersMiddle(points), head = headMiddle(points);
  return shoulders && head ? [[distance(shoulders, head) / SHOULDERS_TO_EYES, 1]] : [];
}

/** The stature by the narrower of shoulders and hips, null where one is missing. @param {Points} points */
function breadth(points) {
  if (![s.R_SHOULDER, s.L_SHOULDER, s.R_HIP, s.L_HIP].every(points.has)) return null;
  return Math.min(
    distance(points.at(s.R_SHOULDER), points.at(s.L_SHOULDER)) / SHOULDER_WIDTH,
    distance(points.at(s.R_HIP), points.at(s.L_HIP)) / HIP_WIDTH,
  );
}

/**
 * [stature in pixels by this segment alone, weight] of every segment both ends of which are present.
 * @param {Points} points @returns {Pair[]}
 */
function measured(points) {
  const found = trunkSegments(points);
  const trunk = found.length ? found[0][0] : null;
  for (const [first, second, fraction, weight] of LIMBS) {
    if (points.has(first) && points.has(second)) {
      found.push([distance(points.at(first), points.at(second)) / fraction, weight]);
    }
  }
  if (points.has(s.R_SHOULDER) && points.has(s.L_SHOULDER)) {
    const width = distance(points.at(s.R_SHOULDER), points.at(s.L_SHOULDER)) / SHOULDER_WIDTH;
    if (trunk === null || width > FRONTAL * trunk) found.push([width, 1]);
  }
  const broad = breadth(points);
  if (trunk !== null && broad !== null && broad > BROAD * trunk) found.push([broad, 3]);
  // A nodding head is short: it only counts where there is no trunk to measure.
  if (trunk === null) found.push(...headSegment(points));
  return found.filter(([stature]) => stature > 0);
}

/** Whether an elbow or a knee is bent by more than 25°. @param {Points} points */
function bends(points) {
  return CHAINS.some((chain) => {
    if (!chain.every(points.has)) return false;
    const [first, middle, last] = chain.map(points.at);
    return Math.abs(angleFrom(minus(last, middle), minus(middle, first))) > BENT;
  });
}

/** @param {Pair[]} values @param {number} share */
function weightedPercentile(values, share) {
  const sorted = values.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
  const total = sorted.reduce((sum, [, weight]) => sum + weight, 0);
  let reached = 0;
  for (const [value, weight] of sorted) {
    reached += weight;
    if (reached >= share * total - 1e-9) return value;
  }
  return sorted[sorted.length - 1][0];
}

/**
 * The height in pixels the person would have standing upright, by the measured points; null if nothing can be measured.
 * The weighted 60th percentile over the segments seen, the 75th when a limb is bent or they disagree, because
 * foreshortening only ever makes a segment too short; then the geometric mean of all that agree with it.
 * @param {Person} person
 */
export function stature(person) {
  const points = measuredPoints(person);
  const found = measured(points);
  if (!found.length) return null;
  const statures = found.map(([value]) => value);
  const foreshortened = Math.min(...statures) < SHORT * Math.max(...statures);
  const middle = weightedPercentile(found, foreshortened || bends(points) ? 0.75 : 0.6);
  if (trunkSegments(points).length) found.push(...headSegment(points));
  const near = found.filter(([value]) => value >= AGREES[0] * middle && value <= AGREES[1] * middle);
  const total = near.reduce((sum, [, weight]) => sum + weight, 0);
  return Math.exp(near.reduce((sum, [value, weight]) => sum + weight * Math.log(value), 0) / total);
}
