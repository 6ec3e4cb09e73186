/**
 * The editor's one record, its events and its undo: pure, (state, event) -> state.
 *
 *   let state = start({ width: 512, height: 768, value: widget.value });
 *   state = update(state, { type: "begin" });                              // pointer down
 *   state = update(state, { type: "dragPoint", person: 0, point: 9, to }); // pointer moves, as often as you like
 *   state = update(state, { type: "commit" });                             // pointer up: 1/16 px, one step of undo
 *   widget.value = valueOf(state);                                         // once per commit
 *
 * The same state comes back (===) where an event changes nothing, and frames and people that did not change stay the
 * same objects, so a view may compare by identity. The types and every event are in types.js; what is under the
 * pointer in geometry.js (hitTest); the canvas needed in extension.js; layouts to import and export in openpose.js;
 * presets in presets.js; the node's widgets in bridge.js.
 *
 * - `load` takes a widget value from outside (opened workflow, graph undo, paste): a value equal to what is shown
 *   changes nothing, one step back or forth in the history moves there, anything else becomes a step of its own.
 * - `detected` takes the node's result (bridge.readReport): frames without an edit show the new detection.
 * - `notices` are sentences the user must see; `dismiss` empties them.
 */

import { BLANK, LIMITS } from "../model/types.js";
import { POINTS } from "../model/skeleton.js";
import { isShown, makeFrame, quantisedFrame, samePerson } from "../model/people.js";
import { EDITS, GESTURES } from "./edits.js";
import { pointsInBox } from "../model/geometry.js";
import { rescaled } from "../model/fit.js";
import { parse, serialise } from "../io/value.js";
import { templatePerson } from "./presets.js";

/** @import { Event, EventOf, Frame, PointRef, SelectMode, State } from "../model/types.js" */

/**
 * The state of a new editor.
 * @param {{width?: number, height?: number, value?: string}} [options] size of the blank canvas, the widget's value
 */
export function start({ width = BLANK.width, height = BLANK.height, value = "" } = {}) {
  const { frames, notices } = framesOf(value, [template(width, height)], []);
  const rest = { incoming: [], pictures: [], frame: 0, selection: [], past: [], future: [], before: null };
  return Object.freeze({ frames, ...rest, notices });
}

/** @param {number} width @param {number} height @returns {Frame} */
function template(width, height) {
  return makeFrame(width, height, [templatePerson(width, height)]);
}

/** @param {State} state @param {Event} event @returns {State} */
export function update(state, event) {
  const gesture = GESTURES[event.type], edit = EDITS[event.type];
  if (gesture) return edited(state, event, gesture, state.before ?? state.frames);
  if (edit) return edited(state, event, edit, state.frames);
  const handle = /** @type {((state: State, event: any) => State)|undefined} */ (EVENTS[event.type]);
  if (!handle) throw new Error(`Expected an event of types.js, got ${event.type}; check its name.`);
  return handle(state, event);
}

/** The frame that is shown. @param {State} state @returns {Frame} */
export function shownFrame(state) {
  return state.frames[state.frame];
}

/** What the widget must hold. @param {State} state @returns {string} */
export function valueOf(state) {
  return serialise(state.frames);
}

/** The selected points. @param {State} state @returns {PointRef[]} */
export function selectedPoints(state) {
  return state.selection.map((key) => ({ person: Math.floor(key / POINTS), point: key % POINTS }));
}

/**
 * The state with some of it replaced; points that are gone are no longer selected.
 * @param {State} state @param {Partial<State>} change @returns {State}
 */
function changed(state, change) {
  const next = { ...state, ...change };
  return Object.freeze({ ...next, selection: pruned(next.selection, next.frames[next.frame]) });
}

/**
 * The selection without points that are gone.
 * @param {readonly number[]} selection @param {Frame} frame @returns {readonly number[]}
 */
function pruned(selection, frame) {
  const kept = selection.filter((key) => {
    const person = frame?.people[Math.floor(key / POINTS)];
    return person && person.flags[key % POINTS] !== 0;
  });
  return kept.length === selection.length ? selection : kept;
}

/**
 * @param {State} state @param {Event} event @param {(frame: Frame, event: any, state: State) => Frame} edit
 * @param {readonly Frame[]} base @returns {State}
 */
function edited(state, event, edit, base) {
  const frame = edit(base[state.frame], event, state);
  if (frame === base[state.frame]) return base === state.frames ? state : changed(state, { frames: base });
  const open = state.before !== null;
  const done = { ...(open ? frame : quantisedFrame(frame)), edited: true };
  const frames = base.map((old, index) => (index === state.frame ? done : old));
  const selection = event.type === "deletePerson" ? [] : state.selection;
  return open ? changed(state, { frames, selection }) : stepped(changed(state, { selection }), state.frames, frames);
}

