/** Between the node and the state; of the node it knows only {name, value} widgets and the plain JSON of its result. */

import { BLANK, FLAG, INPUTS, LIMITS, REPORT } from "../model/types.js";
import { MAIN_POINTS, PARTS } from "../model/skeleton.js";
import { makeFrame, nobody, put, quantisedFrame } from "../model/people.js";
import { fingerprint } from "./fingerprint.js";

/** @typedef {import("../model/types.js").Frame} Frame @typedef {{name: string, value: unknown}} Widget */

/** The value of one of the node's widgets, `fallback` where it is missing. @param {Widget[]} widgets */
function readWidget(widgets, name, fallback) {
  return widgets?.find((widget) => widget.name === name)?.value ?? fallback;
}

/** What state.start needs, whatever the widgets hold. @param {Widget[]} widgets */
export function readStart(widgets) {
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
 * @param {object} output what onExecuted gets
 */
export function readReport(output) {
  const report = output?.[REPORT]?.[0];
  if (!report || !Array.isArray(report.pose)) return null;
  const incoming = report.pose.slice(0, LIMITS.frames).map(readFrame);
  return {
    incoming,
    pictures: incoming.map((_, index) => readPicture(report.pictures?.[index])),
    replaced: listOf(report.replaced, Number.isInteger),
    notices: listOf(report.notices, (notice) => typeof notice === "string"),
  };
}

/** The people in the answer of the route that completes poses, in the order asked; null where there are none. */
export function readEstimates(answer) {
  return readFrame(answer?.pose?.[0])?.people ?? null;
}

function listOf(value, wanted) {
  return Array.isArray(value) ? value.filter(wanted) : [];
}

function readPicture(picture) {
  const { filename, subfolder = "", type = "temp" } = picture ?? {};
  if (typeof filename !== "string" || !filename) return null;
  return { filename, subfolder: String(subfolder), type: String(type) };
}

/** One frame of POSE_KEYPOINT in pixels with scores 0 or 1. @param {object} entry @returns {Frame|null} */
function readFrame(entry) {
  const [width, height] = [entry?.canvas_width, entry?.canvas_height];
  if (![width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= LIMITS.side)) return null;
  const people = (Array.isArray(entry.people) ? entry.people : []).slice(0, LIMITS.people).map(readPerson);
  const frame = makeFrame(width, height, people);
  const known = typeof entry.fingerprint === "string" ? entry.fingerprint : fingerprint(frame);
  return { ...quantisedFrame(frame), fingerprint: known };
}

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
  return person;
}
