/**
 * The pictures of words on the nodes of a page. What a node showed is kept while the page is open, as the graph's undo
 * makes every node anew. A page that was loaded anew asks ComfyUI's history, in which the words are among the node's
 * results, and then what this browser has kept, as a restarted ComfyUI has no history. A workflow file carries neither
 * the words nor a picture of its last run.
 */

import { Page } from "../canvas/page.js";
import { settle } from "../canvas/settle.js";
import { keep, kept } from "../canvas/store.js";
import { readRows } from "./overlay.js";
import { WordPicture } from "./view.js";
import { speak, WORDS } from "./words.js";

/** @import { Api, App } from "../canvas/page.js" */
/** @import { GraphNode } from "../canvas/upstream.js" */
/** @import { Row } from "./overlay.js" */
/** @import { Choice } from "./view.js" */

/**
 * @typedef {GraphNode & {size: number[], setSize: (size: number[]) => void, computeSize: () => number[]}} Sized
 * @typedef {{rows: Row[], choice: Choice}} Kept
 */

/** Results that are kept, the last ones. */
const MOST = 32;
/** Pixels of the sentence before the first run, and of the smallest picture with its chips. */
const WAITING = 32, LEAST = 340;
/** Milliseconds in which a removed node's successor comes. */
const WAIT = 1500;
/** Milliseconds in which the nodes of a workflow are collected before its history is asked for. */
const TOGETHER = 60;

class Pictures {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    /** @type {Map<GraphNode, WordPicture>} */
    this.views = new Map();
    /** By the workflow and the node's place in it. @type {Map<string, Kept>} */
    this.kept = new Map();
    /** The parts of the page of nodes that were just removed, by their ids; a removed node is in no graph. @type {Map<string, Element|null>} */
    this.left = new Map();
    /** Nodes without a result. @type {Set<Sized>} */
    this.waiting = new Set();
    this.timer = 0;
  }

  /** @param {GraphNode} node */
  key(node) {
    return `${this.page.root().id}/${this.page.place(node)}`;
  }

  /** The node has got its id and its part of the page. @param {Sized} node @param {HTMLElement} element */
  take(node, element) {
    if (!node.graph || this.views.has(node)) return;
    const before = this.kept.get(this.key(node)), choice = before?.choice ?? { row: 0, pinned: "" };
    const view = new WordPicture(choice, (event) => this.page.wheel(event));
    this.views.set(node, view);
    const widget = node.widgets?.find((each) => /** @type {any} */ (each).element === element);
    if (widget) Object.assign(widget, { label: WORDS.picture });
    element.style.minHeight = `${WAITING}px`;
    element.replaceChildren(view.element);
    settle(this.page, node, element, this.left.get(String(node.id)), () => this.views.get(node) === view);
    if (before) return this.show(node, before.rows);
    this.waiting.add(node);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.restore(), TOGETHER);
  }

  /** @param {GraphNode} node */
  leave(node) {
    const view = this.views.get(node), id = String(node.id), part = view?.element.parentElement ?? null;
    this.left.set(id, part);
    setTimeout(() => this.left.get(id) === part && this.left.delete(id), WAIT);
    view?.dispose();
    this.views.delete(node);
    this.waiting.delete(/** @type {Sized} */ (node));
  }

  /** The node has a result. @param {Sized} node @param {object} output */
  executed(node, output) {
    const rows = readRows(output);
    if (!rows.length) return;
    this.show(node, rows);
    keep(this.key(node), output, MOST);
  }

  /** @param {Sized} node @param {Row[]} rows */
  show(node, rows) {
    const view = this.views.get(node), key = this.key(node);
    if (!view) return;
    this.waiting.delete(node);
    this.kept.delete(key);
    this.kept.set(key, { rows, choice: view.choice });
    for (const old of [...this.kept.keys()].slice(0, -MOST)) this.kept.delete(old);
    view.show(rows);
    this.grow(node, view);
  }

  /** Room for the picture; Nodes 2.0 are elements of the page and grow by themselves. @param {Sized} node @param {WordPicture} view */
  grow(node, view) {
    const { parentElement } = view.element;
    if (parentElement) parentElement.style.minHeight = `${LEAST}px`;
    const [width, height] = node.size, least = node.computeSize()[1];
    if (height < least) node.setSize([width, least]);
    node.graph?.setDirtyCanvas?.(true, true);
  }

  /** A workflow's tab came back with its results. @param {Record<string, object>} outputs by the nodes' places */
  outputsUpdated(outputs) {
    for (const node of [...this.waiting]) this.executed(node, outputs[this.page.place(node)]);
  }

  /** Shows what the last runs of this workflow left. */
  async restore() {
    const wanted = new Map([...this.waiting].map((node) => [this.page.executionId(node), node]));
    this.waiting.clear();
    for await (const { outputs, types } of this.page.finishedRuns()) {
      for (const [id, node] of wanted) {
        if (types[id] !== node.type || !readRows(outputs[id]).length) continue;
        wanted.delete(id);
        if (!this.kept.has(this.key(node))) this.executed(node, outputs[id]);
      }
      if (!wanted.size) return;
    }
    for (const node of wanted.values()) {
      const rows = readRows(await kept(this.key(node)));
      if (rows.length && !this.kept.has(this.key(node))) this.show(node, rows);
    }
  }
}

/** The pictures of words of a page; `app` and `api` are ComfyUI's. @param {App} app @param {Api} api */
export function wordPictures(app, api) {
  const page = new Page(app, api);
  speak(page.language());
  return new Pictures(page);
}
