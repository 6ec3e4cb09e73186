/**
 * Offers the editors of Edit Pose and Draw Sketch and Attention Maps' picture of words to ComfyUI and shows the notices
 * of all nodes: the one script of this pack that a page loads at its start. Editors and picture come with the first node
 * that has them, what shows notices with the first notice.
 *
 * A page of ComfyUI imports every *.js below this folder as it starts, but none in folders whose name begins with a
 * dot, so the editor's modules lie in .modules. Another ending (*.mjs) would keep them from being imported, too. But
 * some hosts send endings they do not know as plain text, which no browser runs as a module, and ComfyUI forbids
 * browsers to keep old copies of *.js only.
 */

import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

/** @import { GraphNode } from "./.modules/canvas/upstream.js" */
/** @import { Seats } from "./.modules/canvas/seats.js" */

/**
 * @typedef {ReturnType<Seats["seat"]>} Seat
 *
 * @typedef {object} LiveNode What a node is asked for beside its place in the graph.
 * @property {(name: string, type: string, element: HTMLElement, options: object) => any} addDOMWidget
 * @property {(widget: any) => void} removeWidget
 * @property {() => number[]} computeSize @property {boolean} [hideOutputImages] @property {number[]} size @property {(size: number[]) => void} setSize
 */

const PACK = "Recompose", NODE_ID = "RecomposeEditPose", WIDGET_TYPE = "RECOMPOSE_POSE";
const SKETCH_ID = "RecomposeDrawSketch", SKETCH_TYPE = "RECOMPOSE_SKETCH";
const MAPS_ID = "RecomposeAttentionMaps", WORDS_NAME = "recompose_words", WORDS_TYPE = "RECOMPOSE_WORDS";
const WIDTH = 460, HEIGHT = 640, LEAST = 340, MARGIN = 6;
const STYLE =
  `display:flex;flex-direction:column;width:100%;height:100%;min-height:${LEAST}px;` + "color:var(--input-text)";
const FAILED = "The editor did not load; check the connection to ComfyUI and reload the page.";

/**
 * The editors of one kind: all places on nodes, once the modules are there, and the promise of them; and the results that
 * a workflow's tab brought along before that.
 * @typedef {{fetch: () => Promise<Seats>, seats: Seats|null, loading: Promise<Seats>|null, restored: Record<string, object>}} Kind
 */

/** @param {() => Promise<Seats>} fetch @returns {Kind} */
const kind = (fetch) => ({ fetch, seats: null, loading: null, restored: {} });
const POSE = kind(() => import("./.modules/pose/view/seats.js").then(({ poseSeats }) => poseSeats(app, api)));
const SKETCH = kind(() => import("./.modules/sketch/view/seats.js").then(({ sketchSeats }) => sketchSeats(app, api)));

/** What shows notices on nodes, once there are some. @type {Promise<typeof import("./.modules/canvas/notices.js")>|null} */
let notices = null;

/** @param {Kind} kind */
function load(kind) {
  kind.loading ??= kind.fetch().then((seats) => (kind.seats = seats));
  return kind.loading;
}

/**
 * Does more where ComfyUI calls one of the node's methods.
 * @param {any} node @param {string} name @param {(given: any) => void} work
 */
function chain(node, name, work) {
  const before = node[name];
  node[name] = function (/** @type {any[]} */ ...given) {
    const result = before?.apply(this, given);
    work(given[0]);
    return result;
  };
}

/** @param {any} output a node's result */
const hasNotices = (output) => Boolean(output?.recompose?.some?.((/** @type {any} */ report) => report?.notices));

/**
 * Lets the notices' module work, which comes with the first result that has some.
 * @param {boolean} needed @param {(all: typeof import("./.modules/canvas/notices.js")) => void} work
 */
function withNotices(needed, work) {
  if (needed) notices ??= import("./.modules/canvas/notices.js");
  notices?.then(work, () => (notices = null));
}

/** @typedef {ReturnType<typeof import("./.modules/maps/pictures.js").wordPictures>} Pictures */

/** All pictures of words, once one was asked for. @type {Promise<Pictures>|null} */
let pictures = null;

/** @param {(all: Pictures) => void} work */
function withPictures(work) {
  pictures ??= import("./.modules/maps/pictures.js").then(({ wordPictures }) => wordPictures(app, api));
  pictures.then(work, () => (pictures = null));
}

/** The panel beside the classic canvas writes its own width; without one a part is as wide as its node. @param {any} widget */
function asWideAsItsNode(widget) {
  Object.defineProperty(widget, "width", { get: () => undefined, set: () => {} });
}

