import { holds, same } from "../comfy.mjs";
import { openGraph } from "../editor.mjs";

const R_KNEE = 9, EDITOR = "3";

/** After a restart of the server the same button fetches the picture again; the edit was never in danger. */
export async function serverRestart(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  const knee = await editor.point(0, R_KNEE);
  await editor.drag(knee, { x: knee.x, y: knee.y + 30 });
  const edit = await editor.ask((each) => each.value);
  await comfy.outside("restart the server");
  await editor.until((each) => each.photo.get().status === "lost");
  await comfy.until(() => window.app.api.socket?.readyState === WebSocket.OPEN, null, 60_000);
  await editor.load();
  same(await editor.ask((each) => each.value), edit, "The edit");
  comfy.complaints = comfy.complaints.filter((complaint) => !/404 .*\/view/.test(complaint));
}

/** A batch: one picture after the other, each with an edit of its own. */
export async function batch(comfy, given) {
  const frame = JSON.parse(given.pose)[0];
  const editor = await openGraph(comfy, { ...given, pose: JSON.stringify([frame, frame, frame]) });
  await editor.load();
  const status = () => editor.locator.locator(".chooser .percent").textContent();
  same(await status(), "1 / 3", "The chooser");
  await editor.button("Next picture").click();
  same(await status(), "2 / 3", "The chooser after a step");
  const knee = await editor.point(0, R_KNEE);
  await editor.drag(knee, { x: knee.x + 9, y: knee.y + 9 });
  same(Object.keys(JSON.parse(await editor.ask((each) => each.value)).frames), ["1"], "Only the second frame is edited");
  await comfy.picture("batch");
}

/** A finger drags a point and pans on nothing; two fingers zoom the picture and never the graph. */
export async function touch(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  const devtools = await comfy.context.newCDPSession(comfy.page);
  const send = (type, ...places) =>
    devtools.send("Input.dispatchTouchEvent", { type, touchPoints: places.map((place, id) => ({ ...place, id })) });
  const knee = await editor.point(0, R_KNEE), from = await editor.onPage(knee.x, knee.y);
  await send("touchStart", from);
  for (let step = 1; step <= 4; step++) await send("touchMove", { x: from.x + 3 * step, y: from.y + 8 * step });
  await comfy.frames(2);
  await send("touchEnd");
  await comfy.frames(2);
  holds((await editor.point(0, R_KNEE)).y > knee.y + 5, "A finger drags a point");
  const view = () => editor.ask((each) => ({ ...each.camera }));
  const nothing = await editor.onPage(4, 4), before = await view();
  await send("touchStart", nothing);
  for (let step = 1; step <= 4; step++) await send("touchMove", { x: nothing.x + 6 * step, y: nothing.y + 6 * step });
  await comfy.frames(2);
  await send("touchEnd");
  const panned = await view();
  holds(panned.x < before.x && panned.scale === before.scale, "A finger on nothing pans");

  const graph = () => comfy.evaluate(() => [window.app.canvas.ds.scale, ...window.app.canvas.ds.offset]);
  const pinch = async () => {
    const { scale } = await view(), place = { x: nothing.x + 40, y: nothing.y + 40 };
    await send("touchStart", place);
    await send("touchStart", place, { x: place.x + 60, y: place.y + 60 });
    for (let step = 1; step <= 4; step++) {
      await send("touchMove", place, { x: place.x + 60 + 10 * step, y: place.y + 60 + 10 * step });
      await comfy.frames(1);
    }
    await send("touchEnd");
    await comfy.frames(2);
    holds((await view()).scale > 1.2 * scale, "Two fingers zoom");
  };
  const seen = await graph();
  await pinch();
  same(await graph(), seen, "The graph's view after a pinch on the node");
  await comfy.clickNode("2");
  same(await comfy.evaluate(() => [...window.app.canvas.selectedItems].map(({ id }) => String(id))), ["2"], "The graph hears clicks");
  await editor.button("Large view").click();
  await editor.until((each) => each.large && each.stage.size.width > 800);
  await pinch();
}

/** Another workflow's tab and back, a node of another size, a page at 200 %, the light palette. */
export async function tabsSizesAndPalettes(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  const knee = await editor.point(0, R_KNEE);
  await editor.drag(knee, { x: knee.x, y: knee.y + 30 });
  const edit = await editor.ask((each) => each.value);
  await comfy.evaluate(() => window.app.extensionManager.command.execute("Comfy.NewBlankWorkflow"));
  await comfy.until(() => !document.querySelector(".recompose-pose-editor"));
  await comfy.evaluate(() => window.app.extensionManager.command.execute("Workspace.PreviousOpenedWorkflow"));
  await editor.until((each) => each.value !== "" && each.photo.get().status === "shown");
  same(await editor.ask((each) => each.value), edit, "The edit after another tab");

  const width = await editor.ask((each) => each.stage.size.width);
  await comfy.evaluate((id) => {
    window.app.graph.getNodeById(id).setSize([700, 1000]);
    window.app.canvas.setDirty(true, true);
  }, EDITOR);
  await editor.until((each, before) => each.stage.size.width > before + 100, width);
  await comfy.evaluate(() => window.app.extensionManager.setting.set("Comfy.ColorPalette", "light"));
  await comfy.evaluate(() => {
    document.body.style.zoom = "2";
    window.dispatchEvent(new Event("resize"));
  });
  await comfy.evaluate(() => {
    window.app.canvas.ds.scale = 0.5;
    window.app.canvas.ds.offset = [-300, -250];
    window.app.canvas.setDirty(true, true);
  });
  await comfy.frames(10);
  await comfy.picture("large page, light");
  await comfy.evaluate(() => window.app.extensionManager.setting.set("Comfy.ColorPalette", "dark"));
}
