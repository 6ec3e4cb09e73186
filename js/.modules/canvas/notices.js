/**
 * Notices on nodes: what a run left to say about a result, until the node's next result. The host's own text below a
 * node goes away as soon as the run ends, or stays for good, depending on its version.
 */

import { make, set, setText } from "./elements.js";
import { graphsOf, locatorId } from "./upstream.js";

/** @import { Graph, GraphNode } from "./upstream.js" */

/**
 * @typedef {object} Sized What a node is asked for to have one part more.
 * @property {number[]} size @property {(size: number[]) => void} setSize
 * @property {() => number[]} computeSize
 * @property {(name: string, type: string, element: HTMLElement, options: object) => any} addDOMWidget
 * @property {(widget: any) => void} removeWidget
 */

const NAME = "recompose_notices", TYPE = "RECOMPOSE_NOTICES";
const STYLE =
  "box-sizing:border-box;width:100%;height:100%;overflow:auto;margin:0;padding:5px 8px;border-radius:6px;" +
  "font:12px/16px system-ui,sans-serif;color:#1c1400;background:#f3c35a;white-space:pre-line;user-select:text";
/** Pixels of a line, of a letter on average, of what is around the text and around the part. */
const LINE = 16, LETTER = 6.4, AROUND = 10, MARGIN = 6, SIDES = 36;

/** @param {any} output a node's result @returns {string[]} its notices, each once */
export function noticesOf(output) {
  const reports = Array.isArray(output?.recompose) ? output.recompose : [];
  const all = reports.flatMap((/** @type {any} */ report) => (Array.isArray(report?.notices) ? report.notices : []));
  return [...new Set(all.filter((/** @type {unknown} */ notice) => typeof notice === "string" && notice))];
}

/** @param {string} text @param {number} width of the node */
function heightOf(text, width) {
  const letters = Math.max(10, (width - SIDES) / LETTER);
  const lines = text.split("\n").reduce((sum, line) => sum + Math.ceil(line.length / letters), 0);
  return lines * LINE + AROUND + 2 * MARGIN;
}

/** Nodes 2.0 are elements of the page, as high as what is on them. */
const growsByItself = () => document.querySelector("[data-node-id]") !== null;

/**
 * Shows these notices on the node instead of those it shows; none where there are none.
 * @param {GraphNode & Sized} node @param {readonly string[]} sentences
 */
export function showNotices(node, sentences) {
  const text = sentences.join("\n"), shown = node.widgets?.find(({ name }) => name === NAME);
  if (!shown && !text) return;
  const tight = node.size[1] <= node.computeSize()[1] + 1;
  if (!text) node.removeWidget(shown);
  else {
    const element = /** @type {any} */ (shown ?? add(node)).element;
    setText(element, text);
    set(element, "title", text);
  }
  const [width, height] = node.size, least = node.computeSize()[1];
  if (!growsByItself() && (tight || height < least)) node.setSize([width, least]);
  node.graph?.setDirtyCanvas?.(true, true);
}

/** @param {GraphNode & Sized} node */
function add(node) {
  const element = make("div", { style: STYLE, role: "status", class: "recompose-notices" });
  const needed = () => heightOf(element.textContent, node.size[0]);
  const widget = node.addDOMWidget(NAME, TYPE, element, {
    getValue: () => element.textContent,
    setValue: () => {},
    getMinHeight: needed,
    getMaxHeight: needed,
    margin: MARGIN,
    hideOnZoom: false,
    hideInPanel: true,
    socketless: true,
    serialize: false,
  });
  widget.serialize = false;
  // The panel beside the classic canvas writes its own width here.
  Object.defineProperty(widget, "width", { get: () => undefined, set: () => {} });
  return widget;
}

/**
 * A workflow's tab came back with its results.
 * @param {Record<string, object>} outputs by the nodes' places @param {Graph} root
 * @param {string} except the type of nodes that show their notices by themselves
 */
export function restoreNotices(outputs, root, except) {
  for (const node of graphsOf(root).flatMap(({ nodes }) => nodes ?? [])) {
    const said = noticesOf(outputs[locatorId(node, root)]);
    if (said.length && node.type !== except) showNotices(/** @type {GraphNode & Sized} */ (node), said);
  }
}
