/** Draw Sketch's editor as its node knows it: which widgets and which result it reads. */

import { Page } from "../../canvas/page.js";
import { Seats } from "../../canvas/seats.js";
import { inputLink } from "../../canvas/upstream.js";
import { SketchEditor } from "./editor.js";
import { speak, WORDS } from "./words.js";

/** @import { Api, App } from "../../canvas/page.js" */
/** @import { Kind } from "../../canvas/seats.js" */
/** @import { GraphNode } from "../../canvas/upstream.js" */

const SIDES = ["width", "height"], LONGEST = 16384, BLANK = 512;

/** @param {unknown} side @returns {side is number} */
const isSide = (side) => Number.isInteger(side) && Number(side) >= 1 && Number(side) <= LONGEST;

/** The size that the node's widgets say. @param {GraphNode} node */
function sizeOf(node) {
  const [width, height] = SIDES.map((name) => Number(node.widgets?.find((widget) => widget.name === name)?.value));
  return { width: isSide(width) ? width : BLANK, height: isSide(height) ? height : BLANK };
}

/** Whether a picture comes in. @param {GraphNode} node */
function connected(node) {
  return (node.inputs ?? []).some(({ name }, index) => {
    return ["image", "start"].includes(name) && inputLink(node, index) !== null;
  });
}

/** @param {any} output a node's result */
function readReport(output) {
  const report = output?.recompose?.[0], [width, height] = report?.size ?? [];
  return isSide(width) && isSide(height) ? { size: { width, height }, picture: report.pictures?.[0] ?? null } : null;
}

/** @type {Kind} */
const KIND = {
  open: (node, value, host) => new SketchEditor(sizeOf(node), value, host),
  report: readReport,
  sizes: SIDES,
  resize: (editor, node) => (connected(node) ? undefined : editor.resize(sizeOf(node))),
  connected,
  words: WORDS,
};

/** The seats of all sketch editors of a page; `app` and `api` are ComfyUI's. @param {App} app @param {Api} api */
export function sketchSeats(app, api) {
  const page = new Page(app, api);
  speak(page.language());
  return new Seats(page, KIND);
}
