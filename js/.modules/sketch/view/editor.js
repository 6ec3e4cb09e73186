/**
 * The sketch editor as an element: shows a drawing, makes strokes of what the user does, and reports each finished one
 * once. Knows nothing of ComfyUI; `dispose()` undoes all it did.
 */

import { fittedTo, toStage, zoomed } from "../../canvas/camera.js";
import { listen, make, set, setText } from "../../canvas/elements.js";
import { photoKeeper } from "../../canvas/photo.js";
import { makeStage } from "../../canvas/stage.js";
import { BASE } from "../../canvas/style.js";
import { keepTouches } from "../../canvas/touch.js";
import { parse, rescaled, STEPS, WIDEST, written } from "../model/strokes.js";
import { makeControls } from "./controls.js";
import { listenToPointer } from "./pointer.js";
import { makeSurface } from "./surface.js";
import { WORDS } from "./words.js";

/** @import { Camera, Vector } from "../../canvas/camera.js" */
/** @import { Host } from "../../canvas/seats.js" */
/** @import { Layer, Point, Size, Stroke } from "../model/strokes.js" */

const JUST = 500, PAPER = "#fff", WELL = "#16181c", TRACING = 0.35;
const STYLE = `${BASE}
.stage { position: relative; flex: 1; min-height: 0; overflow: hidden; touch-action: none; cursor: crosshair; }
.stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.stage canvas:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.notice { padding: 4px 10px; flex: none; color: #1c1400; background: #f3c35a; }
.notice[hidden] { display: none; }
.bar { flex-wrap: wrap; }
input[type="range"] { width: 80px; accent-color: var(--accent); }
input[type="color"] { width: 32px; height: 24px; padding: 0; border: 0; background: none; }
select { height: 26px; color: var(--ink); background: var(--well); border: 1px solid var(--line); border-radius: 6px; }
`;

export class SketchEditor {
  /** @param {Size} size @param {string} value @param {Host} host */
  constructor(size, value, host) {
    this.size = size;
    this.host = host;
    this.value = "";
    /** @type {readonly Stroke[]} */
    this.strokes = [];
    /** @type {Stroke|null} */
    this.stroke = null;
    this.tools = { layer: /** @type {Layer} */ ("sketch"), width: 4, erase: false, fill: false, colour: "ff8800" };
    this.surface = makeSurface(size);
    this.camera = /** @type {Camera|null} */ (null);
    this.follows = true;
    this.picture = "";
    this.damaged = this.stale = this.large = this.busy = false;
    this.lost = -Infinity;
    /** Set by the seat while the editor is in the large view. */
    this.closeLarge = /** @type {(() => void)|null} */ (null);
    this.photo = photoKeeper(() => this.stage?.repaintAll());
    this.element = make("div", { class: "recompose-sketch-editor" });
    this.stage = makeStage({
      paintBelow: (context) => this.paintPhoto(context),
      paintAbove: (context) => this.paintDrawing(context),
      resized: () => this.follows && this.fit(),
    });
    this.controls = makeControls(this);
    this.notice = make("div", { class: "notice", hidden: true, role: "status" });
    this.assemble();
    this.pointer = listenToPointer(this, this.stage);
    this.touches = keepTouches(this.stage.element);
    this.unlisten = listen(this.element, {
      keydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
      wheel: (/** @type {WheelEvent} */ event) => this.wheel(event),
      focusout: (/** @type {FocusEvent} */ event) => {
        this.lost = event.relatedTarget ? -Infinity : performance.now();
      },
    });
    this.load(value);
  }

  assemble() {
    /** For whoever looks at the page from outside, such as a test. */
    Object.assign(this.element, { sketchEditor: this });
    const stage = { tabindex: 0, role: "application", "aria-roledescription": WORDS.editor, "aria-label": WORDS.stage };
    for (const [name, value] of Object.entries(stage)) set(this.stage.above, name, value);
    const root = this.element.attachShadow({ mode: "open" });
    root.append(make("style", { text: STYLE }), this.controls.element, this.notice);
    root.append(this.stage.element, this.controls.lower);
  }

  // What comes from the page.

  /** The widget's value was set from outside: an opened workflow, the graph's undo. @param {string} value */
  load(value) {
    const drawing = parse(value), { size } = drawing;
    this.value = value;
    this.damaged = drawing.damage !== "";
    // Until its picture is there a drawing keeps the size it was made at.
    if (size && !this.hasPicture()) this.take(size);
    this.strokes = rescaled(drawing, this.size);
    this.stroke = null;
    this.redraw();
  }

  /** @param {Size} size @returns {boolean} whether it is another */
  take(size) {
    if (size.width === this.size.width && size.height === this.size.height) return false;
    this.size = size;
    this.surface = makeSurface(size);
    this.fit();
    return true;
  }

  /** The picture or the node's widgets say another size. @param {Size} size */
  resize(size) {
    if (!this.take(size)) return;
    this.strokes = rescaled(parse(this.value), size);
    this.redraw();
  }

  /** The node ran. @param {{size: Size, picture: Record<string, string>|null}} report */
  detected({ size, picture }) {
    this.stale = false;
    this.picture = picture ? this.host.address(picture) : "";
    this.photo.show(this.picture);
    this.resize(size);
    this.refresh();
  }

  reconnected() {
    this.photo.again();
  }

  /** @param {boolean} stale */
  setStale(stale) {
    this.stale = stale;
    this.refresh();
  }

  /** @param {boolean} large */
  setLarge(large) {
    this.large = large;
    this.refresh();
  }

  hasPicture() {
    return this.picture !== "";
  }

  hasFocus() {
    return /** @type {Document|ShadowRoot} */ (this.element.getRootNode()).activeElement === this.element;
  }

