/** Mouse, pen and touch on the stage: which gesture a press starts and what each move of it means. */

import { hitTest, selectionBox } from "../model/geometry.js";
import { CHAINS, MAIN_POINTS, POINTS } from "../model/skeleton.js";
import { toPicture } from "../../canvas/camera.js";
import { listen } from "../../canvas/elements.js";
import { handleAt, pulled } from "../../canvas/handles.js";
import { detailed } from "./paint.js";

/** @import { Vector } from "../../canvas/camera.js" */
/** @import { Handle } from "../../canvas/handles.js" */
/** @import { makeStage } from "../../canvas/stage.js" */
/** @import { LimbHit, PointHit, PointRef, State } from "../model/types.js" */
/** @import { PoseEditor } from "./editor.js" */

/**
 * @typedef {object} Gesture
 * @property {(at: Vector, event: PointerEvent) => void} move `at` on the stage
 * @property {(at: Vector, event: PointerEvent) => void} [end]
 * @property {(at: Vector, event: PointerEvent) => void} [click] it ended where it began
 * @property {() => void} [cancel]
 * @property {boolean} [edits] whether it changes the pose, as one step of undo
 */

/** @type {Record<string, number>} */
const REACH = { mouse: 9, pen: 11, touch: 20 };
/** A press that moves less than this is a click. */
const CLICK = 3;

/** @param {{person: number, point: number}} given */
const keyOf = ({ person, point }) => person * POINTS + point;
/** @param {PointerEvent} event */
const free = (event) => event.altKey || event.ctrlKey || event.metaKey;

/**
 * What can be gripped at a place; points too close together to be told apart cannot.
 * @param {PoseEditor} editor @param {Vector} at @param {number} reach
 */
export function whatIsAt(editor, at, reach) {
  const { state } = editor, camera = editor.seen();
  const frame = state.frames[state.frame];
  const large = frame.people.map((person) => detailed(person, camera));
  /** @param {number} person @param {number} point */
  const skip = (person, point) => point >= MAIN_POINTS && !large[person];
  return hitTest(frame, toPicture(camera, at), reach / camera.scale, { hidden: true, skip });
}

/** The box of a selection of two points or more. @param {State} state */
export function boxOfSelection(state) {
  return state.selection.length > 1 ? selectionBox(state.frames[state.frame], state.selection) : null;
}

/** @param {PoseEditor} editor @param {Vector} from @returns {Gesture} */
function pan(editor, from) {
  let last = from;
  return {
    move(at) {
      editor.pan(at.x - last.x, at.y - last.y);
      last = at;
    },
  };
}

/**
 * @param {PoseEditor} editor @param {PointHit} hit @param {Vector} from @param {PointerEvent} event
 * @returns {Gesture}
 */
function dragPoint(editor, hit, from, event) {
  const { person, point } = hit;
  const selected = editor.state.selection.includes(keyOf(hit));
  const several = selected && editor.state.selection.length > 1;
  if (event.shiftKey) editor.dispatch({ type: "select", points: [{ person, point }], mode: "toggle" });
  else if (!selected) editor.dispatch({ type: "select", points: [{ person, point }], mode: "replace" });
  if (several && !event.shiftKey) return pullHandle(editor, { kind: "move", anchor: { x: 0, y: 0 } }, from);
  const old = editor.state.frames[editor.state.frame].people[person].xy;
  const grip = toPicture(editor.seen(), from);
  const offset = { x: old[2 * point] - grip.x, y: old[2 * point + 1] - grip.y };
  return {
    edits: true,
    move(at, moved) {
      const place = toPicture(editor.seen(), at);
      const type = CHAINS[point] && editor.modes.reach && !free(moved) ? "reach" : "dragPoint";
      editor.dispatch({ type, person, point, to: { x: place.x + offset.x, y: place.y + offset.y } });
    },
    click() {
      if (several && !event.shiftKey) editor.dispatch({ type: "select", points: [{ person, point }], mode: "replace" });
    },
  };
}

/**
 * @param {PoseEditor} editor @param {LimbHit} hit @param {Vector} from @param {PointerEvent} event @returns {Gesture}
 */
function dragLimb(editor, hit, from, event) {
  const { person, limb } = hit;
  editor.actions.selectLimb(person, limb, event.shiftKey ? "add" : "replace");
  const grip = toPicture(editor.seen(), from);
  return {
    edits: true,
    move(at, moved) {
      editor.dispatch({ type: "dragLimb", person, limb, grip, to: toPicture(editor.seen(), at), stretch: free(moved) });
    },
  };
}

/** @param {PoseEditor} editor @param {Handle} handle @param {Vector} from @returns {Gesture} */
function pullHandle(editor, handle, from) {
  const start = toPicture(editor.seen(), from);
  return {
    edits: true,
    move(at, moved) {
      editor.dispatch(pulled(handle, start, toPicture(editor.seen(), at), moved.shiftKey));
    },
    click(at) {
      if (handle.kind === "move" && !whatIsAt(editor, at, REACH.mouse)) editor.dispatch({ type: "selectNone" });
    },
  };
}

/** @param {PoseEditor} editor @param {Vector} from @param {PointerEvent} event @returns {Gesture} */
function drawBox(editor, from, event) {
  const start = toPicture(editor.seen(), from);
  const mode = event.shiftKey ? "add" : free(event) ? "remove" : "replace";
  return {
    move(at) {
      const end = toPicture(editor.seen(), at);
      editor.showBox({ x: start.x, y: start.y, width: end.x - start.x, height: end.y - start.y });
    },
    end(at) {
      const end = toPicture(editor.seen(), at);
      const box = { x: start.x, y: start.y, width: end.x - start.x, height: end.y - start.y };
      editor.showBox(null);
      editor.dispatch({ type: "selectBox", box, mode });
    },
    cancel: () => editor.showBox(null),
    click: () => mode === "replace" && editor.dispatch({ type: "selectNone" }),
  };
}