/** The picture of words below the node's widgets; neither files nor prompts have it. @param {GraphNode & LiveNode} node */
function addPicture(node) {
  const element = document.createElement("div");
  element.style.cssText = "display:flex;flex-direction:column;width:100%;height:100%";
  const widget = node.addDOMWidget(WORDS_NAME, WORDS_TYPE, element, {
    getValue: () => "",
    setValue: () => {},
    getMinHeight: () => (parseFloat(element.style.minHeight) || 0) + 2 * MARGIN,
    margin: MARGIN,
    hideOnZoom: false,
    socketless: true,
    hideInPanel: true,
    serialize: false,
  });
  widget.serialize = false;
  asWideAsItsNode(widget);
  chain(node, "onAdded", () => queueMicrotask(() => withPictures((all) => all.take(node, element))));
  chain(node, "onRemoved", () => withPictures((all) => all.leave(node)));
  chain(node, "onExecuted", (output) => withPictures((all) => all.executed(node, output)));
}

/** @param {Kind} kind @param {string} type @param {GraphNode & LiveNode} node @param {string} name */
function editorWidget(kind, type, node, name) {
  const element = document.createElement("div");
  element.style.cssText = STYLE;
  element.dataset.captureWheel = "true";
  let value = "";
  /** @type {Seat|null} */
  let seat = null;
  /** @type {object|null} */
  let output = null;
  /** @param {Seats} all */
  const sit = (all) => (seat = all.seat(node, element, value));
  const widget = node.addDOMWidget(name, type, element, {
    getValue: () => (seat ? seat.value : value),
    setValue: (/** @type {unknown} */ given) => {
      value = typeof given === "string" ? given : (JSON.stringify(given) ?? "");
      if (seat) seat.value = value;
    },
    getMinHeight: () => LEAST,
    hideOnZoom: false,
    // Without a slot: a promoted editor would be cut off from its value.
    socketless: true,
    // The editor lives on the node; beside the graph there would be an empty row.
    hideInPanel: true,
  });
  asWideAsItsNode(widget);
  node.hideOutputImages = true;
  chain(node, "onAdded", () => queueMicrotask(() => seat?.take()));
  chain(node, "onRemoved", () => seat?.leave());
  chain(node, "onExecuted", (given) => (seat ? seat.executed(given) : (output = given)));
  chain(node, "onWidgetChanged", (changed) => seat?.widgetChanged(changed));
  if (kind.seats) sit(kind.seats);
  else {
    load(kind).then(
      (all) => {
        const mine = sit(all);
        mine.take();
        if (output) mine.executed(output);
        else all.outputsUpdated(kind.restored);
      },
      () => (element.textContent = FAILED),
    );
  }
  return { widget, minWidth: WIDTH, minHeight: HEIGHT };
}

app.registerExtension({
  name: "Recompose.EditPose",

  getCustomWidgets: () => ({
    [WIDGET_TYPE]: (/** @type {GraphNode & LiveNode} */ node, /** @type {string} */ name) =>
      editorWidget(POSE, WIDGET_TYPE, node, name),
    [SKETCH_TYPE]: (/** @type {GraphNode & LiveNode} */ node, /** @type {string} */ name) =>
      editorWidget(SKETCH, SKETCH_TYPE, node, name),
  }),

  /** @param {GraphNode & LiveNode & {constructor: {comfyClass?: string}}} node */
  nodeCreated(node) {
    const { comfyClass } = node.constructor;
    if (!comfyClass?.startsWith(PACK)) return;
    if (comfyClass === MAPS_ID) addPicture(node);
    // The editor shows the notices of its node.
    if (comfyClass !== NODE_ID) {
      const show = (/** @type {any} */ output) =>
        withNotices(hasNotices(output), ({ noticesOf, showNotices }) => showNotices(node, noticesOf(output)));
      chain(node, "onExecuted", show);
      if (comfyClass !== SKETCH_ID) return;
    }
    node.setSize([Math.max(node.size[0], WIDTH), Math.max(node.size[1], HEIGHT)]);
  },

  /** @param {Record<string, object>} outputs */
  onNodeOutputsUpdated(outputs) {
    for (const kind of [POSE, SKETCH]) {
      if (kind.seats) kind.seats.outputsUpdated(outputs);
      else kind.restored = outputs;
    }
    if (pictures) withPictures((all) => all.outputsUpdated(outputs));
    const some = Object.values(outputs).some(hasNotices);
    if (some) withNotices(true, ({ restoreNotices }) => restoreNotices(outputs, app.rootGraph ?? app.graph, NODE_ID));
  },

  getNodeMenuItems: (/** @type {GraphNode} */ node) => [POSE, SKETCH].flatMap((kind) => kind.seats?.menu(node) ?? []),
});
