/** The forms in which programs hand poses on, brought to frames with people. The same as bridge/pose_forms.py. */

import { PARTS } from "../model/skeleton.js";
import { SIDES } from "./points.js";

/** @import { Json } from "./points.js" */

const KEYS = Object.values(PARTS).map(({ key }) => key);
const BODY = PARTS.body.key;
// OpenPose before 1.2 wrote the keys without the "_2d".
const OLD = new Map(KEYS.map((key) => [key.replace(/_2d$/, ""), key]));
const PERSON = [...KEYS, ...OLD.keys(), "keypoints"];
const SCORES = ["keypoint_scores", "scores"];
// How deep lists of lists and groups of groups may be.
const DEEPEST = 4;
// What of a frame's record other programs call its people.
const GROUPS = ["people", "instances", "annotations", "predictions", "instance_info", "poses"];
const NAMES = 5;

/** @param {unknown} value @returns {value is Json} */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value */
function kind(value) {
  if (value === null) return "null";
  if (typeof value === "string") return "text";
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "another object" : `a ${typeof value}`;
}

/** @param {unknown} value */
function noPose(value) {
  return new Error(
    'The pose must be OpenPose JSON, an object with a list "people" or a list of such objects, ' +
      `but is ${kind(value)}; export it again from the pose detector or editor.`,
  );
}

/** @param {unknown} value @param {readonly string[]} keys @returns {value is Json} */
const hasAny = (value, keys) => isRecord(value) && keys.some((key) => Object.hasOwn(value, key));
/** @param {unknown} value */
const isPerson = (value) => hasAny(value, PERSON);
/** @param {unknown} value */
const isFrame = (value) => hasAny(value, [...GROUPS, ...SIDES]);

/** @param {unknown} value @returns {Json} */
function checked(value) {
  if (!isRecord(value)) {
    throw new Error(`Every person and every frame must be a JSON object, got ${kind(value)}; check the pose file.`);
  }
  return value;
}

