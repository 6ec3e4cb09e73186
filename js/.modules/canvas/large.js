/** The large view: the same editor in a dialog over the whole page. */

import { make } from "./elements.js";

const STYLE =
  "position:fixed;inset:0;width:100vw;height:100vh;max-width:none;max-height:none;margin:0;padding:12px;border:0;" +
  "box-sizing:border-box;background:rgb(0 0 0 / .6)";

/**
 * @param {HTMLElement} element the editor's @param {string} label its name for screen readers
 * @param {() => void} closed called once, when the element is out of the dialog
 * @returns {() => void} closes it
 */
export function openLarge(element, label, closed) {
  const dialog = make("dialog", { style: STYLE, "aria-label": label });
  // ComfyUI's own keys must not reach the graph behind the dialog.
  for (const name of ["keydown", "keyup", "keypress", "pointerdown", "wheel"]) {
    dialog.addEventListener(name, (event) => event.stopPropagation());
  }
  dialog.addEventListener("close", () => {
    element.remove();
    dialog.remove();
    closed();
  });
  dialog.append(element);
  document.body.append(dialog);
  dialog.showModal();
  return () => dialog.close();
}
