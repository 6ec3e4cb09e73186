/** The drawing as the screen shows it: the layers above each other, one pixel of the canvas per pixel. */

import { blank, drawStroke } from "../model/draw.js";

/** @import { Box } from "../model/draw.js" */
/** @import { Size, Stroke } from "../model/strokes.js" */

const INK = [20, 20, 24, 255], VEIL = [235, 60, 60, 120];

/** @param {Size} size */
export function makeSurface(size) {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let layers = blank(size);

  /** @param {Box} box */
  function show({ x, y, width, height }) {
    if (!width || !height) return;
    const image = context.createImageData(width, height), { there, colours } = layers;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const from = (y + row) * size.width + x + column, to = 4 * (row * width + column);
        if (there.sketch[from]) image.data.set(INK, to);
        else if (there.mask[from]) image.data.set(VEIL, to);
        else if (there.colour[from]) image.data.set([...colours.subarray(3 * from, 3 * from + 3), 255], to);
      }
    }
    context.putImageData(image, x, y);
  }

  return {
    canvas,
    size,
    /** @param {Stroke} stroke */
    add(stroke) {
      show(drawStroke(layers, stroke));
    },
    /** Draws everything anew. @param {readonly Stroke[]} strokes */
    restart(strokes) {
      layers = blank(size);
      for (const stroke of strokes) drawStroke(layers, stroke);
      show({ x: 0, y: 0, ...size });
    },
  };
}
