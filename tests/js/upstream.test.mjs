import assert from "node:assert/strict";
import { test } from "node:test";

import { executionId, inputLink, locatorId, upstreamText } from "../../js/.modules/canvas/upstream.js";

/** A photo and a pose in the main graph, an editor inside a subgraph, and a node after it. */
function workflow() {
  const inner = { id: "inner", links: new Map([[1, { origin_id: -10, origin_slot: 0 }]]) };
  const editor = { id: 3, type: "Editor", graph: inner, inputs: [{ link: 1 }], widgets: [{ name: "edit", value: "a" }] };
  Object.assign(inner, { nodes: [editor], getNodeById: (id) => inner.nodes.find((node) => node.id === id) });
  const root = { id: "root", links: new Map([[7, { origin_id: 1, origin_slot: 0 }], [8, { origin_id: 5, origin_slot: 0 }]]) };
  const photo = { id: 1, type: "Photo", graph: root, widgets: [{ name: "image", value: "a.png" }] };
  const host = { id: 5, type: "inner", graph: root, subgraph: inner, isSubgraphNode: () => true, inputs: [{ link: 7 }] };
  const after = { id: 9, type: "Save", graph: root, inputs: [{ link: 8 }], widgets: [{ name: "name", value: "x" }] };
  const nodes = [photo, host, after];
  Object.assign(root, { nodes, subgraphs: new Map([["inner", inner]]), getNodeById: (id) => nodes.find((node) => node.id === id) });
  return { root, photo, host, after, editor };
}

test("a node is named by the subgraphs it lies in, also through proxies", () => {
  const { root, photo, editor } = workflow();
  assert.equal(executionId(photo, root), "1");
  assert.equal(executionId(editor, root), "5:3");
  assert.equal(executionId({ ...editor, graph: new Proxy(editor.graph, {}) }, new Proxy(root, {})), "5:3");
  assert.deepEqual([locatorId(photo, root), locatorId(editor, root)], ["1", "inner:3"]);
});

test("only what lies before a node changes its text, across a subgraph's edge", () => {
  const { root, photo, after, editor, host } = workflow();
  const before = upstreamText(editor, root);
  after.widgets[0].value = "y";
  editor.widgets[0].value = "b";
  assert.equal(upstreamText(editor, root), before);
  photo.widgets.push({ name: "preview", value: 1, serialize: false });
  assert.equal(upstreamText(editor, root), before);
  photo.widgets[0].value = "b.png";
  const changed = upstreamText(editor, root);
  assert.notEqual(changed, before);
  host.inputs[0].link = null;
  assert.notEqual(upstreamText(editor, root), changed);
});

test("a graph that runs in a circle ends", () => {
  const { root, photo, host } = workflow();
  photo.inputs = [{ link: 8 }];
  assert.ok(upstreamText(host, root).includes("a.png"));
});

test("a link is found where nodes give it and inputs no longer do", () => {
  const link = { origin_id: 1, origin_slot: 0, target_id: 3, target_slot: 1 };
  const graph = { id: "g", links: new Map([[7, link]]) };
  const asked = { id: 3, graph, inputs: [{}, {}], getInputLink: (index) => (index === 1 ? link : null) };
  assert.deepEqual([inputLink(asked, 0), inputLink(asked, 1)], [null, link]);
  // A subgraph's node gives its inner link instead; the graph's own list tells what comes in.
  const host = { ...asked, isSubgraphNode: () => true, getInputLink: () => ({ origin_id: "3:8" }) };
  assert.deepEqual([inputLink(host, 0), inputLink(host, 1)], [null, link]);
  assert.equal(inputLink({ id: 3, graph, inputs: [{ link: 7 }] }, 0), link);
  assert.equal(inputLink({ ...asked, graph: null }, 1), null);
});

test("the text changes with a link that only the node tells", () => {
  const { root, photo, after } = workflow();
  const asked = (link) => upstreamText({ ...after, inputs: [{}], getInputLink: () => link }, root);
  assert.ok(asked({ origin_id: photo.id }).includes("a.png"));
  assert.notEqual(asked({ origin_id: photo.id }), asked(null));
});
