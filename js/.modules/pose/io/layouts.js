/** The orders in which programs list points, brought to POSE_KEYPOINT's. The same as core/pose/openpose.py. */

import * as skeleton from "../model/skeleton.js";
import { PARTS } from "../model/skeleton.js";

/** @import { Lists } from "./points.js" */

const { body: BODY, feet: FEET, face: FACE, handLeft: LEFT, handRight: RIGHT } = PARTS;
/** @param {number} first @param {number} count */
const range = (first, count) => Array.from({ length: count }, (_, index) => first + index);

/** Which rows of a list of so many points lie under which key; −1: the neck, made between the shoulders. */
/** @type {Record<number, Record<string, readonly number[]>>} */
const ROWS = {
  17: { [BODY.key]: skeleton.WHOLEBODY_BODY },
  25: { [BODY.key]: skeleton.BODY_25_BODY, [FEET.key]: skeleton.BODY_25_FEET },
  26: { [BODY.key]: skeleton.HALPE_BODY, [FEET.key]: skeleton.HALPE_FEET },
  133: {
    [BODY.key]: skeleton.WHOLEBODY_BODY,
    [FEET.key]: skeleton.WHOLEBODY_FEET,
    [FACE.key]: skeleton.WHOLEBODY_FACE,
    [LEFT.key]: skeleton.WHOLEBODY_HAND_LEFT,
    [RIGHT.key]: skeleton.WHOLEBODY_HAND_RIGHT,
  },
  134: {
    [BODY.key]: range(0, 18),
    [FEET.key]: range(18, 6),
    [FACE.key]: [...range(24, 68), skeleton.R_EYE, skeleton.L_EYE],
    [LEFT.key]: range(92, 21),
    [RIGHT.key]: range(113, 21),
  },
};
/** How many points a body may list. */
export const COUNTS = [17, 18, 25, 26, 133, 134];
const WHOLE = 100;

/** COCO's points with the neck between the shoulders. @param {number[][]} points @param {number} threshold */
function withNeck(points, threshold) {
  const [left, right] = [points[5], points[6]];
  const neck = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2, Math.min(left[2], right[2])];
  return [...points, neck[2] > threshold ? neck : [0, 0, 0]];
}

/** @param {number[][]} points @param {number} threshold @returns {Lists} */
function byKey(points, threshold) {
  const table = ROWS[points.length] ?? {};
  const listed = table[BODY.key]?.includes(-1) ? withNeck(points, threshold) : points;
  return Object.fromEntries(
    Object.entries(table).map(([key, rows]) => [key, rows.map((row) => listed[row < 0 ? listed.length - 1 : row])]),
  );
}

/** @param {Lists} lists @param {number} threshold @returns {Lists} */
export function inOrder(lists, threshold) {
  const found = { ...lists }, given = lists[BODY.key];
  if (given.length && !COUNTS.includes(given.length)) {
    throw new Error(
      "The person's pose_keypoints_2d must hold 17 or 18 (COCO), 25 (BODY_25), 26 (Halpe) or 133 (COCO-WholeBody) " +
        `points but holds ${given.length}; export the pose in one of these layouts.`,
    );
  }
  for (const [key, points] of Object.entries(byKey(given, threshold))) {
    // BODY_25 may come with a list of feet of its own.
    if (key !== FEET.key || given.length > WHOLE || !lists[key].length) found[key] = points;
  }
  const face = found[FACE.key], body = found[BODY.key];
  if (face.length === skeleton.FACE_POINTS - 2) {
    const eyes = [skeleton.R_EYE, skeleton.L_EYE].map((eye) => (body.length ? body[eye] : [0, 0, 0]));
    found[FACE.key] = [...face, ...eyes];
  }
  return found;
}
