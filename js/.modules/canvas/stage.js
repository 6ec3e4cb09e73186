/** Two canvases on top of each other, as sharp as the screen: the photo below, skeleton and handles above. */

/** At most this many pixels of the backing store per CSS pixel. */
const SHARPEST = 3;

/**
 * @param {object} options
 * @param {(context: CanvasRenderingContext2D) => void} options.paintBelow
 * @param {(context: CanvasRenderingContext2D) => void} options.paintAbove
 * @param {() => void} options.resized
 * @param {(milliseconds: number) => void} [options.measured] told how long each frame's script took
 */
export function makeStage({ paintBelow, paintAbove, resized, measured }) {
  const element = document.createElement("div");
  element.className = "stage";
  const below = document.createElement("canvas"), above = document.createElement("canvas");
  below.setAttribute("aria-hidden", "true");
  element.append(below, above);
  const size = { width: 0, height: 0, sharpness: 0 };
  let waiting = 0, dirtyBelow = true;
  /** @type {(() => void)[]} */
  const before = [];

  /** How much larger a CSS pixel of the stage is on the page, as the graph may be zoomed. */
  function zoom() {
    return element.offsetWidth ? element.getBoundingClientRect().width / element.offsetWidth : 1;
  }

  function measure() {
    const width = element.clientWidth, height = element.clientHeight;
    const sharpness = Math.min(SHARPEST, Math.max(0.5, window.devicePixelRatio * zoom()));
    const changed = width !== size.width || height !== size.height;
    if (!changed && Math.abs(sharpness - size.sharpness) < 0.01) return;
    Object.assign(size, { width, height, sharpness });
    for (const canvas of [below, above]) {
      canvas.width = Math.max(1, Math.round(width * sharpness));
      canvas.height = Math.max(1, Math.round(height * sharpness));
    }
    dirtyBelow = true;
    if (changed) resized();
  }

  /** @param {HTMLCanvasElement} canvas @param {(context: CanvasRenderingContext2D) => void} paint */
  function draw(canvas, paint) {
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.setTransform(size.sharpness, 0, 0, size.sharpness, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    paint(context);
  }

  function frame() {
    waiting = 0;
    const started = performance.now();
    measure();
    if (!size.width || !size.height) return;
    for (const work of before.splice(0)) work();
    if (dirtyBelow) draw(below, paintBelow);
    dirtyBelow = false;
    draw(above, paintAbove);
    measured?.(performance.now() - started);
  }

  function request() {
    waiting ||= requestAnimationFrame(frame);
  }

  const observer = new ResizeObserver(request);
  observer.observe(element);

  return {
    element,
    above,
    size,
    zoom,
    /** Draw skeleton and handles with the screen's next frame. */
    repaint: request,
    /** Draw the photo as well. */
    repaintAll() {
      dirtyBelow = true;
      request();
    },
    /** Do something just before the next frame is drawn. @param {() => void} work */
    beforeFrame(work) {
      before.push(work);
      request();
    },
    /** A place on the page as a place on the stage. @param {{clientX: number, clientY: number}} event */
    place(event) {
      const box = element.getBoundingClientRect();
      return {
        x: ((event.clientX - box.left) / box.width) * element.clientWidth,
        y: ((event.clientY - box.top) / box.height) * element.clientHeight,
      };
    },
    dispose() {
      cancelAnimationFrame(waiting);
      observer.disconnect();
      element.remove();
    },
  };
}