/**
 * Point to be put where the next click falls, as chosen in the list of points.
 * @param {PoseEditor} editor @param {Vector} from @param {PointRef} point @returns {Gesture}
 */
function placePoint(editor, from, { person, point }) {
  editor.modes.adding = null;
  editor.dispatch({ type: "addPoint", person, point, at: toPicture(editor.seen(), from) });
  editor.dispatch({ type: "select", points: [{ person, point }], mode: "replace" });
  return { move() {} };
}

/** @param {PoseEditor} editor @param {Vector} from @param {PointerEvent} event @returns {Gesture} */
function started(editor, from, event) {
  if (event.button === 1 || event.button === 2 || editor.modes.space) return pan(editor, from);
  if (editor.modes.adding) return placePoint(editor, from, editor.modes.adding);
  const reach = REACH[event.pointerType] ?? REACH.mouse;
  const box = boxOfSelection(editor.state);
  const handle = handleAt(box, editor.seen(), from, reach);
  if (handle && handle.kind !== "move") return pullHandle(editor, handle, from);
  const hit = whatIsAt(editor, from, reach);
  if (hit?.point !== undefined) return dragPoint(editor, hit, from, event);
  const stretches = hit !== null && free(event);
  if (handle && !event.shiftKey && !stretches) return pullHandle(editor, handle, from);
  if (hit) return dragLimb(editor, hit, from, event);
  return event.pointerType === "touch" && !editor.modes.boxTouch ? pan(editor, from) : drawBox(editor, from, event);
}

/**
 * Listens on the stage until disposed.
 * @param {PoseEditor} editor @param {ReturnType<typeof makeStage>} stage
 */
export function listenToPointer(editor, stage) {
  /** @type {Map<number, Vector>} */
  const fingers = new Map();
  /** @type {Gesture|null} */
  let gesture = null;
  /** @type {[Vector, PointerEvent]|null} */
  let latest = null;
  /** @type {(Vector & {apart: number})|null} */
  let pinch = null;
  let origin = { x: 0, y: 0 }, moved = false;

  function apply() {
    if (!latest || !gesture) return;
    const [at, event] = latest;
    latest = null;
    if (gesture.edits && !moved) editor.dispatch({ type: "begin" });
    moved = true;
    gesture.move(at, event);
  }

  /** @param {Vector} at @param {PointerEvent|null} event @param {"end"|"cancel"} how */
  function finish(at, event, how) {
    if (!gesture) return;
    apply();
    const ended = gesture;
    gesture = null;
    if (how === "cancel") ended.cancel?.();
    else if (moved && event) ended.end?.(at, event);
    else if (event) ended.click?.(at, event);
    if (ended.edits && moved) editor.dispatch({ type: how === "cancel" ? "cancel" : "commit" });
    editor.gestureEnded();
  }

  function pinchFrom() {
    const [a, b] = [...fingers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }

  function pinched() {
    if (fingers.size !== 2 || !pinch) return;
    const now = pinchFrom();
    editor.pan(now.x - pinch.x, now.y - pinch.y);
    editor.zoom(now.apart / pinch.apart, now);
    pinch = now;
  }

  /** @param {PointerEvent} event */
  function down(event) {
    event.stopPropagation();
    editor.focus();
    const at = stage.place(event);
    stage.element.setPointerCapture?.(event.pointerId);
    if (event.pointerType === "touch") fingers.set(event.pointerId, at);
    if (fingers.size === 2) {
      finish(at, event, "cancel");
      pinch = pinchFrom();
      return;
    }
    if (gesture || fingers.size > 2) return;
    origin = at;
    moved = false;
    latest = null;
    gesture = started(editor, at, event);
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const at = stage.place(event);
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, at);
    if (pinch) {
      stage.beforeFrame(pinched);
    } else if (gesture) {
      if (!moved && Math.hypot(at.x - origin.x, at.y - origin.y) * stage.zoom() < CLICK && !latest) return;
      if (!latest) stage.beforeFrame(apply);
      latest = [at, event];
    } else editor.hover(at, event);
    event.stopPropagation();
  }

  /** @param {PointerEvent} event */
  function up(event) {
    event.stopPropagation();
    pinched();
    fingers.delete(event.pointerId);
    if (pinch) {
      if (fingers.size < 2) pinch = null;
      return;
    }
    finish(stage.place(event), event, event.type === "pointercancel" ? "cancel" : "end");
  }

  const dispose = listen(stage.element, {
    pointerdown: down,
    pointermove: move,
    pointerup: up,
    pointercancel: up,
    pointerleave: () => editor.hover(null),
    contextmenu: (/** @type {MouseEvent} */ event) => {
      event.preventDefault();
      event.stopPropagation();
    },
    dblclick: (/** @type {MouseEvent} */ event) => {
      const hit = whatIsAt(editor, stage.place(event), REACH.mouse);
      if (hit) editor.dispatch({ type: "selectPerson", person: hit.person, mode: event.shiftKey ? "add" : "replace" });
    },
  });

  return {
    /** Give up the gesture under way. @returns {boolean} whether there was one */
    cancel() {
      const had = Boolean(gesture);
      if (had) finish(origin, null, "cancel");
      return had;
    },
    dispose,
  };
}
