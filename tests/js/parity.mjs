/** Answers questions on standard input, one JSON object per line, by the editor's own modules; see test_js_parity.py. */

import { createInterface } from "node:readline";

import { extensionNeeded } from "../../js/.modules/pose/estimate/extension.js";
import { fingerprint } from "../../js/.modules/pose/io/fingerprint.js";
import { readEstimates, readReport } from "../../js/.modules/pose/io/bridge.js";
import { rescaled } from "../../js/.modules/pose/model/fit.js";
import { makeFrame } from "../../js/.modules/pose/model/people.js";
import { boundingBox } from "../../js/.modules/pose/model/geometry.js";
import { readOpenPose, writeOpenPose } from "../../js/.modules/pose/io/openpose.js";
import { stature } from "../../js/.modules/pose/estimate/proportions.js";
import { templatePerson } from "../../js/.modules/pose/edit/presets.js";
import * as skeleton from "../../js/.modules/pose/model/skeleton.js";
import { shownFrame, start as createState, update, valueOf } from "../../js/.modules/pose/edit/state.js";
import { parse } from "../../js/.modules/pose/io/value.js";
import { blank, drawStroke } from "../../js/.modules/sketch/model/draw.js";
import * as sketches from "../../js/.modules/sketch/model/strokes.js";

const first = (pose) => readOpenPose(JSON.stringify(pose))[0];
const toKeypoints = (person) => JSON.parse(writeOpenPose([makeFrame(1, 1, [person])])).people[0];

const ANSWERS = {
  skeleton: () => ({ ...skeleton }),
  measure: ({ pose }) => {
    const frame = first(pose);
    return {
      statures: frame.people.map(stature),
      extension: Object.values(extensionNeeded(frame)),
      box: boundingBox(frame.people),
      fingerprint: fingerprint(frame),
    };
  },
  session: ({ output, events }) => {
    const start = update(createState(), { type: "detected", report: readReport(output) });
    const estimated = ({ answer, ...event }) => (answer ? { ...event, estimate: readEstimates(answer)[0] } : event);
    const state = events.map(estimated).reduce(update, start);
    return { value: valueOf(state), shown: writeOpenPose([shownFrame(state)]) };
  },
  template: ({ width, height }) => toKeypoints(templatePerson(width, height)),
  read: ({ text, size }) => {
    const notices = [];
    try {
      const frames = readOpenPose(text, { size, notices });
      return { notices, frames: frames.map((frame) => ({ ...frame, people: frame.people.map(toKeypoints) })) };
    } catch (error) {
      return { error: error.message };
    }
  },
  sketch: ({ text, width, height }) => {
    const drawing = sketches.parse(text), size = { width, height }, layers = blank(size);
    for (const stroke of sketches.rescaled(drawing, size)) drawStroke(layers, stroke);
    const { there, colours } = layers, pixels = { ...there, colours };
    const texts = Object.entries(pixels).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]);
    const again = drawing.size && drawing.strokes.length ? sketches.written(drawing.size, drawing.strokes) : "";
    return { ...Object.fromEntries(texts), again, damage: drawing.damage };
  },
  write: ({ pose, layout }) => writeOpenPose([first(pose)], layout),
  parse: ({ text, size }) => {
    const { frames, notices } = parse(text);
    const people = ({ people }) => people.map(({ from, flags, xy }) => ({ from, flags: [...flags], xy: [...xy] }));
    const fitted = (frame) => (size ? rescaled(frame, ...size) : frame);
    const found = [...frames].map(([index, frame]) => [
      index,
      { size: [frame.width, frame.height], fingerprint: frame.fingerprint, people: people(fitted(frame)) },
    ]);
    return { frames: Object.fromEntries(found), notices };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...question } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(ANSWERS[ask](question))}\n`);
}