/**
 * `frames` as a step of undo over `before`, unless they are the same people.
 * @param {State} state @param {readonly Frame[]} before @param {readonly Frame[]} frames @returns {State}
 */
function stepped(state, before, frames) {
  if (sameFrames(before, frames)) return changed(state, { frames: before, before: null });
  const past = [...state.past, before].slice(-LIMITS.history);
  return changed(state, { frames, past, future: [], before: null });
}

/** @param {readonly Frame[]} a @param {readonly Frame[]} b */
function sameFrames(a, b) {
  return a.length === b.length && a.every((frame, index) => sameFrame(frame, b[index]));
}

/** @param {Frame} a @param {Frame} b */
function sameFrame(a, b) {
  return (
    a === b ||
    (a.width === b.width &&
      a.height === b.height &&
      a.people.length === b.people.length &&
      a.people.every((person, index) => samePerson(person, b.people[index])))
  );
}

/**
 * Every known frame: the edited ones of a value over those of the detection.
 * @param {string} value @param {readonly Frame[]} shown @param {readonly (Frame|null)[]} incoming
 */
function framesOf(value, shown, incoming) {
  const { frames: edits, notices } = parse(value);
  const count = Math.max(1, shown.length, incoming.length, ...[...edits.keys()].map((index) => index + 1));
  const blank = shown[0] ?? template(BLANK.width, BLANK.height);
  const frames = Array.from({ length: count }, (_, index) => {
    const edit = edits.get(index), picture = incoming[index];
    // Only a picture says that an edit has another size; until it is loaded the template's size means nothing.
    if (edit) return picture ? rescaled(edit, picture.width, picture.height) : edit;
    return picture ?? (shown[index]?.edited === false ? shown[index] : template(blank.width, blank.height));
  });
  return { frames, notices };
}

/** @param {State} state @param {EventOf<"load">} given @returns {State} */
function loaded(state, { value }) {
  if (value === valueOf(state)) return state;
  if (state.past.length && value === serialise(state.past[state.past.length - 1])) return undone(state);
  if (state.future.length && value === serialise(state.future[state.future.length - 1])) return redone(state);
  const { frames, notices } = framesOf(value, state.frames, state.incoming);
  const there = { frame: Math.min(state.frame, frames.length - 1), before: null };
  return changed(stepped(changed(state, there), state.frames, frames), { notices });
}

/** @param {State} state @param {EventOf<"detected">} given @returns {State} */
function detected(state, { report }) {
  const { incoming, pictures, replaced, notices } = report;
  const count = Math.max(incoming.length, ...state.frames.map((frame, index) => (frame.edited ? index + 1 : 0)));
  const frames = Array.from({ length: count }, (_, index) => {
    const [old, found] = [state.frames[index], incoming[index]];
    if (!old?.edited || replaced.includes(index)) return found ?? old ?? template(BLANK.width, BLANK.height);
    return found ? rescaled(old, found.width, found.height) : old;
  });
  const frame = Math.min(state.frame, frames.length - 1);
  const next = changed(state, { incoming, pictures, notices, frame, before: null });
  const lost = state.frames.some((old, index) => old.edited && !frames[index].edited);
  if (lost) return stepped(next, state.frames, frames);
  return changed(next, { frames });
}

/**
 * Keys of a selection after `points` came in.
 * @param {readonly number[]} selection @param {readonly PointRef[]} points @param {SelectMode} [mode]
 */
function merged(selection, points, mode = "replace") {
  const keys = points.map(({ person, point }) => person * POINTS + point);
  const found = new Set(mode === "replace" ? [] : selection);
  for (const key of keys) {
    if (mode === "remove" || (mode === "toggle" && found.has(key))) found.delete(key);
    else found.add(key);
  }
  return [...found].sort((a, b) => a - b);
}

/** @param {State} state @param {readonly PointRef[]} points @param {SelectMode} [mode] @returns {State} */
function select(state, points, mode) {
  const frame = shownFrame(state);
  const there = points.filter(({ person, point }) => frame.people[person]?.flags[point]);
  const selection = merged(state.selection, there, mode);
  const same = selection.length === state.selection.length && selection.every((k, i) => k === state.selection[i]);
  return same ? state : changed(state, { selection });
}

/** @param {Frame} frame @param {number} person @returns {PointRef[]} */
function shownPoints(frame, person) {
  const found = [];
  for (let point = 0; point < POINTS; point++) {
    if (isShown(frame.people[person], point)) found.push({ person, point });
  }
  return found;
}

/** @param {Frame} frame @returns {PointRef[]} */
function everyPoint(frame) {
  return frame.people.flatMap((_, person) => shownPoints(frame, person));
}

/**
 * The next point, or all of the next person, after what is selected; round and round.
 * @param {State} state @param {EventOf<"selectNext">} given @returns {State}
 */
