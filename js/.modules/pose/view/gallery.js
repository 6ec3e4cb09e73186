/** The gallery of presets and the list of keys: two parts that float above the stage until they are left. */

import { presetFrame, PRESETS } from "../edit/presets.js";
import { make, placeBelow } from "../../canvas/elements.js";
import { paintPeople } from "./paint.js";
import { WORDS } from "./words.js";

const WIDTH = 72, HEIGHT = 84;

/** A preset's picture. @param {string} name */
function thumbnail(name) {
  const canvas = make("canvas", { width: 2 * WIDTH, height: 2 * HEIGHT, "aria-hidden": "true" });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(2, 2);
  paintPeople(context, presetFrame(name, WIDTH, HEIGHT), { scale: 1, x: 0, y: 0 }, { halo: "#000" }, { radius: 2.2 });
  return canvas;
}

/**
 * A part that closes on Escape and when something else is pressed.
 * @param {HTMLElement} part @param {HTMLElement} layer @param {() => void} closed
 */
function floating(part, layer, closed) {
  const root = layer.getRootNode();
  function close() {
    part.remove();
    root.removeEventListener("pointerdown", outside, true);
    closed();
  }
  /** @param {Event} event */
  const outside = (event) => !event.composedPath().includes(part) && close();
  part.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    event.stopPropagation();
  });
  root.addEventListener("pointerdown", outside, true);
  layer.append(part);
  return close;
}

/**
 * @param {(name: string) => void} choose
 * @param {HTMLElement} opener @param {HTMLElement} layer @param {() => void} closed
 */
export function openGallery(opener, layer, choose, closed) {
  const part = make("div", { class: "gallery", role: "dialog", "aria-label": WORDS.gallery });
  for (const name of PRESETS) {
    const entry = make("button", { type: "button" }, thumbnail(name), WORDS.presets[name]);
    entry.addEventListener("click", () => {
      close();
      choose(name);
    });
    part.append(entry);
  }
  const close = floating(part, layer, closed);
  placeBelow(part, opener, layer);
  part.querySelector("button")?.focus();
  return close;
}

/** @param {HTMLElement} layer @param {() => void} closed */
export function openHelp(layer, closed) {
  const part = make("div", { class: "help", role: "dialog", "aria-label": WORDS.keys, tabindex: "-1" });
  const list = make("dl");
  for (const [keys, meaning] of WORDS.keyList) list.append(make("dt", { text: keys }), make("dd", { text: meaning }));
  part.append(list);
  const close = floating(part, layer, closed);
  part.focus();
  return close;
}
