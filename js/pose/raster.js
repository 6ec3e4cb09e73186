/**
 * Polygons, discs and lines on whole pixels by the same rules as core/pose/raster.py, which are OpenCV's.
 *
 * Every function paints into a `Target`: one 32-bit word per pixel. Fixed-point numbers have 16 fractional bits; they
 * stay below 2^53, so doubles hold them exactly.
 *
 * @typedef {{words: Uint32Array, width: number, height: number}} Target
 * @typedef {[number, number]} Point whole x, y
 */

const ONE = 65536;
const HALF = 32768;

/** The nearest whole number, halves to the even one, as numpy's rint and Python's round. @param {number} value */
export function roundEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

// Sines of whole degrees with seven decimals in single precision: the precision OpenCV's table has.
const SINE = Array.from({ length: 451 }, (_, degree) =>
  Math.fround(roundEven(Math.sin(degree * (Math.PI / 180)) * 1e7) / 1e7),
);

const whole = (fixed) => Math.floor(fixed / ONE);

function row(target, y, left, right, word) {
  if (y < 0 || y >= target.height) return;
  const start = Math.max(left, 0), end = Math.min(right, target.width - 1);
  if (start <= end) target.words.fill(word, y * target.width + start, y * target.width + end + 1);
}

function pixel(target, x, y, word) {
  if (x >= 0 && y >= 0 && x < target.width && y < target.height) target.words[y * target.width + x] = word;
}

/** The ellipse's outline in steps of one degree; `angle` in whole degrees. @returns {Point[]} */
export function ellipsePolygon([cx, cy], [longAxis, shortAxis], angle) {
  const turn = ((angle % 360) + 360) % 360;
  const cosine = SINE[450 - turn], sine = SINE[turn];
  const points = [];
  for (let degree = 0; degree <= 360; degree++) {
    const along = longAxis * SINE[450 - degree], across = shortAxis * SINE[degree];
    const x = roundEven(cx + along * cosine - across * sine);
    const y = roundEven(cy + along * sine + across * cosine);
    const last = points.at(-1);
    if (!last || last[0] !== x || last[1] !== y) points.push([x, y]);
  }
  return points.length === 1 ? [[cx, cy], [cx, cy]] : points;
}

/** Where a chain of points (x fixed-point, y not falling) crosses each row from `top` on. */
function edge(chain, top, bottom) {
  const found = [];
  let start = 0;
  for (let y = top; y < bottom; y++) {
    while (chain[start + 1] && chain[start + 1][1] <= y) start++;
    const [[x, first], [next, last]] = [chain[start], chain[start + 1]];
    const slope = Math.trunc(((next - x) * 2 + last - first) / (2 * (last - first)));
    found.push(x + slope * (y - first));
  }
  return found;
}

/** Paints between the two edges of a convex polygon (x fixed-point) that starts at its highest point `first`. */
function inside(target, points, first, word) {
  const ys = points.map(([, y]) => y);
  const highest = Math.min(...ys), lowest = Math.max(...ys);
  const top = Math.max(highest, 0), bottom = Math.min(lowest, target.height);
  if (top >= bottom || points.length < 3) return;
  const [a, b] = [1, -1].map((way) => {
    const order = points.map((_, step) => points[(first + way * step + points.length) % points.length]);
    return edge(order.slice(0, order.findIndex(([, y]) => y === lowest) + 1), top, bottom);
  });
  a.forEach((x, index) => {
    const left = Math.min(x, b[index]), right = Math.max(x, b[index]);
    row(target, top + index, whole(left + HALF), whole(right + HALF), word);
  });
}

/** The line cut to 0 … right, 0 … bottom, cuts rounded towards zero; null where it lies outside. */
function clip(x1, y1, x2, y2, right, bottom) {
  const outside = (low, high, last) => high < 0 || low > last;
  if (outside(Math.min(y1, y2), Math.max(y1, y2), bottom)) return null;
  if (outside(Math.min(x1, x2), Math.max(x1, x2), right)) return null;
  if (y1 < 0 || y1 > bottom) {
    const edge = y1 < 0 ? 0 : bottom;
    x1 += Math.trunc(((edge - y1) * (x2 - x1)) / (y2 - y1));
    y1 = edge;
  }
  if (y2 < 0 || y2 > bottom) {
    const edge = y2 < 0 ? 0 : bottom;
    x2 += Math.trunc(((edge - y2) * (x2 - x1)) / (y2 - y1));
    y2 = edge;
  }
  if (outside(Math.min(x1, x2), Math.max(x1, x2), right)) return null;
  if (x1 < 0 || x1 > right) {
    const edge = x1 < 0 ? 0 : right;
    y1 += Math.trunc(((edge - x1) * (y2 - y1)) / (x2 - x1));
    x1 = edge;
  }
  if (x2 < 0 || x2 > right) {
    const edge = x2 < 0 ? 0 : right;
    y2 += Math.trunc(((edge - x2) * (y2 - y1)) / (x2 - x1));
    x2 = edge;
  }
  return [x1, y1, x2, y2];
}

