/** Heat of a map over a picture, in the colours of the node's own pictures (`core/attention/heat.py`). */

import { HIGHEST } from "./overlay.js";

/** @import { Word } from "./overlay.js" */

/** From nothing to most: black, violet, red, orange, light yellow. */
const COLOURS = [
  [0, 0, 0],
  [75, 15, 110],
  [185, 45, 80],
  [250, 145, 30],
  [252, 250, 170],
];
/** What of a picture is left where a map is highest, and how bright it is where the map is 0. */
const LEFT = 0.35, DIMMED = 0.45;

/** @param {number} share 0…1 @returns {number[]} red, green, blue */
function colourOf(share) {
  const place = share * (COLOURS.length - 1), low = Math.min(COLOURS.length - 2, Math.floor(place));
  return COLOURS[low].map((from, channel) => from + (COLOURS[low + 1][channel] - from) * (place - low));
}

/**
 * The pixels of a map, one a cell: bare, or to be drawn over a picture, which is dark where the map is low.
 * @param {Word} word @param {boolean} over a picture
 * @returns {Uint8ClampedArray<ArrayBuffer>} red, green, blue, opacity
 */
export function heatPixels({ levels }, over) {
  const pixels = new Uint8ClampedArray(4 * levels.length);
  for (const [cell, level] of levels.entries()) {
    const share = level / HIGHEST, opacity = over ? 1 - DIMMED + (DIMMED - LEFT) * share : 1;
    const strength = over ? ((1 - LEFT) * share) / opacity : 1;
    pixels.set([...colourOf(share).map((channel) => channel * strength), 255 * opacity], 4 * cell);
  }
  return pixels;
}
