import { holds, same } from "../comfy.mjs";
import { Editor, openGraph, prompt } from "../editor.mjs";

const R_KNEE = 9, EDITOR = "3";

const editOf = (comfy, id) =>
  comfy.evaluate((wanted) => window.app.graph.getNodeById(wanted).widgets.find(({ name }) => name === "edit").value, id);

/** The editors of the graph that is shown, by node. */
async function editorOf(comfy, id) {
  const index = await comfy.evaluate((wanted) => {
    const host = window.app.canvas.graph.getNodeById(wanted).widgets.find(({ name }) => name === "edit").element;
    return [...document.querySelectorAll(".recompose-pose-editor")].indexOf(host.querySelector(".recompose-pose-editor"));
  }, id);
  return new Editor(comfy, index);
}

async function dragDown(editor, by) {
  const from = await editor.point(0, R_KNEE);
  await editor.drag(from, { x: from.x, y: from.y + by });
}

/** An edit outlives a saved file, a reloaded page, and the other renderer; a copied node's edit is its own. */
export async function saveReloadSwitchAndCopy(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  await dragDown(editor, 30);
  const edit = await editOf(comfy, EDITOR);
  holds(edit, "The edit is in the widget");
  const file = await comfy.evaluate(() => JSON.parse(JSON.stringify(window.app.graph.serialize())));

  const modern = await comfy.evaluate(() => window.app.extensionManager.setting.get("Comfy.VueNodes.Enabled"));
  await comfy.renderer(!modern);
  await editor.until((each) => each.element.offsetWidth > 100 && each.photo.get().status === "shown");
  await dragDown(editor, 5);
  holds((await editOf(comfy, EDITOR)) !== edit, "The editor works in the other renderer");
  await comfy.renderer(modern);

  await comfy.open();
  await comfy.evaluate((saved) => window.app.loadGraphData(saved), file);
  const reloaded = new Editor(comfy);
  await reloaded.until((each) => each.camera !== null && each.value !== "");
  same(await editOf(comfy, EDITOR), edit, "The reloaded edit");
  same((await prompt(comfy))[EDITOR].inputs.edit, edit, "The reloaded prompt's edit");

  const copy = await comfy.evaluate((id) => {
    const { app } = window;
    app.canvas.selectItems([app.graph.getNodeById(id)]);
    app.canvas.copyToClipboard();
    app.canvas.pasteFromClipboard();
    return app.graph.nodes.filter(({ type }) => type === "RecomposeEditPose").map(({ id }) => String(id)).at(-1);
  }, EDITOR);
  holds(copy !== EDITOR, "A copy was pasted");
  await comfy.evaluate(([id, other]) => {
    const { app } = window;
    app.graph.getNodeById(other).pos = [420, 950];
    app.canvas.ds.offset = [-320, -760];
    app.canvas.setDirty(true, true);
  }, [EDITOR, copy]);
  await comfy.frames(10);
  same(await editOf(comfy, copy), edit, "The copy's edit");
  const second = await editorOf(comfy, copy);
  await second.until((each) => each.element.offsetWidth > 100 && each.camera !== null);
  await dragDown(second, -15);
  same(await editOf(comfy, EDITOR), edit, "The original's edit after the copy's");
  holds((await editOf(comfy, copy)) !== edit, "The copy's own edit");
  await comfy.picture("two editors");
}

/** Inside a subgraph: the picture arrives, the edit gets into the prompt, and it is still there outside. */
export async function insideASubgraph(comfy, given) {
  await openGraph(comfy, given);
  await comfy.evaluate((id) => {
    const { app } = window, graph = app.graph;
    const { node } = graph.convertToSubgraph(new Set([graph.getNodeById(id)]));
    app.canvas.openSubgraph(node.subgraph, node);
    app.canvas.ds.scale = 0.85;
    const inner = node.subgraph.nodes[0];
    app.canvas.ds.offset = [150 - inner.pos[0], 90 - inner.pos[1]];
    app.canvas.setDirty(true, true);
  }, EDITOR);
  await comfy.frames(10);
  const editor = new Editor(comfy);
  await editor.until((each) => each.element.offsetWidth > 100 && each.camera !== null);
  await editor.load();
  await dragDown(editor, 30);
  await comfy.picture("subgraph");
  const edit = await editor.ask((each) => each.value);
  const inner = (sent) => Object.entries(sent).find(([, { class_type }]) => class_type === "RecomposeEditPose");
  const [id, sent] = inner(await prompt(comfy));
  holds(id.includes(":"), `The node lies in a subgraph, not at ${id}`);
  same(sent.inputs.edit, edit, "The prompt's edit");
  const saved = await comfy.evaluate(() => JSON.parse(JSON.stringify(window.app.rootGraph.serialize())));
  await comfy.open();
  await comfy.evaluate((file) => window.app.loadGraphData(file), saved);
  await comfy.frames(5);
  same(inner(await prompt(comfy))[1].inputs.edit, edit, "The reloaded prompt's edit");
}

/** A removed node leaves nothing: no element, no dialog, no listener that still works. */
export async function removed(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.button("Large view").click();
  await comfy.frames(3);
  holds(await comfy.evaluate(() => document.querySelectorAll("dialog[open] .recompose-pose-editor").length === 1), "Large");
  await comfy.picture("large");
  await comfy.evaluate((id) => window.app.graph.remove(window.app.graph.getNodeById(id)), EDITOR);
  await comfy.until(() => !document.querySelector("dialog[open], .recompose-pose-editor"));
}

