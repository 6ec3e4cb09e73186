/** A new node's part of the page in the place of its predecessor's. */

/** @import { Page } from "./page.js" */
/** @import { GraphNode } from "./upstream.js" */

/** Frames in which a new node's part of the page is watched over, and those in which the frontend does it alone. */
const FRAMES = 20;
const PATIENT = 3;

/**
 * For some frames after a graph was made anew, as by the graph's undo: newer frontends leave the old node's element on
 * the page.
 * @param {Page} page @param {GraphNode} node @param {HTMLElement} element @param {Element|null|undefined} predecessor
 * @param {() => boolean} [goesOn] asked in each frame
 */
export function settle(page, node, element, predecessor, goesOn = () => true, frames = FRAMES) {
  if (!frames || !goesOn()) return;
  const gone = page.shows(node) && !element.isConnected && frames < FRAMES - PATIENT;
  if (gone && predecessor?.isConnected) predecessor.replaceWith(element);
  requestAnimationFrame(() => settle(page, node, element, predecessor, goesOn, frames - 1));
}