  hadFocus() {
    return this.hasFocus() || performance.now() - this.lost < JUST;
  }

  focus() {
    this.stage.above.focus({ preventScroll: true });
  }

  dispose() {
    this.pointer.dispose();
    this.touches.dispose();
    this.unlisten();
    this.photo.dispose();
    this.stage.dispose();
    this.element.remove();
  }

  async loadPicture() {
    if (this.busy) return;
    this.busy = true;
    this.refresh();
    try {
      await this.host.loadPicture();
    } finally {
      this.busy = false;
      this.refresh();
    }
  }

  // Strokes.

  /** @param {Partial<SketchEditor["tools"]>} change */
  setTools(change) {
    Object.assign(this.tools, change);
    this.refresh();
  }

  /** @param {Point} point */
  begin(point) {
    const { width, ...rest } = this.tools, colour = rest.layer === "colour" ? rest.colour : "000000";
    this.stroke = { ...rest, colour, width: Math.min(width * STEPS, WIDEST), points: [point] };
    this.surface.add({ ...this.stroke, fill: false });
    this.refresh();
  }

  /** @param {Point} point */
  extend(point) {
    const last = this.stroke?.points.at(-1);
    if (!this.stroke || !last || (last[0] === point[0] && last[1] === point[1])) return;
    this.stroke.points.push(point);
    this.surface.add({ ...this.stroke, fill: false, points: [last, point] });
    this.refresh();
  }

  /** The stroke becomes a line from its start to a point, or to its end. @param {Point|null} point */
  straighten(point) {
    if (!this.stroke) return;
    const { points } = this.stroke, first = points[0], last = point ?? points[points.length - 1];
    this.stroke = { ...this.stroke, points: [first, [last[0], last[1], first[2]]] };
    this.surface.restart([...this.strokes, { ...this.stroke, fill: false }]);
    this.refresh();
  }

  finish() {
    if (!this.stroke) return;
    const { stroke } = this;
    this.stroke = null;
    if (stroke.fill) this.surface.add(stroke);
    this.change([...this.strokes, stroke]);
  }

  cancel() {
    const had = this.stroke !== null;
    this.stroke = null;
    if (had) this.redraw();
    return had;
  }

  clear() {
    const kept = this.strokes.filter(({ layer }) => layer !== this.tools.layer);
    if (kept.length === this.strokes.length) return;
    this.change(kept);
    this.redraw();
  }

  /** One step of the graph's undo. @param {readonly Stroke[]} strokes */
  change(strokes) {
    this.strokes = strokes;
    this.value = written(this.size, strokes);
    this.damaged = false;
    this.host.changed(this.value);
    this.refresh();
  }

  // The view.

  redraw() {
    this.surface.restart(this.strokes);
    this.refresh();
  }

  refresh() {
    this.controls.update();
    const sentence = (this.damaged && WORDS.damaged) || (this.stale && WORDS.stale) || "";
    setText(this.notice, sentence);
    this.notice.hidden = !sentence;
    this.stage.repaint();
  }

  seen() {
    return this.camera ?? { scale: 1, x: 0, y: 0 };
  }

  /** @param {Camera} camera */
  look(camera) {
    this.camera = camera;
    this.follows = false;
    this.stage.repaintAll();
  }

  /** @param {number} factor @param {Vector} [at] */
  zoom(factor, at = { x: this.stage.size.width / 2, y: this.stage.size.height / 2 }) {
    this.look(zoomed(this.seen(), factor, at));
  }

  fit() {
    const { width, height } = this.stage.size;
    this.follows = true;
    if (width && height) this.camera = fittedTo({ x: 0, y: 0, ...this.size }, width, height);
    this.stage.repaintAll();
  }

  place() {
    const { scale } = this.seen(), { x, y } = toStage(this.seen(), { x: 0, y: 0 });
    return /** @type {const} */ ([x, y, this.size.width * scale, this.size.height * scale]);
  }

  /** @param {CanvasRenderingContext2D} context */
  paintPhoto(context) {
    context.fillStyle = WELL;
    context.fillRect(0, 0, this.stage.size.width, this.stage.size.height);
    context.fillStyle = PAPER;
    const { bitmap } = this.photo.get();
    if (bitmap) context.drawImage(bitmap, ...this.place());
    context.globalAlpha = bitmap ? TRACING : 1;
    context.fillRect(...this.place());
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context */
  paintDrawing(context) {
    context.imageSmoothingEnabled = this.seen().scale < 1;
    context.drawImage(this.surface.canvas, ...this.place());
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const key = event.key.toLowerCase(), { layer, width } = this.tools;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") this.host.keyHistory(event.shiftKey ? "redo" : "undo");
      else if (key === "y") this.host.keyHistory("redo");
      return;
    }
    /** @type {Record<string, () => unknown>} */
    const plain = {
      b: () => this.setTools({ erase: false }),
      e: () => this.setTools({ erase: true }),
      f: () => this.setTools({ fill: !this.tools.fill }),
      1: () => this.setTools({ layer: "sketch" }),
      2: () => this.setTools({ layer: "mask" }),
      3: () => this.setTools({ layer: "colour" }),
      "[": () => this.setTools({ width: Math.max(1, width - 1) }),
      "]": () => this.setTools({ width: Math.min(128, width + 1) }),
      "+": () => this.zoom(1.25),
      "-": () => this.zoom(0.8),
      0: () => this.fit(),
      delete: () => layer && this.clear(),
    };
    if (key === "escape" ? !this.cancel() : !plain[key]) return;
    plain[key]?.();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (!this.hasFocus()) return this.host.wheel(event);
    event.preventDefault();
    event.stopPropagation();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.stage.place(event));
  }
}
