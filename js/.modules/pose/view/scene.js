/** What the editor's two canvases show: the photo in its frame; above it people, selection and names. */

import { toStage } from "../../canvas/camera.js";
import { paintHandles } from "../../canvas/handles.js";
import { paintFrame, paintGrowth, paintPeople, paintSelection, pill } from "./paint.js";
import { boxOfSelection } from "./pointer.js";
import { pointSentence } from "./words.js";

/** @import { Box, Camera } from "../../canvas/camera.js" */
/** @import { Frame, Hit } from "../model/types.js" */
/** @import { PoseEditor } from "./editor.js" */
/** @import { Look } from "./paint.js" */

const LOOK = { halo: "rgb(0 0 0 / .8)", accent: "#0b8ce9", onAccent: "#fff", edge: "#5cc8ff" };
const RADIUS = 4.5;
/** The picture's ground where there is no photo. */
const BLANK = "#101215";

/** @param {PoseEditor} editor @param {CanvasRenderingContext2D} context */
export function paintPhoto(editor, context) {
  const { frame } = editor, camera = editor.seen();
  const from = toStage(camera, { x: 0, y: 0 });
  const [width, height] = [frame.width * camera.scale, frame.height * camera.scale];
  context.fillStyle = BLANK;
  context.fillRect(from.x, from.y, width, height);
  const { bitmap } = editor.photo.get();
  if (!bitmap) return;
  context.globalAlpha = editor.brightness;
  context.imageSmoothingQuality = "medium";
  context.drawImage(bitmap, from.x, from.y, width, height);
  context.globalAlpha = 1;
}

/** @param {PoseEditor} editor @param {CanvasRenderingContext2D} context */
export function paintPose(editor, context) {
  const { frame, state } = editor, camera = editor.seen();
  const look = { ...LOOK, width: editor.stage.size.width, height: editor.stage.size.height };
  const needed = editor.canvas(), grown = editor.grown();
  paintFrame(context, frame, needed, grown, camera, look);
  const active = frame.people.length > 1 ? editor.activePerson() : -1;
  paintPeople(context, frame, camera, look, { active, radius: RADIUS });
  paintSelection(context, frame, state.selection, camera, look, RADIUS);
  const box = boxOfSelection(state);
  if (box && !editor.drawnBox) paintHandles(context, box, camera, look);
  if (editor.drawnBox) paintBox(context, editor.drawnBox, camera);
  paintGrowth(context, frame, needed, grown, camera, look);
  if (editor.hovered && !state.before) paintName(context, frame, editor.hovered, camera, look);
}

/** @param {CanvasRenderingContext2D} context @param {Box} box @param {Camera} camera */
function paintBox(context, box, camera) {
  const corner = toStage(camera, box);
  context.fillStyle = "rgb(11 140 233 / .18)";
  context.strokeStyle = LOOK.edge;
  context.lineWidth = 1;
  context.beginPath();
  context.rect(corner.x, corner.y, box.width * camera.scale, box.height * camera.scale);
  context.fill();
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Hit} hit @param {Camera} camera
 * @param {Look} look
 */
function paintName(context, frame, { person, point }, camera, look) {
  const xy = frame.people[person]?.xy;
  if (!xy || point === undefined) return;
  const at = toStage(camera, { x: xy[2 * point], y: xy[2 * point + 1] });
  const name = pointSentence(frame, person, point).split(":")[0];
  pill(context, name, at.x, at.y - 20, look, "rgb(0 0 0 / .82)", "#fff");
}
