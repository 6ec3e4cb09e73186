/** How a person moves: points, limbs with what hangs on them, reaching, turning, mirroring. Person in, person out. */

import { boundingBox } from "../model/geometry.js";
import { copied, isLocked, isPresent, place, put } from "../model/people.js";
import { ALL_LIMBS, BODY_POINTS, CHAINS, COUNTERPART, DESCENDANTS, PARENT, POINTS } from "../model/skeleton.js";
import { L_ANKLE, R_ANKLE } from "../model/skeleton.js";

/** @import { Person, Vector } from "../model/types.js" */

const SMALL = 1e-9;

/** Present points among `points` that are not locked. @param {Person} person @param {readonly number[]} points */
function movable(person, points) {
  return points.filter((point) => isPresent(person, point) && !isLocked(person, point));
}

/**
 * A copy in which the movable ones of `points` went through `move(x, y) -> [x, y]`.
 * @param {Person} person @param {readonly number[]} points @param {(x: number, y: number) => [number, number]} move
 * @returns {Person}
 */
function moved(person, points, move) {
  const result = copied(person);
  for (const point of movable(person, points)) {
    const [x, y] = move(person.xy[2 * point], person.xy[2 * point + 1]);
    put(result, point, x, y);
  }
  return result;
}

/**
 * What hangs on a point without being part of the body: the hand on a wrist, the foot on an ankle, the face.
 * @param {number} point
 */
function attached(point) {
  /** @param {number} below @returns {boolean} */
  const hangs = (below) => PARENT[below] === point || (PARENT[below] >= BODY_POINTS && hangs(PARENT[below]));
  return DESCENDANTS[point].filter((below) => below >= BODY_POINTS && hangs(below));
}

/**
 * One point goes to a place and takes along the hand, foot or face that hangs on it; the body's other points stay.
 * @param {Person} person @param {number} point @param {Vector} to
 */
export function pointMoved(person, point, to) {
  if (!isPresent(person, point) || isLocked(person, point)) return person;
  const { x, y } = place(person, point);
  return moved(person, [point, ...attached(point)], (px, py) => [px + to.x - x, py + to.y - y]);
}

/**
 * A limb gripped at one place and pulled to another turns about its upper end with all that hangs below it. Its
 * length stays, or with `stretch` grows by as much as the hand moved away, what hangs below keeping its own lengths.
 * @param {Person} person @param {number} limb index into ALL_LIMBS @param {Vector} grip @param {Vector} to
 */
export function limbSwung(person, limb, grip, to, stretch = false) {
  const [upper, lower] = ALL_LIMBS[limb];
  if (!isPresent(person, upper) || !isPresent(person, lower)) return person;
  const pivot = place(person, upper);
  const from = { x: grip.x - pivot.x, y: grip.y - pivot.y };
  const goal = { x: to.x - pivot.x, y: to.y - pivot.y };
  const [was, is] = [Math.hypot(from.x, from.y), Math.hypot(goal.x, goal.y)];
  if (was < SMALL || is < SMALL) return person;
  const cosine = (from.x * goal.x + from.y * goal.y) / (was * is);
  const sine = (from.x * goal.y - from.y * goal.x) / (was * is);
  /** @param {number} x @param {number} y @returns {[number, number]} */
  const turned = (x, y) => [
    pivot.x + cosine * (x - pivot.x) - sine * (y - pivot.y),
    pivot.y + sine * (x - pivot.x) + cosine * (y - pivot.y),
  ];
  const { x: lowerX, y: lowerY } = place(person, lower), end = turned(lowerX, lowerY);
  const growth = stretch ? is / was - 1 : 0;
  const [dx, dy] = [(end[0] - pivot.x) * growth, (end[1] - pivot.y) * growth];
  return moved(person, [lower, ...DESCENDANTS[lower]], (x, y) => {
    const [tx, ty] = turned(x, y);
    return [tx + dx, ty + dy];
  });
}

/**
 * Where middle and end of a two-bone chain lie when the end reaches for a place; the lengths stay, the bend stays on
 * its side, out of reach the chain is stretched out (or folded) towards the place.
 * @param {Vector} root @param {Vector} middle @param {Vector} end @param {Vector} to
 * @returns {{middle: Vector, end: Vector}}
 */
