import { holds, same } from "../comfy.mjs";
import { Editor, prompt, run } from "../editor.mjs";

const SKETCH = "2", PREVIEW = "3";

/** The sketch editor, driven as the pose editor is. */
class Sketch extends Editor {
  constructor(comfy, index = 0) {
    super(comfy, index);
    this.locator = comfy.page.locator(".recompose-sketch-editor").nth(index);
    this.stage = this.locator.locator(".stage");
  }

  ask(work, argument = null) {
    return this.locator.evaluate(
      (element, [text, given]) => new Function(`return (${text})(...arguments)`)(element.sketchEditor, given),
      [`${work}`, argument],
    );
  }

  strokes() {
    return this.ask((editor) => editor.strokes);
  }
}

/** Photo → Draw Sketch → preview of the sketch, opened as a workflow file is. */
async function open(comfy, { photo }) {
  await comfy.evaluate(async (name) => {
    const { app, LiteGraph } = window, graph = app.graph;
    graph.clear();
    const add = (type, pos) => {
      const node = LiteGraph.createNode(type);
      node.pos = pos;
      graph.add(node);
      return node;
    };
    const image = add("LoadImage", [0, 0]), sketch = add("RecomposeDrawSketch", [420, 0]);
    image.widgets.find((widget) => widget.name === "image").value = name;
    image.connect(0, sketch, "image");
    sketch.connect(0, add("PreviewImage", [960, 0]), "images");
    await app.loadGraphData({ ...JSON.parse(JSON.stringify(graph.serialize())), id: crypto.randomUUID() });
    app.canvas.ds.scale = 0.85;
    app.canvas.ds.offset = [90, 80];
    app.canvas.setDirty(true, true);
  }, photo);
  const sketch = new Sketch(comfy);
  await sketch.until((editor) => editor.camera !== null);
  await comfy.frames(5);
  return sketch;
}

/** Strokes by mouse and keys on the photo, each one step of undo; saved, opened again and run. */
export async function drawUndoReloadAndRun(comfy, given) {
  const sketch = await open(comfy, given);
  await sketch.button("Load picture").click();
  await sketch.until((editor) => !editor.busy && editor.photo.get().status === "shown");
  same(await sketch.ask((editor) => editor.size), { width: given.width, height: given.height }, "The photo's size counts");

  await sketch.drag({ x: 20, y: 30 }, { x: 90, y: 60 });
  await sketch.press("2", "]");
  await sketch.drag({ x: 30, y: 100 }, { x: 100, y: 110 });
  await sketch.press("3");
  await sketch.drag({ x: 20, y: 80 }, { x: 60, y: 84 });
  const layers = (await sketch.strokes()).map(({ layer }) => layer);
  same(layers, ["sketch", "mask", "colour"], "Each key chose its layer");
  await comfy.picture("drawn");

  const until = (count) => sketch.until((editor, wanted) => editor.strokes.length === wanted, count);
  await sketch.press("Control+z");
  await until(2);
  await sketch.press("Control+z");
  await until(1);
  await sketch.press("Control+y");
  await until(2);
  await sketch.press("Control+y");
  await until(3);
  holds(await sketch.ask((editor) => editor.photo.get().status === "shown"), "The photo outlives undo");

  const value = () => comfy.evaluate((id) => window.app.graph.getNodeById(id).widgets.at(-1).value, SKETCH);
  const drawn = await value();
  await comfy.evaluate(async () => {
    await window.app.loadGraphData(JSON.parse(JSON.stringify(window.app.graph.serialize())));
  });
  await sketch.until((editor) => editor.strokes.length === 3);
  same(await value(), drawn, "A saved drawing comes back");

  await sketch.focus();
  await sketch.press("1", "e");
  await sketch.drag({ x: 40, y: 20 }, { x: 44, y: 70 });
  const [sent, outputs] = [await prompt(comfy), await run(comfy)];
  await comfy.picture("run");
  return { prompt: sent, image: outputs[PREVIEW].images[0] };
}
