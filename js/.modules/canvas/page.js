/**
 * ComfyUI's page as an editor on a node needs it: the graph, its undo, its runs, its server.
 *
 * The entry hands `app` and `api` in; no other module knows them.
 */

import { executionId, locatorId, upstreamText } from "./upstream.js";

/** @import { Graph, GraphNode } from "./upstream.js" */

/**
 * As much of ComfyUI's `app` and `api` as this pack uses.
 *
 * @typedef {"undo"|"redo"} Which
 * @typedef {{undoQueue?: unknown[], redoQueue?: unknown[], captureCanvasState?: () => void}} Tracker
 *
 * @typedef {object} Manager
 * @property {{activeWorkflow?: {changeTracker?: Tracker}|null}} [workflow]
 * @property {{execute: (id: string) => void}} command
 * @property {{get: (id: string) => unknown}} [setting]
 *
 * @typedef {object} App
 * @property {Graph} [rootGraph] @property {Graph} graph
 * @property {{canvas?: HTMLCanvasElement, graph?: Graph}} [canvas]
 * @property {Manager} extensionManager
 * @property {(number: number, count: number, nodes: string[]) => Promise<boolean>} queuePrompt
 * @property {(extension: object) => void} registerExtension
 *
 * @typedef {(event: CustomEvent<any>) => void} Listener
 *
 * @typedef {object} Api
 * @property {(path: string) => string} apiURL
 * @property {(path: string, options?: RequestInit) => Promise<Response>} fetchApi
 * @property {(name: string, listener: Listener) => void} addEventListener
 * @property {(name: string, listener: Listener) => void} removeEventListener
 */

/** Milliseconds after which the server is taken as gone. */
const PATIENCE = 20_000;
/** Runs of a workflow that are looked through for its nodes' results. */
const RUNS = 16;

export class Page {
  /** @param {App} app @param {Api} api */
  constructor(app, api) {
    this.app = app;
    this.api = api;
  }

  root() {
    return this.app.rootGraph ?? this.app.graph;
  }

  /** The language that the page is shown in, as in "fr". */
  language() {
    return this.app.extensionManager.setting?.get("Comfy.Locale");
  }

  tracker() {
    return this.app.extensionManager.workflow?.activeWorkflow?.changeTracker;
  }

  /** The node's id in stored results, its name for as long as the graph lives. @param {GraphNode} node */
  place(node) {
    return locatorId(node, this.root());
  }

  /** Whether the node lies in the graph that is on the screen. @param {GraphNode} node */
  shows(node) {
    return locatorId(node, this.app.canvas?.graph ?? this.root()) === String(node.id);
  }

  /** Whether the focus is in nobody's hands: on the page itself or on the graph. */
  hasFocus() {
    return document.activeElement === document.body || document.activeElement === this.app.canvas?.canvas;
  }

  /** @param {GraphNode} node */
  upstream(node) {
    return upstreamText(node, this.root());
  }

  /** @param {string} name @param {Listener} listener */
  listen(name, listener) {
    this.api.addEventListener(name, listener);
  }

  /** A node's value was changed: one step of the graph's undo. @param {GraphNode} node */
  changed(node) {
    node.graph?.setDirtyCanvas?.(true, true);
    this.tracker()?.captureCanvasState?.();
  }

  /** @param {Which} which */
  history(which) {
    this.app.extensionManager.command.execute(which === "undo" ? "Comfy.Undo" : "Comfy.Redo");
  }

  /**
   * Undo or redo by a key that the graph may have heard: behind a dialog older frontends do so, newer do not.
   * @param {Which} which
   */
  keyHistory(which) {
    const queue = () => (which === "undo" ? this.tracker()?.undoQueue : this.tracker()?.redoQueue)?.length;
    const before = queue();
    const check = () => {
      if (queue() === before) this.history(which);
    };
    requestAnimationFrame(() => requestAnimationFrame(check));
  }

  /**
   * On the classic canvas a wheel over an element reaches nobody; Nodes 2.0 hands it to the graph by itself.
   * @param {WheelEvent} event
   */
  wheel(event) {
    if (/** @type {Element} */ (event.currentTarget).closest("[data-node-id]")) return;
    event.preventDefault();
    this.app.canvas?.canvas?.dispatchEvent(new WheelEvent("wheel", event));
  }

  /** @param {Record<string, string>} picture what /view needs */
  address(picture) {
    return this.api.apiURL(`/view?${new URLSearchParams(picture)}`);
  }

  /**
   * What one of the pack's routes answers to a text: an object, {error: a sentence} where it refuses, null where the
   * server cannot be reached or has no such route.
   * @param {string} route @param {string} text @returns {Promise<any>}
   */
  async ask(route, text) {
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const response = await this.api.fetchApi(route, { method: "POST", body: text, signal });
      const answer = await response.json();
      return response.ok || typeof answer?.error === "string" ? answer : null;
    } catch {
      return null;
    }
  }

  /** The node's id in prompts. @param {GraphNode} node */
  executionId(node) {
    return executionId(node, this.root());
  }

  /** What the server answers to a question; null where it cannot be reached or refuses. @param {string} route @returns {Promise<any>} */
  async get(route) {
    try {
      const response = await this.api.fetchApi(route, { signal: AbortSignal.timeout(PATIENCE) });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  /**
   * What the last runs of this workflow left on the server, the newest first: results and types by ids in prompts.
   * @returns {AsyncGenerator<{outputs: Record<string, object>, types: Record<string, string>}>}
   */
  async *finishedRuns() {
    const asked = new URLSearchParams({ workflow_id: String(this.root().id), limit: String(RUNS) });
    const found = await this.get(`/jobs?${asked}`);
    for (const { id } of Array.isArray(found?.jobs) ? found.jobs : []) {
      const run = (await this.get(`/history/${encodeURIComponent(id)}`))?.[id], prompt = run?.prompt?.[2];
      if (!run?.outputs || !prompt) continue;
      /** @type {[string, any][]} */
      const nodes = Object.entries(prompt);
      yield { outputs: run.outputs, types: Object.fromEntries(nodes.map(([name, node]) => [name, node?.class_type])) };
    }
  }

  /**
   * Runs only what the node's inputs come from; resolves when `arrived` resolves or the run has ended without it.
   * @param {GraphNode} node @param {Promise<void>} arrived
   */
  async run(node, arrived) {
    const names = ["execution_error", "execution_interrupted", "status"];
    const { promise: ended, resolve } = /** @type {PromiseWithResolvers<void>} */ (Promise.withResolvers());
    /** @type {Listener} */
    const done = ({ detail }) => {
      if (detail?.exec_info?.queue_remaining === 0 || !detail?.exec_info) resolve();
    };
    for (const name of names) this.api.addEventListener(name, done);
    try {
      const queued = await this.app.queuePrompt(0, 1, [this.executionId(node)]);
      if (queued !== false) await Promise.race([ended, arrived]);
    } finally {
      for (const name of names) this.api.removeEventListener(name, done);
    }
  }
}
