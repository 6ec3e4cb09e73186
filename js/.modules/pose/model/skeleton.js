/**
 * Which points make a person, which lines join them, in which order: tables, nothing else.
 *
 * The same tables as core/pose/skeleton.py. A person has 136 points in one row: 0–17 the body (COCO-18 as OpenPose
 * orders it), 18–23 the feet, 24–44 the left hand, 45–65 the right hand, 66–135 the face. R and L are the person's
 * own.
 */

/** @import { Part } from "./types.js" */

export const NOSE = 0, NECK = 1;
export const R_SHOULDER = 2, R_ELBOW = 3, R_WRIST = 4;
export const L_SHOULDER = 5, L_ELBOW = 6, L_WRIST = 7;
export const R_HIP = 8, R_KNEE = 9, R_ANKLE = 10;
export const L_HIP = 11, L_KNEE = 12, L_ANKLE = 13;
export const R_EYE = 14, L_EYE = 15, R_EAR = 16, L_EAR = 17;
const L_BIG_TOE = 18, L_SMALL_TOE = 19, L_HEEL = 20;
const R_BIG_TOE = 21, R_SMALL_TOE = 22, R_HEEL = 23;

export const BODY_POINTS = 18, FACE_POINTS = 70;
const FOOT_POINTS = 6, HAND_POINTS = 21;
/** Body and feet: what the proportions, the completion and the estimated marks know. */
export const MAIN_POINTS = BODY_POINTS + FOOT_POINTS;
export const POINTS = MAIN_POINTS + 2 * HAND_POINTS + FACE_POINTS;

/** The parts of a person: POSE_KEYPOINT's key, the first of its points in the row of 136, and their number. */
export const PARTS = Object.freeze({
  body: Object.freeze({ key: "pose_keypoints_2d", first: 0, count: BODY_POINTS }),
  feet: Object.freeze({ key: "foot_keypoints_2d", first: 18, count: FOOT_POINTS }),
  handLeft: Object.freeze({ key: "hand_left_keypoints_2d", first: 24, count: HAND_POINTS }),
  handRight: Object.freeze({ key: "hand_right_keypoints_2d", first: 45, count: HAND_POINTS }),
  face: Object.freeze({ key: "face_keypoints_2d", first: 66, count: FACE_POINTS }),
});

/** The order in which OpenPose's drawing paints them. */
const LIMBS = [
  [NECK, R_SHOULDER],
  [NECK, L_SHOULDER],
  [R_SHOULDER, R_ELBOW],
  [R_ELBOW, R_WRIST],
  [L_SHOULDER, L_ELBOW],
  [L_ELBOW, L_WRIST],
  [NECK, R_HIP],
  [R_HIP, R_KNEE],
  [R_KNEE, R_ANKLE],
  [NECK, L_HIP],
  [L_HIP, L_KNEE],
  [L_KNEE, L_ANKLE],
  [NECK, NOSE],
  [NOSE, R_EYE],
  [R_EYE, R_EAR],
  [NOSE, L_EYE],
  [L_EYE, L_EAR],
];
const FOOT_LIMBS = [
  [L_ANKLE, L_BIG_TOE],
  [L_ANKLE, L_SMALL_TOE],
  [L_ANKLE, L_HEEL],
  [R_ANKLE, R_BIG_TOE],
  [R_ANKLE, R_SMALL_TOE],
  [R_ANKLE, R_HEEL],
];
const HAND_EDGES = [0, 4, 8, 12, 16].flatMap((tip) => [
  [0, tip + 1],
  [tip + 1, tip + 2],
  [tip + 2, tip + 3],
  [tip + 3, tip + 4],
]);

/** @param {Part} part @returns {[number, number][]} */
const handLimbs = (part) => HAND_EDGES.map(([a, b]) => [part.first + a, part.first + b]);
/** Every line of a person in the row of 136: 17 of the body, 6 of the feet, 20 of the left hand, 20 of the right. */
export const ALL_LIMBS = [...LIMBS, ...FOOT_LIMBS, ...handLimbs(PARTS.handLeft), ...handLimbs(PARTS.handRight)];

