/**
 * The edit as one short string, the node's only memory; read and written the same way by core/pose/edited.py.
 *
 *   {"version": 1, "frames": {"0": {"size": [width, height], "fingerprint": "16 hexadecimal digits or empty",
 *     "people": [{"from": 0, "flags": "1130…", "xy": [x, y, …]}]}}}
 *
 * Only edited frames are there, by their number in the batch. `flags` has one hexadecimal digit per point (1 present,
 * 2 estimated, 4 locked, 8 hidden; 0 absent; zeros at the end left out), `xy` the present points' coordinates in
 * sixteenths of a pixel. Nothing edited is the empty string.
 */

import { FLAG, LIMITS, STEPS_PER_PIXEL, VALUE_VERSION } from "../model/types.js";
import { POINTS } from "../model/skeleton.js";
import { isPresent, makeFrame, nobody } from "../model/people.js";

/** @import { Frame, Person } from "../model/types.js" */

/** @param {readonly Frame[]} frames @returns {string} */
export function serialise(frames) {
  /** @type {Record<number, object>} */
  const edited = {};
  frames.forEach((frame, index) => {
    if (frame.edited) {
      const { width, height, fingerprint, people } = frame;
      edited[index] = { size: [width, height], fingerprint, people: people.map(written) };
    }
  });
  return Object.keys(edited).length ? JSON.stringify({ version: VALUE_VERSION, frames: edited }) : "";
}

/** @param {Person} person */
function written(person) {
  const flags = Array.from(person.flags, (bits) => (bits & FLAG.PRESENT ? bits.toString(16) : "0")).join("");
  const xy = [];
  for (let point = 0; point < POINTS; point++) {
    if (isPresent(person, point)) {
      xy.push(...[0, 1].map((axis) => Math.floor(person.xy[2 * point + axis] * STEPS_PER_PIXEL + 0.5) + 0));
    }
  }
  return { from: person.from, flags: flags.replace(/0+$/, ""), xy };
}

/**
 * What a text holds: edited frames by their number, and a sentence per kind of damage. Never throws; what is whole
 * in a damaged text is kept.
 * @param {unknown} text @returns {{frames: Map<number, Frame>, notices: string[]}}
 */
export function parse(text) {
  const frames = new Map();
  if (typeof text === "string" && text.trim() === "") return { frames, notices: [] };
  const record = readJson(text);
  if (!isRecord(record) || !isRecord(record.frames)) return { frames, notices: [NOTICE.damaged] };
  if (record.version !== VALUE_VERSION) return { frames, notices: [NOTICE.version] };
  let lost = 0;
  for (const [key, entry] of Object.entries(record.frames)) {
    const read = /^(0|[1-9][0-9]{0,3})$/.test(key) && Number(key) < LIMITS.frames ? readFrame(entry) : null;
    if (read) frames.set(Number(key), read.frame);
    lost += read ? read.lost : 1;
  }
  return { frames, notices: lost ? [NOTICE.parts] : [] };
}

/** The sentences a damaged value leads to; core/pose/edited.py says the same. */
const NOTICE = Object.freeze({
  damaged: "The saved edit is damaged and cannot be read; the incoming pose is used until you edit it again.",
  version: "The saved edit was made by another version of Edit Pose; the incoming pose is used, update the pack.",
  parts: "Parts of the saved edit are damaged and were left out; check the pose.",
});

/** @param {unknown} text @returns {unknown} */
function readJson(text) {
  if (typeof text !== "string" || text.length > LIMITS.text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @param {number} low @param {number} high @returns {value is number} */
function isWhole(value, low, high) {
  return typeof value === "number" && Number.isInteger(value) && value >= low && value <= high;
}

/** @param {unknown} entry @returns {{frame: Frame, lost: number}|null} */
function readFrame(entry) {
  if (!isRecord(entry) || !Array.isArray(entry.size) || !Array.isArray(entry.people)) return null;
  const { size, fingerprint } = entry;
  if (size.length !== 2 || !size.every((side) => isWhole(side, 1, LIMITS.side))) return null;
  const kept = entry.people.slice(0, LIMITS.people).map(readPerson);
  const people = kept.filter((person) => person !== null);
  // Nobody can be read; to take that for "everybody was deleted" would empty the picture.
  if (kept.length && !people.length) return null;
  const known = typeof fingerprint === "string" && /^([0-9a-f]{16})?$/.test(fingerprint);
  const frame = makeFrame(size[0], size[1], people, known ? fingerprint : "", true);
  return { frame, lost: entry.people.length - people.length + (known ? 0 : 1) };
}

/** @param {unknown} entry @returns {Person|null} */
function readPerson(entry) {
  if (!isRecord(entry) || typeof entry.flags !== "string" || !Array.isArray(entry.xy)) return null;
  const { flags, xy, from = -1 } = entry;
  if (flags.length > POINTS || !/^[013579bdf]*$/.test(flags) || !isWhole(from, -1, LIMITS.people)) return null;
  const points = [...flags].flatMap((digit, point) => (digit === "0" ? [] : [point]));
  const farthest = LIMITS.coordinate * STEPS_PER_PIXEL;
  if (xy.length !== 2 * points.length || !xy.every((value) => isWhole(value, -farthest, farthest))) return null;
  const person = nobody(from);
  points.forEach((point, index) => {
    person.flags[point] = parseInt(flags[point], 16);
    person.xy[2 * point] = xy[2 * index] / STEPS_PER_PIXEL + 0;
    person.xy[2 * point + 1] = xy[2 * index + 1] / STEPS_PER_PIXEL + 0;
  });
  return person;
}
