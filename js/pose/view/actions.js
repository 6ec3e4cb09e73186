/** What buttons, keys and menus do beyond a single event: on people, on flags, with the clipboard and with files. */

import { FLAG } from "../model/types.js";
import { ALL_LIMBS, POINTS } from "../model/skeleton.js";
import { copied, isPresent, put } from "../model/people.js";
import { selectedPoints, shownFrame } from "../edit/state.js";
import { readOpenPose, writeOpenPose } from "../io/openpose.js";
import { allFlagged } from "./controls.js";

/** How far a copy lies from what it was copied from, in hundredths of the picture's height. */
const ASIDE = 4;

/** Needs of its subclass: state, dispatch, host, activePerson, tell, fit, fitIfOutside, askPlace. */
export class Actions {
  get frame() {
    return shownFrame(this.state);
  }

  /** People with something selected, or the active one. */
  chosenPeople() {
    const found = new Set(this.state.selection.map((key) => Math.floor(key / POINTS)));
    if (!found.size && this.frame.people.length) found.add(this.activePerson());
    return [...found];
  }

  /** Several events as one step of undo. @param {() => void} work */
  inOneStep(work) {
    this.dispatch({ type: "begin" });
    work();
    this.dispatch({ type: "commit" });
  }

  /** An event for each chosen person, from the last to the first. @param {string} type */
  onPerson(type) {
    this.inOneStep(() => {
      for (const person of this.chosenPeople().reverse()) this.dispatch({ type, person });
    });
  }

  /** The people of the detection that were deleted. @returns {number[]} their numbers in it */
  deletedPeople() {
    const there = new Set(this.frame.people.map((person) => person.from));
    const found = this.state.incoming[this.state.frame]?.people ?? [];
    return [...found.keys()].filter((from) => !there.has(from));
  }

  restorePeople() {
    this.inOneStep(() => {
      for (const from of this.deletedPeople()) this.dispatch({ type: "restorePerson", from });
    });
  }

  giveLegs() {
    this.onPerson("complete");
    this.fitIfOutside();
  }

  toggleHidden() {
    this.dispatch({ type: "hide", on: !allFlagged(this.state, FLAG.HIDDEN) });
  }

  toggleLocked() {
    this.dispatch({ type: "lock", on: !allFlagged(this.state, FLAG.LOCKED) });
  }

  /** Hide or lock one point of the active person, the selection staying what it is. */
  flagPoint(type, flag, point) {
    const person = this.activePerson(), kept = selectedPoints(this.state);
    const on = !(this.frame.people[person].flags[point] & flag);
    this.dispatch({ type: "select", points: [{ person, point }], mode: "replace" });
    this.dispatch({ type, on });
    this.dispatch({ type: "select", points: kept, mode: "replace" });
  }

  selectLimb(person, limb, mode) {
    this.dispatch({ type: "select", points: ALL_LIMBS[limb].map((point) => ({ person, point })), mode });
  }

  selectPoints(points) {
    const person = this.activePerson();
    this.dispatch({ type: "select", points: points.map((point) => ({ person, point })), mode: "replace" });
  }

  /** A point chosen in the list: selected; brought back, or asked for its place, where it is missing. */
  chooseListed(point, add) {
    const person = this.activePerson();
    if (!isPresent(this.frame.people[person], point)) {
      this.dispatch({ type: "restorePoint", person, point });
      if (!isPresent(this.frame.people[person], point)) return this.askPlace(person, point);
    }
    this.dispatch({ type: "select", points: [{ person, point }], mode: add ? "toggle" : "replace" });
  }

  addPreset(preset) {
    this.dispatch({ type: "addPerson", preset });
    this.dispatch({ type: "selectPerson", person: this.frame.people.length - 1, mode: "replace" });
    this.fitIfOutside();
  }

  duplicate() {
    this.paste(this.chosenPeople().map((person) => this.frame.people[person]));
  }

  /** The chosen people as text that any OpenPose tool reads; "" without one. */
  peopleText() {
    const people = this.chosenPeople().map((person) => this.frame.people[person]);
    return people.length ? writeOpenPose([{ ...this.frame, people }]) : "";
  }

  /** People from somewhere else, a little aside where somebody already stands at the very place. */
  paste(people) {
    if (!people.length) return;
    const first = this.frame.people.length;
    this.dispatch({ type: "paste", people: people.map((person) => this.aside(person)) });
    for (let person = first; person < this.frame.people.length; person++) {
      this.dispatch({ type: "selectPerson", person, mode: person > first ? "add" : "replace" });
    }
    this.fitIfOutside();
  }

  aside(person) {
    const step = Math.round((ASIDE * this.frame.height) / 100);
    const taken = (each) => each.xy.every((value, at) => value === moved.xy[at] || !moved.flags[at >> 1]);
    const moved = copied(person);
    while (this.frame.people.some(taken)) {
      for (let point = 0; point < POINTS; point++) {
        put(moved, point, moved.xy[2 * point] + step, moved.xy[2 * point + 1]);
      }
    }
    return moved;
  }

  /** Ctrl+C and Ctrl+X on the editor. @param {ClipboardEvent} event @returns {boolean} whether anybody was copied */
  copied(event) {
    const text = this.peopleText();
    event.stopPropagation();
    if (!text) return false;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
    return true;
  }

  /** Ctrl+V on the editor. @param {ClipboardEvent} event */
  pasted(event) {
    event.stopPropagation();
    event.preventDefault();
    this.pasteText(event.clipboardData.getData("text/plain"));
  }

  pasteText(text) {
    this.paste(this.read(text).flatMap((frame) => frame.people));
  }

  /** The frames in a text; none, and a notice, where it is no pose. */
  read(text) {
    try {
      return readOpenPose(text, { size: this.frame });
    } catch (error) {
      this.tell(error.message);
      return [];
    }
  }

  async copyPeople() {
    await navigator.clipboard?.writeText(this.peopleText());
  }

  importFile() {
    const chooser = document.createElement("input");
    chooser.type = "file";
    chooser.accept = ".json,application/json";
    chooser.addEventListener("change", async () => this.importText(await chooser.files[0].text()));
    chooser.click();
  }

  importText(text) {
    const frames = this.read(text);
    if (frames.length) this.dispatch({ type: "import", frames });
    this.fit();
  }

  /** @param {"coco18"|"body25"|"wholebody"} layout */
  exportFile(layout) {
    const text = writeOpenPose(this.state.frames, layout);
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `pose_${layout}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  toggleLarge() {
    this.host.showLarge(!this.large);
  }

  /** @param {"undo"|"redo"} which */
  graph(which) {
    this.host.history(which);
  }
}
