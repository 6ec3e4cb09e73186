/** Small parts of the page: elements, icons, buttons and menus. Text only ever enters as text. */

const SVG = "http://www.w3.org/2000/svg";

/** Line drawings in a square of 24. */
const ICONS = {
  load: "M4 5h16v11H4z M4 14l4-4 4 4 3-3 5 5 M12 17v5 M9.5 19.8L12 22l2.5-2.2",
  legs: "M9 2.5v8L7.5 16l.8 5H5.5 M15 2.5v8l1.5 5.5-.8 5h2.8 M8 2.5h8",
  person: "M10 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6z M4 21v-5a6 6 0 0 1 9-5 M17 13v8 M13 17h8",
  points: "M9 6h11 M9 12h11 M9 18h11 M4.5 6h.1 M4.5 12h.1 M4.5 18h.1",
  hide: "M2 12s3.6-6 10-6 10 6 10 6-3.6 6-10 6-10-6-10-6z M12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z M4 20L20 4",
  lock: "M6 11h12v9H6z M8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  remove: "M4 7h16 M9 7V4h6v3 M6.5 7l1 13h9l1-13 M10 11v5.5 M14 11v5.5",
  undo: "M9 14L4 9l5-5 M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "M15 14l5-5-5-5 M20 9H10a6 6 0 0 0 0 12h3",
  more: "M5 12h.1 M12 12h.1 M19 12h.1",
  large: "M14 4h6v6 M20 4l-7 7 M10 20H4v-6 M4 20l7-7",
  small: "M20 10h-6V4 M14 10l7-7 M4 14h6v6 M10 14l-7 7",
  nearer: "M12 5v14 M5 12h14",
  farther: "M5 12h14",
  fit: "M4 9V4h5 M15 4h5v5 M20 15v5h-5 M9 20H4v-5 M9 9h6v6H9z",
  dim:
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 2v2 M12 20v2 M2 12h2 M20 12h2 M5 5l1.4 1.4 M17.6 17.6L19 19 " +
    "M5 19l1.4-1.4 M17.6 6.4L19 5",
  pen: "M4 20l1-4L16 5l3 3L8 19z M14 7l3 3",
  eraser: "M9 20h11 M4 15l9-9 6 6-8 8H8z M9 10l6 6",
  fill: "M5 12l7-7 7 7-7 7z M5 12h14 M21 17v3",
  back: "M14.5 6l-6 6 6 6",
  on: "M9.5 6l6 6-6 6",
  close: "M6 6l12 12 M18 6L6 18",
};

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, unknown>} [settings] attributes; `text` is the text, functions listen
 * @param {...(Node|string)} children
 */
export function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name === "text") element.textContent = String(value);
    else if (typeof value === "function") element.addEventListener(name, /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

/**
 * A button with an icon; its label is its tooltip, too.
 * @param {keyof typeof ICONS} name @param {string} label @param {() => void} click
 * @param {Record<string, unknown>} [settings]
 */
export function button(name, label, click, settings = {}) {
  return make("button", { type: "button", "aria-label": label, title: label, click, ...settings }, icon(name));
}

/**
 * Sets what differs, so that a frame that changes nothing costs nothing.
 * @param {Element} element @param {string} name @param {string|number|boolean|null} value
 */
export function set(element, name, value) {
  if (value === false || value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/** @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A sentence with its gaps filled. @param {string} sentence @param {Record<string, string|number>} values */
export function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/**
 * Listens to events of an element, which it may keep from the page.
 * @param {EventTarget} target @param {Record<string, (event: any) => void>} listeners by the events' names
 * @returns {() => void} ends it
 */
export function listen(target, listeners) {
  const all = Object.entries(listeners);
  for (const [name, listener] of all) target.addEventListener(name, listener, { passive: false });
  return () => all.forEach(([name, listener]) => target.removeEventListener(name, listener));
}

/**
 * A menu below a button, for pointer and keys. `entries` is asked anew at each opening.
 * @param {HTMLElement} opener @param {HTMLElement} layer where the menu is put
 * @typedef {{label: string, run: () => void, checked?: boolean, disabled?: boolean, keys?: string}} Entry
 * @param {() => (Entry|null)[]} entries
 */
export function menu(opener, layer, entries) {
  /** @type {HTMLElement|null} */
  let list = null;
  opener.setAttribute("aria-haspopup", "menu");
  opener.setAttribute("aria-expanded", "false");

  function close(refocus = true) {
    if (!list) return;
    list.remove();
    list = null;
    opener.setAttribute("aria-expanded", "false");
    layer.getRootNode().removeEventListener("pointerdown", outside, true);
    if (refocus) opener.focus();
  }

  /** @param {Event} event */
  const outside = (event) => {
    const path = event.composedPath();
    if (!path.includes(opener) && !(list && path.includes(list))) close(false);
  };

  /** @param {Entry|null} entry */
  function item(entry) {
    if (!entry) return make("hr", { role: "separator" });
    const { label, run, checked, disabled, keys } = entry;
    const state = checked === undefined ? null : String(checked);
    const settings = { type: "button", tabindex: "-1", "aria-checked": state, disabled: Boolean(disabled) };
    const made = make("button", { ...settings, role: state ? "menuitemcheckbox" : "menuitem" });
    made.append(make("span", { text: label }), make("kbd", { text: keys ?? "" }));
    made.addEventListener("click", () => {
      close();
      run();
    });
    return made;
  }

  /** @param {KeyboardEvent} event */
  function step(event) {
    const items = list ? enabled(list) : [];
    const at = items.findIndex((each) => each.matches(":focus"));
    /** @type {Record<string, number|undefined>} */
    const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }, to = places[event.key];
    if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function open() {
    list = make("div", { class: "menu", role: "menu", "aria-label": opener.getAttribute("aria-label"), keydown: step });
    list.append(...entries().map(item));
    layer.append(list);
    placeBelow(list, opener, layer);
    opener.setAttribute("aria-expanded", "true");
    layer.getRootNode().addEventListener("pointerdown", outside, true);
    enabled(list)[0]?.focus();
  }

  opener.addEventListener("click", () => (list ? close() : open()));
  return { close };
}

/** @param {HTMLElement} part @returns {HTMLButtonElement[]} its buttons that can be pressed */
function enabled(part) {
  return [...part.querySelectorAll("button")].filter((each) => !each.disabled);
}

/**
 * Puts a floating part next to its opener and inside its layer.
 * @param {HTMLElement} part @param {HTMLElement} opener @param {HTMLElement} layer
 */
export function placeBelow(part, opener, layer) {
  const around = layer.getBoundingClientRect(), from = opener.getBoundingClientRect();
  const zoom = around.width / layer.offsetWidth || 1;
  const left = (from.left - around.left) / zoom, top = (from.bottom - around.top) / zoom + 4;
  part.style.left = `${Math.max(4, Math.min(left, layer.offsetWidth - part.offsetWidth - 4))}px`;
  part.style.top = `${Math.max(4, Math.min(top, layer.offsetHeight - 60))}px`;
  part.style.maxHeight = `${Math.max(60, layer.offsetHeight - Math.min(top, layer.offsetHeight - 60) - 8)}px`;
}
