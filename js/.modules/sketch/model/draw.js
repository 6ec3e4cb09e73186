/** The layers of a drawing as pixels. */

import { covered } from "./raster.js";

/** @import { Layer, Size, Stroke } from "./strokes.js" */
/** @typedef {{size: Size, there: Record<Layer, Uint8Array>, colours: Uint8Array}} Layers */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/** @param {Size} size @returns {Layers} */
export function blank(size) {
  const count = size.width * size.height, layer = () => new Uint8Array(count);
  return { size, there: { sketch: layer(), mask: layer(), colour: layer() }, colours: new Uint8Array(3 * count) };
}

/** Draws a stroke over or out of its layer. @param {Layers} layers @param {Stroke} stroke @returns {Box} what changed */
export function drawStroke({ size, there, colours }, stroke) {
  const { x, y, width, height, pixels } = covered(stroke, size), layer = there[stroke.layer];
  const rgb = [0, 2, 4].map((at) => parseInt(stroke.colour.slice(at, at + 2), 16));
  const inks = stroke.layer === "colour" && !stroke.erase;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (!pixels[row * width + column]) continue;
      const at = (y + row) * size.width + x + column;
      layer[at] = stroke.erase ? 0 : 1;
      if (inks) colours.set(rgb, 3 * at);
    }
  }
  return { x, y, width, height };
}
