/** The keyboard on the stage. Keys the editor does not know go on to ComfyUI. */

import { listen } from "../../canvas/elements.js";

/** @import { Event } from "../model/types.js" */
/** @import { PoseEditor } from "./editor.js" */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TURN = Math.PI / 90, GROW = 1.02;

/**
 * @param {PoseEditor} editor
 * @param {HTMLElement} element that has the focus
 */
export function listenToKeys(editor, element) {
  let held = false, total = { angle: 0, scale: 1 };

  /** A key that is held down is one gesture. @param {Event} event */
  function continued(event) {
    if (!held) editor.dispatch({ type: "begin" });
    held = true;
    editor.dispatch(event);
  }

  function release() {
    if (held) editor.dispatch({ type: "commit" });
    held = false;
    total = { angle: 0, scale: 1 };
  }

  /** @param {KeyboardEvent} event @param {number[]} given */
  function nudge(event, [x, y]) {
    const step = event.shiftKey ? 10 : 1;
    if (editor.state.selection.length) continued({ type: "nudge", x: x * step, y: y * step });
    else editor.pan(-x * 24, -y * 24);
  }

  /** Turning and scaling count from the begin of the gesture. */
  /** @param {{angle?: number, scale?: number}} change */
  function adjust({ angle = 0, scale = 1 }) {
    if (!editor.state.selection.length) return;
    total = { angle: total.angle + angle, scale: total.scale * scale };
    continued({ type: "transform", ...total });
  }

  /** @type {Record<string, () => void>} */
  const plain = {
    Delete: () => editor.dispatch({ type: "delete" }),
    Backspace: () => editor.dispatch({ type: "delete" }),
    PageDown: () => editor.dispatch({ type: "selectNext", step: 1, by: "person" }),
    PageUp: () => editor.dispatch({ type: "selectNext", step: -1, by: "person" }),
    "[": () => adjust({ angle: -TURN }),
    "]": () => adjust({ angle: TURN }),
    "{": () => adjust({ scale: 1 / GROW }),
    "}": () => adjust({ scale: GROW }),
    h: () => editor.actions.toggleHidden(),
    l: () => editor.actions.toggleLocked(),
    r: () => editor.dispatch({ type: "restore" }),
    g: () => editor.actions.guessLegs(),
    m: () => editor.actions.onPerson("mirror"),
    x: () => editor.actions.onPerson("swapSides"),
    "+": () => editor.zoom(1.25),
    "=": () => editor.zoom(1.25),
    "-": () => editor.zoom(0.8),
    0: () => editor.fit(),
    "?": () => editor.help(),
  };

  /** @param {KeyboardEvent} event */
  function tab(event) {
    const { state } = editor;
    if (editor.leaving) return false;
    const before = state.selection;
    editor.dispatch({ type: "selectNext", step: event.shiftKey ? -1 : 1 });
    return before !== editor.state.selection;
  }

  function escape() {
    if (editor.cancel()) return true;
    const had = editor.state.selection.length > 0;
    editor.dispatch({ type: "selectNone" });
    editor.leaving = true;
    return had;
  }

  /** @param {KeyboardEvent} event */
  function control(event) {
    const key = event.key.toLowerCase();
    if (key === "a") editor.dispatch({ type: event.shiftKey ? "selectNone" : "selectAll" });
    else if (key === "z" || key === "y") editor.host.keyHistory(key === "y" || event.shiftKey ? "redo" : "undo");
    else return false;
    return true;
  }

  /** @param {KeyboardEvent} event */
  function known(event) {
    if (event.key in ARROWS) return nudge(event, ARROWS[event.key]), true;
    // Many keyboards type brackets with AltGr, which some systems report as Ctrl and Alt, or with Option.
    const typed = event.altKey && "[]{}".includes(event.key);
    if (!typed && (event.ctrlKey || event.metaKey)) return control(event);
    if (!typed && event.altKey) return false;
    if (event.key === "Tab") return tab(event);
    if (event.key === "Escape") return escape();
    if (event.key === "Delete" && event.shiftKey) return editor.actions.onPerson("deletePerson"), true;
    if (event.key === " ") return (editor.modes.space = true);
    const action = plain[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return false;
    action();
    return true;
  }

  /** @param {KeyboardEvent} event */
  function down(event) {
    if (event.key !== "Tab" && event.key !== "Escape" && event.key !== "Shift") editor.leaving = false;
    if (!known(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event */
  function up(event) {
    if (event.key === " ") editor.modes.space = false;
    release();
  }

  function left() {
    editor.modes.space = false;
    editor.leaving = false;
    release();
  }

  return { dispose: listen(element, { keydown: down, keyup: up, blur: left }) };
}
