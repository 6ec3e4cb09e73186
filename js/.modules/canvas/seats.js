/**
 * Seats: the places of an editor on nodes.
 *
 * The graph's undo makes every node anew. A removed node's editor therefore waits a moment for the node that takes its
 * place, so that zoom, photo and focus outlive it.
 */

import { make } from "./elements.js";
import { openLarge } from "./large.js";

/** Milliseconds a removed node's editor waits, and those a changed graph gets to settle. */
const WAIT = 1500, SETTLE = 300;
/** Frames in which a new node's editor watches over its place and its focus. */
const FRAMES = 20;
const NAMELESS = "00000000-0000-0000-0000-000000000000";

/** One node's place for an editor. */
class Seat {
  constructor(seats, node, element, value) {
    this.seats = seats;
    this.page = seats.page;
    this.node = node;
    this.element = element;
    this.pending = value;
    this.editor = null;
    this.loaded = null;
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
    if (kept) {
      this.editor = kept.editor;
      this.editor.host = this.host();
      this.editor.load(this.pending);
    } else this.editor = seats.kind.open(this.node, this.pending, this.host());
    this.upstream = kept?.upstream;
    if (this.editor.closeLarge) this.showPlaceholder();
    else this.element.replaceChildren(this.editor.element);
    this.settle(before, Boolean(kept?.focused), FRAMES);
    // An edit that was pasted or opened keeps its size until somebody chooses another.
    if (!this.editor.value) seats.kind.resize(this.editor, this.node);
    seats.graphChanged();
  }

  /**
   * For some frames after a graph was made anew: newer frontends leave the old node's element on the page, and all of
   * them give the focus to the graph.
   */
  settle(predecessor, focused, frames) {
    if (!this.editor || !frames) return;
    const { element } = this;
    if (this.page.shows(this.node) && !element.isConnected && frames < FRAMES - 3 && predecessor?.element.isConnected) {
      predecessor.element.replaceWith(element);
    }
    if (focused && this.editor.element.offsetWidth && this.page.hasFocus()) this.editor.focus();
    requestAnimationFrame(() => this.settle(predecessor, focused, frames - 1));
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
    if (!kept || ![NAMELESS, this.workflow].includes(kept.workflow)) return null;
    this.seats.waiting.delete(this.place());
    this.seats.left.delete(String(this.node.id));
    clearTimeout(kept.timer);
    return kept;
  }

  host() {
    return {
      changed: () => this.changed(),
      loadPicture: () => this.loadPicture(),
      ask: (route, text) => this.page.ask(route, text),
      address: (picture) => this.page.address(picture),
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
    const arrived = new Promise((resolve) => (this.loaded = resolve));
    this.asked = this.page.upstream(this.node);
    try {
      await this.page.run(this.node, arrived);
    } finally {
      this.loaded = null;
    }
  }

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

  widgetChanged(name) {
    if (this.editor && this.seats.kind.sizes.includes(name)) this.seats.kind.resize(this.editor, this.node);
  }

  showLarge(large) {
    const { editor, seats } = this;
    if (!large) return editor.closeLarge?.();
    this.showPlaceholder();
    editor.closeLarge = openLarge(editor.element, seats.kind.words.editor, () => {
      editor.closeLarge = null;
      editor.setLarge(false);
      const seat = [...seats.taken].find((each) => each.editor === editor);
      seat?.element.replaceChildren(editor.element);
      seat?.settle(null, true, FRAMES);
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
  constructor(page, kind) {
    this.page = page;
    this.kind = kind;
    /** The seats on living nodes, and the editors that wait for one, by the name of their place. */
    this.taken = new Set();
    this.waiting = new Map();
    /** The seat that was last left, by its node's id alone. */
    this.left = new Map();
    this.settling = 0;
    page.listen("graphChanged", () => this.graphChanged());
    page.listen("reconnected", () => this.taken.forEach((seat) => seat.editor?.reconnected()));
  }

  seat(node, element, value) {
    return new Seat(this, node, element, value);
  }

  graphChanged() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.taken.forEach((seat) => seat.measureStale()), SETTLE);
  }

  /** A workflow's tab came back with its results. */
  outputsUpdated(outputs) {
    for (const seat of this.taken) {
      const output = outputs[seat.place()];
      if (output && seat.editor && !seat.editor.hasPicture()) seat.executed(output);
    }
  }

  /** The entries of the node's own menu. */
  menu(node) {
    const seat = [...this.taken].find((each) => each.place() === this.page.place(node));
    if (!seat) return [];
    const { load, large } = this.kind.words;
    return [
      { content: load, callback: () => seat.editor.loadPicture() },
      { content: large, callback: () => seat.showLarge(true) },
    ];
  }
}
