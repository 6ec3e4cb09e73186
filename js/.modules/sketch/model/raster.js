/** The pixels that a stroke covers, in whole numbers; core/sketch/raster.py defines which. */

import { FULL, STEPS } from "./strokes.js";

/** @import { Point, Size, Stroke } from "./strokes.js" */
/** @typedef {{x: number, y: number, width: number, height: number, pixels: Uint8Array}} Covered a box and its pixels */

const HALF = STEPS / 2, THINNEST = 24, LEAST_STEP = 8, FINENESS = 4;
const { floor, ceil, max, min, abs, sqrt } = Math;

/** The pen's diameter at a point, in steps. @param {number} width @param {number} pressure */
const diameter = (width, pressure) => max(THINNEST, floor((width * pressure + floor(FULL / 2)) / FULL));

/** A box of the canvas that holds all pixels of a stroke. @param {Stroke} stroke @param {Size} size @returns {Covered} */
function around({ points, width: wide }, size) {
  let [left, top, right, bottom, widest] = [Infinity, Infinity, -Infinity, -Infinity, 0];
  for (const [x, y, pressure] of points) {
    left = min(left, x);
    right = max(right, x);
    top = min(top, y);
    bottom = max(bottom, y);
    widest = max(widest, diameter(wide, pressure));
  }
  const reach = floor(widest / 2) + STEPS;
  /** @param {number} value @param {number} side */
  const within = (value, side) => min(max(value, 0), side);
  const x = within(floor((left - reach) / STEPS), size.width), y = within(floor((top - reach) / STEPS), size.height);
  const width = within(floor((right + reach) / STEPS) + 1, size.width) - x;
  const height = within(floor((bottom + reach) / STEPS) + 1, size.height) - y;
  return { x, y, width, height, pixels: new Uint8Array(width * height) };
}

/** @param {Covered} into @param {number} x @param {number} y @param {number} d in steps of the canvas */
function disc(into, x, y, d) {
  const top = max(ceil((2 * y - d - STEPS) / (2 * STEPS)), into.y);
  const bottom = min(floor((2 * y + d - STEPS) / (2 * STEPS)), into.y + into.height - 1);
  for (let row = top; row <= bottom; row++) {
    const off = STEPS * row + HALF - y, half = floor(sqrt(max(d * d - 4 * off * off, 0))) >> 1;
    const left = max(ceil((x - half - HALF) / STEPS), into.x);
    const right = min(floor((x + half - HALF) / STEPS), into.x + into.width - 1);
    const start = (row - into.y) * into.width - into.x;
    if (left <= right) into.pixels.fill(1, start + left, start + right + 1);
  }
}

/** @param {Covered} into @param {Point[]} points @param {number} width */
function drawPen(into, points, width) {
  const right = STEPS * (into.x + into.width), bottom = STEPS * (into.y + into.height);
  for (let index = 1; index < points.length; index++) {
    const [x, y, pressed] = points[index - 1], [x2, y2, pressed2] = points[index];
    const d = diameter(width, pressed), d2 = diameter(width, pressed2), wide = max(d, d2);
    const across = max(x, x2) + wide >= STEPS * into.x && min(x, x2) - wide <= right;
    if (!across || max(y, y2) + wide < STEPS * into.y || min(y, y2) - wide > bottom) continue;
    const n = max(1, ceil(max(abs(x2 - x), abs(y2 - y)) / max(LEAST_STEP, min(d, d2) >> FINENESS)));
    /** @param {number} a @param {number} b @param {number} k */
    const at = (a, b, k) => a + floor((2 * k * (b - a) + n) / (2 * n));
    for (let k = 0; k < n; k++) disc(into, at(x, x2, k), at(y, y2, k), at(d, d2, k));
  }
  const [x, y, pressure] = points[points.length - 1];
  disc(into, x, y, diameter(width, pressure));
}

/** Fills the closed polygon by the even-odd rule. @param {Covered} into @param {Point[]} points */
function fillArea(into, points) {
  const wide = into.width + 1, edges = new Uint8Array(wide * into.height);
  for (const [index, to] of points.entries()) {
    const from = points[(index || points.length) - 1], [above, below] = from[1] <= to[1] ? [from, to] : [to, from];
    const [x1, y1] = above, dx = below[0] - x1, dy = below[1] - y1;
    const first = max(ceil((y1 - HALF) / STEPS), into.y);
    const last = min(ceil((below[1] - HALF) / STEPS), into.y + into.height);
    for (let row = first; row < last; row++) {
      const crossing = (STEPS * row + HALF - y1) * dx + (x1 - HALF) * dy;
      const column = min(max(ceil(crossing / (STEPS * dy)) - into.x, 0), into.width);
      edges[(row - into.y) * wide + column] ^= 1;
    }
  }
  for (let row = 0; row < into.height; row++) {
    for (let column = 0, inside = 0; column < into.width; column++) {
      inside ^= edges[row * wide + column];
      into.pixels[row * into.width + column] |= inside;
    }
  }
}

/** The pixels that a stroke covers on a canvas. @param {Stroke} stroke @param {Size} size @returns {Covered} */
export function covered(stroke, size) {
  const found = around(stroke, size);
  if (!found.pixels.length) return found;
  if (stroke.width) drawPen(found, stroke.points, stroke.width);
  if (stroke.fill) fillArea(found, stroke.points);
  return found;
}
