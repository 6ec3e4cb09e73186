/**
 * The editor as an element: shows a state, turns what the user does into events, and reports each finished change of
 * the value once. Knows nothing of ComfyUI; `dispose()` undoes all it did.
 */

import { POINTS } from "../model/skeleton.js";
import { boundingBox } from "../model/geometry.js";
import { extensionNeeded } from "../estimate/extension.js";
import { shownFrame, update, valueOf } from "../edit/state.js";
import { Actions } from "./actions.js";
import { fittedTo, panned, union, zoomed } from "../../canvas/camera.js";
import { lowerBar, upperBar } from "./controls.js";
import { button, filled, listen, make, set, setText } from "../../canvas/elements.js";
import { openGallery, openHelp } from "./gallery.js";
import { listenToKeys } from "./keys.js";
import { photoKeeper } from "../../canvas/photo.js";
import { listenToPointer, whatIsAt } from "./pointer.js";
import { pointsPanel } from "./points.js";
import { paintPhoto, paintPose } from "./scene.js";
import { makeStage } from "../../canvas/stage.js";
import { STYLE } from "./style.js";
import { keepTouches } from "../../canvas/touch.js";
import { pointSentence, WORDS } from "./words.js";

/** @import { Box, Camera, Vector } from "../../canvas/camera.js" */
/** @import { Host } from "../../canvas/seats.js" */
/** @import { Event, Frame, Hit, PointRef, Report, State } from "../model/types.js" */

/** Milliseconds after which a lost focus is lost. */
const JUST = 500;

export class PoseEditor {
  /** @param {State} state @param {Host} host */
  constructor(state, host) {
    this.state = state;
    this.host = host;
    this.value = valueOf(state);
    this.camera = /** @type {Camera|null} */ (null);
    /** Whether the view goes along when the pose leaves it: until the user zooms or pans. */
    this.follows = true;
    /** Wrists pull their arm, a finger on nothing draws a box, the space bar is held, the next click puts a point. */
    this.modes = { reach: true, boxTouch: false, space: false, adding: /** @type {PointRef|null} */ (null) };
    this.leaving = this.busy = this.estimating = this.stale = this.large = this.disposed = false;
    this.hovered = /** @type {Hit|null} */ (null);
    this.drawnBox = /** @type {Box|null} */ (null);
    this.floating = /** @type {(() => void)|null} */ (null);
    /** Set by the seat while the editor is in the large view. */
    this.closeLarge = /** @type {(() => void)|null} */ (null);
    this.measured = /** @type {{frame: Frame, incoming: Frame|null}|null} */ (null);
    this.growth = { left: 0, top: 0, right: 0, bottom: 0 };
    /** The frames that `value` was written from. */
    this.written = /** @type {readonly Frame[]|null} */ (null);
    this.brightness = 1;
    this.lost = -Infinity;
    this.told = "";
    this.actions = new Actions(this);
    this.photo = photoKeeper(() => this.refresh(true));
    this.element = make("div", { class: "recompose-pose-editor" });
    this.stage = makeStage({
      paintBelow: (context) => paintPhoto(this, context),
      paintAbove: (context) => paintPose(this, context),
      resized: () => this.resized(),
      measured: (milliseconds) => this.host.measured?.(milliseconds),
    });
    this.layer = make("div", { class: "layer" });
    this.upper = upperBar(this, this.layer);
    this.lower = lowerBar(this);
    this.panel = pointsPanel(this);
    this.sentence = make("span");
    this.notice = make("div", { class: "notice", hidden: true, role: "status" }, this.sentence);
    this.hint = make("div", { class: "hint", hidden: true });
    this.voice = make("div", { class: "unseen", "aria-live": "polite" });
    this.assemble();
    this.pointer = listenToPointer(this, this.stage);
    this.touches = keepTouches(this.stage.element);
    this.keys = listenToKeys(this, this.stage.above);
    this.unlisten = listen(this.element, {
      wheel: (/** @type {WheelEvent} */ event) => this.wheel(event),
      copy: (/** @type {ClipboardEvent} */ event) => this.actions.copied(event),
      cut: (/** @type {ClipboardEvent} */ event) => this.actions.cut(event),
      paste: (/** @type {ClipboardEvent} */ event) => this.actions.pasted(event),
      focusin: () => this.refresh(),
      focusout: (/** @type {FocusEvent} */ event) => {
        this.lost = event.relatedTarget ? -Infinity : performance.now();
        this.refresh();
      },
    });
    this.refresh(true);
  }

