import assert from "node:assert/strict";
import { test } from "node:test";

import { speak, WORDS } from "../../js/.modules/pose/view/words.js";
import { FRENCH } from "../../js/.modules/pose/view/french.js";
import { FRENCH as SKETCH_FRENCH } from "../../js/.modules/sketch/view/french.js";
import { speak as sketchSpeaks, WORDS as SKETCH_WORDS } from "../../js/.modules/sketch/view/words.js";

const gaps = (text) => (text.match(/\{\w+\}/g) ?? []).sort();

test("French has every word of the editor, with the same gaps", () => {
  speak("en");
  const english = { ...WORDS };
  assert.deepEqual(Object.keys(FRENCH).sort(), Object.keys(english).sort());
  for (const [name, text] of Object.entries(english)) {
    if (typeof text === "string") assert.deepEqual(gaps(FRENCH[name]), gaps(text), name);
    else assert.deepEqual(Object.keys(FRENCH[name]), Object.keys(text), name);
  }
  const same = Object.keys(english).filter((name) => english[name] === FRENCH[name]);
  assert.deepEqual(same, []);
  assert.ok(FRENCH.keyList.every((row) => row.length === 2));
});

test("the editor speaks the page's language, and English where it has no other", () => {
  speak("fr");
  assert.equal(WORDS.undo, "Annuler");
  for (const language of ["en", "zh", undefined]) {
    speak(language);
    assert.equal(WORDS.undo, "Undo");
  }
});

test("French has every word of the sketch editor", () => {
  sketchSpeaks("en");
  const english = { ...SKETCH_WORDS };
  sketchSpeaks("fr");
  assert.deepEqual(Object.keys(SKETCH_WORDS).sort(), Object.keys(english).sort());
  assert.deepEqual(SKETCH_FRENCH, SKETCH_WORDS);
  assert.deepEqual(Object.keys(english).filter((name) => english[name] === SKETCH_FRENCH[name]), []);
});
