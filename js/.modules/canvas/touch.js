/** Keeps fingers on an element from what lies around it. */

const NAMES = /** @type {const} */ (["touchstart", "touchmove", "touchend", "touchcancel"]);

/**
 * From the first finger on `element` to the last: nobody but the page's outermost object hears its touches.
 *
 * ComfyUI zooms the graph with two fingers by listeners on an outer element that hear a touch on its way in,
 * so that the inner element's own listeners come too late. Pointer events are not held back.
 * @param {HTMLElement} element
 */
export function keepTouches(element) {
  let keeping = false;

  /** @param {TouchEvent} event */
  function kept(event) {
    if (!event.composedPath().includes(element)) return;
    event.stopPropagation();
    // The touch's end comes after the pointer's, and whoever counts touches must miss both ends or none.
    if (event.type === "touchcancel" || (event.type === "touchend" && !event.targetTouches.length)) stop();
  }

  function stop() {
    if (keeping) for (const name of NAMES) window.removeEventListener(name, kept, true);
    keeping = false;
  }

  /** @param {PointerEvent} event */
  function start(event) {
    if (event.pointerType !== "touch" || keeping) return;
    for (const name of NAMES) window.addEventListener(name, kept, true);
    keeping = true;
  }

  element.addEventListener("pointerdown", start);
  return {
    dispose() {
      stop();
      element.removeEventListener("pointerdown", start);
    },
  };
}
