/** A person's flat lists, as other programs write them, to points. The same rules as bridge/pose_points.py. */

import { LIMITS } from "../model/types.js";
import { FACE_POINTS, PARTS } from "../model/skeleton.js";
import { COUNTS } from "./layouts.js";

/** @import { Size } from "../model/types.js" */

/**
 * @typedef {Record<string, number[][]>} Lists points as [x, y, score] by POSE_KEYPOINT's keys
 * @typedef {Record<string, any>} Json an object of a file, in which anything may stand
 */

export const SIDES = ["canvas_width", "canvas_height"];
// Lists in fractions may reach beyond the picture (a completed one to 2.2), lists in pixels much further.
const FRACTIONS = 2.5;
// Fewer different points than this may all lie in a corner of the picture.
const FEW = 3;
// Lists from -1 to 1 lie about the picture's middle, so most of their points have a negative coordinate.
const MOSTLY = 0.5;
const NUMBER = /^[ \t\r\n]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\r\n]*$/;
// The annotator writes a missing hand or face point as -1, -1 px, in fractions of a picture with a padding.
const MISSING = [-1.001, -0.999], MISSING_PADDED = [-1.001, -0.4];
const BODY = PARTS.body.key;
const CENTRED = "The pose's points lie between -1 and 1; they were read as OpenPose's keypoint scale -1…1.";

/** @param {unknown} value @returns {number} NaN for null; undefined, thrown as null, for what is no number */
function number(value) {
  if (value === null || value === undefined) return NaN;
  if (typeof value === "number") return value;
  if (typeof value === "string" && NUMBER.test(value)) return Number(value);
  throw null;
}

/** Points listed as [x, y] or [x, y, score] each, as one flat list. @param {unknown[]} values @returns {unknown[]} */
function flattened(values) {
  return values.flatMap((point) => {
    if (!Array.isArray(point) || (point.length !== 2 && point.length !== 3)) throw null;
    return point.length === 3 ? point : [...point, point[0] === 0 && point[1] === 0 ? 0 : 1];
  });
}

/** @param {Json} person @param {string} key @returns {number[]} */
function numbers(person, key) {
  const values = person[key] ?? [];
  try {
    if (!Array.isArray(values)) throw null;
    return (Array.isArray(values[0]) ? flattened(values) : values).map(number);
  } catch {
    throw new Error(`${key} must be a flat list of numbers x, y, score; check the pose file.`);
  }
}

/** @param {number} x @param {number} y */
const isFar = (x, y) => Math.max(Math.abs(x), Math.abs(y)) > LIMITS.coordinate;
/** @param {number} count */
const isLayout = (count) => COUNTS.includes(count);

/** @param {string} key @param {number} length */
function checkBody(key, length) {
  if (!length || (length % 3 === 0 && isLayout(length / 3))) return;
  if (length % 2 === 0 && isLayout(length / 2)) {
    throw new Error(
      `${key} holds ${length} numbers, which are ${length / 2} pairs x, y without a score; ` +
        "write three numbers x, y, score per point.",
    );
  }
  if (length % 3) {
    throw new Error(`${key} must hold whole triples x, y, score, got ${length} numbers; check the pose file.`);
  }
}

/**
 * The points under a part's key as [x, y, score] each, [0, 0, 0] for those that are absent. A hand, a face or feet of
 * another length are left out with a notice.
 * @param {Json} person @param {{key: string, count: number}} part @param {string[]} notices @returns {number[][]}
 */
export function pointsOf(person, { key, count }, notices) {
  const flat = numbers(person, key);
  const allowed = [0, count, key === PARTS.face.key ? FACE_POINTS - 2 : 0];
  if (key !== BODY && !allowed.includes(flat.length / 3)) {
    notices.push(
      `${key} holds ${flat.length} numbers, but ${count} points x, y, score are ${3 * count}; ` +
        "that part of the person was left out.",
    );
    return [];
  }
  if (key === BODY) checkBody(key, flat.length);
  let far = 0;
  const points = Array.from({ length: flat.length / 3 }, (_, row) => {
    const [x, y, score] = flat.slice(3 * row, 3 * row + 3);
    if (![x, y, score].every(Number.isFinite) || score < 0 || (x === -1 && y === -1)) return [0, 0, 0];
    // Before it is decided whether the list is in fractions, for one wild point must not decide it.
    if (!isFar(x, y)) return [x, y, score];
    far += Number(score > 0);
    return [0, 0, 0];
  });
  if (far) {
    notices.push(
      `${far} points of the pose lie far outside the picture (${key}) and were left out; check the pose.`,
    );
  }
  return points;
}

