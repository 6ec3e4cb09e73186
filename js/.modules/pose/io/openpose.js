/**
 * OpenPose's JSON and its relatives: COCO-18 (also POSE_KEYPOINT), BODY_25 and COCO-WholeBody's 133 points, read as
 * bridge/pose_json.py reads them, and written.
 */

import { FLAG, LIMITS } from "../model/types.js";
import { isShown, makeFrame, nobody, place, triples } from "../model/people.js";
import * as skeleton from "../model/skeleton.js";
import { MAIN_POINTS, PARTS } from "../model/skeleton.js";

/** @import { Frame, Part, Person, Size } from "../model/types.js" */

/**
 * @typedef {"coco18"|"body25"|"wholebody"} Layout
 * @typedef {Record<string, number[][]>} Lists points as [x, y, score] by POSE_KEYPOINT's keys
 * @typedef {Record<string, any>} Json an object of a file, in which anything may stand
 * @typedef {{index: number, scored: number[][], estimated: unknown[]}} Scored a person as [point, x, y, score] each
 */

/** @type {Record<number, Layout>} */
const LAYOUTS = { 18: "coco18", 25: "body25", 133: "wholebody" };
// Normalised lists may reach beyond the picture (a completed one to 2.2), lists in pixels reach much further.
const NORMALISED = 2.5;
// Fewer different points than this may all lie in a corner of the picture.
const FEW = 3;
const BODY = PARTS.body.key;

/** @param {unknown} value @returns {value is Json} */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The frames of a parsed file: one object, a list of frames, or a list of people of one picture.
 * @param {unknown} data @returns {Json[]}
 */
function framesOf(data) {
  if (isRecord(data) && Array.isArray(data.people)) return [data];
  if (Array.isArray(data) && data.length && data.every(isRecord)) {
    if (data.every((entry) => Array.isArray(entry.people))) return data;
    if (data.every((entry) => BODY in entry)) return [{ people: data }];
  }
  throw new Error(
    'The pose must be OpenPose JSON, an object with a list "people" or a list of such objects; ' +
      "export it again from the pose detector or editor.",
  );
}

/** The points under `key` as [x, y, score] each. @param {Json} person @param {string} key @returns {number[][]} */
function rows(person, key) {
  const flat = person[key] ?? [];
  if (!Array.isArray(flat) || !flat.every((value) => value === null || typeof value === "number")) {
    throw new Error(`${key} must be a flat list of numbers x, y, score; check the pose file.`);
  }
  if (flat.length % 3) {
    throw new Error(`${key} must hold whole triples x, y, score, got ${flat.length} numbers; check the pose file.`);
  }
  const known = flat.map((value) => value ?? 0);
  return Array.from({ length: flat.length / 3 }, (_, row) => known.slice(3 * row, 3 * row + 3));
}

/** @param {number} count @returns {Layout} */
function layoutOf(count) {
  if (LAYOUTS[count]) return LAYOUTS[count];
  throw new Error(
    `The person's pose_keypoints_2d must hold 18, 25 or 133 points but holds ${count}; ` +
      "choose the layout the file was written in.",
  );
}

/** @param {number[][]} points @param {number} threshold @returns {Record<string, number[][]>} */
function wholebody(points, threshold) {
  const [left, right] = [points[5], points[6]];
  let neck = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2, Math.min(left[2], right[2])];
  if (neck[2] <= threshold) neck = [0, 0, 0];
  const all = [...points, neck];
  return {
    [BODY]: skeleton.WHOLEBODY_BODY.map((row) => all[row < 0 ? all.length + row : row]),
    [PARTS.feet.key]: skeleton.WHOLEBODY_FEET.map((row) => all[row]),
    [PARTS.face.key]: skeleton.WHOLEBODY_FACE.map((row) => all[row]),
    [PARTS.handLeft.key]: skeleton.WHOLEBODY_HAND_LEFT.map((row) => all[row]),
    [PARTS.handRight.key]: skeleton.WHOLEBODY_HAND_RIGHT.map((row) => all[row]),
  };
}

/**
 * The lists of a file's person as they are, by key.
 * @param {unknown} entry @returns {Lists}
 */
function listsOf(entry) {
  if (!isRecord(entry)) throw new Error("Every person must be a JSON object; check the pose file.");
  return Object.fromEntries(Object.values(PARTS).map(({ key }) => [key, rows(entry, key)]));
}

/**
 * @template T
 * @param {Lists} lists @param {(found: number[][], key: string) => T} change @returns {Record<string, T>}
 */
