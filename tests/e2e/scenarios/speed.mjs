import { openGraph } from "../editor.mjs";

const EDITOR = "3", FRAMES = 180, OTHERS = 30;

/** Ten people over a large photo among thirty other nodes: how fast it opens, how smoothly a person is dragged. */
export async function speed(comfy, given) {
  const editor = await openGraph(comfy, given);
  await comfy.evaluate((count) => {
    const { app, LiteGraph } = window;
    for (let index = 0; index < count; index++) {
      const node = LiteGraph.createNode(["KSampler", "CLIPTextEncode", "VAEDecode"][index % 3]);
      node.pos = [1000 + 340 * (index % 6), 40 + 320 * Math.floor(index / 6)];
      app.graph.add(node);
    }
  }, OTHERS);
  await editor.load();
  await editor.ask((each) => {
    each.dispatch({ type: "selectAll" });
    each.dispatch({ type: "nudge", x: 3, y: 5 });
    each.dispatch({ type: "selectPerson", person: 4 });
  });
  const value = await editor.ask((each) => each.value.length);
  const points = await editor.ask((each) => each.frame.people.reduce((sum, person) => sum + person.flags.filter(Boolean).length, 0));
  await comfy.frames(30);
  const drag = await dragged(editor);
  await comfy.picture("speed");
  return { value, points, ...drag, opening: await opening(comfy) };
}

/** Pull a selected person in a circle, one move per frame of the screen, and time script and frames. */
async function dragged(editor) {
  const start = await editor.point(4, 1), at = await editor.onPage(start.x, start.y);
  return editor.ask(
    async (each, [place, frames]) => {
      const target = each.stage.element, script = [], intervals = [];
      const send = (type, x, y) =>
        target.dispatchEvent(
          new PointerEvent(type, { clientX: x, clientY: y, pointerId: 1, pointerType: "mouse", bubbles: true, composed: true }),
        );
      target.setPointerCapture = () => {};
      each.host.measured = (milliseconds) => script.push(milliseconds);
      send("pointerdown", place.x, place.y);
      let last = await new Promise(requestAnimationFrame), handling = 0;
      for (let index = 0; index < frames; index++) {
        const angle = (index / 30) * Math.PI, before = performance.now();
        send("pointermove", place.x + 40 * Math.sin(angle) + 6, place.y + 40 * Math.cos(angle) - 40);
        handling = Math.max(handling, performance.now() - before);
        const now = await new Promise(requestAnimationFrame);
        intervals.push(now - last);
        last = now;
      }
      send("pointerup", place.x, place.y);
      each.host.measured = undefined;
      delete target.setPointerCapture;
      const share = (list, part) => [...list].sort((a, b) => a - b)[Math.floor(part * (list.length - 1))];
      return {
        script: { median: share(script, 0.5), p95: share(script, 0.95), frames: script.length, handling },
        interval: { median: share(intervals, 0.5), p95: share(intervals, 0.95) },
      };
    },
    [at, FRAMES],
  );
}

/** Milliseconds from a copied node's coming into the graph to its skeleton's being there to be dragged; best of three. */
async function opening(comfy) {
  const once = () =>
    comfy.evaluate(async (id) => {
      const { app } = window, node = app.graph.getNodeById(id).clone();
      node.pos = [420, 980];
      const started = performance.now();
      app.graph.add(node);
      app.canvas.ds.offset = [90, -800];
      app.canvas.setDirty(true, true);
      const host = node.widgets.find(({ name }) => name === "edit").element;
      const ready = () => host.firstElementChild?.poseEditor?.camera;
      while (!ready()) await new Promise(requestAnimationFrame);
      const took = performance.now() - started;
      app.graph.remove(node);
      return took;
    }, EDITOR);
  const found = [];
  for (let index = 0; index < 3; index++) {
    found.push(await once());
    await comfy.frames(10);
  }
  return Math.min(...found);
}
