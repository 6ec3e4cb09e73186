/**
 * The records the editor works on, its events, and all its constants in one place; no behaviour.
 *
 * Coordinates are pixels of the frame's picture, origin at its top-left corner, y down, never clamped: a point may
 * lie outside the picture.
 *
 * @typedef {import("../../canvas/camera.js").Vector} Vector @typedef {import("../../canvas/camera.js").Box} Box
 *
 * @typedef {object} Person One person; never changed in place. The points are the 136 of skeleton.js.
 * @property {Float64Array} xy x and y of point i at 2·i and 2·i + 1; an absent point keeps its last place
 * @property {Uint8Array} flags per point the bits of FLAG; without PRESENT the point does not exist
 * @property {number} from which person of the incoming detection this one was, −1: nobody (added here)
 * @property {Guesses} [guesses] what came in with the guessed points, if anything is known of them
 *
 * @typedef {{xy: Float64Array, uncertainty: readonly number[]}} Guesses Where the 24 points of body and feet came in,
 *   and how far off each may be in pixels.
 *
 * @typedef {object} Frame One picture's people; never changed in place.
 * @property {number} width of the picture in pixels
 * @property {number} height
 * @property {readonly Person[]} people
 * @property {string} fingerprint of the incoming detection this frame started from, "" without one
 * @property {boolean} edited whether it differs from the detection by an edit, so that the value must hold it
 *
 * @typedef {{filename: string, subfolder: string, type: string}} Picture What ComfyUI's /view needs.
 *
 * @typedef {object} State All the editor knows, apart from the view's zoom and pan.
 * @property {readonly Frame[]} frames one per picture of the batch, at least one; what is shown and edited
 * @property {readonly (Frame|null)[]} incoming the last known detection per frame, for reset and restore
 * @property {readonly (Picture|null)[]} pictures the photo per frame, null where there is none
 * @property {number} frame which one is shown
 * @property {readonly number[]} selection person · POINTS + point of the shown frame, rising
 * @property {readonly (readonly Frame[])[]} past earlier `frames`, one per gesture
 * @property {readonly (readonly Frame[])[]} future what redo brings back, the next one last
 * @property {readonly Frame[]|null} before `frames` at the begin of the gesture under way, null between gestures
 * @property {readonly string[]} notices sentences the user must see (damaged value, kept edit, picture of another size)
 *
 * @typedef {object} Report A result of the node, as io/bridge.js reads it.
 * @property {(Frame|null)[]} incoming @property {(Picture|null)[]} pictures @property {number[]} replaced
 * @property {string[]} notices
 *
 * @typedef {{width: number, height: number}} Size
 * @typedef {{left: number, top: number, right: number, bottom: number}} Sides Pixels beyond the picture's sides.
 * @typedef {{key: string, first: number, count: number}} Part A part of a person: POSE_KEYPOINT's key and its points.
 * @typedef {{name: string, value: unknown}} Widget
 *
 * @typedef {{person: number, point: number}} PointRef
 * @typedef {"replace"|"add"|"toggle"|"remove"} SelectMode
 *
 * What lies under the pointer: one of the person's 136 points or a limb (index into skeleton.ALL_LIMBS), and how far
 * from it in pixels of the picture. Points win over limbs, limbs over nothing.
 * @typedef {{person: number, point: number, limb?: undefined, distance: number}} PointHit
 * @typedef {{person: number, point?: undefined, limb: number, distance: number}} LimbHit
 * @typedef {PointHit|LimbHit} Hit
 *
 * Events. `person` and `point` are indices in the shown frame. Gesture events (drag…, reach, transform) are measured
 * from the `frames` at `begin`, so a view may send them as often as it likes; all others work on what is there now.
 * Outside begin … commit every event that changes the frames is one step of undo by itself.
 * @typedef {(
 *   {type: "begin"} | {type: "commit"} | {type: "cancel"} | {type: "undo"} | {type: "redo"}
 *   | {type: "select", points: readonly PointRef[], mode?: SelectMode}
 *   | {type: "selectPerson", person: number, mode?: SelectMode}
 *   | {type: "selectBox", box: Box, mode?: SelectMode}
 *   | {type: "selectAll"} | {type: "selectNone"}
 *   | {type: "selectNext", step: 1 | -1, by?: "point" | "person"}
 *   | {type: "dragPoint", person: number, point: number, to: Vector}
 *   | {type: "dragLimb", person: number, limb: number, grip: Vector, to: Vector, stretch?: boolean}
 *   | {type: "reach", person: number, point: number, to: Vector}
 *   | {type: "transform", move?: Vector, scale?: number, angle?: number, anchor?: Vector}
 *   | {type: "nudge", x: number, y: number}
 *   | {type: "lock", on: boolean} | {type: "hide", on: boolean} | {type: "delete"} | {type: "restore"}
 *   | {type: "addPoint", person: number, point: number, at: Vector}
 *   | {type: "restorePoint", person: number, point: number, estimate?: Person|null}
 *   | {type: "addPerson", person?: Person, preset?: string, at?: Vector, height?: number}
 *   | {type: "deletePerson", person: number} | {type: "restorePerson", from: number}
 *   | {type: "swapSides", person: number} | {type: "mirror", person: number}
 *   | {type: "fit", person: number}
 *   | {type: "complete", person: number, estimate: Person}
 *   | {type: "import", frames: readonly Frame[]} | {type: "paste", people: readonly Person[]}
 *   | {type: "reset"} | {type: "resetAll"} | {type: "resize", width: number, height: number}
 *   | {type: "frame", index: number}
 *   | {type: "load", value: string} | {type: "detected", report: Report} | {type: "dismiss"}
 * )} Event
 */

/**
 * The event of a type.
 * @template {Event["type"]} T
 * @typedef {Extract<Event, {type: T}>} EventOf
 */
/** @typedef {"mirror"|"swapSides"|"fit"|"deletePerson"} PersonEvent Events that need a person and nothing else. */

/** Bits of a point's flags. HIDDEN: kept here, but neither drawn nor given on. ESTIMATED: guessed, not seen. */
export const FLAG = Object.freeze({ PRESENT: 1, ESTIMATED: 2, LOCKED: 4, HIDDEN: 8 });

/** Coordinates are multiples of 1/16 px at the end of a gesture. */
export const STEPS_PER_PIXEL = 16;

export const LIMITS = Object.freeze({
  /** Farthest coordinate kept, in pixels. */
  coordinate: 1e6,
  /** Largest side of a picture in pixels. */
  side: 16384,
  people: 100,
  frames: 4096,
  /** Characters of a value that is read at all. */
  text: 16e6,
  /** Steps of undo. */
  history: 2000,
});

export const VALUE_VERSION = 1;
/** Names of the node's inputs, as in the schema. */
export const INPUTS = Object.freeze({ edit: "edit", width: "width", height: "height" });
/** The key of the node's ui result. */
export const REPORT = "recompose";
export const BLANK = Object.freeze({ width: 512, height: 768 });
