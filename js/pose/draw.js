/**
 * People to the picture an OpenPose ControlNet was trained on: the same pixels as core/pose/draw.py.
 *
 * Works on anything like ImageData: {data, width, height}.
 */

import { isShown } from "./people.js";
import { BODY_POINTS, COLORS, FOOT_COLORS, FOOT_LIMBS, HAND_EDGES, LIMBS, PARTS } from "./skeleton.js";
import { convexPolygon, disc, ellipsePolygon, roundEven, thickLine } from "./raster.js";

/** @typedef {import("./types.js").Frame} Frame @typedef {import("./types.js").Person} Person */

export const STICK_WIDTH = 4;
// Beyond this nothing of a stick is seen, and whole numbers stay small enough for the fixed-point steps.
const FAR = 1e7;
const BLACK = [0, 0, 0];

function wordOf([red, green, blue]) {
  return new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0];
}

const HAND_WORDS = HAND_EDGES.map((_, number) => {
  const hue = (number / HAND_EDGES.length) * 6, sector = Math.floor(hue), rest = hue - sector;
  const [falling, rising] = [1 - rest, 1 - (1 - rest)];
  const channels = [
    [1, rising, 0],
    [falling, 1, 0],
    [0, 1, rising],
    [0, falling, 1],
    [rising, 0, 1],
    [1, 0, falling],
  ][sector];
  return wordOf(channels.map((channel) => roundEven(channel * 255)));
});

/** A fraction of the picture multiplied back to its size: the last bit decides the cut to whole pixels. */
function onCanvas(value, side) {
  return (Math.min(FAR, Math.max(-FAR, value)) / side) * side;
}

function at(target, person, point) {
  return [onCanvas(person.xy[2 * point], target.width), onCanvas(person.xy[2 * point + 1], target.height)];
}

function stick(target, a, b, width, color) {
  const dx = a[0] - b[0], dy = a[1] - b[1];
  const center = [Math.trunc((a[0] + b[0]) / 2), Math.trunc((a[1] + b[1]) / 2)];
  const axes = [Math.trunc(Math.sqrt(dy * dy + dx * dx) / 2), width];
  const angle = Math.trunc(Math.atan2(dy, dx) * (180 / Math.PI));
  const dimmed = color.map((channel) => Math.trunc(channel * 0.6));
  convexPolygon(target, ellipsePolygon(center, axes, angle), wordOf(dimmed));
}

function sticksAndJoints(target, person, limbs, first, colors, joints, width) {
  limbs.forEach(([a, b], index) => {
    if (isShown(person, a) && isShown(person, b)) {
      stick(target, at(target, person, a), at(target, person, b), width, colors[index]);
    }
  });
  for (let joint = 0; joint < joints; joint++) {
    if (!isShown(person, first + joint)) continue;
    disc(target, at(target, person, first + joint).map(Math.trunc), width, wordOf(colors[joint]));
  }
}

/** The part's points cut to whole pixels; null for absent ones and, as in the reference, at or left of 0. */
function visible(target, person, { first, count }) {
  return Array.from({ length: count }, (_, index) => {
    const point = at(target, person, first + index).map(Math.trunc);
    return isShown(person, first + index) && point[0] > 0 && point[1] > 0 ? point : null;
  });
}

function hand(target, person, part, width) {
  const points = visible(target, person, part);
  const thickness = Math.max(2, roundEven(width / 2));
  HAND_EDGES.forEach(([a, b], number) => {
    if (points[a] && points[b]) thickLine(target, points[a], points[b], thickness, HAND_WORDS[number]);
  });
  for (const point of points) if (point) disc(target, point, width, wordOf([0, 0, 255]));
}

function face(target, person, width) {
  const radius = Math.max(1, roundEven(0.75 * width));
  const white = wordOf([255, 255, 255]);
  for (const point of visible(target, person, PARTS.face)) if (point) disc(target, point, radius, white);
}

/** A picture of a size, all black. @returns {{data: Uint8ClampedArray, width: number, height: number}} */
export function blankImage(width, height) {
  return { data: new Uint8ClampedArray(4 * width * height), width, height };
}

/**
 * Paints the frame's people on black over all of `image`, at the image's size.
 * @template {{data: Uint8ClampedArray, width: number, height: number}} Image
 * @param {Frame} frame @param {Image} image of the frame's size for the control image
 * @param {{stickWidth?: number, hands?: boolean, face?: boolean, feet?: boolean}} [options] `stickWidth` is half the
 *   breadth of a stick and the radius of a joint in pixels
 * @returns {Image} the same image
 */
export function draw(frame, image, { stickWidth = STICK_WIDTH, hands = true, face: faces = true, feet = false } = {}) {
  const { data, width, height } = image;
  const target = { words: new Uint32Array(data.buffer, data.byteOffset, width * height), width, height };
  target.words.fill(wordOf(BLACK));
  for (const person of frame.people) {
    sticksAndJoints(target, person, LIMBS, 0, COLORS, BODY_POINTS, stickWidth);
    if (hands) hand(target, person, PARTS.handLeft, stickWidth);
    if (hands) hand(target, person, PARTS.handRight, stickWidth);
    if (faces) face(target, person, stickWidth);
    if (feet) sticksAndJoints(target, person, FOOT_LIMBS, PARTS.feet.first, FOOT_COLORS, PARTS.feet.count, stickWidth);
  }
  return image;
}