function mapped(lists, change) {
  return Object.fromEntries(Object.entries(lists).map(([key, found]) => [key, change(found, key)]));
}

/**
 * Which lists of one frame are in fractions of the picture, as bridge/pose_record.py decides it list by list.
 * @param {Lists[]} people @returns {Record<string, boolean>[]}
 */
function inFractions(people) {
  const shown = people.map((lists) => mapped(lists, (found) => found.filter(([, , score]) => score > 0)));
  /** @param {number[][]} found */
  const small = (found) => found.every(([x, y]) => Math.max(Math.abs(x), Math.abs(y)) <= NORMALISED);
  const mixed = shown.some((lists) => !Object.values(lists).every(small));
  /** @param {number[][]} found */
  const isFew = (found) => new Set(found.map(([x, y]) => `${x},${y}`)).size < FEW;
  /** @param {number[][]} found */
  const decide = (found) => found.length > 0 && small(found) && !(mixed && isFew(found));
  return shown.map((lists) => mapped(lists, decide));
}

/**
 * A person's lists in pixels, POSE_KEYPOINT's points in its order; empty where the file has none.
 * @param {Lists} lists @param {Record<string, boolean>} fractions @param {Size} size @param {number} threshold
 * @returns {Lists}
 */
function arranged(lists, fractions, { width, height }, threshold) {
  const layout = lists[BODY].length ? layoutOf(lists[BODY].length) : "coco18";
  const whole = layout === "wholebody";
  const found = mapped(whole ? wholebody(lists[BODY], threshold) : lists, (list, key) =>
    fractions[whole ? BODY : key]
      ? list.map(([x, y, score]) => (score > 0 ? [x * width, y * height, score] : [x, y, score]))
      : list,
  );
  const body = found[BODY];
  if (layout === "body25") {
    found[BODY] = skeleton.BODY_25_BODY.map((row) => body[row]);
    if (!found[PARTS.feet.key].length) found[PARTS.feet.key] = skeleton.BODY_25_FEET.map((row) => body[row]);
  }
  const face = found[PARTS.face.key];
  if (body.length && face.length === skeleton.FACE_POINTS - 2) {
    face.push(found[BODY][skeleton.R_EYE], found[BODY][skeleton.L_EYE]);
  }
  return found;
}

/** @param {Json} entry @param {number} index @param {Lists} points @returns {Scored} */
function readPerson(entry, index, points) {
  /** @type {number[][]} */
  const scored = [];
  for (const { key, first, count } of Object.values(PARTS)) {
    const found = points[key];
    if (found.length !== 0 && found.length !== count) {
      throw new Error(`${key} must hold ${count} points but holds ${found.length}; check the pose file.`);
    }
    if (!found.flat().every(Number.isFinite)) {
      throw new Error(`${key} holds values that are not finite numbers; check the pose file.`);
    }
    found.forEach(([x, y, score], row) => score > 0 && scored.push([first + row, x, y, score]));
  }
  const estimated = Array.isArray(entry.recompose?.estimated) ? entry.recompose.estimated : [];
  return { index, scored, estimated };
}

/**
 * The size the frame states, else the one given; an error where neither is known or they differ.
 * @param {Json} entry @param {Size|undefined} given @returns {Size}
 */
function sizeOf(entry, given) {
  const stated = [entry.canvas_width ?? 0, entry.canvas_height ?? 0];
  if (!stated.every(Number.isFinite)) {
    throw new Error("canvas_width and canvas_height must be whole numbers; check the pose file.");
  }
  const [width, height] = stated.map(Math.trunc);
  if (width > 0 && height > 0) {
    if (Math.max(width, height) > LIMITS.side) {
      throw new Error(`The pose's picture is ${width}×${height}, over ${LIMITS.side} px a side; check the pose file.`);
    }
    return { width, height };
  }
  if (given) return given;
  throw new Error("The pose file does not say how large its picture is; set canvas_width and canvas_height.");
}

/**
 * Scores above `threshold` count as present; lists in fractions of the picture become pixels.
 * @param {Json} entry @param {Size|undefined} given @param {number} threshold @returns {Frame}
 */
function readFrame(entry, given, threshold) {
  const size = sizeOf(entry, given);
  /** @type {Json[]} */
  const listed = entry.people.slice(0, LIMITS.people);
  const lists = listed.map(listsOf);
  const fractions = inFractions(lists);
  const people = lists.map((found, index) =>
    readPerson(listed[index], index, arranged(found, fractions[index], size, threshold)),
  );
  return makeFrame(size.width, size.height, people.map((person) => made(person, threshold)));
}

