/** Pen, mouse and fingers on the stage: one draws, two move the view, a pen held still makes its stroke straight. */

import { panned, toPicture, zoomed } from "../../canvas/camera.js";
import { listen } from "../../canvas/elements.js";
import { FULL, STEPS } from "../model/strokes.js";

/** @import { Point } from "../model/strokes.js" */
/** @import { SketchEditor } from "./editor.js" */

/** Milliseconds and pixels of the stage within which a pen is held still. */
const HOLD = 500, STILL = 3;

/** @param {SketchEditor} editor @param {SketchEditor["stage"]} stage */
export function listenToPointer(editor, stage) {
  /** The pointers that are down, by id, where they are on the stage. @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  let drawing = -1, straight = false, rest = { x: 0, y: 0 };
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let held = undefined;

  /** @param {PointerEvent} event @returns {Point} */
  function point(event) {
    const { x, y } = toPicture(editor.seen(), stage.place(event));
    const pressure = event.pointerType === "pen" && event.pressure ? event.pressure : 1;
    return [Math.round(x * STEPS), Math.round(y * STEPS), Math.round(pressure * FULL)];
  }

  function stop() {
    clearTimeout(held);
    drawing = -1;
    straight = false;
  }

  /** @param {PointerEvent} event */
  function start(event) {
    const at = stage.place(event);
    stage.above.setPointerCapture(event.pointerId);
    editor.focus();
    down.set(event.pointerId, at);
    event.stopPropagation();
    if (down.size === 2 && drawing >= 0) {
      stop();
      editor.cancel();
    }
    if (down.size > 1 || event.button !== 0) return;
    drawing = event.pointerId;
    rest = at;
    straight = event.shiftKey;
    editor.begin(point(event));
    wait();
  }

  function wait() {
    clearTimeout(held);
    held = setTimeout(() => {
      straight = true;
      editor.straighten(null);
    }, HOLD);
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const before = down.get(event.pointerId), at = stage.place(event);
    if (!before) return;
    event.stopPropagation();
    if (event.pointerId === drawing) {
      if (straight) editor.straighten(point(event));
      else for (const each of event.getCoalescedEvents?.() ?? [event]) editor.extend(point(each));
      if (Math.hypot(at.x - rest.x, at.y - rest.y) > STILL) {
        rest = at;
        wait();
      }
    } else look(event.pointerId, before, at);
    down.set(event.pointerId, at);
  }

  /** @param {number} id @param {{x: number, y: number}} before @param {{x: number, y: number}} at */
  function look(id, before, at) {
    const other = [...down].find(([key]) => key !== id)?.[1];
    if (!other) return editor.look(panned(editor.seen(), at.x - before.x, at.y - before.y));
    const far = Math.hypot(before.x - other.x, before.y - other.y) || 1;
    const moved = panned(editor.seen(), (at.x - before.x) / 2, (at.y - before.y) / 2);
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    editor.look(zoomed(moved, Math.hypot(at.x - other.x, at.y - other.y) / far, middle));
  }

  /** @param {PointerEvent} event */
  function end(event) {
    down.delete(event.pointerId);
    if (event.pointerId !== drawing) return;
    event.stopPropagation();
    stop();
    if (event.type === "pointerup") editor.finish();
    else editor.cancel();
  }

  const unlisten = listen(stage.above, {
    pointerdown: start,
    pointermove: move,
    pointerup: end,
    pointercancel: end,
    contextmenu: (event) => event.preventDefault(),
  });
  return {
    cancel: stop,
    dispose() {
      stop();
      unlisten();
    },
  };
}
