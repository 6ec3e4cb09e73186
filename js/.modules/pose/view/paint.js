/** Draws people, frame and handles on a canvas of the stage. Reads records, changes nothing but pixels. */

import { ALL_LIMBS, BODY_POINTS, MAIN_POINTS, POINTS, POINT_NAMES } from "../model/skeleton.js";
import { FLAG } from "../model/types.js";
import { toStage } from "../../canvas/camera.js";

/** @import { Box, Camera } from "../../canvas/camera.js" */
/** @import { Frame, Person, Sides } from "../model/types.js" */

/**
 * 
 * 
 *
 * @typedef {object} Look The colours of the page around the editor.
 * @property {string} accent @property {string} onAccent @property {string} edge @property {string} halo
 * @property {number} width of the stage @property {number} height
 *
 * @typedef {{halo: string, alpha: number}} Layer How the people of one layer look.
 */

/** Left, right and middle keep apart for all kinds of colour vision (Okabe and Ito), and by shape. */
export const SIDE_COLORS = ["#56b4e9", "#e69f00", "#f4f4f4"];
const LEFT = 0, RIGHT = 1, MIDDLE = 2;
const BESIDE = 14; // px from an edge to the middle of what is said of it
export const SIDE = POINT_NAMES.map((name) =>
  name.startsWith("left") ? LEFT : name.startsWith("right") ? RIGHT : MIDDLE,
);
/** Hands and face are shown as points that can be gripped only where their points stand this far apart. */
const DETAIL_SPACING = 5;

const BODY_LIMBS = ALL_LIMBS.findIndex(([, lower]) => lower >= MAIN_POINTS);

/**
 * The mean distance between neighbours in a person's hands and face on the stage; 0 without any.
 * @param {Person} person @param {Camera} camera
 */
function detailSpacing(person, camera) {
  let sum = 0, count = 0;
  for (let point = MAIN_POINTS + 1; point < POINTS; point++) {
    if (!(person.flags[point] & person.flags[point - 1] & FLAG.PRESENT)) continue;
    const dx = person.xy[2 * point] - person.xy[2 * point - 2];
    const dy = person.xy[2 * point + 1] - person.xy[2 * point - 1];
    sum += Math.hypot(dx, dy);
    count++;
  }
  return count ? (sum / count) * camera.scale : 0;
}

/** Whether a person's hands and face are large enough to be gripped. @param {Person} person @param {Camera} camera */
export function detailed(person, camera) {
  return detailSpacing(person, camera) >= DETAIL_SPACING;
}

/** Lines of one look, collected so that all are stroked at once. */
class Strokes {
  constructor() {
    /** @type {Map<string, Path2D>} */
    this.paths = new Map();
  }

  /** The path for a look. @param {string} key @returns {Path2D} */
  get(key) {
    let path = this.paths.get(key);
    if (!path) this.paths.set(key, (path = new Path2D()));
    return path;
  }
}

/** @param {Strokes} strokes @param {Person} person @param {Camera} camera @param {boolean} hidden */
function collectLimbs(strokes, person, camera, hidden) {
  const { xy, flags } = person;
  ALL_LIMBS.forEach(([a, b], limb) => {
    const both = flags[a] & flags[b];
    if (!(both & FLAG.PRESENT)) return;
    const faint = (flags[a] | flags[b]) & FLAG.HIDDEN;
    if (faint && !hidden) return;
    const guessed = (flags[a] | flags[b]) & FLAG.ESTIMATED;
    const fine = limb >= BODY_LIMBS;
    const path = strokes.get(`${SIDE[b]}|${guessed ? 1 : 0}|${fine ? 1 : 0}|${faint ? 1 : 0}`);
    path.moveTo((xy[2 * a] - camera.x) * camera.scale, (xy[2 * a + 1] - camera.y) * camera.scale);
    path.lineTo((xy[2 * b] - camera.x) * camera.scale, (xy[2 * b + 1] - camera.y) * camera.scale);
  });
}

/**
 * A disc for the left and the middle, a diamond for the right.
 * @param {Path2D} path @param {number} side @param {number} x @param {number} y @param {number} radius
 */