function next(state, { step, by = "point" }) {
  const groups = Map.groupBy(everyPoint(shownFrame(state)), (ref) =>
    by === "person" ? ref.person : ref.person * POINTS + ref.point,
  );
  const keys = [...groups.keys()];
  if (!keys.length) return state;
  const edge = step > 0 ? state.selection.at(-1) : state.selection[0];
  const at = edge === undefined ? -1 : keys.indexOf(by === "person" ? Math.floor(edge / POINTS) : edge);
  const index = at < 0 ? (step > 0 ? 0 : keys.length - 1) : (at + step + keys.length) % keys.length;
  return select(state, groups.get(keys[index]) ?? [], "replace");
}

/**
 * The frame as the detection has it; on a blank canvas the template.
 * @param {State} state @param {number} index @returns {Frame}
 */
function untouched(state, index) {
  const { width, height } = state.frames[index];
  return state.incoming[index] ?? template(width, height);
}

/** @param {State} state @param {number[]} indices @returns {State} */
function reset(state, indices) {
  const frames = state.frames.map((frame, index) =>
    frame.edited && indices.includes(index) ? untouched(state, index) : frame,
  );
  const same = frames.every((frame, index) => frame === state.frames[index]);
  if (same) return state;
  const past = [...state.past, state.before ?? state.frames].slice(-LIMITS.history);
  return changed(state, { frames, past, future: [], before: null, selection: [], notices: [] });
}

/** @param {State} state @param {EventOf<"import">} given @returns {State} */
function imported(state, { frames: given }) {
  const count = Math.max(state.frames.length, Math.min(given.length, LIMITS.frames - state.frame) + state.frame);
  const frames = Array.from({ length: count }, (_, index) => {
    const old = state.frames[index];
    /** @type {Frame|undefined} */
    const found = given[index - state.frame];
    if (!found) return old;
    const people = found.people.slice(0, LIMITS.people).map((person) => ({ ...person, from: -1 }));
    const size = old ?? found;
    const frame = rescaled(makeFrame(found.width, found.height, people), size.width, size.height);
    return { ...quantisedFrame(frame), fingerprint: old?.fingerprint ?? "", edited: true };
  });
  return stepped(changed(state, { selection: [] }), state.before ?? state.frames, frames);
}

/** @param {State} state @param {"past"|"future"} from @param {"past"|"future"} to @returns {State} */
function travelled(state, from, to) {
  if (!state[from].length) return state;
  const frames = state[from][state[from].length - 1];
  const change = { [from]: state[from].slice(0, -1), [to]: [...state[to], state.before ?? state.frames], before: null };
  const frame = Math.min(state.frame, frames.length - 1);
  return changed(state, { ...change, frames, frame });
}

/**
 * A blank canvas of another size; frames with a detection keep the size of their picture.
 * @param {State} state @param {EventOf<"resize">} given @returns {State}
 */
function resized(state, { width, height }) {
  const frames = state.frames.map((frame, index) => {
    if (state.incoming[index] || (frame.width === width && frame.height === height)) return frame;
    return frame.edited ? rescaled(frame, width, height) : template(width, height);
  });
  return frames.every((frame, index) => frame === state.frames[index]) ? state : changed(state, { frames });
}

/** @param {State} state */
function committed(state) {
  return state.before ? stepped(state, state.before, state.frames.map(quantisedFrame)) : state;
}

/** @param {State} state */
const undone = (state) => travelled(state, "past", "future");
/** @param {State} state */
const redone = (state) => travelled(state, "future", "past");

/** @type {{[T in Event["type"]]?: (state: State, event: EventOf<T>) => State}} */
const EVENTS = {
  begin: (state) => (state.before ? state : changed(state, { before: state.frames })),
  commit: committed,
  cancel: (state) => (state.before ? changed(state, { frames: state.before, before: null }) : state),
  undo: undone,
  redo: redone,
  select: (state, { points, mode }) => select(state, points, mode),
  selectPerson: (state, { person, mode }) =>
    shownFrame(state).people[person] ? select(state, shownPoints(shownFrame(state), person), mode) : state,
  selectBox: (state, { box, mode }) => select(state, pointsInBox(shownFrame(state), box), mode),
  selectAll: (state) => select(state, everyPoint(shownFrame(state))),
  selectNone: (state) => select(state, []),
  selectNext: next,
  frame: (state, { index }) => {
    if (index === state.frame || !state.frames[index]) return state;
    return changed(committed(state), { frame: index, selection: [] });
  },
  load: loaded,
  detected,
  resize: resized,
  import: imported,
  reset: (state) => reset(state, [state.frame]),
  resetAll: (state) => reset(state, [...state.frames.keys()]),
  dismiss: (state) => (state.notices.length ? changed(state, { notices: [] }) : state),
};
