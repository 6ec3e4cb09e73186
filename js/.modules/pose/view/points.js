/** The list of one person's points: to see, select, show, hide, lock and restore them, with pointer or keys. */

import { FLAG } from "../model/types.js";
import { PARTS, POINTS } from "../model/skeleton.js";
import { isPresent } from "../model/people.js";
import { SIDE, SIDE_COLORS } from "./paint.js";
import { button, filled, make, set, setText } from "../../canvas/elements.js";
import { WORDS } from "./words.js";

/** @import { Person, State } from "../model/types.js" */
/** @import { PoseEditor } from "./editor.js" */

/** @param {PoseEditor} editor */
export function pointsPanel(editor) {
  const title = make("h3"), list = make("div", { role: "list" });
  const element = make("section", { class: "panel", hidden: true, "aria-label": WORDS.points });
  element.append(title, list);
  /** @type {ReturnType<typeof row>[]} */
  const rows = [];
  for (const [name, { first, count }] of Object.entries(PARTS)) {
    const part = make("details", { class: "part", open: name === "body" || name === "feet" });
    part.append(partHeading(editor, WORDS.parts[name], first, count));
    for (let point = first; point < first + count; point++) part.append((rows[point] = row(editor, point)).element);
    list.append(part);
  }

  return {
    element,
    /** @param {State} state */
    update(state) {
      if (element.hidden) return;
      const person = editor.activePerson(), record = state.frames[state.frame].people[person];
      const { length: count } = state.frames[state.frame].people;
      setText(title, record ? filled(WORDS.personOf, { person: person + 1, count }) : WORDS.empty);
      list.style.display = record ? "" : "none";
      if (record) rows.forEach((each, point) => each.update(record, state.selection.includes(person * POINTS + point)));
    },
  };
}

/** @param {PoseEditor} editor @param {string} name @param {number} first @param {number} count */
function partHeading(editor, name, first, count) {
  const points = Array.from({ length: count }, (_, index) => first + index);
  const summary = make("summary", { text: name });
  summary.addEventListener("dblclick", () => editor.actions.selectPoints(points));
  summary.title = filled(WORDS.selectsPart, { part: name });
  return summary;
}

/** @param {PoseEditor} editor @param {number} point */
function row(editor, point) {
  const mark = make("span", { class: "mark", "data-side": SIDE[point], "aria-hidden": "true" });
  const named = { point: WORDS.pointNames[point] };
  mark.style.background = SIDE_COLORS[SIDE[point]];
  const name = make("button", { type: "button", class: "name" }, mark, named.point);
  const hide = button("hide", filled(WORDS.hidePoint, named), () => editor.actions.flagPoint("hide", FLAG.HIDDEN, point));
  const lock = button("lock", filled(WORDS.lockPoint, named), () => editor.actions.flagPoint("lock", FLAG.LOCKED, point));
  name.addEventListener("click", (event) => editor.actions.chooseListed(point, event.shiftKey));
  const element = make("div", { class: "row", role: "listitem" }, name, hide, lock);
  return {
    element,
    /** @param {Person} record @param {boolean} selected */
    update(record, selected) {
      const there = isPresent(record, point);
      set(element, "data-selected", selected ? "" : null);
      set(name, "data-absent", there ? null : "");
      set(name, "aria-pressed", String(selected));
      set(name, "title", filled(there ? WORDS.selectPoint : WORDS.bringPoint, named));
      for (const { part, flag } of [{ part: hide, flag: FLAG.HIDDEN }, { part: lock, flag: FLAG.LOCKED }]) {
        part.disabled = !there;
        set(part, "aria-pressed", String(Boolean(record.flags[point] & flag)));
      }
    },
  };
}
