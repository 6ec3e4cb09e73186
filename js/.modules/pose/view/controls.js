/** The two bars: what to do with the pose above the stage, what is shown of it below. */

import { FLAG } from "../model/types.js";
import { POINTS } from "../model/skeleton.js";
import { growthSentence, pointSentence, WORDS } from "./words.js";
import { button, filled, icon, make, menu, set, setText } from "../../canvas/elements.js";

/** @import { Camera } from "../../canvas/camera.js" */
/** @import { Entry } from "../../canvas/elements.js" */
/** @import { Hit, PersonEvent, Sides, State } from "../model/types.js" */
/** @import { PoseEditor } from "./editor.js" */

/** Whether every selected point has a flag. @param {State} state @param {number} flag */
export function allFlagged(state, flag) {
  const people = state.frames[state.frame].people;
  /** @param {number} key */
  const has = (key) => (people[Math.floor(key / POINTS)]?.flags[key % POINTS] ?? 0) & flag;
  return state.selection.length > 0 && state.selection.every(has);
}

/** @param {PoseEditor} editor @param {HTMLElement} layer for menus */
export function upperBar(editor, layer) {
  const load = make("button", { type: "button", class: "main", title: WORDS.loadLong, "aria-label": WORDS.load });
  load.append(icon("load"), make("span", { class: "long", text: WORDS.load }));
  load.append(make("span", { class: "short", text: WORDS.loadShort }));
  load.addEventListener("click", () => editor.loadPicture());
  const parts = {
    load,
    legs: button("legs", WORDS.legs, () => editor.actions.guessLegs()),
    add: button("person", WORDS.add, () => editor.toggleGallery(parts.add), { "aria-expanded": "false" }),
    points: button("points", WORDS.points, () => editor.togglePoints(), { "aria-pressed": "false" }),
    hide: button("hide", WORDS.hide, () => editor.actions.toggleHidden()),
    lock: button("lock", WORDS.lock, () => editor.actions.toggleLocked()),
    remove: button("remove", WORDS.remove, () => editor.dispatch({ type: "delete" })),
    undo: button("undo", WORDS.undo, () => editor.actions.graph("undo"), { class: "narrow" }),
    redo: button("redo", WORDS.redo, () => editor.actions.graph("redo"), { class: "narrow" }),
    more: button("more", WORDS.more, () => {}),
    large: button("large", WORDS.large, () => editor.actions.toggleLarge()),
    done: make("button", { type: "button", class: "main", title: WORDS.small, text: WORDS.done, hidden: true }),
  };
  const split = () => make("span", { class: "split narrow", "aria-hidden": "true" });
  const element = make("div", { class: "bar", role: "toolbar", "aria-label": WORDS.editor });
  element.append(load, parts.legs, parts.add, parts.points, split(), parts.hide, parts.lock, parts.remove);
  element.append(make("span", { class: "gap" }), parts.undo, parts.redo, parts.more, parts.large, parts.done);
  parts.done.addEventListener("click", () => editor.actions.toggleLarge());
  const opened = menu(parts.more, layer, () => moreEntries(editor));

  return {
    element,
    parts,
    closeMenu: () => opened.close(false),
    /** @param {boolean} large */
    setLarge(large) {
      set(parts.large, "aria-pressed", String(large));
      parts.done.hidden = !large;
    },
    /** @param {State} state @param {{busy: boolean, estimating: boolean, hasPhoto: boolean}} given */
    update(state, { busy, estimating, hasPhoto }) {
      const none = state.selection.length === 0;
      const hidden = allFlagged(state, FLAG.HIDDEN), locked = allFlagged(state, FLAG.LOCKED);
      for (const part of [parts.hide, parts.lock, parts.remove]) part.disabled = none;
      parts.legs.disabled = state.frames[state.frame].people.length === 0;
      label(parts.hide, hidden ? WORDS.show : WORDS.hide, hidden);
      label(parts.lock, locked ? WORDS.unlock : WORDS.lock, locked);
      load.classList.toggle("busy", busy);
      set(load, "aria-busy", busy ? "true" : null);
      set(parts.legs, "aria-busy", estimating ? "true" : null);
      set(load, "data-quiet", hasPhoto ? "" : null);
    },
  };
}

/** @param {HTMLElement} part @param {string} words @param {boolean} pressed */
function label(part, words, pressed) {
  set(part, "aria-label", words);
  set(part, "title", words);
  set(part, "aria-pressed", pressed ? "true" : "false");
}

