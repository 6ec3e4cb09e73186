/**
 * The picture of words as an element: a row's picture, the words at the place under the pointer, the heat of the first
 * or of a chosen one. Knows nothing of ComfyUI; `dispose()` undoes all it did.
 */

import { button, filled, listen, make, set, setText } from "../canvas/elements.js";
import { makeStage } from "../canvas/stage.js";
import { heatPixels } from "./heat.js";
import { cellAt, firstWord, highestFactor, isFlat, ranked } from "./overlay.js";
import { STYLE } from "./style.js";
import { WORDS } from "./words.js";

/** @import { Ranked, Row, Word } from "./overlay.js" */

/** @typedef {{row: number, pinned: string}} Choice which row is shown, and the word whose map stays, "" for none */

/** Words in the list at a place, and those that are read out. */
const LISTED = 6, READ = 3;
/** Cells that Shift and an arrow key go. */
const FAR = 4;

/** A map as a picture of one pixel a cell. @param {Word} word @param {number} width @param {boolean} over */
function heatPicture(word, width, over) {
  const canvas = document.createElement("canvas"), height = word.levels.length / width;
  Object.assign(canvas, { width, height });
  canvas.getContext("2d")?.putImageData(new ImageData(heatPixels(word, over), width, height), 0, 0);
  return canvas;
}

export class WordPicture {
  /** @param {Choice} choice kept up to date @param {(event: WheelEvent) => void} wheel what the page does at a wheel */
  constructor(choice, wheel) {
    this.choice = choice;
    /** @type {Row[]} */
    this.rows = [];
    /** The cell under the pointer or reached by keys. @type {number|null} */
    this.cell = null;
    /** The picture of each row, once it is read; null where there is none. @type {(ImageBitmap|null)[]} */
    this.pictures = [];
    this.turn = 0;
    this.disposed = false;
    /** The heat that was drawn last, and what of. @type {{of: unknown[], canvas: HTMLCanvasElement}|null} */
    this.heat = null;
    this.element = make("div", { class: "recompose-words" });
    this.stage = makeStage({
      paintBelow: (context) => this.paintPicture(context),
      paintAbove: (context) => this.paintMark(context),
      resized: () => {},
    });
    this.waits = make("div", { class: "waits", text: WORDS.notYet });
    this.back = button("back", WORDS.back, () => this.turnTo(this.choice.row - 1));
    this.on = button("on", WORDS.on, () => this.turnTo(this.choice.row + 1));
    this.number = make("span", { class: "number" });
    this.bar = make("div", { class: "bar rows" }, this.back, this.number, this.on);
    this.list = make("div", { class: "list", "aria-hidden": "true" });
    this.hint = make("div", { class: "hint" });
    this.chips = make("div", { class: "chips", role: "group", "aria-label": WORDS.chips });
    this.voice = make("div", { class: "unseen", "aria-live": "polite" });
    this.assemble();
    this.unlisten = listen(this.stage.element, {
      pointermove: (/** @type {PointerEvent} */ event) => this.point(event),
      pointerdown: (/** @type {PointerEvent} */ event) => this.point(event),
      pointerleave: (/** @type {PointerEvent} */ event) => event.pointerType !== "touch" && this.go(null),
    });
    this.unlistenAll = listen(this.element, {
      wheel: (/** @type {WheelEvent} */ event) => (this.scrolls(event) ? event.stopPropagation() : wheel(event)),
      keydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    });
    this.refresh();
  }

  assemble() {
    /** For whoever looks at the page from outside, such as a test. */
    Object.assign(this.element, { wordPicture: this });
    const stage = { tabindex: 0, role: "application", "aria-roledescription": WORDS.picture, "aria-label": WORDS.stage };
    for (const [name, value] of Object.entries(stage)) set(this.stage.above, name, value);
    this.stage.element.append(this.list, this.hint);
    const root = this.element.attachShadow({ mode: "open" });
    root.append(make("style", { text: STYLE }), this.waits, this.bar, this.stage.element, this.chips, this.voice);
  }

  get row() {
    return this.rows[Math.min(this.choice.row, this.rows.length - 1)];
  }

