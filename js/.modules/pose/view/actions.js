/** What buttons, keys and menus do beyond a single event: on people, on flags, with the clipboard and with files. */

import { FLAG } from "../model/types.js";
import { ALL_LIMBS, L_ANKLE, MAIN_POINTS, PARTS, POINTS, R_HIP } from "../model/skeleton.js";
import { copied, isPresent, put, quantisedPerson } from "../model/people.js";
import { presetPerson } from "../edit/presets.js";
import { selectedPoints } from "../edit/state.js";
import { readEstimates } from "../io/bridge.js";
import { readOpenPose, writeOpenPose } from "../io/openpose.js";
import { allFlagged } from "./controls.js";
import { WORDS } from "./words.js";

/** @import { Person, PersonEvent, SelectMode } from "../model/types.js" */
/** @import { PoseEditor } from "./editor.js" */

/** The route that completes poses, and the points it may add: hips, knees, ankles, toes and heels. */
const COMPLETE_POSE = "/recompose/complete_pose";
/** @param {number} point */
const isEstimable = (point) =>
  (point >= R_HIP && point <= L_ANKLE) || (point >= PARTS.feet.first && point < MAIN_POINTS);

/** How far a copy lies from what it was copied from, in hundredths of the picture's height. */
const ASIDE = 4;

export class Actions {
  /** @param {PoseEditor} editor */
  constructor(editor) {
    this.editor = editor;
  }

  /** People with something selected, or the active one. */
  chosenPeople() {
    const found = new Set(this.editor.state.selection.map((key) => Math.floor(key / POINTS)));
    if (!found.size && this.editor.frame.people.length) found.add(this.editor.activePerson());
    return [...found];
  }

  /** Several events as one step of undo. @param {() => void} work */
  inOneStep(work) {
    this.editor.dispatch({ type: "begin" });
    work();
    this.editor.dispatch({ type: "commit" });
  }

  /** An event for each chosen person, from the last to the first. @param {PersonEvent} type */
  onPerson(type) {
    this.inOneStep(() => {
      for (const person of this.chosenPeople().reverse()) this.editor.dispatch({ type, person });
    });
  }

  /** The people of the detection that were deleted. @returns {number[]} their numbers in it */
  deletedPeople() {
    const there = new Set(this.editor.frame.people.map((person) => person.from));
    const found = this.editor.state.incoming[this.editor.state.frame]?.people ?? [];
    return [...found.keys()].filter((from) => !there.has(from));
  }

  restorePeople() {
    this.inOneStep(() => {
      for (const from of this.deletedPeople()) this.editor.dispatch({ type: "restorePerson", from });
    });
  }

  /** Asks ComfyUI for the legs and feet of the chosen people. */
  async guessLegs() {
    const { editor } = this, { frame } = editor, chosen = this.chosenPeople();
    if (!chosen.length || editor.estimating) return;
    editor.setEstimating(true);
    const answer = await this.askEstimates(chosen.map((person) => frame.people[person]));
    editor.setEstimating(false);
    if (editor.disposed) return;
    const estimates = readEstimates(answer);
    if (estimates?.length !== chosen.length) return editor.tell(answer?.error ?? WORDS.noEstimate);
    if (editor.frame !== frame || editor.state.before) return editor.tell(WORDS.estimateLate);
    this.inOneStep(() => {
      chosen.forEach((person, index) => editor.dispatch({ type: "complete", person, estimate: estimates[index] }));
    });
    editor.fitIfOutside();
  }

  /** What the route says of these people of the shown frame. @param {readonly Person[]} people */
  askEstimates(people) {
    return this.editor.host.ask(COMPLETE_POSE, writeOpenPose([{ ...this.editor.frame, people }]));
  }

  /** Brings a missing point back; false where nobody knows its place. @param {number} person @param {number} point */
  async restorePoint(person, point) {
    const { editor } = this, { frame } = editor, asked = frame.people[person];
    const detected = editor.state.incoming[editor.state.frame]?.people[asked.from];
    let estimate = null;
    if (isEstimable(point) && !(detected && isPresent(detected, point))) {
      estimate = readEstimates(await this.askEstimates([asked]))?.[0] ?? null;
      if (editor.disposed || editor.frame !== frame) return true;
    }
    editor.dispatch({ type: "restorePoint", person, point, estimate });
    return isPresent(editor.frame.people[person], point);
  }

  toggleHidden() {
    this.editor.dispatch({ type: "hide", on: !allFlagged(this.editor.state, FLAG.HIDDEN) });
  }

  toggleLocked() {
    this.editor.dispatch({ type: "lock", on: !allFlagged(this.editor.state, FLAG.LOCKED) });
  }

  /**
   * Hide or lock one point of the active person, the selection staying what it is.
   * @param {"hide"|"lock"} type @param {number} flag @param {number} point
   */
  flagPoint(type, flag, point) {
    const person = this.editor.activePerson(), kept = selectedPoints(this.editor.state);
    const on = !(this.editor.frame.people[person].flags[point] & flag);
    this.editor.dispatch({ type: "select", points: [{ person, point }], mode: "replace" });
    this.editor.dispatch({ type, on });
    this.editor.dispatch({ type: "select", points: kept, mode: "replace" });
  }

