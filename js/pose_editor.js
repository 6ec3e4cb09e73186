/**
 * Puts the pose editor on the node Edit Pose: the only file that knows ComfyUI's `app` and `api`.
 *
 * The graph's undo makes every node anew. A removed node's editor therefore waits a moment for the node that takes its
 * place, so that zoom, photo and focus outlive it.
 */

import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

import { readReport, readStart } from "./.modules/pose/io/bridge.js";
import { start } from "./.modules/pose/edit/state.js";
import { INPUTS, NODE_ID, WIDGET_TYPE } from "./.modules/pose/model/types.js";
import { executionId, locatorId, upstreamText } from "./.modules/canvas/upstream.js";
import { PoseEditor } from "./.modules/pose/view/editor.js";
import { make } from "./.modules/canvas/elements.js";
import { openLarge } from "./.modules/canvas/large.js";
import { WORDS } from "./.modules/pose/view/words.js";

const WIDTH = 460, HEIGHT = 640, LEAST = 340;
/** Milliseconds a removed node's editor waits, and those a changed graph gets to settle. */
const WAIT = 1500, SETTLE = 300;
/** Frames in which a new node's editor watches over its place and its focus. */
const FRAMES = 20;
const NAMELESS = "00000000-0000-0000-0000-000000000000";

/** The seats on living nodes, and the editors that wait for one, by the name of their place. */
const seats = new Set();
const waiting = new Map();
/** The seat that was last left, by its node's id alone. */
const left = new Map();

const root = () => app.rootGraph ?? app.graph;
const tracker = () => app.extensionManager.workflow?.activeWorkflow?.changeTracker;

/** One node's place for an editor. */
class Seat {
  constructor(node) {
    this.node = node;
    this.pending = "";
    this.editor = null;
    this.element = make("div", {
      "data-capture-wheel": "true",
      style: `display:flex;flex-direction:column;width:100%;height:100%;min-height:${LEAST}px`,
    });
  }

  get value() {
    return this.editor ? this.editor.value : this.pending;
  }

  set value(value) {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
    this.pending = text;
    this.editor?.load(text);
  }

  place() {
    return locatorId(this.node, root());
  }

  /** The node has got its id and its values. */
  take() {
    if (this.editor || !this.node.graph) return;
    seats.add(this);
    const before = waiting.get(this.place())?.seat ?? left.get(String(this.node.id)), kept = this.claim();
    this.editor = kept?.editor ?? new PoseEditor(start({ ...readStart(this.node.widgets), value: this.pending }), {});
    Object.assign(this.editor.host, this.host());
    if (kept) this.editor.load(this.pending);
    this.upstream = kept?.upstream;
    if (this.editor.closeLarge) this.showPlaceholder();
    else this.element.replaceChildren(this.editor.element);
    this.settle(before, Boolean(kept?.focused), FRAMES);
    // An edit that was pasted or opened keeps its size until somebody chooses another.
    if (!this.editor.value) this.followSize();
    graphChanged();
  }

  /**
   * For some frames after a graph was made anew: newer frontends leave the old node's element on the page, and all of
   * them give the focus to the graph.
   */
  settle(predecessor, focused, frames) {
    if (!this.editor || !frames) return;
    const { element } = this;
    const shown = locatorId(this.node, app.canvas?.graph ?? root()) === String(this.node.id);
    if (shown && !element.isConnected && frames < FRAMES - 3 && predecessor?.element.isConnected) {
      predecessor.element.replaceWith(element);
    }
    const elsewhere = document.activeElement !== document.body && document.activeElement !== app.canvas?.canvas;
    if (focused && this.editor.element.offsetWidth && !elsewhere) this.editor.focus();
    requestAnimationFrame(() => this.settle(predecessor, focused, frames - 1));
  }

  leave() {
    seats.delete(this);
    const { editor } = this;
    if (!editor) return;
    this.editor = null;
    this.pending = editor.value;
    const place = this.place();
    waiting.get(place)?.dispose();
    left.set(String(this.node.id), this);
    const dispose = () => {
      clearTimeout(timer);
      if (left.get(String(this.node.id)) === this) left.delete(String(this.node.id));
      waiting.delete(place);
      editor.closeLarge?.();
      editor.dispose();
    };
    const timer = setTimeout(dispose, WAIT);
    const { workflow, upstream } = this;
    waiting.set(place, { seat: this, editor, timer, dispose, workflow, upstream, focused: editor.hadFocus() });
  }

  /** The editor of the node whose place this one takes, if that was in the same workflow. */
  claim() {
    const kept = waiting.get(this.place());
    this.workflow = root().id;
    // A workflow that was never saved may have no name of its own yet.
    if (!kept || ![NAMELESS, this.workflow].includes(kept.workflow)) return null;
    waiting.delete(this.place());
    left.delete(String(this.node.id));
    clearTimeout(kept.timer);
    return kept;
  }

  host() {
    return {
      changed: () => this.changed(),
      loadPicture: () => loadPicture(this),
      address: (picture) => api.apiURL(`/view?${new URLSearchParams(picture)}`),
      history: (which) => app.extensionManager.command.execute(which === "undo" ? "Comfy.Undo" : "Comfy.Redo"),
      keyHistory: (which) => afterGraph(which),
      showLarge: (large) => this.showLarge(large),
      wheel: (event) => turnGraph(event),
    };
  }

  changed() {
    this.pending = this.editor.value;
    this.workflow = root().id;
    this.node.graph?.setDirtyCanvas?.(true, true);
    tracker()?.captureCanvasState?.();
  }