/** Everything by keyboard, and what a screen reader is told. */
export async function keyboard(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  await editor.focus();
  const voice = () => editor.locator.locator("[aria-live]").textContent();
  await editor.press("Tab");
  holds(/^nose: /.test(await voice()), `The first point is told, not "${await voice()}"`);
  await editor.press("Tab", "Shift+Tab", "Tab");
  holds(/^neck: /.test(await voice()), `The second point is told, not "${await voice()}"`);
  const neck = await editor.point(0, 1), steps = await editor.ask((each) => each.state.past.length);
  await editor.press("ArrowRight", "Shift+ArrowDown");
  const moved = await editor.point(0, 1);
  same([Math.round(moved.x - neck.x), Math.round(moved.y - neck.y)], [1, 10], "Arrows nudge");
  same(await editor.ask((each) => each.state.past.length), steps + 2, "Each key is one step");
  await editor.press("l");
  holds((await editor.point(0, 1)).flags & 4, "L locks");
  await editor.press("l", "h");
  holds((await editor.point(0, 1)).flags & 8, "H hides");
  await editor.press("h", "Delete");
  same((await editor.point(0, 1)).flags, 0, "Delete deletes");
  await editor.press("r");
  holds((await editor.point(0, 1)).flags & 1, "R brings back what the detection had");
  await editor.press("Control+a");
  holds((await editor.ask((each) => each.state.selection.length)) > 10, "Ctrl+A selects everybody");
  holds(await comfy.evaluate(() => window.app.graph.nodes.length === 4), "The graph's own keys do not hear ours");
  await editor.press("g");
  await editor.until((each) => each.frame.people[0].flags[10] & 2);
  await comfy.picture("legs");
  await editor.press("Escape", "?");
  const keys = editor.locator.locator(".help");
  holds(await keys.isVisible(), "The keys are listed");
  await keys.hover();
  await comfy.page.mouse.wheel(0, 120);
  await comfy.frames(4);
  const [scrolled, hidden] = await keys.evaluate((part) => [part.scrollTop, part.scrollHeight - part.clientHeight]);
  holds(hidden < 4 || scrolled > 0, "The wheel scrolls the list of keys");
  await editor.press("Escape", "Escape", "Tab");
  holds(await editor.ask((each) => each.element.shadowRoot.activeElement !== each.stage.above), "Escape, Tab leaves");
}

/** People copied in one editor, pasted in it and in another; presets; damaged and hostile values. */
export async function clipboardAndBadValues(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  await editor.focus();
  const people = () => editor.ask((each) => each.frame.people.length);
  await editor.press("Control+c", "Control+v");
  same(await people(), 2, "A pasted person");
  await editor.press("Control+x");
  same(await people(), 1, "A cut person");
  await editor.button("Add a person").click();
  holds((await editor.locator.locator(".gallery button").count()) >= 12, "A dozen presets");
  await comfy.picture("gallery");
  await editor.locator.locator(".gallery button", { hasText: "sitting" }).click();
  await comfy.frames(2);
  same(await people(), 2, "A preset");
  const text = await editor.ask((each) => each.actions.peopleText());
  await editor.more("Reset this picture's pose");
  same([await people(), await editOf(comfy, EDITOR)], [1, ""], "Reset");
  await editor.ask((each, written) => each.actions.importText(written), text);
  same(await people(), 1, "An imported file replaces the people");

  const hostile = '<img src=x onerror="window.broken = 1">';
  const values = ["{", "[]", "null", '{"version":1,"frames":{"0":{"size":["a",1],"people":[]}}}', hostile];
  for (const value of values) {
    await comfy.evaluate(([id, text]) => (window.app.graph.getNodeById(id).widgets.find(({ name }) => name === "edit").value = text), [EDITOR, value]);
    await comfy.frames(2);
    holds(await editor.locator.locator(".notice").isVisible(), `A notice for ${value}`);
    await editor.ask((each) => each.dispatch({ type: "dismiss" }));
  }
  await editor.ask((each, written) => each.actions.pasteText(written), hostile);
  holds((await editor.locator.locator(".notice").textContent()).includes("not JSON"), "Pasted nonsense is told");
  same(await comfy.evaluate(() => window.broken ?? 0), 0, "Nothing is read as HTML");
  // The notice takes room from the stage, whose camera follows with the next frame.
  await comfy.frames(4);
  await dragDown(editor, 10);
  holds((await editOf(comfy, EDITOR)).startsWith('{"version":1'), "The editor is still usable");
}

/** A changed graph marks the preview as stale; loading again brings the new picture. */
export async function stalePreview(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  const stale = () => editor.ask((each) => each.stale);
  same(await stale(), false, "Fresh at first");
  await comfy.evaluate(() => {
    const widget = window.app.graph.getNodeById(2).widgets.find(({ name }) => name === "threshold");
    widget.value = 0.5;
    window.app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState();
  });
  await editor.until((each) => each.stale);
  holds((await editor.locator.locator(".notice").textContent()).includes("has changed"), "The notice says so");
  await comfy.picture("stale");
  await editor.load();
  await editor.until((each) => !each.stale);
}
