/**
 * Pose files: OpenPose's JSON and its relatives, read as bridge/pose_json.py reads them, and written as COCO-18 (also
 * POSE_KEYPOINT), BODY_25 or COCO-WholeBody's 133 points.
 */

import { FLAG, LIMITS } from "../model/types.js";
import { settled } from "../model/hands.js";
import { isShown, makeFrame, nobody, place, put, triples, withGuesses } from "../model/people.js";
import * as skeleton from "../model/skeleton.js";
import { MAIN_POINTS, PARTS } from "../model/skeleton.js";
import { framesOf, peopleOf } from "./forms.js";
import { inOrder } from "./layouts.js";
import { inPixels, pointsOf, sizeOf } from "./points.js";

/** @import { Frame, Part, Person, Size } from "../model/types.js" */
/** @import { Json, Lists } from "./points.js" */

/** @typedef {"coco18"|"body25"|"wholebody"} Layout */

const BODY = PARTS.body.key;

/** Which of the 24 points are guesses. @param {Json} entry @returns {unknown[]} */
function marksOf(entry) {
  const settings = entry.recompose || {};
  if (typeof settings !== "object" || (Array.isArray(settings) && settings.length)) {
    throw new Error('A person\'s "recompose" must be an object; remove it from the pose or check the pose file.');
  }
  const marks = settings.estimated || [];
  if (!Array.isArray(marks) || !marks.every((mark) => mark === null || ["number", "boolean"].includes(typeof mark))) {
    throw new Error(
      'A person\'s "estimated" must be a list of 0 and 1 for the 24 points of body and feet; ' +
        "remove it from the pose or check the pose file.",
    );
  }
  return marks;
}

/** @param {Json} entry @param {number} index @param {Lists} lists @param {number} threshold @returns {Person} */
function made(entry, index, lists, threshold) {
  const person = nobody(index), marks = marksOf(entry);
  for (const { key, first } of Object.values(PARTS)) {
    lists[key].forEach(([x, y, score], row) => {
      const point = first + row;
      // A person whose scores all are 0 or 1 stays as it is whatever the threshold.
      if (!(score > 0) || (score !== 1 && score <= threshold)) return;
      person.flags[point] = FLAG.PRESENT | (point < MAIN_POINTS && marks[point] ? FLAG.ESTIMATED : 0);
      put(person, point, x, y);
    });
  }
  return withGuesses(settled(person), entry.recompose);
}

/**
 * Scores above `threshold` count as present; lists in fractions of the picture become pixels.
 * @param {Json} entry @param {Size|undefined} given @param {number} threshold @param {string[]} notices
 * @returns {Frame}
 */
function readFrame(entry, given, threshold, notices) {
  const size = sizeOf(entry, given);
  const listed = peopleOf(entry, LIMITS.people + 1);
  if (listed.length > LIMITS.people) {
    listed.pop();
    notices.push(`A frame holds more than ${LIMITS.people} people; the editor takes the first ${LIMITS.people}.`);
  }
  const parts = Object.values(PARTS);
  /** @param {Json} each */
  const listsOf = (each) => Object.fromEntries(parts.map((part) => [part.key, pointsOf(each, part, notices)]));
  const lists = listed.map(listsOf);
  const people = inPixels(lists, size, notices).map((found, index) =>
    made(listed[index], index, inOrder(found, threshold), threshold),
  );
  return makeFrame(size.width, size.height, people);
}

/** JSON, with Python's NaN and Infinity as infinite numbers. @param {string} text @returns {unknown} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    /** @param {string} found */
    const plainly = (found) => (found[0] === '"' ? found : found[0] === "-" ? "-1e999" : "1e999");
    const plain = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, plainly);
    if (plain === text) throw error;
    return JSON.parse(plain);
  }
}

/**
 * The frames written in a text, in pixels. Throws an Error with one sentence for anything that is no pose.
 * @param {string} text @param {{threshold?: number, size?: Size, notices?: string[]}} [options] `size`: of the
 *   picture, for files that do not say; `notices`: gets a sentence for everything that was left out
 * @returns {Frame[]}
 */
export function readOpenPose(text, { threshold = 0.3, size, notices = [] } = {}) {
  if (text.length > LIMITS.text) throw new Error("The pose is over 16 million characters long; choose another file.");
  let data;
  try {
    data = parsed(text.replace(/^\ufeff/, ""));
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new Error(`The pose is not JSON (${message}); give OpenPose JSON as text or choose a .json file.`);
  }
  const found = framesOf(data, notices);
  if (!found.length) throw new Error("The pose has no frame; choose a file with one frame per picture.");
  return found.map((entry) => readFrame(entry, size, threshold, notices));
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