/** @param {Json} record @param {readonly string[]} keys */
function without(record, keys) {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

/** Points with the scores that are listed beside them. @param {any} points @param {any} scores */
function scored(points, scores) {
  if (!Array.isArray(scores) || !Array.isArray(points) || !points.every(Array.isArray)) return points;
  if (scores.length !== points.length) {
    throw new Error(
      `The pose lists ${points.length} keypoints but ${scores.length} scores; list one score per point.`,
    );
  }
  const flat = scores.map((score) => (Array.isArray(score) && score.length === 1 ? score[0] : score));
  return points.map((point, index) => [...point.slice(0, 2), flat[index]]);
}

/** Ultralytics' x, y and visible, one list each, as points. @param {Json} points @param {any} scores */
function ofColumns({ x, y, visible }, scores) {
  if (!Array.isArray(x) || !Array.isArray(y) || x.length !== y.length) {
    throw new Error("keypoints must have as many x as y; export the pose again.");
  }
  const listed = [scores, visible].find(Array.isArray);
  // A point that was not found is at 0, 0.
  const found = listed ?? x.map((value, index) => (value === 0 && y[index] === 0 ? 0 : 1));
  return scored(x.map((value, index) => [value, y[index]]), found);
}

/** A person with POSE_KEYPOINT's keys. @param {unknown} given @returns {Json} */
function person(given) {
  const record = checked(given);
  if (Object.hasOwn(record, BODY) || !isPerson(record)) return record;
  const result = Object.fromEntries(Object.entries(record).map(([key, value]) => [OLD.get(key) ?? key, value]));
  if (Object.hasOwn(result, BODY) || !Object.hasOwn(result, "keypoints")) return result;
  const key = SCORES.find((each) => Object.hasOwn(result, each));
  const scores = key === undefined ? null : result[key];
  return { ...result, [BODY]: (isRecord(result.keypoints) ? ofColumns : scored)(result.keypoints, scores) };
}

/**
 * The people of a frame as POSE_KEYPOINT has them, at most `most`.
 * @param {Json} frame @param {number} most @returns {Json[]}
 */
export function peopleOf({ people }, most) {
  const listed = isRecord(people) ? (isPerson(people) ? [people] : Object.values(people)) : (people ?? []);
  const found = Array.isArray(listed) ? listed : [listed];
  return found.filter((entry) => entry !== null).slice(0, most).map(person);
}

/** @param {Json} record */
const statedSize = (record) =>
  Object.fromEntries([...SIDES, "width", "height"].filter((key) => key in record).map((key) => [key, record[key]]));

/** @param {any} value */
function depthOf(value) {
  let depth = 0;
  for (; Array.isArray(value) && value.length && depth < DEEPEST; value = value[0]) depth++;
  return depth;
}

/** An editor's "keypoints": one person's, or one list of points per person. @param {Json} record @returns {Json} */
function ofKeypoints(record) {
  const points = record.keypoints;
  const key = SCORES.find((each) => Object.hasOwn(record, each));
  const scores = key === undefined ? null : record[key];
  if (!Array.isArray(points) || (points.length && depthOf(points) !== 3)) {
    return { ...statedSize(record), people: [record] };
  }
  const listed = Array.isArray(scores) && scores.length === points.length;
  const people = points.map((each, index) => ({ keypoints: each, ...(listed && { scores: scores[index] }) }));
  return {
    ...without(record, ["keypoints", ...SCORES]),
    people: people.filter(({ keypoints }) => keypoints !== null),
  };
}

/**
 * COCO's results or annotations as one frame per picture.
 * @param {any[]} people @param {any} [pictures] @returns {Json[]}
 */
function byPicture(people, pictures) {
  /** @param {any} value */
  const isObject = (value) => typeof value === "object" && value !== null;
  /** @param {any} value */
  const plain = (value) => (isObject(value) ? null : value) ?? null;
  const sizes = new Map();
  for (const each of Array.isArray(pictures) ? pictures : []) {
    if (isRecord(each) && !isObject(each.id)) sizes.set(plain(each.id), { width: each.width, height: each.height });
  }
  const frames = new Map([...sizes.keys()].map((key) => [key, /** @type {any[]} */ ([])]));
  for (const each of people) {
    const key = isRecord(each) ? plain(each.image_id) : null;
    frames.set(key, [...(frames.get(key) ?? []), each]);
  }
  return [...frames].map(([key, found]) => ({ ...sizes.get(key), people: found }));
}

/** @param {Json} record @param {string[]} notices @param {number} depth @returns {Json[]} */
function ofNamed(record, notices, depth) {
  const names = Object.keys(record).map((name) => name.slice(0, 40));
  const first = names.slice(0, NAMES).join(", ") + (names.length > NAMES ? ", …" : "");
  notices.push(`The pose file holds ${names.length} named poses (${first}); each one became a frame.`);
  return Object.values(record).flatMap((value) => framesOf(value, notices, depth + 1));
}

/** @param {Json} record @param {string[]} notices @param {number} depth @returns {Json[]} */
function ofRecord(record, notices, depth) {
  const group = GROUPS.find((key) => Object.hasOwn(record, key));
  if (group === "people") return [record];
  if (group === "instances") return [{ ...without(record, [group]), people: record[group] }];
  if (group === "annotations") return byPicture([record[group]].flat(), record.images);
  if (group !== undefined) return framesOf(record[group], notices, depth + 1);
  if (!Object.hasOwn(record, BODY) && Object.hasOwn(record, "keypoints")) return [ofKeypoints(record)];
  if (isPerson(record)) return [{ ...statedSize(record), people: [record] }];
  if (isFrame(record)) return [record];
  const values = Object.values(record);
  if (!values.length || !values.every((value) => isFrame(value) || isPerson(value))) throw noPose(record);
  return ofNamed(record, notices, depth);
}

/**
 * The frames in whatever holds a pose; their people are still as they came.
 * @param {unknown} data @param {string[]} notices @param {number} [depth] @returns {Json[]}
 */
export function framesOf(data, notices, depth = 0) {
  if (depth > DEEPEST) throw noPose(data);
  if (isRecord(data)) return ofRecord(data, notices, depth);
  if (!Array.isArray(data)) throw noPose(data);
  if (data.length && data.every(Array.isArray)) {
    // Somebody's list per picture; a picture without people is an empty frame.
    return data.flatMap((entry) => {
      const found = framesOf(entry, notices, depth + 1);
      return found.length ? found : [{ people: [] }];
    });
  }
  if (data.length && data.every((entry) => isPerson(entry) && !isFrame(entry))) return byPicture(data);
  data.forEach(checked);
  return data.flatMap((entry) => ofRecord(entry, notices, depth));
}