/**
 * The size the frame states, else the one given; an error where neither is known or it is no sensible size.
 * @param {Json} entry @param {Size|undefined} given @returns {Size}
 */
export function sizeOf(entry, given) {
  const keys = SIDES.some((key) => (entry[key] ?? null) !== null) ? SIDES : ["width", "height"];
  let sides = [NaN];
  try {
    sides = keys.map((key) => ((entry[key] ?? null) === null ? 0 : number(entry[key])));
  } catch {
    // What is no number is told below.
  }
  if (!sides.every(Number.isFinite)) {
    throw new Error("canvas_width and canvas_height must be whole numbers; check the pose file.");
  }
  const [width, height] = sides.map(Math.trunc);
  if (Math.max(width, height) > LIMITS.side) {
    throw new Error(
      `The pose's picture is ${width}×${height}, but a side may have at most ${LIMITS.side} px; check the pose file.`,
    );
  }
  if (width > 0 && height > 0) return { width, height };
  if (given) return given;
  throw new Error("The pose file does not say how large its picture is; set canvas_width and canvas_height.");
}

/**
 * @template T
 * @param {Lists} lists @param {(found: number[][], key: string) => T} change @returns {Record<string, T>}
 */
function mapped(lists, change) {
  return Object.fromEntries(Object.entries(lists).map(([key, found]) => [key, change(found, key)]));
}

/** @param {number[][]} found */
const shown = (found) => found.filter(([, , score]) => score > 0);
/** @param {number[][]} found */
const isFew = (found) => new Set(found.map(([x, y]) => `${x},${y}`)).size < FEW;
/** @param {number[][]} found @param {number} limit */
const isWithin = (found, limit) => found.every(([x, y]) => Math.max(Math.abs(x), Math.abs(y)) <= limit);

/**
 * Which lists of one frame are in fractions of the picture.
 * @param {Lists[]} people @returns {Record<string, boolean>[]}
 */
function inFractions(people) {
  const there = people.map((lists) => mapped(lists, shown));
  const mixed = there.some((lists) => !Object.values(lists).every((found) => isWithin(found, FRACTIONS)));
  return there.map((lists) =>
    mapped(lists, (found) => found.length > 0 && isWithin(found, FRACTIONS) && !(mixed && isFew(found))),
  );
}

/**
 * Whether the lists in fractions count from -1 to 1.
 * @param {Lists[]} people @param {Record<string, boolean>[]} fractions
 */
function isCentred(people, fractions) {
  const at = people.flatMap((lists, index) =>
    Object.entries(lists).flatMap(([key, found]) => (fractions[index][key] ? shown(found) : [])),
  );
  const negative = at.filter(([x, y]) => x < 0 || y < 0).length;
  return !isFew(at) && isWithin(at, 1) && negative / at.length > MOSTLY;
}

/** @param {number[]} point @param {Size} size @param {boolean} fractions @param {boolean} centred */
function inPicture([x, y, score], { width, height }, fractions, centred) {
  const present = score > 0;
  if (fractions && present) {
    if (centred) [x, y] = [(x + 1) / 2, (y + 1) / 2];
    [x, y] = [x * width, y * height];
  }
  const [low, high] = fractions ? MISSING_PADDED : MISSING;
  const missing = present && [x, y].every((value) => value > low && value < high);
  return missing || isFar(x, y) ? [0, 0, 0] : [x, y, score];
}

/**
 * One frame's lists with those in fractions of the picture in its pixels.
 * @param {Lists[]} people @param {Size} size @param {string[]} notices @returns {Lists[]}
 */
export function inPixels(people, size, notices) {
  const fractions = inFractions(people);
  const centred = isCentred(people, fractions);
  if (centred) notices.push(CENTRED);
  return people.map((lists, index) =>
    mapped(lists, (found, key) => found.map((point) => inPicture(point, size, fractions[index][key], centred))),
  );
}
