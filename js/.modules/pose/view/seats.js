/** Edit Pose's editor as its node knows it: what it is made of, which widgets and which result it reads. */

import { Page } from "../../canvas/page.js";
import { Seats } from "../../canvas/seats.js";
import { inputLink } from "../../canvas/upstream.js";
import { start } from "../edit/state.js";
import { readReport, readStart } from "../io/bridge.js";
import { INPUTS } from "../model/types.js";
import { PoseEditor } from "./editor.js";
import { speak, WORDS } from "./words.js";

/** @import { Api, App } from "../../canvas/page.js" */
/** @import { Kind } from "../../canvas/seats.js" */
/** @import { GraphNode } from "../../canvas/upstream.js" */

/** Whether a picture or a pose comes in. @param {GraphNode} node */
function connected(node) {
  return (node.inputs ?? []).some(({ name }, index) => {
    return ["image", "pose"].includes(name) && inputLink(node, index) !== null;
  });
}

/**
 * The blank canvas has the size the widgets say; with a picture or a pose connected there is none.
 * @param {PoseEditor} editor @param {GraphNode} node
 */
function resize(editor, node) {
  if (connected(node)) return;
  const { width, height } = readStart(node.widgets);
  editor.dispatch({ type: "resize", width, height });
  editor.fitIfOutside();
}

/** @type {Kind} */
const KIND = {
  open: (node, value, host) => new PoseEditor(start({ ...readStart(node.widgets), value }), host),
  report: readReport,
  sizes: [INPUTS.width, INPUTS.height],
  resize,
  connected,
  words: WORDS,
};

/** The seats of all pose editors of a page; `app` and `api` are ComfyUI's. @param {App} app @param {Api} api */
export function poseSeats(app, api) {
  const page = new Page(app, api);
  speak(page.language());
  return new Seats(page, KIND);
}