/** @param {Scored} given @param {number} threshold @returns {Person} */
function made({ index, scored, estimated }, threshold) {
  const person = nobody(index);
  // A person whose scores all are 0 or 1 stays as it is whatever the threshold.
  for (const [point, x, y, score] of scored) {
    if (score !== 1 && score <= threshold) continue;
    person.flags[point] = FLAG.PRESENT | (point < MAIN_POINTS && estimated[point] ? FLAG.ESTIMATED : 0);
    person.xy[2 * point] = x;
    person.xy[2 * point + 1] = y;
  }
  return person;
}

/**
 * The frames written in a text, in pixels. Throws an Error with one sentence for anything that is no pose.
 * @param {string} text @param {{threshold?: number, size?: {width: number, height: number}}} [options] `size`: of the
 *   picture, for files that do not say
 * @returns {Frame[]}
 */
export function readOpenPose(text, { threshold = 0.3, size } = {}) {
  if (text.length > LIMITS.text) throw new Error("The pose is over 16 million characters long; choose another file.");
  let data;
  try {
    data = JSON.parse(text);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new Error(`The pose is not JSON (${message}); give OpenPose JSON as text or choose a .json file.`);
  }
  return framesOf(data).map((entry) => readFrame(entry, size, threshold));
}

/** @param {Part} part @param {Person} person */
function fits(part, person) {
  return Array.from({ length: part.count }, (_, index) => part.first + index).some((point) => isShown(person, point));
}

/** @param {Person} person @returns {Json} the person in POSE_KEYPOINT's dictionary */
function toKeypoints(person) {
  /** @type {Json} */
  const entry = { [BODY]: triples(person, PARTS.body) };
  for (const part of Object.values(PARTS)) if (fits(part, person)) entry[part.key] = triples(person, part);
  const marks = Array.from({ length: MAIN_POINTS }, (_, point) =>
    isShown(person, point) && person.flags[point] & FLAG.ESTIMATED ? 1 : 0,
  );
  if (marks.includes(1)) entry.recompose = { estimated: marks };
  return entry;
}

/** @param {Person} person @param {number} point */
const triple = (person, point) => (isShown(person, point) ? [...Object.values(place(person, point)), 1] : [0, 0, 0]);

/** @param {Person} person @returns {Json} */
function toBody25(person) {
  const { [PARTS.feet.key]: _, recompose: __, ...entry } = toKeypoints(person);
  const hips = [skeleton.R_HIP, skeleton.L_HIP].map((point) => triple(person, point));
  const both = hips.every(([, , score]) => score);
  const middle = [0, 1, 2].map((axis) => (both ? (hips[0][axis] + hips[1][axis]) / 2 : 0));
  const points = Array.from({ length: 25 }, () => middle);
  skeleton.BODY_25_BODY.forEach((row, point) => (points[row] = triple(person, point)));
  skeleton.BODY_25_FEET.forEach((row, index) => (points[row] = triple(person, PARTS.feet.first + index)));
  return { ...entry, [BODY]: points.flat() };
}

/** @param {Person} person @returns {Json} */
function toWholebody(person) {
  const points = Array.from({ length: 133 }, () => [0, 0, 0]);
  /** @param {readonly number[]} table @param {Part} part @param {number=} count */
  const write = (table, part, count) =>
    table.slice(0, count).forEach((row, index) => {
      if (row >= 0) points[row] = triple(person, part.first + index);
    });
  write(skeleton.WHOLEBODY_FEET, PARTS.feet);
  write(skeleton.WHOLEBODY_FACE, PARTS.face, skeleton.FACE_POINTS - 2);
  write(skeleton.WHOLEBODY_HAND_LEFT, PARTS.handLeft);
  write(skeleton.WHOLEBODY_HAND_RIGHT, PARTS.handRight);
  write(skeleton.WHOLEBODY_BODY, PARTS.body);
  return { [BODY]: points.flat() };
}

const WRITERS = { coco18: toKeypoints, body25: toBody25, wholebody: toWholebody };

/**
 * Frames as JSON: one as OpenPose's object, several as POSE_KEYPOINT's list. Hidden points are left out.
 * @param {readonly Frame[]} frames @param {Layout} [layout]
 */
export function writeOpenPose(frames, layout = "coco18") {
  const write = WRITERS[layout];
  if (!write) throw new Error(`Expected ${Object.keys(WRITERS).join(", ")} as layout, got ${layout}.`);
  const entries = frames.map(({ width, height, people }) => ({
    people: people.map(write),
    canvas_width: width,
    canvas_height: height,
  }));
  return JSON.stringify(entries.length === 1 ? entries[0] : entries);
}
