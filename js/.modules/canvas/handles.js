/** The box around a selection with its handles: where they are, what is under the pointer, how they look. */

import { toPicture, toStage } from "./camera.js";

/** @import { Box, Camera, Vector } from "./camera.js" */

/**
 * 
 * @typedef {{kind: "scale"|"turn"|"move", anchor: Vector}} Handle `anchor` on the picture's plane
 * @typedef {Handle & Vector} Place where a handle is on the stage
 * @typedef {{type: "transform", move?: Vector, scale?: number, angle?: number, anchor?: Vector}} Transform
 */

const FREE = 12, TURN = 26, SIZE = 4.5;

/**
 * The selection's box on the stage, a little larger than what it holds.
 * @param {Box} box on the picture's plane
 * @param {Camera} camera
 */
function stageBox(box, camera) {
  const corner = toStage(camera, box);
  return {
    x: corner.x - FREE,
    y: corner.y - FREE,
    width: box.width * camera.scale + 2 * FREE,
    height: box.height * camera.scale + 2 * FREE,
  };
}

/** @param {Box} box @param {Camera} camera @returns {Place[]} */
function places(box, camera) {
  const { x, y, width, height } = stageBox(box, camera);
  /** @param {number} px @param {number} py */
  const opposite = (px, py) => toPicture(camera, { x: px, y: py });
  return [
    { kind: "turn", x: x + width / 2, y: y - TURN, anchor: opposite(x + width / 2, y + height / 2) },
    { kind: "scale", x, y, anchor: opposite(x + width - FREE, y + height - FREE) },
    { kind: "scale", x: x + width, y, anchor: opposite(x + FREE, y + height - FREE) },
    { kind: "scale", x, y: y + height, anchor: opposite(x + width - FREE, y + FREE) },
    { kind: "scale", x: x + width, y: y + height, anchor: opposite(x + FREE, y + FREE) },
  ];
}

/**
 * The handle under a place of the stage, or the box itself ("move"), or null.
 * @param {Box|null} box of the selection on the picture's plane @param {Vector} at @param {number} reach
 * @returns {Handle|null}
 * @param {Camera} camera
 */
export function handleAt(box, camera, at, reach) {
  if (!box) return null;
  const found = places(box, camera).find((place) => Math.hypot(place.x - at.x, place.y - at.y) <= reach);
  if (found) return { kind: found.kind, anchor: found.anchor };
  const { x, y, width, height } = stageBox(box, camera);
  const inside = at.x >= x && at.x <= x + width && at.y >= y && at.y <= y + height;
  return inside ? { kind: "move", anchor: { x: box.x + box.width / 2, y: box.y + box.height / 2 } } : null;
}

/**
 * @param {CanvasRenderingContext2D} context @param {Box} box on the picture's plane
 * @param {Camera} camera @param {{halo: string, accent: string}} look
 */
export function paintHandles(context, box, camera, look) {
  const { x, y, width, height } = stageBox(box, camera);
  for (const { style, line } of [{ style: look.halo, line: 3 }, { style: "#ffffff", line: 1 }]) {
    context.strokeStyle = style;
    context.lineWidth = line;
    context.beginPath();
    context.rect(x, y, width, height);
    context.moveTo(x + width / 2, y);
    context.lineTo(x + width / 2, y - TURN);
    context.stroke();
  }
  context.fillStyle = look.accent;
  context.strokeStyle = "#ffffff";
  context.lineWidth = 1.5;
  for (const place of places(box, camera)) {
    context.beginPath();
    if (place.kind === "turn") context.arc(place.x, place.y, SIZE + 1, 0, 2 * Math.PI);
    else context.rect(place.x - SIZE, place.y - SIZE, 2 * SIZE, 2 * SIZE);
    context.fill();
    context.stroke();
  }
}

/**
 * The transform event of a pull at a handle from one place to another, both on the picture's plane.
 * @param {Handle} handle @param {Vector} from @param {Vector} to @param {boolean} even @returns {Transform}
 */
export function pulled(handle, from, to, even) {
  const { kind, anchor } = handle;
  if (kind === "move") {
    const move = { x: to.x - from.x, y: to.y - from.y };
    if (even) move[Math.abs(move.x) > Math.abs(move.y) ? "y" : "x"] = 0;
    return { type: "transform", move };
  }
  const start = { x: from.x - anchor.x, y: from.y - anchor.y }, end = { x: to.x - anchor.x, y: to.y - anchor.y };
  if (kind === "scale") {
    const along = (start.x * end.x + start.y * end.y) / Math.max(start.x * start.x + start.y * start.y, 1e-6);
    return { type: "transform", scale: Math.max(0.01, along), anchor };
  }
  const step = Math.PI / 12;
  const angle = Math.atan2(end.y, end.x) - Math.atan2(start.y, start.x);
  return { type: "transform", angle: even ? Math.round(angle / step) * step : angle, anchor };
}