  executed(output) {
    const report = readReport(output);
    if (!report || !this.editor) return;
    this.upstream = this.asked ?? upstreamText(this.node, root());
    this.asked = null;
    this.editor.detected(report);
    this.loaded?.();
    this.measureStale();
  }

  /** Whether what is shown comes from another graph than the one there is now. */
  measureStale() {
    if (!this.editor || this.upstream === undefined) return;
    this.editor.setStale(this.upstream !== upstreamText(this.node, root()));
  }

  /** The blank canvas has the size the widgets say; with a picture or a pose connected there is none. */
  followSize() {
    if (this.node.inputs?.some(({ name, link }) => ["image", "pose"].includes(name) && link != null)) return;
    const { width, height } = readStart(this.node.widgets);
    this.editor.dispatch({ type: "resize", width, height });
    this.editor.fitIfOutside();
  }

  showLarge(large) {
    const { editor } = this;
    if (!large) return editor.closeLarge?.();
    this.showPlaceholder();
    editor.closeLarge = openLarge(editor.element, WORDS.editor, () => {
      editor.closeLarge = null;
      editor.setLarge(false);
      const seat = [...seats].find((each) => each.editor === editor);
      seat?.element.replaceChildren(editor.element);
      seat?.settle(null, true, FRAMES);
    });
    editor.setLarge(true);
    editor.focus();
  }

  showPlaceholder() {
    this.element.replaceChildren(make("p", { text: WORDS.elsewhere, style: "margin:auto;color:var(--input-text)" }));
  }
}

/** Runs only what the node's inputs come from; resolves when its result is there or the run has ended. */
async function loadPicture(seat) {
  const ended = new Promise((resolve) => {
    const done = ({ detail }) => {
      if (detail?.exec_info?.queue_remaining === 0 || !detail?.exec_info) resolve();
    };
    const names = ["execution_error", "execution_interrupted", "status"];
    for (const name of names) api.addEventListener(name, done);
    seat.loaded = resolve;
    seat.stopWaiting = () => {
      for (const name of names) api.removeEventListener(name, done);
      seat.loaded = seat.stopWaiting = null;
    };
  });
  try {
    seat.asked = upstreamText(seat.node, root());
    const queued = await app.queuePrompt(0, 1, [executionId(seat.node, root())]);
    if (queued !== false) await ended;
  } finally {
    seat.stopWaiting();
  }
}

/** Undo or redo by a key that the graph may have heard: behind a dialog older frontends do so, newer do not. */
function afterGraph(which) {
  const queue = () => (which === "undo" ? tracker()?.undoQueue : tracker()?.redoQueue)?.length;
  const before = queue();
  const check = () => {
    if (queue() === before) app.extensionManager.command.execute(which === "undo" ? "Comfy.Undo" : "Comfy.Redo");
  };
  requestAnimationFrame(() => requestAnimationFrame(check));
}

/** On the classic canvas a wheel over an element reaches nobody; Nodes 2.0 hands it to the graph by itself. */
function turnGraph(event) {
  if (event.currentTarget.closest("[data-node-id]")) return;
  event.preventDefault();
  app.canvas?.canvas?.dispatchEvent(new WheelEvent("wheel", event));
}

function chain(node, name, work) {
  const before = node[name];
  node[name] = function (...given) {
    const result = before?.apply(this, given);
    work(...given);
    return result;
  };
}

function poseWidget(node, name) {
  const seat = new Seat(node);
  const widget = node.addDOMWidget(name, WIDGET_TYPE, seat.element, {
    getValue: () => seat.value,
    setValue: (value) => (seat.value = value),
    getMinHeight: () => LEAST,
    hideOnZoom: false,
    // Without a slot: a promoted editor would be cut off from its value.
    socketless: true,
  });
  node.hideOutputImages = true;
  chain(node, "onAdded", () => queueMicrotask(() => seat.take()));
  chain(node, "onRemoved", () => seat.leave());
  chain(node, "onExecuted", (output) => seat.executed(output));
  chain(node, "onWidgetChanged", (changed) => {
    if (seat.editor && (changed === INPUTS.width || changed === INPUTS.height)) seat.followSize();
  });
  return { widget, minWidth: WIDTH, minHeight: HEIGHT };
}

let settling = 0;
function graphChanged() {
  clearTimeout(settling);
  settling = setTimeout(() => seats.forEach((seat) => seat.measureStale()), SETTLE);
}

const seatOf = (node) => [...seats].find((seat) => seat.place() === locatorId(node, root()));

app.registerExtension({
  name: "Recompose.EditPose",

  getCustomWidgets: () => ({ [WIDGET_TYPE]: poseWidget }),

  setup() {
    api.addEventListener("graphChanged", graphChanged);
    api.addEventListener("reconnected", () => seats.forEach((seat) => seat.editor?.reconnected()));
  },

  nodeCreated(node) {
    if (node.constructor.comfyClass !== NODE_ID) return;
    node.setSize([Math.max(node.size[0], WIDTH), Math.max(node.size[1], HEIGHT)]);
  },

  /** A workflow's tab came back with its results. */
  onNodeOutputsUpdated(outputs) {
    for (const seat of seats) {
      const output = outputs[locatorId(seat.node, root())];
      if (output && seat.editor && !seat.editor.state.pictures.length) seat.executed(output);
    }
  },

  getNodeMenuItems(node) {
    const seat = seatOf(node);
    if (!seat) return [];
    return [
      { content: WORDS.load, callback: () => seat.editor.loadPicture() },
      { content: WORDS.large, callback: () => seat.showLarge(true) },
    ];
  },
});
