/**
 * Seats: the places of an editor on nodes.
 *
 * The graph's undo makes every node anew. A removed node's editor therefore waits a moment for the node that takes its
 * place, so that zoom, photo and focus outlive it.
 */

import { make } from "./elements.js";
import { openLarge } from "./large.js";
import { settle } from "./settle.js";

/** @import { Page, Which } from "./page.js" */
/** @import { GraphNode } from "./upstream.js" */

/**
 * @typedef {object} Host What an editor asks of the page around it.
 * @property {(value: string) => void} changed the value after a finished change
 * @property {() => Promise<void>} loadPicture run what comes before the node
 * @property {(route: string, text: string) => Promise<any>} ask a route of the pack; see Page.ask
 * @property {(picture: Record<string, string>) => string} address of a picture
 * @property {() => boolean} [connected] whether a picture or a value comes in, loaded or not
 * @property {(which: Which) => void} history the graph's undo and redo
 * @property {(which: Which) => void} keyHistory the same where ComfyUI may have heard the key, too
 * @property {(large: boolean) => void} showLarge
 * @property {(event: WheelEvent) => void} wheel turned while the editor has no focus
 * @property {(milliseconds: number) => void} [measured] the script's share of each drawn frame
 *
 * @typedef {object} Editor What a seat asks of an editor.
 * @property {Host} host @property {HTMLElement} element @property {string} value
 * @property {(() => void)|null} closeLarge
 * @property {(value: string) => void} load a value from outside
 * @property {(report: any) => void} detected the node ran
 * @property {() => boolean} hasPicture @property {() => Promise<void>} loadPicture
 * @property {() => void} reconnected @property {(stale: boolean) => void} setStale
 * @property {(large: boolean) => void} setLarge
 * @property {() => void} focus @property {() => boolean} hadFocus @property {() => void} dispose
 *
 * @typedef {object} Kind What one kind of editor differs in from another.
 * @property {(node: GraphNode, value: string, host: Host) => any} open a new editor
 * @property {(output: object) => object|null} report what the editor reads of the node's result, null where nothing
 * @property {(editor: any, node: GraphNode) => void} resize the blank canvas to what the node's widgets say
 * @property {(node: GraphNode) => boolean} connected whether the node has what `loadPicture` would load
 * @property {string[]} sizes the widgets that say it
 * @property {{editor: string, elsewhere: string, load: string, large: string}} words
 *
 * @typedef {object} Waiting An editor without a node.
 * @property {Seat} seat @property {Editor} editor @property {ReturnType<typeof setTimeout>} timer
 * @property {() => void} dispose @property {boolean} focused
 * @property {string} [workflow] @property {string} [upstream]
 */

/** Milliseconds a removed node's editor waits, and those a changed graph gets to settle. */
const WAIT = 1500, SETTLE = 300;
const NAMELESS = "00000000-0000-0000-0000-000000000000";

/** One node's place for an editor. */
class Seat {
  /** @param {Seats} seats @param {GraphNode} node @param {HTMLElement} element @param {string} value */
  constructor(seats, node, element, value) {
    this.seats = seats;
    this.page = seats.page;
    this.node = node;
    this.element = element;
    this.pending = value;
    /** @type {Editor|null} */
    this.editor = null;
    /** @type {(() => void)|null} */
    this.loaded = null;
    /** The graph above the node as it was when what is shown was made, and when it was asked for. */
    /** @type {string|undefined} */
    this.upstream = undefined;
    /** @type {string|null} */
    this.asked = null;
    /** @type {string|undefined} */
    this.workflow = undefined;
  }

  get value() {
    return this.editor ? this.editor.value : this.pending;
  }

  set value(value) {
    this.pending = value;
    this.editor?.load(value);
  }

  place() {
    return this.page.place(this.node);
  }

  /** The node has got its id and its values. */
  take() {
    if (this.editor || !this.node.graph) return;
    const { seats } = this;
    seats.taken.add(this);
    const before = seats.waiting.get(this.place())?.seat ?? seats.left.get(String(this.node.id)), kept = this.claim();
    /** @type {Editor} */
    const editor = kept?.editor ?? seats.kind.open(this.node, this.pending, this.host());
    this.editor = editor;
    if (kept) {
      editor.host = this.host();
      editor.load(this.pending);
    }
    this.upstream = kept?.upstream;
    if (editor.closeLarge) this.showPlaceholder();
    else this.element.replaceChildren(editor.element);
    this.settle(before, Boolean(kept?.focused));
    // An edit that was pasted or opened keeps its size until somebody chooses another.
    if (!editor.value) seats.kind.resize(editor, this.node);
    seats.graphChanged();
  }

  /**
   * Newer frontends leave the old node's element on the page, and all of them give the focus to the graph.
   * @param {Seat|null|undefined} predecessor @param {boolean} focused
   */
  settle(predecessor, focused) {
    settle(this.page, this.node, this.element, predecessor?.element, () => {
      if (focused && this.editor?.element.offsetWidth && this.page.hasFocus()) this.editor.focus();
      return this.editor !== null;
    });
  }