  assemble() {
    /** For whoever looks at the page from outside, such as a test. */
    Object.assign(this.element, { poseEditor: this });
    const stage = { tabindex: 0, role: "application", "aria-roledescription": WORDS.editor, "aria-label": WORDS.stage };
    for (const [name, value] of Object.entries(stage)) set(this.stage.above, name, value);
    this.notice.append(button("close", WORDS.dismiss, () => this.dismiss()));
    this.stage.element.append(this.hint);
    const root = this.element.attachShadow({ mode: "open" });
    root.append(make("style", { text: STYLE }), this.upper.element, this.notice, this.stage.element);
    root.append(this.lower.element, this.panel.element, this.layer, this.voice);
  }

  get frame() {
    return shownFrame(this.state);
  }

  // What comes from the page.

  /** The widget's value was set from outside: an opened workflow, the graph's undo. @param {string} value */
  load(value) {
    this.take(update(this.state, { type: "load", value }));
    this.value = valueOf(this.state);
  }

  /** The node ran. @param {Report} report of bridge.readReport */
  detected(report) {
    this.stale = false;
    // A picture that was lost may be back under its old address.
    if (this.photo.get().status === "lost") this.photo.show("");
    this.dispatch({ type: "detected", report });
    this.fitIfOutside();
    this.refresh(true);
  }

  /** The server may be another one now, without the picture. */
  reconnected() {
    this.photo.again();
  }

  /** @param {boolean} stale */
  setStale(stale) {
    if (this.stale === stale) return;
    this.stale = stale;
    this.refresh();
  }

  /** Whether the server is asked for legs just now. @param {boolean} estimating */
  setEstimating(estimating) {
    this.estimating = estimating;
    this.refresh();
  }

  /** @param {boolean} large */
  setLarge(large) {
    this.large = large;
    this.refresh(true);
  }

  hasPicture() {
    return this.state.pictures.length > 0;
  }

  hasFocus() {
    return /** @type {Document|ShadowRoot} */ (this.element.getRootNode()).activeElement === this.element;
  }

  /** Whether it has the focus, or just lost it to nobody, as when its node is taken off the page. */
  hadFocus() {
    return this.hasFocus() || performance.now() - this.lost < JUST;
  }

  focus() {
    this.stage.above.focus({ preventScroll: true });
  }

  dispose() {
    this.disposed = true;
    this.floating?.();
    this.upper.closeMenu();
    this.pointer.dispose();
    this.touches.dispose();
    this.keys.dispose();
    this.unlisten();
    this.photo.dispose();
    this.stage.dispose();
    this.element.remove();
  }

  // Events and what follows from them.

  /** @param {Event} event */
  dispatch(event) {
    this.take(update(this.state, event));
    if (this.state.before) return;
    const value = this.state.frames === this.written ? this.value : valueOf(this.state);
    this.written = this.state.frames;
    if (value === this.value) return;
    this.value = value;
    this.host.changed(value);
  }

  /** @param {State} next */
  take(next) {
    const before = this.state;
    if (next === before) return;
    this.state = next;
    if (next.selection !== before.selection) this.say();
    this.refresh(next.frame !== before.frame || next.pictures !== before.pictures);
  }

  /** Tells a screen reader what is selected now. */
  say() {
    const { selection } = this.state, [key] = selection;
    const one = () => pointSentence(this.frame, Math.floor(key / POINTS), key % POINTS), count = selection.length;
    setText(this.voice, count === 1 ? one() : filled(WORDS.pointsSelected, { count }));
  }

  /** The person that is worked on: the selection's, or the first. */
  activePerson() {
    return this.state.selection.length ? Math.floor(this.state.selection[0] / POINTS) : 0;
  }

  refresh(photo = false) {
    if (photo) this.stage.repaintAll();
    else this.stage.repaint();
    const picture = this.state.pictures[this.state.frame];
    this.photo.show(picture ? this.host.address(picture) : "");
    const hasPhoto = Boolean(picture) && !this.stale;
    if (!this.state.before) this.upper.update(this.state, { busy: this.busy, estimating: this.estimating, hasPhoto });
    this.upper.setLarge(this.large);
    set(this.upper.parts.points, "aria-pressed", String(!this.panel.element.hidden));
    this.refreshLower();
    if (!this.state.before) this.panel.update(this.state);
    this.refreshNotices();
  }

  refreshLower() {
    const shown = { camera: this.seen(), grown: this.grown(), hover: this.hovered, idle: !this.hasFocus() };
    this.lower.update(this.state, shown);
  }

