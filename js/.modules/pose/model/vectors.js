/** Arithmetic on [x, y] and on angles in radians. */

/** @typedef {[number, number]} Pair */

export const RADIANS = Math.PI / 180;

/** @param {Pair} a @param {Pair} b @returns {Pair} */
export const plus = (a, b) => [a[0] + b[0], a[1] + b[1]];
/** @param {Pair} a @param {Pair} b @returns {Pair} */
export const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
/** @param {number} factor @param {Pair} a @returns {Pair} */
export const times = (factor, a) => [factor * a[0], factor * a[1]];
/** @param {Pair} a @param {Pair} b */
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
/** @param {Pair} a */
export const length = (a) => Math.sqrt(dot(a, a));
/** @param {Pair} a @param {Pair} b @returns {Pair} */
export const halfway = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
/** From `a` a share of the way to `b`. @param {Pair} a @param {Pair} b @param {number} share */
export const towards = (a, b, share) => plus(a, times(share, minus(b, a)));

/** @param {number} value @param {number} low @param {number} high */
export const clip = (value, low, high) => Math.min(high, Math.max(low, value));

/** The direction to the right of the picture for somebody whose down is `down`. @param {Pair} down @returns {Pair} */
export const across = (down) => [down[1], -down[0]];
/** Signed angle of a vector from `down`, positive to the picture's right. @param {Pair} vector @param {Pair} down */
export const angleFrom = (vector, down) => Math.atan2(dot(vector, across(down)), dot(vector, down));
/** `down` turned by a signed angle, positive to the right of the picture. @param {Pair} down @param {number} angle */
export const turned = (down, angle) => plus(times(Math.cos(angle), down), times(Math.sin(angle), across(down)));