  /** @param {number} person @param {number} limb @param {SelectMode} mode */
  selectLimb(person, limb, mode) {
    this.editor.dispatch({ type: "select", points: ALL_LIMBS[limb].map((point) => ({ person, point })), mode });
  }

  /** @param {number[]} points */
  selectPoints(points) {
    const person = this.editor.activePerson();
    this.editor.dispatch({ type: "select", points: points.map((point) => ({ person, point })), mode: "replace" });
  }

  /**
   * A point chosen in the list: selected; brought back, or asked for its place, where it is missing.
   * @param {number} point @param {boolean} add
   */
  async chooseListed(point, add) {
    const person = this.editor.activePerson();
    const there = isPresent(this.editor.frame.people[person], point) || (await this.restorePoint(person, point));
    if (!there) return this.editor.askPlace(person, point);
    this.editor.dispatch({ type: "select", points: [{ person, point }], mode: add ? "toggle" : "replace" });
  }

  /** @param {string} preset */
  addPreset(preset) {
    const { width, height } = this.editor.frame;
    const added = presetPerson(preset, { x: width / 2, y: 0.95 * height }, 0.9 * height);
    this.editor.dispatch({ type: "addPerson", person: this.aside(quantisedPerson(added)) });
    this.editor.dispatch({ type: "selectPerson", person: this.editor.frame.people.length - 1, mode: "replace" });
    this.editor.fitIfOutside();
  }

  duplicate() {
    this.paste(this.chosenPeople().map((person) => this.editor.frame.people[person]));
  }

  /** The chosen people as text that any OpenPose tool reads; "" without one. */
  peopleText() {
    const people = this.chosenPeople().map((person) => this.editor.frame.people[person]);
    return people.length ? writeOpenPose([{ ...this.editor.frame, people }]) : "";
  }

  /**
   * People from somewhere else, a little aside where somebody already stands at the very place.
   * @param {readonly Person[]} people
   */
  paste(people) {
    if (!people.length) return;
    const first = this.editor.frame.people.length;
    this.editor.dispatch({ type: "paste", people: people.map((person) => this.aside(person)) });
    for (let person = first; person < this.editor.frame.people.length; person++) {
      this.editor.dispatch({ type: "selectPerson", person, mode: person > first ? "add" : "replace" });
    }
    this.editor.fitIfOutside();
  }

  /** @param {Person} person @returns {Person} */
  aside(person) {
    const step = Math.round((ASIDE * this.editor.frame.height) / 100);
    /** @param {Person} each */
    const taken = (each) => each.xy.every((value, at) => value === moved.xy[at] || !moved.flags[at >> 1]);
    const moved = copied(person);
    while (this.editor.frame.people.some(taken)) {
      for (let point = 0; point < POINTS; point++) {
        put(moved, point, moved.xy[2 * point] + step, moved.xy[2 * point + 1]);
      }
    }
    return moved;
  }

  /** Ctrl+C on the editor. @param {ClipboardEvent} event @returns {boolean} whether anybody was copied */
  copied(event) {
    const text = this.peopleText();
    event.stopPropagation();
    if (!text) return false;
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
    return true;
  }

  /** Ctrl+X on the editor. @param {ClipboardEvent} event */
  cut(event) {
    if (this.copied(event)) this.onPerson("deletePerson");
  }

  /** Ctrl+V on the editor. @param {ClipboardEvent} event */
  pasted(event) {
    event.stopPropagation();
    event.preventDefault();
    this.pasteText(event.clipboardData?.getData("text/plain") ?? "");
  }

  /** @param {string} text */
  pasteText(text) {
    this.paste(this.read(text).flatMap((frame) => frame.people));
  }

  /** The frames in a text; none, and a notice, where it is no pose. @param {string} text */
  read(text) {
    /** @type {string[]} */
    const notices = [];
    try {
      const frames = readOpenPose(text, { size: this.editor.frame, notices });
      if (notices.length) this.editor.tell(notices[0]);
      return frames;
    } catch (error) {
      this.editor.tell(/** @type {Error} */ (error).message);
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
    chooser.addEventListener("change", async () => this.importText((await chooser.files?.[0].text()) ?? ""));
    chooser.click();
  }

  /** @param {string} text */
  importText(text) {
    const frames = this.read(text);
    if (frames.length && !frames.some(({ people }) => people.length)) return this.editor.tell(WORDS.nobodyRead);
    if (frames.length) this.editor.dispatch({ type: "import", frames });
    this.editor.fit();
  }

  /** @param {"coco18"|"body25"|"wholebody"} layout */
  exportFile(layout) {
    const text = writeOpenPose(this.editor.state.frames, layout);
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `pose_${layout}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  toggleLarge() {
    this.editor.host.showLarge(!this.editor.large);
  }

  /** @param {"undo"|"redo"} which */
  graph(which) {
    this.editor.host.history(which);
  }
}
