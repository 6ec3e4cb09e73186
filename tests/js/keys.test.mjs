import assert from "node:assert/strict";
import { test } from "node:test";

import { listenToKeys } from "../../js/.modules/pose/view/keys.js";
import { Actions } from "../../js/.modules/pose/view/actions.js";
import { shownFrame, start, update } from "../../js/.modules/pose/edit/state.js";

/** An editor that has only a state, and a stage that has only listeners. */
function editorWithKeys(state) {
  class Editor {
    state = state;
    actions = new Actions(this);
    modes = {};
    asked = [];
    host = { keyHistory: (which) => this.asked.push(which) };

    get frame() {
      return shownFrame(this.state);
    }

    dispatch(event) {
      this.state = update(this.state, event);
    }

    activePerson() {
      return 0;
    }
  }
  const editor = new Editor(), stage = new EventTarget();
  listenToKeys(editor, stage);
  const send = (type, key, held = {}) => {
    const event = new Event(type, { cancelable: true });
    stage.dispatchEvent(Object.assign(event, { key, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false }, held));
    return event.defaultPrevented;
  };
  const press = (key, held) => {
    const taken = send("keydown", key, held);
    send("keyup", key, held);
    return taken;
  };
  return { editor, press };
}

const places = (editor) => [...shownFrame(editor.state).people[0].xy];

test("brackets turn and scale, also where AltGr or Option types them", () => {
  const bracket = (key, held) => {
    const { editor, press } = editorWithKeys(start());
    editor.dispatch({ type: "selectAll" });
    assert.ok(press(key, held), `${key} ${JSON.stringify(held)}`);
    return places(editor);
  };
  const whole = places(editorWithKeys(start()).editor);
  for (const key of ["[", "]", "{", "}"]) {
    const plain = bracket(key, {});
    assert.notDeepEqual(plain, whole, key);
    for (const held of [{ altKey: true }, { altKey: true, ctrlKey: true }]) assert.deepEqual(bracket(key, held), plain);
  }
  assert.notDeepEqual(bracket("[", {}), bracket("]", {}));
});

test("other keys with Alt, and brackets with Ctrl alone, go on to ComfyUI", () => {
  const { editor, press } = editorWithKeys(start());
  editor.dispatch({ type: "selectAll" });
  const before = editor.state;
  for (const [key, held] of [["h", { altKey: true }], ["[", { ctrlKey: true }], ["]", { metaKey: true }]]) {
    assert.equal(press(key, held), false, key);
  }
  assert.equal(editor.state, before);
  assert.ok(press("z", { ctrlKey: true }));
  assert.deepEqual(editor.asked, ["undo"]);
});

test("people of the detection that were deleted come back, others stay as they are", () => {
  const two = { ...shownFrame(start()), edited: false };
  const people = [0, 1].map((from) => ({ ...two.people[0], from }));
  const report = { incoming: [{ ...two, people }], pictures: [], replaced: [], notices: [] };
  const { editor } = editorWithKeys(update(start(), { type: "detected", report }));
  assert.deepEqual(editor.actions.deletedPeople(), []);
  editor.dispatch({ type: "dragPoint", person: 1, point: 4, to: { x: 7, y: 9 } });
  const moved = shownFrame(editor.state).people[1];
  editor.dispatch({ type: "deletePerson", person: 0 });
  assert.deepEqual(editor.actions.deletedPeople(), [0]);
  const steps = editor.state.past.length;
  editor.actions.restorePeople();
  assert.deepEqual(shownFrame(editor.state).people.map((person) => person.from), [1, 0]);
  assert.equal(shownFrame(editor.state).people[0], moved);
  assert.equal(editor.state.past.length, steps + 1);
  assert.deepEqual(editor.actions.deletedPeople(), []);
});