  leave() {
    const { editor, seats } = this;
    seats.taken.delete(this);
    if (!editor) return;
    this.editor = null;
    this.pending = editor.value;
    const place = this.place();
    seats.waiting.get(place)?.dispose();
    seats.left.set(String(this.node.id), this);
    const dispose = () => {
      clearTimeout(timer);
      if (seats.left.get(String(this.node.id)) === this) seats.left.delete(String(this.node.id));
      seats.waiting.delete(place);
      editor.closeLarge?.();
      editor.dispose();
    };
    const timer = setTimeout(dispose, WAIT);
    const { workflow, upstream } = this;
    seats.waiting.set(place, { seat: this, editor, timer, dispose, workflow, upstream, focused: editor.hadFocus() });
  }

  /** The editor of the node whose place this one takes, if that was in the same workflow. */
  claim() {
    const kept = this.seats.waiting.get(this.place());
    this.workflow = this.page.root().id;
    // A workflow that was never saved may have no name of its own yet.
    if (!kept || (kept.workflow !== NAMELESS && kept.workflow !== this.workflow)) return null;
    this.seats.waiting.delete(this.place());
    this.seats.left.delete(String(this.node.id));
    clearTimeout(kept.timer);
    return kept;
  }

  /** @returns {Host} */
  host() {
    return {
      changed: () => this.changed(),
      loadPicture: () => this.loadPicture(),
      ask: (route, text) => this.page.ask(route, text),
      address: (picture) => this.page.address(picture),
      connected: () => this.seats.kind.connected(this.node),
      history: (which) => this.page.history(which),
      keyHistory: (which) => this.page.keyHistory(which),
      showLarge: (large) => this.showLarge(large),
      wheel: (event) => this.page.wheel(event),
    };
  }

  changed() {
    // Between two nodes an editor belongs to nobody, and the value of the new node counts.
    if (!this.editor) return;
    this.pending = this.editor.value;
    this.workflow = this.page.root().id;
    this.page.changed(this.node);
  }

  /** Runs what the node's inputs come from, until its result is there. */
  async loadPicture() {
    const { promise: arrived, resolve } = /** @type {PromiseWithResolvers<void>} */ (Promise.withResolvers());
    this.loaded = resolve;
    this.asked = this.page.upstream(this.node);
    try {
      await this.page.run(this.node, arrived);
    } finally {
      this.loaded = null;
    }
  }

  /** The node has a result. @param {object} output */
  executed(output) {
    const report = this.seats.kind.report(output);
    if (!report || !this.editor) return;
    this.upstream = this.asked ?? this.page.upstream(this.node);
    this.asked = null;
    this.editor.detected(report);
    this.loaded?.();
    this.measureStale();
  }

  /** Whether what is shown comes from another graph than the one there is now. */
  measureStale() {
    if (!this.editor || this.upstream === undefined) return;
    this.editor.setStale(this.upstream !== this.page.upstream(this.node));
  }

  /** @param {string} name */
  widgetChanged(name) {
    if (this.editor && this.seats.kind.sizes.includes(name)) this.seats.kind.resize(this.editor, this.node);
  }

  /** @param {boolean} large */
  showLarge(large) {
    const { editor, seats } = this;
    if (!editor) return;
    if (!large) return editor.closeLarge?.();
    this.showPlaceholder();
    editor.closeLarge = openLarge(editor.element, seats.kind.words.editor, () => {
      editor.closeLarge = null;
      editor.setLarge(false);
      const seat = [...seats.taken].find((each) => each.editor === editor);
      seat?.element.replaceChildren(editor.element);
      seat?.settle(null, true);
    });
    editor.setLarge(true);
    editor.focus();
  }

  showPlaceholder() {
    const text = this.seats.kind.words.elsewhere;
    this.element.replaceChildren(make("p", { text, style: "margin:auto;color:var(--input-text)" }));
  }
}

/** All seats of one kind of editor on a page. */
export class Seats {
  /** @param {Page} page @param {Kind} kind */
  constructor(page, kind) {
    this.page = page;
    this.kind = kind;
    /** The seats on living nodes. @type {Set<Seat>} */
    this.taken = new Set();
    /** The editors that wait for a node, by the name of their place. @type {Map<string, Waiting>} */
    this.waiting = new Map();
    /** The seat that was last left, by its node's id alone. @type {Map<string, Seat>} */
    this.left = new Map();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.settling = undefined;
    page.listen("graphChanged", () => this.graphChanged());
    page.listen("reconnected", () => this.taken.forEach((seat) => seat.editor?.reconnected()));
  }

  /** @param {GraphNode} node @param {HTMLElement} element @param {string} value */
  seat(node, element, value) {
    return new Seat(this, node, element, value);
  }

  graphChanged() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.taken.forEach((seat) => seat.measureStale()), SETTLE);
  }

  /** A workflow's tab came back with its results. @param {Record<string, object>} outputs by the nodes' places */
  outputsUpdated(outputs) {
    for (const seat of this.taken) {
      const output = outputs[seat.place()];
      if (output && seat.editor && !seat.editor.hasPicture()) seat.executed(output);
    }
  }

  /** The entries of the node's own menu. @param {GraphNode} node */
  menu(node) {
    const seat = [...this.taken].find((each) => each.place() === this.page.place(node));
    if (!seat) return [];
    const { load, large } = this.kind.words;
    return [
      { content: load, callback: () => seat.editor?.loadPicture() },
      { content: large, callback: () => seat.showLarge(true) },
    ];
  }
}
