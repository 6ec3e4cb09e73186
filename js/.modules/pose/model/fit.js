/** A pose on a picture of another size. The same rule as core/pose/edited.py. */

import { put, copied, quantisedFrame } from "./people.js";
import { POINTS } from "./skeleton.js";

/** @import { Frame } from "./types.js" */

/**
 * The frame's people on a picture of another size: scaled by the smaller of the two ratios, in the middle.
 * @param {Frame} frame @param {number} width @param {number} height
 */
export function rescaled(frame, width, height) {
  if (frame.width === width && frame.height === height) return frame;
  const scale = Math.min(width / frame.width, height / frame.height);
  const [dx, dy] = [(width - scale * frame.width) / 2, (height - scale * frame.height) / 2];
  const people = frame.people.map((person) => {
    const result = copied(person);
    for (let point = 0; point < POINTS; point++) {
      const x = scale * person.xy[2 * point] + dx, y = scale * person.xy[2 * point + 1] + dy;
      if (result.flags[point]) put(result, point, x, y);
    }
    return result;
  });
  return quantisedFrame({ ...frame, width, height, people });
}
