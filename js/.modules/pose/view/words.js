/** Every sentence the editor shows, in one place, in the language of the page. */

import { filled } from "../../canvas/elements.js";
import { PRESETS } from "../edit/presets.js";
import { POINT_NAMES } from "../model/skeleton.js";
import { isEstimated, isLocked, isShown } from "../model/people.js";
import { FRENCH } from "./french.js";

/** @import { Frame, Sides } from "../model/types.js" */

/** @typedef {typeof ENGLISH} Words */

const ENGLISH = {
  editor: "Pose editor",
  stage: "Pose. Arrows move what is selected, Tab goes to the next point, question mark lists all keys.",
  load: "Load picture and pose",
  loadShort: "Load",
  loadLong: "Load picture and pose: run only what comes before this node",
  legs: "Guess legs: estimate what the picture does not show",
  noEstimate: "ComfyUI did not estimate the legs; check that it runs with this version of Recompose and try again.",
  estimateLate: "The pose was edited while its legs were estimated; press the button again.",
  add: "Add a person",
  points: "Points: show, hide, lock, restore",
  hide: "Hide what is selected",
  show: "Show what is selected",
  lock: "Lock what is selected",
  unlock: "Unlock what is selected",
  remove: "Delete what is selected",
  undo: "Undo",
  redo: "Redo",
  more: "More",
  large: "Large view",
  small: "Back to the node",
  done: "Done",
  elsewhere: "This pose is open in the large view.",
  nearer: "Zoom in",
  farther: "Zoom out",
  fit: "Show everything",
  dim: "Brightness of the photo",
  back: "Previous picture",
  on: "Next picture",
  dismiss: "Dismiss",
  stale: "What comes before this node has changed; load again to see it.",
  lost: "The server no longer has the picture; load it again.",
  notLoaded: "The picture is not loaded yet: Load picture and pose.",
  nobodyRead: "Nobody is in this file, so the people stay as they are; choose a file with at least one person.",
  empty: "Nobody is here yet; add a person or load a pose.",
  idle: "click to edit",
  place: "Click where the point belongs. Escape: not now.",
  mirror: "Mirror the person",
  swap: "Swap left and right",
  fitPerson: "Fit the person into the picture",
  restore: "Restore what the detection had",
  duplicate: "Duplicate the person",
  bringBack: "Bring back deleted people",
  deletePerson: "Delete the person",
  reach: "Wrists and ankles pull their limb",
  boxTouch: "A finger on nothing selects",
  copy: "Copy people",
  importJson: "Import OpenPose JSON…",
  exportCoco: "Export OpenPose JSON (COCO-18)",
  exportBody: "Export OpenPose JSON (BODY_25)",
  exportWhole: "Export COCO-WholeBody",
  reset: "Reset this picture's pose",
  resetAll: "Reset all pictures' poses",
  keys: "Keys",
  chooser: "Picture of the batch",
  gallery: "Poses to start from",
  pointsSelected: "{count} points selected",
  personOf: "Person {person} of {count}",
  ofPerson: " of person {person}",
  hidePoint: "Hide {point}",
  lockPoint: "Lock {point}",
  selectPoint: "Select {point}",
  bringPoint: "Bring {point} back",
  selectsPart: "Double click selects: {part}",
  estimated: "estimated",
  locked: "locked",
  hidden: "hidden",
  outside: "outside the picture",
  needs: "Needs {sides}",
  left: "{pixels} px left",
  above: "{pixels} px above",
  right: "{pixels} px right",
  below: "{pixels} px below",
  /** @type {Record<string, string>} */
  parts: { body: "Body", feet: "Feet", handLeft: "Left hand", handRight: "Right hand", face: "Face" },
  /** @type {Record<string, string>} */
  presets: Object.fromEntries(PRESETS.map((name) => [name, name])),
  /** @type {readonly string[]} */
  pointNames: POINT_NAMES,
  /** Keys and what they do, for the help. */
  keyList: [
    ["Drag a point", "move it; wrists and ankles pull their limb along"],
    ["Drag a limb", "turn it about its upper end with all that hangs on it"],
    ["Alt or Ctrl + drag", "stretch the limb; move a wrist or ankle alone"],
    ["Drag on nothing", "select in a box; with Shift add, with Alt remove"],
    ["Double click", "select the whole person"],
    ["Space + drag, right button", "pan; the wheel zooms to the pointer"],
    ["Arrows", "nudge by 1 px, with Shift by 10 px"],
    ["Tab, Shift+Tab", "next, previous point; Escape, then Tab leaves the editor"],
    ["Page Up, Page Down", "previous, next person"],
    ["[ and ]", "turn the selection by 2°; with Shift make it smaller or larger"],
    ["Delete, Shift+Delete", "delete the points, the person"],
    ["H, L, R", "hide or show, lock or unlock, restore"],
    ["G", "guess the legs"],
    ["M, X", "mirror, swap left and right"],
    ["Ctrl+A, Escape", "select everything, nothing"],
    ["Ctrl+C, Ctrl+X, Ctrl+V", "copy, cut, paste people, also between nodes"],
    ["Ctrl+Z, Ctrl+Y", "undo, redo together with the graph"],
    ["+, −, 0", "zoom in, out, show everything"],
  ],
};

/** @type {Words} */
export const WORDS = { ...ENGLISH };

/** @type {Record<string, Partial<Words>>} */
const LANGUAGES = { fr: FRENCH };

/** Speak the page's language from here on, English where there is no other. @param {unknown} language as in "fr" */
export function speak(language) {
  Object.assign(WORDS, ENGLISH, LANGUAGES[String(language)]);
}

/** @param {number} value */
const rounded = (value) => Math.round(value * 10) / 10;

/** One point in words. @param {Frame} frame @param {number} person @param {number} point */
export function pointSentence(frame, person, point) {
  const record = frame.people[person];
  const [x, y] = [record.xy[2 * point], record.xy[2 * point + 1]];
  const outside = x < 0 || y < 0 || x > frame.width || y > frame.height;
  const kind = [
    isEstimated(record, point) && WORDS.estimated,
    isLocked(record, point) && WORDS.locked,
    !isShown(record, point) && WORDS.hidden,
    outside && WORDS.outside,
  ].filter(Boolean);
  const whose = frame.people.length > 1 ? filled(WORDS.ofPerson, { person: person + 1 }) : "";
  return `${WORDS.pointNames[point]}${whose}: ${rounded(x)}, ${rounded(y)}${kind.length ? ` (${kind.join(", ")})` : ""}`;
}

/** How much the canvas must grow, in words; "" where it need not. @param {Sides} grown */
export function growthSentence(grown) {
  const { left, top, right, bottom } = grown;
  const sides = Object.entries({ left, above: top, right, below: bottom }).filter(([, pixels]) => pixels);
  const found = sides.map(([side, pixels]) => filled(WORDS[/** @type {"left"} */ (side)], { pixels }));
  return found.length ? filled(WORDS.needs, { sides: found.join(", ") }) : "";
}
