/** Every sentence of the sketch editor, in the language of the page. */

import { FRENCH } from "./french.js";

/** @typedef {typeof ENGLISH} Words */

const ENGLISH = {
  editor: "Sketch editor",
  stage: "Drawing. B draws, E erases, F fills, 1 to 3 choose the layer, brackets change the width, Ctrl+Z undoes.",
  load: "Load picture",
  large: "Large view",
  small: "Back to the node",
  elsewhere: "This drawing is open in the large view.",
  pen: "Pen",
  eraser: "Eraser",
  fill: "Fill what a stroke encloses",
  layer: "Layer",
  sketch: "Sketch",
  mask: "Mask",
  colour: "Colours",
  ink: "Colour of the strokes",
  width: "Width in pixels",
  undo: "Undo",
  redo: "Redo",
  clear: "Clear the layer",
  fit: "Show everything",
  nearer: "Zoom in",
  farther: "Zoom out",
  straight: "The line is straight while you hold the pen.",
  stale: "What comes before this node has changed; load again to see it.",
  damaged: "Parts of the saved drawing are damaged and were left out; check the drawing.",
};

/** What is shown now. @type {Words} */
export const WORDS = { ...ENGLISH };

/** @param {unknown} language as ComfyUI names it */
export function speak(language) {
  Object.assign(WORDS, ENGLISH, language === "fr" ? FRENCH : {});
}
