/** Between the node and the state; of the node it knows only {name, value} widgets and the plain JSON of its result. */

import { BLANK, FLAG, INPUTS, LIMITS, REPORT } from "../model/types.js";
import { MAIN_POINTS, PARTS } from "../model/skeleton.js";
import { makeFrame, nobody, put, quantisedFrame, withGuesses } from "../model/people.js";
import { fingerprint } from "./fingerprint.js";

/** @import { Frame, Person, Picture, Report, Widget } from "../model/types.js" */

/**
 * The value of one of the node's widgets, `fallback` where it is missing.
 * @param {readonly Widget[]|undefined} widgets @param {string} name @param {unknown} fallback @returns {unknown}
 */
function readWidget(widgets, name, fallback) {
  return widgets?.find((widget) => widget.name === name)?.value ?? fallback;
}

/** What state.start needs, whatever the widgets hold. @param {readonly Widget[]|undefined} widgets */
export function readStart(widgets) {
  /** @param {string} name */
  const side = (name) => {
    const value = Number(readWidget(widgets, name, 0));
    return Number.isInteger(value) && value >= 1 && value <= LIMITS.side ? value : null;
  };
  const value = readWidget(widgets, INPUTS.edit, "");
  return {
    width: side(INPUTS.width) ?? BLANK.width,
    height: side(INPUTS.height) ?? BLANK.height,
    value: typeof value === "string" ? value : JSON.stringify(value) ?? "",
  };
}

/**
 * The node's result as the `report` of the event `detected`: {incoming, pictures, replaced, notices}; null where the
 * result holds none. Malformed frames become null.
 * @param {any} output what onExecuted gets @returns {Report|null}
 */
export function readReport(output) {
  const report = output?.[REPORT]?.[0];
  if (!report || !Array.isArray(report.pose)) return null;
  /** @type {(Frame|null)[]} */
  const incoming = report.pose.slice(0, LIMITS.frames).map(readFrame);
  return {
    incoming,
    pictures: incoming.map((_, index) => readPicture(report.pictures?.[index])),
    replaced: listOf(report.replaced, Number.isInteger),
    notices: listOf(report.notices, (notice) => typeof notice === "string"),
  };
}

/**
 * The people in the answer of the route that completes poses, in the order asked; null where there are none.
 * @param {any} answer @returns {readonly Person[]|null}
 */
export function readEstimates(answer) {
  return readFrame(answer?.pose?.[0])?.people ?? null;
}

/** @param {unknown} value @param {(entry: unknown) => boolean} wanted @returns {any[]} */
function listOf(value, wanted) {
  return Array.isArray(value) ? value.filter(wanted) : [];
}

/** @param {any} picture @returns {Picture|null} */
function readPicture(picture) {
  const { filename, subfolder = "", type = "temp" } = picture ?? {};
  if (typeof filename !== "string" || !filename) return null;
  return { filename, subfolder: String(subfolder), type: String(type) };
}

/** One frame of POSE_KEYPOINT in pixels with scores 0 or 1. @param {any} entry @returns {Frame|null} */
function readFrame(entry) {
  const [width, height] = [entry?.canvas_width, entry?.canvas_height];
  if (![width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= LIMITS.side)) return null;
  const people = (Array.isArray(entry.people) ? entry.people : []).slice(0, LIMITS.people).map(readPerson);
  const frame = makeFrame(width, height, people);
  const known = typeof entry.fingerprint === "string" ? entry.fingerprint : fingerprint(frame);
  return { ...quantisedFrame(frame), fingerprint: known };
}

/** @param {any} entry @param {number} index @returns {Person} */
function readPerson(entry, index) {
  const person = nobody(index);
  const estimated = Array.isArray(entry?.recompose?.estimated) ? entry.recompose.estimated : [];
  for (const { key, first, count } of Object.values(PARTS)) {
    const flat = Array.isArray(entry?.[key]) ? entry[key] : [];
    for (let row = 0; row < count; row++) {
      const [x, y, score] = flat.slice(3 * row, 3 * row + 3);
      if (![x, y].every(Number.isFinite) || !(score > 0)) continue;
      const guessed = first + row < MAIN_POINTS && estimated[first + row];
      person.flags[first + row] = FLAG.PRESENT | (guessed ? FLAG.ESTIMATED : 0);
      put(person, first + row, x, y);
    }
  }
  return withGuesses(person, entry?.recompose);
}