function twoBones(root, middle, end, to) {
  const upper = Math.hypot(middle.x - root.x, middle.y - root.y);
  const lower = Math.hypot(end.x - middle.x, end.y - middle.y);
  const wanted = Math.hypot(to.x - root.x, to.y - root.y);
  const reach = Math.min(upper + lower, Math.max(Math.abs(upper - lower), wanted));
  let [ux, uy] = wanted > SMALL ? [to.x - root.x, to.y - root.y] : [end.x - root.x, end.y - root.y];
  const length = Math.hypot(ux, uy);
  if (length < SMALL) return { middle, end };
  ux /= length;
  uy /= length;
  const bend = (end.x - root.x) * (middle.y - root.y) - (end.y - root.y) * (middle.x - root.x);
  const side = bend < 0 ? -1 : 1;
  // The law of cosines: how far along the line to the place the middle stands, and how far beside it.
  const along = reach > SMALL ? (upper * upper - lower * lower + reach * reach) / (2 * reach) : 0;
  const beside = side * Math.sqrt(Math.max(0, upper * upper - along * along));
  return {
    middle: { x: root.x + along * ux - beside * uy, y: root.y + along * uy + beside * ux },
    end: { x: root.x + reach * ux, y: root.y + reach * uy },
  };
}

/**
 * A wrist or ankle reaches for a place by inverse kinematics; a hand turns with its forearm, a foot keeps its
 * direction on the ground. Other points, and chains with a missing or locked point, are moved alone.
 * @param {Person} person @param {number} point @param {Vector} to
 */
export function reached(person, point, to) {
  const chain = CHAINS[point];
  if (!chain || ![...chain, point].every((each) => isPresent(person, each))) return pointMoved(person, point, to);
  if (isLocked(person, point) || isLocked(person, chain[1])) return pointMoved(person, point, to);
  const [root, middle, end] = [...chain, point].map((each) => place(person, each));
  const bent = twoBones(root, middle, end, to);
  const before = Math.atan2(end.y - middle.y, end.x - middle.x);
  const after = Math.atan2(bent.end.y - bent.middle.y, bent.end.x - bent.middle.x);
  const turn = point === L_ANKLE || point === R_ANKLE ? 0 : after - before;
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  const result = moved(person, attached(point), (x, y) => [
    bent.end.x + cosine * (x - end.x) - sine * (y - end.y),
    bent.end.y + sine * (x - end.x) + cosine * (y - end.y),
  ]);
  put(result, chain[1], bent.middle.x, bent.middle.y);
  put(result, point, bent.end.x, bent.end.y);
  return result;
}

/**
 * Some points scaled and turned about an anchor, then moved. `angle` in radians, clockwise in the picture.
 * @param {Person} person @param {readonly number[]} points
 * @param {{move?: Vector, scale?: number, angle?: number, anchor?: Vector}} change
 */
export function transformed(person, points, { move = { x: 0, y: 0 }, scale = 1, angle = 0, anchor = { x: 0, y: 0 } }) {
  const [cosine, sine] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return moved(person, points, (x, y) => [
    anchor.x + cosine * (x - anchor.x) - sine * (y - anchor.y) + move.x,
    anchor.y + sine * (x - anchor.x) + cosine * (y - anchor.y) + move.y,
  ]);
}

/** Left and right change their names; nothing moves. @param {Person} person @returns {Person} */
export function sidesSwapped(person) {
  const result = copied(person);
  for (let point = 0; point < POINTS; point++) {
    const other = COUNTERPART[point];
    result.flags[point] = person.flags[other];
    put(result, point, person.xy[2 * other], person.xy[2 * other + 1]);
  }
  return result;
}

/**
 * The person mirrored at the middle of what is shown of them, left and right named anew.
 * @param {Person} person
 * @returns {Person}
 */
export function mirrored(person) {
  const box = boundingBox([person]);
  if (!box || person.flags.some((_, point) => isPresent(person, point) && isLocked(person, point))) return person;
  const result = sidesSwapped(person);
  for (let point = 0; point < POINTS; point++) {
    if (isPresent(result, point)) result.xy[2 * point] = 2 * box.x + box.width - result.xy[2 * point];
  }
  return result;
}

/**
 * The person scaled and moved so that all that is shown of them fits into the picture, a twentieth left free.
 * @param {Person} person @param {number} width @param {number} height @returns {Person}
 */
export function fitted(person, width, height) {
  const box = boundingBox([person]);
  if (!box) return person;
  const scale = 0.9 * Math.min(width / Math.max(box.width, 1), height / Math.max(box.height, 1));
  const anchor = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const move = { x: width / 2 - anchor.x, y: height / 2 - anchor.y };
  return transformed(person, Array.from({ length: POINTS }, (_, point) => point), { move, scale, anchor });
}