/** The point each of the 136 hangs on: where it goes, this one follows. −1: the neck, the root. */
export const PARENT = (() => {
  const parent = new Int16Array(POINTS).fill(NOSE, PARTS.face.first);
  parent[NECK] = -1;
  for (const [first, second] of ALL_LIMBS) parent[second] = first;
  parent[PARTS.handLeft.first] = L_WRIST;
  parent[PARTS.handRight.first] = R_WRIST;
  return parent;
})();

/** The points below each point, parents before their children. */
export const DESCENDANTS = (() => {
  const found = Array.from({ length: POINTS }, () => /** @type {number[]} */ ([]));
  /** @param {number} point @returns {number} */
  const depth = (point) => (PARENT[point] < 0 ? 0 : 1 + depth(PARENT[point]));
  const order = Array.from(PARENT.keys()).sort((a, b) => depth(a) - depth(b) || a - b);
  for (const point of order) {
    for (let above = PARENT[point]; above >= 0; above = PARENT[above]) found[above].push(point);
  }
  return found;
})();

/** Each of the 24 main points' counterpart when the picture is mirrored. */
const MIRRORED = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16, 21, 22, 23, 18, 19, 20];

// The outline of the face runs from the person's right ear to the left; brows, eyes and mouth follow.
const FACE_MIRRORED = [
  16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30, 35,
  34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64,
  63, 62, 61, 60, 67, 66, 65, 69, 68,
];
/** Each of the 136 points' counterpart: left and right hands change places, the face is mirrored. */
export const COUNTERPART = [
  ...MIRRORED,
  ...Array.from({ length: HAND_POINTS }, (_, index) => PARTS.handRight.first + index),
  ...Array.from({ length: HAND_POINTS }, (_, index) => PARTS.handLeft.first + index),
  ...FACE_MIRRORED.map((index) => PARTS.face.first + index),
];

/** Two-bone chains that inverse kinematics bends, by their end: [root, middle]. */
/** @type {Readonly<Record<number, [number, number]>>} */
export const CHAINS = Object.freeze({
  [R_WRIST]: [R_SHOULDER, R_ELBOW],
  [L_WRIST]: [L_SHOULDER, L_ELBOW],
  [R_ANKLE]: [R_HIP, R_KNEE],
  [L_ANKLE]: [L_HIP, L_KNEE],
});

/** BODY_25 and COCO-WholeBody rows for the points 0–17; −1: the neck, midway between the shoulders. */
export const BODY_25_BODY = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18];
export const BODY_25_FEET = [19, 20, 21, 22, 23, 24];
export const WHOLEBODY_BODY = [0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3];
export const WHOLEBODY_FEET = [17, 18, 19, 20, 21, 22];
export const WHOLEBODY_FACE = [...Array.from({ length: 68 }, (_, index) => 23 + index), 2, 1];
export const WHOLEBODY_HAND_LEFT = Array.from({ length: HAND_POINTS }, (_, index) => 91 + index);
export const WHOLEBODY_HAND_RIGHT = Array.from({ length: HAND_POINTS }, (_, index) => 112 + index);
/** Halpe-26: COCO's 17 points, the crown, neck and middle of the hips, the big toes, small toes and heels. */
export const HALPE_BODY = [0, 18, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3];
export const HALPE_FEET = [20, 22, 24, 21, 23, 25];

export const POINT_NAMES = [
  ...["nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist"],
  ...["right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle"],
  ...["right eye", "left eye", "right ear", "left ear"],
  ...["left big toe", "left small toe", "left heel", "right big toe", "right small toe", "right heel"],
  ...Array.from({ length: HAND_POINTS }, (_, index) => `left hand ${index}`),
  ...Array.from({ length: HAND_POINTS }, (_, index) => `right hand ${index}`),
  ...Array.from({ length: FACE_POINTS }, (_, index) => `face ${index}`),
];
