/**
 * ComfyUI's page as an editor on a node needs it: the graph, its undo, its runs, its server.
 *
 * The entry hands `app` and `api` in; no other module knows them.
 */

import { executionId, locatorId, upstreamText } from "./upstream.js";

/** Milliseconds after which the server is taken as gone. */
const PATIENCE = 20_000;

export class Page {
  constructor(app, api) {
    this.app = app;
    this.api = api;
  }

  root() {
    return this.app.rootGraph ?? this.app.graph;
  }

  tracker() {
    return this.app.extensionManager.workflow?.activeWorkflow?.changeTracker;
  }

  /** The node's id in stored results, its name for as long as the graph lives. */
  place(node) {
    return locatorId(node, this.root());
  }

  /** Whether the node lies in the graph that is on the screen. */
  shows(node) {
    return locatorId(node, this.app.canvas?.graph ?? this.root()) === String(node.id);
  }

  /** Whether the focus is in nobody's hands: on the page itself or on the graph. */
  hasFocus() {
    return [document.body, this.app.canvas?.canvas].includes(document.activeElement);
  }

  upstream(node) {
    return upstreamText(node, this.root());
  }

  listen(name, listener) {
    this.api.addEventListener(name, listener);
  }

  /** A node's value was changed: one step of the graph's undo. */
  changed(node) {
    node.graph?.setDirtyCanvas?.(true, true);
    this.tracker()?.captureCanvasState?.();
  }

  history(which) {
    this.app.extensionManager.command.execute(which === "undo" ? "Comfy.Undo" : "Comfy.Redo");
  }

  /** Undo or redo by a key that the graph may have heard: behind a dialog older frontends do so, newer do not. */
  keyHistory(which) {
    const queue = () => (which === "undo" ? this.tracker()?.undoQueue : this.tracker()?.redoQueue)?.length;
    const before = queue();
    const check = () => {
      if (queue() === before) this.history(which);
    };
    requestAnimationFrame(() => requestAnimationFrame(check));
  }

  /** On the classic canvas a wheel over an element reaches nobody; Nodes 2.0 hands it to the graph by itself. */
  wheel(event) {
    if (event.currentTarget.closest("[data-node-id]")) return;
    event.preventDefault();
    this.app.canvas?.canvas?.dispatchEvent(new WheelEvent("wheel", event));
  }

  address(picture) {
    return this.api.apiURL(`/view?${new URLSearchParams(picture)}`);
  }

  /**
   * What one of the pack's routes answers to a text: an object, {error: a sentence} where it refuses, null where the
   * server cannot be reached or has no such route.
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

  /** Runs only what the node's inputs come from; resolves when `arrived` resolves or the run has ended without it. */
  async run(node, arrived) {
    const names = ["execution_error", "execution_interrupted", "status"];
    let done;
    const ended = new Promise((resolve) => {
      done = ({ detail }) => {
        if (detail?.exec_info?.queue_remaining === 0 || !detail?.exec_info) resolve();
      };
    });
    for (const name of names) this.api.addEventListener(name, done);
    try {
      const queued = await this.app.queuePrompt(0, 1, [executionId(node, this.root())]);
      if (queued !== false) await Promise.race([ended, arrived]);
    } finally {
      for (const name of names) this.api.removeEventListener(name, done);
    }
  }
}
