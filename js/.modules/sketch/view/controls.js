/** The bars of the sketch editor. */

import { button, make, set } from "../../canvas/elements.js";
import { LAYERS } from "../model/strokes.js";
import { WORDS } from "./words.js";

/** @import { Layer } from "../model/strokes.js" */
/** @import { SketchEditor } from "./editor.js" */

/** @param {Event} event */
const valueOf = (event) => /** @type {HTMLInputElement} */ (event.target).value;

/** @param {SketchEditor} editor */
export function makeControls(editor) {
  const { tools } = editor;
  const pen = button("pen", WORDS.pen, () => editor.setTools({ erase: false }));
  const eraser = button("eraser", WORDS.eraser, () => editor.setTools({ erase: true }));
  const fill = button("fill", WORDS.fill, () => editor.setTools({ fill: !tools.fill }));
  const names = /** @type {Layer[]} */ ([...LAYERS]);
  const options = names.map((name) => make("option", { value: name, text: WORDS[name] }));
  const change = (/** @type {Event} */ event) => editor.setTools({ layer: /** @type {Layer} */ (valueOf(event)) });
  const layer = make("select", { "aria-label": WORDS.layer, title: WORDS.layer, change }, ...options);
  const ink = make("input", {
    type: "color",
    "aria-label": WORDS.ink,
    title: WORDS.ink,
    input: (/** @type {Event} */ event) => editor.setTools({ colour: valueOf(event).slice(1) }),
  });
  const width = make("input", {
    type: "range",
    min: 1,
    max: 128,
    "aria-label": WORDS.width,
    title: WORDS.width,
    input: (/** @type {Event} */ event) => editor.setTools({ width: Number(valueOf(event)) }),
  });
  const undo = button("undo", WORDS.undo, () => editor.host.history("undo"));
  const redo = button("redo", WORDS.redo, () => editor.host.history("redo"));
  const clear = button("remove", WORDS.clear, () => editor.clear());
  const load = button("load", WORDS.load, () => editor.loadPicture());
  const large = button("large", WORDS.large, () => editor.host.showLarge(!editor.large));
  const gap = make("div", { class: "gap" });
  const element = make("div", { class: "bar", role: "toolbar", "aria-label": WORDS.editor });
  element.append(load, pen, eraser, fill, layer, ink, width, gap, undo, redo, clear);
  const lower = make(
    "div",
    { class: "bar" },
    button("fit", WORDS.fit, () => editor.fit()),
    button("farther", WORDS.farther, () => editor.zoom(0.8)),
    button("nearer", WORDS.nearer, () => editor.zoom(1.25)),
    make("div", { class: "gap" }),
    large,
  );
  return {
    element,
    lower,
    update() {
      set(pen, "aria-pressed", String(!tools.erase));
      set(eraser, "aria-pressed", String(tools.erase));
      set(fill, "aria-pressed", String(tools.fill));
      layer.value = tools.layer;
      ink.value = `#${tools.colour}`;
      ink.hidden = tools.layer !== "colour";
      width.value = String(tools.width);
      set(large, "aria-label", editor.large ? WORDS.small : WORDS.large);
      set(large, "title", editor.large ? WORDS.small : WORDS.large);
      set(load, "disabled", editor.busy);
    },
  };
}