  /** The node has a result. @param {Row[]} rows */
  show(rows) {
    const turn = ++this.turn;
    this.rows = rows;
    this.choice.row = Math.min(this.choice.row, rows.length - 1);
    this.cell = null;
    this.release();
    rows.forEach(async ({ picture }, number) => {
      if (!picture) return;
      const bitmap = await createImageBitmap(new Blob([picture], { type: "image/jpeg" })).catch(() => null);
      if (turn !== this.turn || this.disposed) return bitmap?.close();
      this.pictures[number] = bitmap;
      this.refresh();
    });
    this.fillChips();
    this.refresh();
  }

  release() {
    for (const each of this.pictures) each?.close();
    this.pictures = [];
  }

  dispose() {
    this.disposed = true;
    this.release();
    this.unlisten();
    this.unlistenAll();
    this.stage.dispose();
    this.element.remove();
  }

  /** @param {number} row */
  turnTo(row) {
    if (row < 0 || row >= this.rows.length) return;
    this.choice.row = row;
    this.cell = null;
    this.fillChips();
    this.refresh();
    setText(this.voice, filled(WORDS.rowLong, { row: row + 1, count: this.rows.length }));
  }

  fillChips() {
    const chip = (/** @type {Word} */ { text }, /** @type {number} */ number) => {
      const settings = { type: "button", title: text, "data-asked": number < this.row.asked };
      return make("button", { ...settings, click: () => this.pin(text), text });
    };
    this.chips.replaceChildren(...this.row.words.map(chip));
  }

  /** Keep a word's map over the picture, or no longer. @param {string} text */
  pin(text) {
    this.choice.pinned = this.choice.pinned === text ? "" : text;
    this.refresh();
  }

  /** Whether a wheel turns over words of which not all are seen. @param {WheelEvent} event */
  scrolls(event) {
    return event.composedPath().includes(this.chips) && this.chips.scrollHeight > this.chips.clientHeight;
  }

  // The place.

  /** @param {PointerEvent} event */
  point(event) {
    if (!this.row) return;
    const at = this.stage.place(event), { scale, x, y } = this.fit();
    this.go(cellAt(this.row, (at.x - x) / scale, (at.y - y) / scale));
  }

  /** @param {number|null} cell */
  go(cell) {
    if (cell === this.cell) return;
    this.cell = cell;
    this.refresh();
  }

  /** Keys that mean something here stay here, and none but those with Ctrl reach the graph. @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    event.stopPropagation();
    const stage = this.element.shadowRoot?.activeElement === this.stage.above;
    if (!this.row || !(stage ? this.stageKey(event) : this.rowKey(event.key))) return;
    event.preventDefault();
    if (stage && this.cell !== null) this.say(this.cell);
  }

  /** @param {string} key */
  rowKey(key) {
    /** @type {Record<string, number|undefined>} */
    const ways = { PageUp: -1, PageDown: 1 }, by = ways[key];
    if (by) this.turnTo(this.choice.row + by);
    return Boolean(by);
  }

  /** @param {KeyboardEvent} event */
  stageKey({ key, shiftKey }) {
    const { width, height } = this.row.grid, step = shiftKey ? FAR : 1;
    /** @type {Record<string, number[]|undefined>} */
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const way = ways[key];
    if (key === "Escape") this.go(null);
    else if (!way) return this.rowKey(key);
    else if (this.cell === null) this.go((height >> 1) * width + (width >> 1));
    else {
      const within = (/** @type {number} */ value, /** @type {number} */ count) => Math.max(0, Math.min(count - 1, value));
      const column = within((this.cell % width) + way[0], width);
      this.go(within(Math.floor(this.cell / width) + way[1], height) * width + column);
    }
    return true;
  }

  /** Tells a screen reader the words of a cell. @param {number} cell */
  say(cell) {
    const said = ranked(this.row, cell).slice(0, READ).map(({ word, factor }) => {
      return filled(WORDS.said, { word: this.row.words[word].text, factor: factor.toFixed(1) });
    });
    setText(this.voice, said.join(", ") || WORDS.none);
  }

  // What is shown.

