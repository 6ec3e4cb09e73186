/**
 * The value of Draw Sketch: strokes as vectors, in JSON; core/sketch/strokes.py describes it.
 *
 * @typedef {"sketch"|"mask"|"colour"} Layer
 * @typedef {[number, number, number]} Point x and y in sixteenths of a pixel, pressure 0…63
 *
 * @typedef {object} Stroke
 * @property {Layer} layer @property {number} width in sixteenths of a pixel @property {Point[]} points
 * @property {boolean} erase @property {boolean} fill @property {string} colour "rrggbb"
 *
 * @typedef {{width: number, height: number}} Size
 * @typedef {{size: Size|null, strokes: Stroke[], damage: ""|"all"|"version"|"parts"}} Drawing
 */

const VERSION = 1;
export const STEPS = 16, FULL = 63;
const LONGEST_SIDE = 16384, LONGEST_TEXT = 4_000_000, STROKES = 20_000, POINTS = 20_000;
export const WIDEST = 1024 * STEPS;
const FARTHEST = 32768 * STEPS, REACH = 2 ** 26, LONGEST = 6;
/** @type {readonly unknown[]} */
export const LAYERS = ["sketch", "mask", "colour"];
const BLACK = "000000";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));

/** A number in base64 VLQ. @param {number} number */
function encoded(number) {
  let rest = Math.abs(number) * 2 + (number < 0 ? 1 : 0), text = "";
  for (; rest > 31; rest >>= 5) text += DIGITS[32 | (rest & 31)];
  return text + DIGITS[rest];
}

/** The numbers of a text in base64 VLQ, null where it holds anything else. @param {string} text */
function decoded(text) {
  /** @type {number[]} */
  const found = [];
  let value = 0, length = 0;
  for (const each of text) {
    const digit = VALUES.get(each);
    if (digit === undefined || length === LONGEST) return null;
    value |= (digit & 31) << (5 * length++);
    if (digit > 31) continue;
    found.push(value & 1 ? -(value >> 1) : value >> 1);
    value = length = 0;
  }
  return length ? null : found;
}

/** @param {unknown} value @param {number} low @param {number} high @returns {value is number} */
const whole = (value, low, high) => Number.isInteger(value) && low <= Number(value) && Number(value) <= high;

/** @param {unknown} text @returns {Point[]|null} */
function readPoints(text) {
  const numbers = typeof text === "string" ? decoded(text) : null;
  if (!numbers?.length || numbers.length % 3 || numbers.length > 3 * POINTS) return null;
  /** @type {Point[]} */
  const points = [];
  let [x, y, pressure] = [0, 0, 0];
  for (let index = 0; index < numbers.length; index += 3) {
    x += numbers[index];
    y += numbers[index + 1];
    pressure += numbers[index + 2];
    if (Math.abs(x) > FARTHEST || Math.abs(y) > FARTHEST || pressure < 0 || pressure > FULL) return null;
    points.push([x, y, pressure]);
  }
  return points;
}

/** @param {any} entry @returns {Stroke|null} */
function readStroke(entry) {
  if (typeof entry !== "object" || entry === null || !LAYERS.includes(entry.layer)) return null;
  const { layer, width, erase = false, fill = false, colour = BLACK } = entry, points = readPoints(entry.points);
  if (!points || !whole(width, 0, WIDEST) || typeof erase !== "boolean" || typeof fill !== "boolean") return null;
  if (typeof colour !== "string" || !/^[0-9a-f]{6}$/.test(colour)) return null;
  return { layer, width, points, erase, fill, colour };
}

/** How far a stroke's pen goes, in steps. @param {Point[]} points */
function reach(points) {
  const far = points.slice(1).map(([x, y], at) => Math.max(Math.abs(x - points[at][0]), Math.abs(y - points[at][1])));
  return far.reduce((all, one) => all + one, 0);
}

/** What the value holds; whole strokes of a damaged one are kept. @param {string} text @returns {Drawing} */
export function parse(text) {
  /** @type {Drawing} */
  const nothing = { size: null, strokes: [], damage: "" };
  if (!text.trim()) return nothing;
  /** @type {any} */
  let record = null;
  try {
    if (text.length <= LONGEST_TEXT) record = JSON.parse(text);
  } catch {
    return { ...nothing, damage: "all" };
  }
  if (typeof record !== "object" || !Array.isArray(record?.strokes)) return { ...nothing, damage: "all" };
  if (record.version !== VERSION) return { ...nothing, damage: "version" };
  const { size } = record;
  if (!Array.isArray(size) || size.length !== 2 || !size.every((side) => whole(side, 1, LONGEST_SIDE))) {
    return { ...nothing, damage: "all" };
  }
  let left = REACH;
  /** @type {Stroke[]} */
  const strokes = [];
  for (const stroke of record.strokes.slice(0, STROKES).map(readStroke)) {
    const far = stroke ? reach(stroke.points) : 0;
    if (!stroke || far > left) continue;
    left -= far;
    strokes.push(stroke);
  }
  const damage = strokes.length < record.strokes.length ? "parts" : "";
  return { size: { width: size[0], height: size[1] }, strokes, damage };
}

/** The value that holds these strokes. @param {Size} size @param {readonly Stroke[]} strokes */
export function written(size, strokes) {
  if (!strokes.length) return "";
  const entries = strokes.map(({ layer, width, points, erase, fill, colour }) => {
    let before = [0, 0, 0], text = "";
    for (const point of points) {
      text += point.map((value, axis) => encoded(value - before[axis])).join("");
      before = point;
    }
    const more = { ...(erase && { erase }), ...(fill && { fill }), ...(colour !== BLACK && { colour }) };
    return { layer, width, ...more, points: text };
  });
  return JSON.stringify({ version: VERSION, size: [size.width, size.height], strokes: entries });
}

/**
 * The strokes on a picture of another size: scaled by the smaller ratio, in the middle; halves go up.
 * @param {Drawing} drawing @param {Size} size
 */
export function rescaled({ size: old, strokes }, size) {
  if (!old || (old.width === size.width && old.height === size.height)) return strokes;
  const wide = size.width * old.height > size.height * old.width;
  const [to, from] = wide ? [size.height, old.height] : [size.width, old.width];
  /** @param {number} value */
  const scaled = (value) => Math.floor((2 * value * to + from) / (2 * from));
  /** @param {number} mine @param {number} theirs */
  const offset = (mine, theirs) => Math.floor(((mine * from - theirs * to) * STEPS + from) / (2 * from));
  const left = offset(size.width, old.width), top = offset(size.height, old.height);
  return strokes.map((stroke) => ({
    ...stroke,
    width: Math.min(scaled(stroke.width), WIDEST),
    points: stroke.points.map(([x, y, p]) => /** @type {Point} */ ([scaled(x) + left, scaled(y) + top, p])),
  }));
}
