/**
 * What Attention Maps leaves of each row of a latent for the page: words, their maps in 16 levels, a small picture.
 * Pure; `core/attention/overlay.py` writes it.
 *
 * @typedef {object} Word
 * @property {string} text
 * @property {Uint8Array} levels 0 to 15 for each cell, in reading order
 * @property {number} low the attention at level 0 @property {number} high the attention at level 15
 * @property {number} mean the attention in all cells
 *
 * @typedef {object} Row
 * @property {{width: number, height: number}} size of the whole picture in pixels
 * @property {{width: number, height: number}} grid the cells of a map
 * @property {number} asked how many of the first words were asked for
 * @property {Word[]} words
 * @property {Uint8Array<ArrayBuffer>|null} picture a JPEG
 *
 * @typedef {{word: number, factor: number}} Ranked a word by its number, and how many times its mean it gets there
 */

/** The highest level of a map. */
export const HIGHEST = 15;
/** How many times its mean a word must get in a cell to be named there. */
const STANDS_OUT = 1.05;

/** @param {unknown} value @returns {{width: number, height: number}|null} two whole numbers of at least 1 */
function sizeOf(value) {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [width, height] = value;
  return [width, height].every((side) => Number.isInteger(side) && side > 0) ? { width, height } : null;
}

/** @param {unknown} text base64 @returns {Uint8Array<ArrayBuffer>|null} */
function bytesOf(text) {
  try {
    return typeof text === "string" ? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

/**
 * The levels of a packed map, two cells in a byte, the first in the higher half; null where it has another size.
 * @param {unknown} text @param {number} cells
 */
function unpacked(text, cells) {
  const bytes = bytesOf(text);
  if (bytes?.length !== Math.ceil(cells / 2)) return null;
  return Uint8Array.from({ length: cells }, (_, cell) => (cell % 2 ? bytes[cell >> 1] & 15 : bytes[cell >> 1] >> 4));
}

/** @param {any} value @param {number} cells @returns {Word|null} */
function wordOf(value, cells) {
  const levels = unpacked(value?.map, cells), { text, low, high } = value ?? {};
  if (!levels || typeof text !== "string" || !(low >= 0 && high >= low && Number.isFinite(high))) return null;
  const sum = levels.reduce((some, level) => some + level, 0);
  return { text, levels, low, high, mean: low + ((high - low) * sum) / (HIGHEST * cells) };
}

/** @param {any} value @returns {Row|null} */
function rowOf(value) {
  const size = sizeOf(value?.size), grid = sizeOf(value?.grid);
  if (!size || !grid || !Array.isArray(value.words)) return null;
  /** @type {(Word|null)[]} */
  const words = value.words.map((/** @type {unknown} */ word) => wordOf(word, grid.width * grid.height));
  const found = words.filter((word) => word !== null);
  if (!found.length || found.length < words.length) return null;
  const asked = Number.isInteger(value.asked) ? Math.min(found.length, Math.max(0, value.asked)) : 0;
  return { size, grid, asked, words: found, picture: bytesOf(value.picture) };
}

/** The rows in a node's result, those that can be read. @param {any} output @returns {Row[]} */
export function readRows(output) {
  const reports = Array.isArray(output?.recompose) ? output.recompose : [];
  const all = reports.flatMap((/** @type {any} */ report) => (Array.isArray(report?.overlays) ? report.overlays : []));
  return all.map(rowOf).filter((/** @type {Row|null} */ row) => row !== null);
}

/** The cell at a place of the picture, null outside. @param {Row} row @param {number} x @param {number} y pixels */
export function cellAt({ size, grid }, x, y) {
  const column = Math.floor((x / size.width) * grid.width), line = Math.floor((y / size.height) * grid.height);
  return column < 0 || line < 0 || column >= grid.width || line >= grid.height ? null : line * grid.width + column;
}

/** How many times its mean a word gets in a cell. @param {Word} word @param {number} cell */
function factorAt({ levels, low, high, mean }, cell) {
  return mean > 0 ? (low + ((high - low) * levels[cell]) / HIGHEST) / mean : 0;
}

/**
 * The words of a cell that get clearly more there than on the mean, the one that stands out most first.
 *
 * Small words and the first ones take whatever is left over, in the whole picture alike: attention alone would put
 * them first everywhere.
 * @param {Row} row @param {number} cell @returns {Ranked[]}
 */
export function ranked({ words }, cell) {
  const all = words.map((each, word) => ({ word, factor: factorAt(each, cell) })).filter(({ factor }) => factor >= STANDS_OUT);
  return all.sort((one, other) => other.factor - one.factor || one.word - other.word);
}

/** The highest factor of any word in any cell, at least 1. @param {Row} row */
export function highestFactor({ words }) {
  return words.reduce((most, { high, mean }) => (mean > 0 ? Math.max(most, high / mean) : most), 1);
}

/** Whether no word stands out anywhere. @param {Row} row */
export function isFlat({ words }) {
  return words.every(({ levels }) => !levels.some(Boolean));
}

/** The word that is shown where none was chosen: the first asked for that stands out. @param {Row} row */
export function firstWord({ words }) {
  return Math.max(0, words.findIndex(({ levels }) => levels.some(Boolean)));
}