function addMark(path, side, x, y, radius) {
  if (side === RIGHT) {
    const reach = radius * 1.25;
    path.moveTo(x, y - reach);
    path.lineTo(x + reach, y);
    path.lineTo(x, y + reach);
    path.lineTo(x - reach, y);
    path.closePath();
  } else {
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
  }
}

/**
 * @param {Strokes} marks @param {Person} person @param {Camera} camera @param {number} radius @param {boolean} hidden
 */
function collectMarks(marks, person, camera, radius, hidden) {
  const { xy, flags } = person;
  const large = detailed(person, camera);
  for (let point = 0; point < POINTS; point++) {
    if (!(flags[point] & FLAG.PRESENT)) continue;
    const faint = flags[point] & FLAG.HIDDEN;
    if (faint && !hidden) continue;
    const x = (xy[2 * point] - camera.x) * camera.scale, y = (xy[2 * point + 1] - camera.y) * camera.scale;
    if (point >= MAIN_POINTS && !large) {
      marks.get(`${SIDE[point]}|dot|0`).rect(x - 0.75, y - 0.75, 1.5, 1.5);
      continue;
    }
    const size = point < BODY_POINTS ? radius : point < MAIN_POINTS ? radius * 0.8 : radius * 0.55;
    const kind = flags[point] & FLAG.ESTIMATED ? "hollow" : "full";
    addMark(marks.get(`${SIDE[point]}|${kind}|${faint ? 1 : 0}`), SIDE[point], x, y, size);
    if (flags[point] & FLAG.LOCKED) marks.get("lock").rect(x - size - 3, y - size - 3, 2 * size + 6, 2 * size + 6);
  }
}

/** @param {CanvasRenderingContext2D} context @param {Strokes} strokes @param {Layer} look @param {number} width */
function strokeLimbs(context, strokes, look, width) {
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const [key, path] of strokes.paths) {
    const [side, guessed, fine, faint] = key.split("|").map(Number);
    const thin = fine ? width * 0.45 : width;
    context.globalAlpha = look.alpha * (faint ? 0.35 : 1);
    context.setLineDash([]);
    context.strokeStyle = look.halo;
    context.lineWidth = thin + (fine ? 1.2 : 2.4);
    if (guessed) context.globalAlpha *= 0.55;
    context.stroke(path);
    context.globalAlpha = look.alpha * (faint ? 0.35 : 1);
    context.setLineDash(guessed ? [thin * 2.2, thin * 2] : []);
    context.strokeStyle = SIDE_COLORS[side];
    context.lineWidth = thin;
    context.stroke(path);
  }
  context.setLineDash([]);
}

/** @param {CanvasRenderingContext2D} context @param {Strokes} marks @param {Layer} look */
function paintMarks(context, marks, look) {
  for (const [key, path] of marks.paths) {
    if (key === "lock") {
      context.globalAlpha = look.alpha;
      context.strokeStyle = look.halo;
      context.lineWidth = 3;
      context.stroke(path);
      context.strokeStyle = "#ffffff";
      context.lineWidth = 1.2;
      context.stroke(path);
      continue;
    }
    const [side, kind, faint] = key.split("|");
    context.globalAlpha = look.alpha * (faint === "1" ? 0.4 : 1);
    context.fillStyle = kind === "hollow" ? look.halo : SIDE_COLORS[Number(side)];
    if (kind === "dot") {
      context.fill(path);
      continue;
    }
    context.strokeStyle = kind === "hollow" ? SIDE_COLORS[Number(side)] : look.halo;
    context.lineWidth = kind === "hollow" ? 2 : 1.5;
    context.fill(path);
    context.stroke(path);
  }
}

/**
 * The people of a frame; those that are not `active` are drawn fainter.
 * @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Camera} camera @param {{halo: string}} look
 * @param {{active?: number, hidden?: boolean, radius?: number}} [options] `hidden`: hidden points are drawn faintly
 */
export function paintPeople(context, frame, camera, look, { active = -1, hidden = true, radius = 4.5 } = {}) {
  const layers = [
    { alpha: 0.62, people: frame.people.filter((_, index) => active >= 0 && index !== active) },
    { alpha: 1, people: active >= 0 ? frame.people.slice(active, active + 1) : frame.people },
  ];
  for (const { alpha, people } of layers) {
    const strokes = new Strokes(), marks = new Strokes();
    for (const person of people) {
      collectLimbs(strokes, person, camera, hidden);
      collectMarks(marks, person, camera, radius, hidden);
    }
    strokeLimbs(context, strokes, { ...look, alpha }, radius * 0.75);
    paintMarks(context, marks, { ...look, alpha });
  }
  context.globalAlpha = 1;
}

