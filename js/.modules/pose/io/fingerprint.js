/** What tells one detection from another: FNV-1a (64 bit) of its canonical text. The same as core/pose/edited.py. */

import { PARTS } from "../model/skeleton.js";
import { isShown } from "../model/people.js";

/** @import { Frame, Part, Person } from "../model/types.js" */

/** 64-bit FNV-1a of ASCII text as 16 hexadecimal digits. @param {string} text */
function fnv1a(text) {
  // The hash in four words of 16 bits, lowest first; its prime is 2^40 + 0x1b3.
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2];
  for (let index = 0; index < text.length; index++) {
    a ^= text.charCodeAt(index);
    const a1 = a * 0x1b3;
    const b1 = b * 0x1b3 + (a1 >>> 16);
    const c1 = c * 0x1b3 + a * 0x100 + (b1 >>> 16);
    const d1 = d * 0x1b3 + b * 0x100 + (c1 >>> 16);
    [a, b, c, d] = [a1 & 0xffff, b1 & 0xffff, c1 & 0xffff, d1 & 0xffff];
  }
  return [d, c, b, a].map((word) => word.toString(16).padStart(4, "0")).join("");
}

/**
 * [[width, height], per person per part [point, x, y, …]] as JSON, coordinates in hundredths of a pixel.
 * @param {Frame} frame
 */
function canonicalText(frame) {
  const people = frame.people.map((person) => Object.values(PARTS).map((part) => hundredths(person, part)));
  return JSON.stringify([[frame.width, frame.height], people]);
}

/** @param {Person} person @param {Part} given @returns {number[]} */
function hundredths(person, { first, count }) {
  const found = [];
  for (let point = first; point < first + count; point++) {
    if (!isShown(person, point)) continue;
    found.push(point - first, ...[0, 1].map((axis) => Math.floor(person.xy[2 * point + axis] * 100 + 0.5) + 0));
  }
  return found;
}

/** @param {Frame} frame */
export function fingerprint(frame) {
  return fnv1a(canonicalText(frame));
}