  refreshNotices() {
    const { status } = this.photo.get();
    const trouble = (status === "lost" && WORDS.lost) || (this.stale && WORDS.stale);
    const sentence = this.told || this.state.notices[0] || trouble || "";
    setText(this.sentence, sentence);
    this.notice.hidden = !sentence;
    const empty = this.frame.people.length === 0, waits = !this.hasPicture() && this.host.connected?.();
    setText(this.hint, (this.modes.adding && WORDS.place) || (waits && WORDS.notLoaded) || (empty && WORDS.empty) || "");
    this.hint.hidden = !this.hint.textContent;
  }

  dismiss() {
    if (this.told) this.told = "";
    else if (this.state.notices.length) return this.dispatch({ type: "dismiss" });
    else this.stale = false;
    this.refresh();
  }

  /** @param {string} sentence */
  tell(sentence) {
    this.told = sentence;
    this.refresh();
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

  // The view's own state.

  seen() {
    return this.camera ?? { scale: 1, x: 0, y: 0 };
  }

  /** The canvas the shown frame needs and all its people. */
  everything() {
    return union(this.canvas(), boundingBox(this.frame.people));
  }

  /** The picture grown by what the pose needs beyond it. */
  canvas() {
    const { left, top, right, bottom } = this.grown(), { width, height } = this.frame;
    return { x: -left, y: -top, width: left + width + right, height: top + height + bottom };
  }

  /** Whole pixels the canvas must grow by on each side. */
  grown() {
    const { frame } = this, incoming = this.state.incoming[this.state.frame];
    if (this.measured?.frame !== frame || this.measured.incoming !== incoming) {
      this.measured = { frame, incoming };
      const { left, top, right, bottom } = extensionNeeded(frame, incoming), { ceil } = Math;
      this.growth = { left: ceil(left), top: ceil(top), right: ceil(right), bottom: ceil(bottom) };
    }
    return this.growth;
  }

  /** @param {Camera} camera */
  look(camera) {
    this.camera = camera;
    this.follows = false;
    this.refresh(true);
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.look(panned(this.seen(), dx, dy));
  }

  /** @param {number} factor @param {Vector} [at] */
  zoom(factor, at = { x: this.stage.size.width / 2, y: this.stage.size.height / 2 }) {
    this.look(zoomed(this.seen(), factor, at));
  }

  fit() {
    const { width, height } = this.stage.size;
    this.follows = true;
    if (width && height) this.camera = fittedTo(this.everything(), width, height);
    this.refresh(true);
  }

  fitIfOutside() {
    if (this.follows) this.fit();
  }

  resized() {
    if (this.follows || !this.camera) {
      this.camera = fittedTo(this.everything(), this.stage.size.width, this.stage.size.height);
    }
    this.refreshLower();
  }

  gestureEnded() {
    this.fitIfOutside();
    this.refresh();
  }

  /** @param {Vector|null} at @param {PointerEvent=} event */
  hover(at, event) {
    const found = at && whatIsAt(this, at, event?.pointerType === "touch" ? 20 : 9);
    const cursor = this.modes.space ? "grab" : this.modes.adding ? "crosshair" : found ? "pointer" : "default";
    this.stage.element.style.cursor = cursor;
    if (found?.person === this.hovered?.person && found?.point === this.hovered?.point) return;
    this.hovered = found;
    this.refresh();
  }

  /** @param {Box|null} box */
  showBox(box) {
    this.drawnBox = box;
    this.stage.repaint();
  }

  /** @param {number} amount */
  setBrightness(amount) {
    this.brightness = amount;
    this.stage.repaintAll();
  }

  /** Give up what is under way. @returns {boolean} whether something was */
  cancel() {
    const adding = this.modes.adding !== null;
    this.modes.adding = null;
    return this.pointer.cancel() || adding;
  }

  /** @param {number} person @param {number} point */
  askPlace(person, point) {
    this.modes.adding = { person, point };
    this.focus();
    this.refresh();
  }

  togglePoints() {
    this.panel.element.hidden = !this.panel.element.hidden;
    this.refresh();
  }

  /** @param {HTMLElement} opener */
  toggleGallery(opener) {
    if (this.floating) return this.floating();
    const closed = () => (this.floating = null);
    this.floating = openGallery(opener, this.layer, (name) => this.actions.addPreset(name), closed);
  }

  help() {
    this.floating ??= openHelp(this.layer, () => (this.floating = null));
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    // A list that floats above the stage scrolls, and nothing behind it does.
    const path = event.composedPath();
    if (path.includes(this.layer) || path.includes(this.panel.element)) return event.stopPropagation();
    if (!this.hasFocus()) return this.host.wheel(event);
    event.preventDefault();
    event.stopPropagation();
    if (path.includes(this.stage.element)) {
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.stage.place(event));
    }
  }
}