/** Above this many selected points their rings get thin, so that the pose stays to be seen. */
const MANY = 8;

/**
 * Rings around the selected points.
 * @param {Frame} frame @param {readonly number[]} selection
 * @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Look} look @param {number} [radius]
 */
export function paintSelection(context, frame, selection, camera, look, radius = 4.5) {
  const path = new Path2D(), many = selection.length > MANY;
  for (const key of selection) {
    const person = frame.people[Math.floor(key / POINTS)], point = key % POINTS;
    if (!person) continue;
    const x = (person.xy[2 * point] - camera.x) * camera.scale;
    const y = (person.xy[2 * point + 1] - camera.y) * camera.scale;
    const reach = point < MAIN_POINTS ? radius + (many ? 2 : 3.5) : radius * 0.55 + 1.5;
    path.moveTo(x + reach, y);
    path.arc(x, y, reach, 0, 2 * Math.PI);
  }
  context.strokeStyle = look.halo;
  context.lineWidth = many ? 2.5 : 4;
  context.stroke(path);
  context.strokeStyle = "#ffffff";
  context.lineWidth = many ? 1.2 : 2;
  context.stroke(path);
}

/**
 * The picture's edge, and dashed the edge the canvas would need for everything that is shown.
 * @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Box} needed @param {Sides} grown
 * @param {Camera} camera @param {Look} look
 */
export function paintFrame(context, frame, needed, grown, camera, look) {
  const from = toStage(camera, { x: 0, y: 0 });
  const [width, height] = [frame.width * camera.scale, frame.height * camera.scale];
  context.setLineDash([]);
  context.strokeStyle = look.halo;
  context.lineWidth = 3;
  context.strokeRect(from.x, from.y, width, height);
  context.strokeStyle = "#ffffff";
  context.lineWidth = 1;
  context.strokeRect(from.x, from.y, width, height);
  if (!Object.values(grown).some(Boolean)) return;
  const corner = toStage(camera, needed);
  const edge = { style: look.edge, line: 1.5, dash: [7, 5] };
  for (const { style, line, dash } of [{ style: look.halo, line: 3.5, dash: [] }, edge]) {
    context.strokeStyle = style;
    context.lineWidth = line;
    context.setLineDash(dash);
    context.strokeRect(corner.x, corner.y, needed.width * camera.scale, needed.height * camera.scale);
  }
  context.setLineDash([]);
}

/**
 * How much the canvas must grow at each side, beside its edge and above everything: feet end at that edge.
 * @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Box} needed @param {Sides} grown
 * @param {Camera} camera @param {Look} look
 */
export function paintGrowth(context, frame, needed, grown, camera, look) {
  const middle = toStage(camera, { x: frame.width / 2, y: frame.height / 2 });
  const { x, y } = toStage(camera, needed);
  const [width, height] = [needed.width * camera.scale, needed.height * camera.scale];
  if (grown.bottom) pill(context, `+${grown.bottom} px`, middle.x, y + height + BESIDE, look);
  if (grown.top) pill(context, `+${grown.top} px`, middle.x, y - BESIDE, look);
  if (grown.left) pill(context, `+${grown.left} px`, x, middle.y, look);
  if (grown.right) pill(context, `+${grown.right} px`, x + width, middle.y, look);
}

/**
 * A short text on a rounded ground, centred, kept inside the stage.
 * @param {CanvasRenderingContext2D} context @param {string} text @param {number} x @param {number} y
 * @param {Look} look @param {string} [ground] @param {string} [color]
 */
export function pill(context, text, x, y, look, ground = look.accent, color = look.onAccent) {
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const half = context.measureText(text).width / 2 + 7;
  const left = Math.min(Math.max(x, half + 2), look.width - half - 2);
  const top = Math.min(Math.max(y, 12), look.height - 12);
  context.fillStyle = ground;
  context.beginPath();
  context.roundRect(left - half, top - 9, 2 * half, 18, 9);
  context.fill();
  context.fillStyle = color;
  context.fillText(text, left, top + 0.5);
}
