import { holds, same } from "../comfy.mjs";
import { executed, length, openGraph, prompt, run } from "../editor.mjs";

const R_SHOULDER = 2, R_ELBOW = 3, R_WRIST = 4, R_KNEE = 9;
const EDITOR = "3", PREVIEW = "4";

/** Build, load, run, drag a knee below the frame, run again: what ran, what was sent, what came out. */
export async function dragAKnee(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  same(await executed(comfy), ["1", "2", EDITOR], "Load picture and pose runs only what lies before the node");
  const before = { prompt: await prompt(comfy), outputs: await run(comfy) };
  same(await executed(comfy), [PREVIEW], "The first full run needs only what is new");
  await comfy.picture("detected");

  const knee = await editor.point(0, R_KNEE), goal = { x: knee.x - 9, y: given.height + 40 };
  await editor.drag(knee, goal);
  const moved = await editor.point(0, R_KNEE);
  holds(length(moved, goal) < 1.5, `The knee is at ${JSON.stringify(moved)} and not at ${JSON.stringify(goal)}`);
  holds(Number.isInteger(moved.x * 16) && Number.isInteger(moved.y * 16), "Coordinates are sixteenths of a pixel");
  holds((await editor.locator.locator(".status").textContent()).includes("outside the picture"), "The status says where");
  await comfy.picture("dragged");

  const after = { prompt: await prompt(comfy), outputs: await run(comfy) };
  same(await executed(comfy), [EDITOR, PREVIEW], "After an edit only what depends on it runs");
  const { edit, ...rest } = after.prompt[EDITOR].inputs, { edit: was, ...restBefore } = before.prompt[EDITOR].inputs;
  same([was, rest], ["", restBefore], "Only the edit changed in the prompt");
  holds(edit.length > 10, "The prompt carries the edit");
  return { knee: moved, prompt: after.prompt, images: [before, after].map(({ outputs }) => outputs[PREVIEW].images[0]) };
}

/** One step of the graph's undo per gesture; photo, zoom and focus outlive it. */
export async function undoAndRedo(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  const value = () => comfy.evaluate((id) => window.app.graph.getNodeById(id).widgets.at(-1).value, EDITOR);
  const values = [await value()];
  for (const [point, way] of [[R_KNEE, { x: -6, y: 30 }], [R_WRIST, { x: -14, y: -20 }]]) {
    const from = await editor.point(0, point);
    await editor.drag(from, { x: from.x + way.x, y: from.y + way.y });
    values.push(await value());
  }
  await editor.press("+");
  const zoom = await editor.ask((each) => each.camera.scale);
  for (const step of [1, 0, 1, 2]) {
    await editor.press(step < 2 && (await value()) !== values[0] ? "Control+z" : "Control+y");
    await until(comfy, async () => (await value()) === values[step], `step ${step}`);
    await editor.until((each) => each.hasFocus() && each.photo.get().status === "shown");
  }
  same(await editor.ask((each) => each.camera.scale), zoom, "The zoom outlives undo and redo");
}

async function until(comfy, work, what) {
  for (let tries = 0; tries < 200; tries++) {
    if (await work()) return;
    await comfy.page.waitForTimeout(50);
  }
  throw new Error(`This never came true: ${what}`);
}

/** What each kind of drag does. */
export async function gestures(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  const points = async (...wanted) => Promise.all(wanted.map((point) => editor.point(0, point)));
  const between = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const about = (a, b) => Math.abs(a - b) < 0.2;

  let [shoulder, elbow, wrist] = await points(R_SHOULDER, R_ELBOW, R_WRIST);
  const upper = length(shoulder, elbow), lower = length(elbow, wrist);
  await editor.drag(between(shoulder, elbow), { x: shoulder.x - 8, y: shoulder.y - 14 });
  [shoulder, elbow, wrist] = await points(R_SHOULDER, R_ELBOW, R_WRIST);
  holds(about(length(shoulder, elbow), upper) && about(length(elbow, wrist), lower), "A turned limb keeps its lengths");
  holds(elbow.y < shoulder.y, "The arm was turned upwards");

  await editor.press("Escape");
  await editor.drag(wrist, { x: shoulder.x - 16, y: shoulder.y + 16 });
  [shoulder, elbow, wrist] = await points(R_SHOULDER, R_ELBOW, R_WRIST);
  holds(about(length(shoulder, elbow), upper) && about(length(elbow, wrist), lower), "A wrist pulls its arm along");
  await editor.drag(wrist, { x: wrist.x - 30, y: wrist.y + 30 }, { key: "Alt" });
  [shoulder, elbow, wrist] = await points(R_SHOULDER, R_ELBOW, R_WRIST);
  holds(length(elbow, wrist) > lower + 5, "With Alt the wrist goes alone");

  await editor.press("Escape");
  await editor.drag(between(shoulder, elbow), { x: 2 * elbow.x - shoulder.x, y: 2 * elbow.y - shoulder.y }, { key: "Alt" });
  [shoulder, elbow] = await points(R_SHOULDER, R_ELBOW);
  holds(length(shoulder, elbow) > upper + 3, "With Alt a limb is stretched");

  await editor.press("Escape");
  await editor.drag({ x: -3, y: -3 }, { x: given.width + 3, y: given.height + 3 });
  const all = await editor.ask((each) => each.state.selection.length);
  holds(all > 10, `A box selects what is in it, not ${all} points`);
  const neck = await editor.point(0, 1), nose = await editor.point(0, 0);
  await editor.drag(neck, { x: neck.x + 12, y: neck.y - 6 });
  const [movedNeck, movedNose] = await points(1, 0);
  holds(about(movedNeck.x - neck.x, movedNose.x - nose.x) && about(movedNeck.y - neck.y, -6), "A selection moves as one");
  await editor.click({ x: -4, y: -4 });
  same(await editor.ask((each) => each.state.selection), [], "A click on nothing selects nothing");
  await editor.click(movedNeck, { clickCount: 2 });
  const present = await editor.ask((each) => each.frame.people[0].flags.filter((flags) => flags & 1).length);
  same(await editor.ask((each) => each.state.selection.length), present, "A double click selects the person");
}
