import { holds, same } from "../comfy.mjs";
import { run } from "../editor.mjs";

const CANVAS = "2", MASK = "3", STITCH = "4";

/** A photo that is extended at the bottom and stitched back with a mask of everything. */
function openGraph(comfy, { photo, width, height, below }) {
  return comfy.evaluate(
    async ([file, wide, high]) => {
      const { app, LiteGraph } = window, { graph } = app;
      graph.clear();
      const add = (type, pos, values = {}) => {
        const node = LiteGraph.createNode(type);
        node.pos = pos;
        graph.add(node);
        for (const [name, value] of Object.entries(values)) node.widgets.find((each) => each.name === name).value = value;
        return node;
      };
      const image = add("LoadImage", [0, 0], { image: file });
      const canvas = add("RecomposeExtendCanvas", [340, 0], { mode: "sides" });
      canvas.widgets.find(({ name }) => name === "mode.bottom").value = 64;
      const mask = add("SolidMask", [340, 460], { value: 1, width: wide, height: high });
      const stitch = add("RecomposeStitchBack", [700, 0]), preview = add("PreviewImage", [1060, 0]);
      image.connect(0, canvas, "image");
      canvas.connect(0, stitch, "original");
      canvas.connect(0, stitch, "generated");
      canvas.connect(2, stitch, "region");
      mask.connect(0, stitch, "mask");
      stitch.connect(0, preview, "images");
      await app.loadGraphData({ ...JSON.parse(JSON.stringify(graph.serialize())), id: crypto.randomUUID() });
      app.canvas.ds.scale = 0.85;
      app.canvas.ds.offset = [90, 90];
      app.canvas.setDirty(true, true);
    },
    [photo, width, below],
  );
}

const sizeOf = (comfy) => comfy.evaluate((id) => window.app.graph.getNodeById(id).size[1], STITCH);

/** A notice stands on its node until the next result, is replaced by the next, and is in no saved file. */
export async function noticeOnTheNode(comfy, given) {
  await openGraph(comfy, { ...given, below: Math.ceil((given.height + 64) / 8) * 8 });
  await comfy.frames(5);
  const before = await sizeOf(comfy);
  await run(comfy);
  const notice = comfy.page.locator(".recompose-notices");
  await notice.waitFor();
  await comfy.frames(20);
  await comfy.picture("notice");
  holds((await notice.textContent()).includes("covers most of the photo"), "The notice says what is wrong");
  const box = await notice.boundingBox();
  holds(box.width > 150 && box.height >= 16, `The notice is ${box.width} × ${box.height} px`);
  same(await notice.evaluate((part) => part.scrollHeight <= part.clientHeight + 1), true, "The whole notice is there");
  const saved = await comfy.evaluate(() => JSON.stringify([window.app.graph.serialize()]));
  holds(!saved.includes("covers most"), "The notice is in no file");
  const posted = await comfy.evaluate(async () => (await window.app.graphToPrompt()).output);
  same("recompose_notices" in posted[STITCH].inputs, false, "The notice in the prompt");

  await run(comfy);
  await comfy.frames(5);
  same(await notice.count(), 1, "Notices after the same run from the cache");

  await comfy.evaluate(() => window.app.extensionManager.command.execute("Comfy.NewBlankWorkflow"));
  await comfy.until(() => !document.querySelector(".recompose-notices"));
  await comfy.evaluate(() => window.app.extensionManager.command.execute("Workspace.PreviousOpenedWorkflow"));
  await notice.waitFor();

  await comfy.evaluate((id) => (window.app.graph.getNodeById(id).widgets.find(({ name }) => name === "value").value = 0), MASK);
  await run(comfy);
  await comfy.until(() => document.querySelector(".recompose-notices")?.textContent.includes("none of the new area"));
  await comfy.frames(5);
  same(await notice.count(), 1, "Notices after a run with another notice");
  await comfy.picture("another notice");

  await comfy.evaluate(([from, to]) => {
    const { graph } = window.app;
    graph.getNodeById(from).connect(1, graph.getNodeById(to), "mask");
  }, [CANVAS, STITCH]);
  await run(comfy);
  await comfy.until(() => !document.querySelector(".recompose-notices"));
  await comfy.frames(5);
  same(await sizeOf(comfy), before, "The node's height after a clean run");
}