  /** The words at the place. @returns {Ranked[]} */
  found() {
    return this.cell === null ? [] : ranked(this.row, this.cell);
  }

  /** The word whose map is over the picture, null for none. @returns {number|null} */
  shownWord() {
    const pinned = this.row.words.findIndex(({ text }) => text === this.choice.pinned);
    if (pinned >= 0) return pinned;
    const top = this.found()[0]?.word;
    return top ?? (this.pictures[this.choice.row] ? null : firstWord(this.row));
  }

  refresh() {
    const { row, rows, choice } = this;
    this.waits.hidden = Boolean(row);
    this.stage.element.hidden = this.chips.hidden = !row;
    this.bar.hidden = rows.length < 2;
    if (!row) return;
    const count = rows.length;
    setText(this.number, filled(WORDS.row, { row: choice.row + 1, count }));
    set(this.back, "disabled", choice.row === 0);
    set(this.on, "disabled", choice.row === count - 1);
    const found = this.found(), flat = isFlat(row);
    this.fillList(found);
    for (const [number, chip] of [...this.chips.children].entries()) {
      set(chip, "aria-pressed", String(row.words[number].text === choice.pinned));
      set(chip, "data-top", number === found[0]?.word);
    }
    setText(this.hint, flat ? WORDS.flat : WORDS.hint);
    this.hint.hidden = !flat && (this.cell !== null || choice.pinned !== "");
    this.stage.repaintAll();
  }

  /** @param {Ranked[]} found */
  fillList(found) {
    this.list.hidden = this.cell === null;
    if (this.cell === null) return;
    const { width } = this.row.grid;
    set(this.list, "data-left", this.cell % width >= width / 2);
    const most = highestFactor(this.row) - 1;
    const line = (/** @type {Ranked} */ { word, factor }) => {
      const bar = make("b", { style: `width:${Math.round((100 * (factor - 1)) / most)}%` });
      const times = make("em", { text: filled(WORDS.times, { factor: factor.toFixed(1) }) });
      return make("div", {}, make("span", { text: this.row.words[word].text }), make("i", {}, bar), times);
    };
    const lines = found.slice(0, LISTED).map(line);
    this.list.replaceChildren(...(lines.length ? lines : [make("div", { text: WORDS.none })]));
  }

  /** Where the picture lies on the stage: stage pixels per pixel of it, and its upper left corner. */
  fit() {
    const { width, height } = this.stage.size, { size } = this.row;
    const scale = Math.min(width / size.width, height / size.height);
    return { scale, x: (width - size.width * scale) / 2, y: (height - size.height * scale) / 2 };
  }

  /** @param {CanvasRenderingContext2D} context */
  paintPicture(context) {
    if (!this.row) return;
    const { scale, x, y } = this.fit(), { size } = this.row, picture = this.pictures[this.choice.row];
    const place = /** @type {const} */ ([x, y, size.width * scale, size.height * scale]);
    context.imageSmoothingQuality = "high";
    if (picture) context.drawImage(picture, ...place);
    const word = this.shownWord();
    if (word === null) return;
    context.drawImage(this.heatOf(word, Boolean(picture)), ...place);
  }

  /** @param {number} word @param {boolean} over */
  heatOf(word, over) {
    const of = [this.row, word, over];
    if (!this.heat?.of.every((each, number) => each === of[number])) {
      this.heat = { of, canvas: heatPicture(this.row.words[word], this.row.grid.width, over) };
    }
    return this.heat.canvas;
  }

  /** @param {CanvasRenderingContext2D} context */
  paintMark(context) {
    if (!this.row || this.cell === null) return;
    const { scale, x, y } = this.fit(), { size, grid } = this.row;
    const width = (size.width * scale) / grid.width, height = (size.height * scale) / grid.height;
    const left = x + (this.cell % grid.width) * width, top = y + Math.floor(this.cell / grid.width) * height;
    for (const [colour, line] of /** @type {const} */ ([["#000", 3], ["#fff", 1]])) {
      Object.assign(context, { strokeStyle: colour, lineWidth: line });
      context.strokeRect(left, top, width, height);
    }
  }
}