/** @param {PoseEditor} editor @returns {(Entry|null)[]} */
function moreEntries(editor) {
  const { state, modes, actions } = editor;
  const nobody = state.frames[state.frame].people.length === 0;
  const nobodyDeleted = !actions.deletedPeople().length;
  /** @param {PersonEvent} type */
  const person = (type) => () => actions.onPerson(type);
  return [
    { label: WORDS.mirror, run: person("mirror"), disabled: nobody, keys: "M" },
    { label: WORDS.swap, run: person("swapSides"), disabled: nobody, keys: "X" },
    { label: WORDS.fitPerson, run: person("fit"), disabled: nobody },
    { label: WORDS.restore, run: () => editor.dispatch({ type: "restore" }), keys: "R" },
    { label: WORDS.duplicate, run: () => actions.duplicate(), disabled: nobody },
    { label: WORDS.bringBack, run: () => actions.restorePeople(), disabled: nobodyDeleted },
    { label: WORDS.deletePerson, run: person("deletePerson"), disabled: nobody, keys: "Shift+Del" },
    null,
    { label: WORDS.reach, run: () => (modes.reach = !modes.reach), checked: modes.reach },
    { label: WORDS.boxTouch, run: () => (modes.boxTouch = !modes.boxTouch), checked: modes.boxTouch },
    null,
    { label: WORDS.copy, run: () => actions.copyPeople(), disabled: nobody, keys: "Ctrl+C" },
    { label: WORDS.importJson, run: () => actions.importFile() },
    { label: WORDS.exportCoco, run: () => actions.exportFile("coco18") },
    { label: WORDS.exportBody, run: () => actions.exportFile("body25") },
    { label: WORDS.exportWhole, run: () => actions.exportFile("wholebody") },
    null,
    { label: WORDS.reset, run: () => editor.dispatch({ type: "reset" }) },
    ...(state.frames.length > 1
      ? [{ label: WORDS.resetAll, run: () => editor.dispatch({ type: "resetAll" }) }]
      : []),
    { label: WORDS.keys, run: () => editor.help(), keys: "?" },
  ];
}

/** @param {PoseEditor} editor */
export function lowerBar(editor) {
  const status = make("span", { class: "status" });
  const number = make("span", { class: "percent" }), percent = make("span", { class: "percent wide" });
  const chooser = make("span", { class: "chooser", role: "group", "aria-label": WORDS.chooser });
  /** @param {1|-1} by */
  const step = (by) => () => editor.dispatch({ type: "frame", index: editor.state.frame + by });
  const back = button("back", WORDS.back, step(-1)), on = button("on", WORDS.on, step(1));
  chooser.append(back, number, on);
  const dim = make("input", { type: "range", min: 0, max: 100, value: 100, "aria-label": WORDS.dim, title: WORDS.dim });
  dim.addEventListener("input", () => editor.setBrightness(Number(dim.value) / 100));
  const element = make("div", { class: "bar end" }, chooser, status, icon("dim"), dim);
  element.append(button("farther", WORDS.farther, () => editor.zoom(0.8), { class: "narrow" }), percent);
  element.append(button("nearer", WORDS.nearer, () => editor.zoom(1.25), { class: "narrow" }));
  element.append(button("fit", WORDS.fit, () => editor.fit()));

  return {
    element,
    /** @param {State} state @param {{camera: Camera, grown: Sides, hover: Hit|null, idle: boolean}} given */
    update(state, { camera, grown, hover, idle }) {
      const many = state.frames.length > 1;
      chooser.style.display = many ? "" : "none";
      setText(number, `${state.frame + 1} / ${state.frames.length}`);
      back.disabled = state.frame === 0;
      on.disabled = state.frame === state.frames.length - 1;
      setText(percent, `${Math.round(camera.scale * 100)} %`);
      const sentence = statusSentence(state, grown, hover, idle);
      setText(status, sentence);
      set(status, "title", sentence);
    },
  };
}

/** @param {State} state @param {Sides} grown @param {Hit|null} hover @param {boolean} idle */
function statusSentence(state, grown, hover, idle) {
  const frame = state.frames[state.frame];
  if (hover?.point !== undefined) return pointSentence(frame, hover.person, hover.point);
  if (state.selection.length === 1) {
    return pointSentence(frame, Math.floor(state.selection[0] / POINTS), state.selection[0] % POINTS);
  }
  const needs = growthSentence(grown);
  if (state.selection.length) return [filled(WORDS.pointsSelected, { count: state.selection.length }), needs].filter(Boolean).join(" · ");
  return [`${frame.width} × ${frame.height}`, needs, idle && WORDS.idle].filter(Boolean).join(" · ");
}
