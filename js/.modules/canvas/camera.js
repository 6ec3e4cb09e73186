/**
 * Which part of the picture's plane the stage shows: pure functions from camera to camera.
 *
 * @typedef {object} Camera
 * @property {number} scale pixels of the stage per pixel of the picture
 * @property {number} x the place of the picture's plane at the stage's top left corner
 * @property {number} y
 *
 * @typedef {{x: number, y: number}} Vector
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 */

const SMALLEST = 0.01, LARGEST = 64;
/** The part of the stage that stays free around what is fitted. */
const FREE = 0.07;

/** @param {Camera} camera @param {Vector} at on the stage @returns {Vector} on the picture's plane */
export function toPicture(camera, at) {
  return { x: camera.x + at.x / camera.scale, y: camera.y + at.y / camera.scale };
}

/** @param {Camera} camera @param {Vector} at on the picture's plane @returns {Vector} on the stage */
export function toStage(camera, at) {
  return { x: (at.x - camera.x) * camera.scale, y: (at.y - camera.y) * camera.scale };
}

/**
 * Nearer by `factor`, the place under `at` (on the stage) staying where it is.
 * @param {Camera} camera @param {number} factor @param {Vector} at @returns {Camera}
 */
export function zoomed(camera, factor, at) {
  const scale = Math.min(LARGEST, Math.max(SMALLEST, camera.scale * factor));
  const kept = toPicture(camera, at);
  return { scale, x: kept.x - at.x / scale, y: kept.y - at.y / scale };
}

/**
 * Moved by a way on the stage, as if the paper were pulled.
 * @param {Camera} camera @param {number} dx @param {number} dy @returns {Camera}
 */
export function panned(camera, dx, dy) {
  return { ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale };
}

/**
 * A box of the picture's plane in the middle of a stage of that size, a little left free.
 * @param {Box} box
 * @param {number} width @param {number} height @returns {Camera}
 */
export function fittedTo(box, width, height) {
  const free = 1 - 2 * FREE;
  const wanted = Math.min((width * free) / Math.max(box.width, 1), (height * free) / Math.max(box.height, 1));
  const scale = Math.min(LARGEST, Math.max(SMALLEST, wanted));
  return {
    scale,
    x: box.x + box.width / 2 - width / 2 / scale,
    y: box.y + box.height / 2 - height / 2 / scale,
  };
}

/** The smallest box around two. @param {Box} a @param {Box|null} b @returns {Box} */
export function union(a, b) {
  if (!b) return a;
  const x = Math.min(a.x, b.x), y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}
