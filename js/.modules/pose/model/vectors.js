/** Arithmetic on [x, y] and on angles in radians. */

/** @typedef {[number, number]} Pair */

export const RADIANS = Math.PI / 180;

/** @param {Pair} a @param {Pair} b @returns {Pair} */
export const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
/** @param {Pair} a @param {Pair} b */
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
/** @param {Pair} a */
export const length = (a) => Math.sqrt(dot(a, a));
/** @param {Pair} a @param {Pair} b @returns {Pair} */
export const halfway = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
/** Signed angle of a vector from `down`, positive to the picture's right. @param {Pair} vector @param {Pair} down */
export const angleFrom = (vector, down) => Math.atan2(dot(vector, [down[1], -down[0]]), dot(vector, down));