/** A line one pixel wide by Bresenham (1965), always from left to right; minor steps to the nearest, halves down. */
function line(target, from, to, word) {
  const cut = clip(...from, ...to, target.width - 1, target.height - 1);
  if (!cut) return;
  const [x1, y1, x2, y2] = cut[2] < cut[0] ? [cut[2], cut[3], cut[0], cut[1]] : cut;
  const dx = x2 - x1, dy = Math.abs(y2 - y1), down = y2 < y1 ? -1 : 1;
  const steep = dy > dx, major = steep ? dy : dx, minor = steep ? dx : dy;
  const length = Math.max(major, 1);
  for (let step = 0; step <= major; step++) {
    const side = -Math.floor((length - 2 * minor * step) / (2 * length));
    pixel(target, x1 + (steep ? side : step), y1 + (steep ? step : side) * down, word);
  }
}

/** A filled convex polygon with whole corners and its outline. @param {Target} target @param {Point[]} points */
export function convexPolygon(target, points, word) {
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  if (Math.min(Math.max(...xs), Math.max(...ys)) < 0) return;
  if (Math.min(...xs) >= target.width || Math.min(...ys) >= target.height) return;
  points.forEach((point, index) => line(target, points.at(index - 1), point, word));
  const fixed = points.map(([x, y]) => [x * ONE, y]);
  inside(target, fixed, ys.indexOf(Math.min(...ys)), word);
}

/** A filled circle by the midpoint method. @param {Target} target @param {Point} center */
export function disc(target, [cx, cy], radius, word) {
  const half = new Int32Array(radius + 1);
  let x = radius, y = 0, error = 0;
  while (x >= y) {
    half[y] = Math.max(half[y], x);
    half[x] = Math.max(half[x], y);
    y++;
    error += 2 * y - 1;
    if (error > 0) {
      error -= 2 * x - 1;
      x--;
    }
  }
  for (let offset = -radius; offset <= radius; offset++) {
    const reach = half[Math.abs(offset)];
    row(target, cy + offset, cx - reach, cx + reach, word);
  }
}

/** A line between fixed-point ends, one pixel per column or row, whichever are more. */
function fixedLine(target, from, to, word) {
  const cut = clip(...from, ...to, target.width * ONE - 1, target.height * ONE - 1);
  if (!cut) return;
  let [x1, y1, x2, y2] = cut;
  const flat = Math.abs(x2 - x1) > Math.abs(y2 - y1);
  if (flat ? x2 < x1 : y2 < y1) [x1, y1, x2, y2] = [x2, y2, x1, y1];
  const [a1, b1, a2, b2] = flat ? [x1, y1, x2, y2] : [y1, x1, y2, x2];
  const rise = (b2 - b1) * ONE;
  const run = a2 - a1 + (1 - ((a2 - a1) % 2));
  const slope = Math.floor(Math.abs(rise) / run) * (rise >= 0 ? 1 : -1);
  const paint = (a, b) => (flat ? pixel(target, a, b, word) : pixel(target, b, a, word));
  for (let step = 0; step <= whole(a2 - a1); step++) paint(whole(a1 + HALF) + step, whole(b1 + HALF + slope * step));
  paint(whole(a2 + HALF), whole(b2 + HALF));
}

/** A line at least two pixels thick with round ends. @param {Target} target @param {Point} start @param {Point} end */
export function thickLine(target, start, end, thickness, word) {
  for (const point of [start, end]) disc(target, point, Math.floor((thickness + 1) / 2), word);
  const dx = start[0] - end[0], dy = end[1] - start[1];
  if (!dx && !dy) return;
  const half = (thickness * HALF + (thickness % 2) * HALF) / Math.sqrt(dx * dx + dy * dy);
  const across = [roundEven(dy * half), roundEven(dx * half)];
  const beside = ([x, y], way) => [x * ONE + way * across[0], y * ONE + way * across[1]];
  const corners = [beside(start, 1), beside(start, -1), beside(end, -1), beside(end, 1)];
  corners.forEach((corner, index) => fixedLine(target, corners.at(index - 1), corner, word));
  const ys = corners.map(([, y]) => y);
  inside(target, corners.map(([x, y]) => [x, whole(y + HALF)]), ys.indexOf(Math.min(...ys)), word);
}
