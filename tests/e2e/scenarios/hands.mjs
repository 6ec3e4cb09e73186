import { readFile } from "node:fs/promises";

import { holds, same } from "../comfy.mjs";
import { length, openGraph } from "../editor.mjs";

const NECK = 1, R_SHOULDER = 2, R_ELBOW = 3, R_WRIST = 4, R_KNEE = 9;
const [FREE, TURN] = [12, 26];

/** Where the box of the selection is on the page: its corner below on the right, its middle, and the knob above it. */
async function handles(editor) {
  const box = await editor.ask((each) => {
    const { people } = each.frame, xy = each.state.selection.map((key) => [0, 1].map((axis) => {
      const count = people[0].flags.length;
      return people[Math.floor(key / count)].xy[2 * (key % count) + axis];
    }));
    const [xs, ys] = [0, 1].map((axis) => xy.map((place) => place[axis]));
    return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys), scale: each.camera.scale };
  });
  const free = FREE / box.scale, across = (box.left + box.right) / 2, down = (box.top + box.bottom) / 2;
  return {
    corner: { x: box.right + free, y: box.bottom + free },
    opposite: { x: box.left, y: box.top },
    middle: { x: across, y: down },
    knob: { x: across, y: box.top - free - TURN / box.scale },
  };
}

/** The corners of a selection's box make it larger about the opposite corner; the knob above turns it about its middle. */
export async function scaleAndTurn(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  await editor.ask((each) => {
    each.dispatch({ type: "selectAll" });
    each.zoom(0.5);
  });
  const [neck, knee] = [await editor.point(0, NECK), await editor.point(0, R_KNEE)];
  const { corner, opposite } = await handles(editor);
  await editor.drag(corner, { x: opposite.x + 1.5 * (corner.x - opposite.x), y: opposite.y + 1.5 * (corner.y - opposite.y) });
  const [lowNeck, lowKnee] = [await editor.point(0, NECK), await editor.point(0, R_KNEE)];
  const grown = length(lowNeck, lowKnee) / length(neck, knee);
  holds(Math.abs(grown - 1.5) < 0.05, `The corner makes the selection 1.5 times as large, not ${grown}`);
  const kept = { x: opposite.x + 1.5 * (neck.x - opposite.x), y: opposite.y + 1.5 * (neck.y - opposite.y) };
  holds(length(lowNeck, kept) < 2, "The opposite corner stays");

  const { middle, knob } = await handles(editor);
  const reach = length(middle, knob);
  await editor.drag(knob, { x: middle.x + reach, y: middle.y });
  const turned = await editor.point(0, NECK);
  const expected = { x: middle.x - (lowNeck.y - middle.y), y: middle.y + (lowNeck.x - middle.x) };
  holds(length(turned, expected) < 2, `A quarter turn puts the neck at ${JSON.stringify(expected)}, not ${JSON.stringify(turned)}`);
  await comfy.picture("turned");
}

/** A pen drags a point as a mouse does, and its barrel button pans. */
export async function pen(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  const devtools = await comfy.context.newCDPSession(comfy.page);
  const send = (type, { x, y }, button, buttons) =>
    devtools.send("Input.dispatchMouseEvent", { type, x, y, button, buttons, clickCount: 1, pointerType: "pen" });
  const stroke = async (from, to, button, buttons) => {
    await send("mousePressed", from, button, buttons);
    for (let step = 1; step <= 4; step++) {
      const at = { x: from.x + ((to.x - from.x) * step) / 4, y: from.y + ((to.y - from.y) * step) / 4 };
      await send("mouseMoved", at, button, buttons);
    }
    await comfy.frames(2);
    await send("mouseReleased", to, button, 0);
    await comfy.frames(2);
  };
  const knee = await editor.point(0, R_KNEE), goal = { x: knee.x - 8, y: given.height + 30 };
  await editor.ask((each) => {
    window.pens = [];
    each.stage.element.addEventListener("pointerdown", ({ pointerType }) => window.pens.push(pointerType));
  });
  await stroke(await editor.onPage(knee.x, knee.y), await editor.onPage(goal.x, goal.y), "left", 1);
  holds(length(await editor.point(0, R_KNEE), goal) < 1.5, "A pen drags a knee below the frame");
  const before = await editor.ask((each) => ({ ...each.camera })), value = await editor.ask((each) => each.value);
  const middle = await editor.onPage(given.width / 2, given.height / 2);
  await stroke(middle, { x: middle.x + 40, y: middle.y + 30 }, "right", 2);
  const after = await editor.ask((each) => ({ ...each.camera }));
  holds(after.x < before.x && after.y < before.y && after.scale === before.scale, "The barrel button pans");
  same(await editor.ask((each) => each.value), value, "The pose after panning");
  same(await comfy.evaluate(() => window.pens), ["pen", "pen"], "What pressed");
}

/** Brackets turn and scale as one step of undo each; a deleted person comes back from the menu; a pose is a file. */
export async function bracketsPeopleAndFiles(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  await editor.focus();
  await editor.press("Control+a");
  const arm = async () => [await editor.point(0, R_SHOULDER), await editor.point(0, R_ELBOW)];
  const angle = ([a, b]) => Math.atan2(b.y - a.y, b.x - a.x);
  const was = await arm();
  await editor.press("]", "]", "]", "]", "]");
  const now = await arm(), turned = ((angle(now) - angle(was)) * 180) / Math.PI;
  holds(Math.abs(turned - 10) < 1, `Five times ] turn by 10°, not ${turned}`);
  await editor.press("Shift+}", "Shift+}", "Shift+}", "Shift+}", "Shift+}");
  const grown = length(...(await arm())) / length(...now);
  holds(Math.abs(grown - 1.02 ** 5) < 0.02, `Five times } grow by a tenth, not ${grown}`);

  const wrist = await editor.point(0, R_WRIST);
  const downloads = {};
  for (const entry of ["OpenPose JSON (COCO-18)", "OpenPose JSON (BODY_25)", "COCO-WholeBody"]) {
    const arriving = comfy.page.waitForEvent("download");
    await editor.more(`Export ${entry}`);
    const download = await arriving;
    downloads[download.suggestedFilename()] = JSON.parse(await readFile(await download.path(), "utf8"));
  }
  same(Object.keys(downloads), ["pose_coco18.json", "pose_body25.json", "pose_wholebody.json"], "The files' names");
  const [body] = downloads["pose_coco18.json"].people;
  same(body.pose_keypoints_2d.slice(3 * R_WRIST, 3 * R_WRIST + 2), [wrist.x, wrist.y], "The wrist in the file");

  await editor.more("Delete the person");
  same(await editor.ask((each) => each.frame.people.length), 0, "Nobody is left");
  await editor.more("Bring back deleted people");
  same(await editor.ask((each) => each.frame.people.length), 1, "The person is back");
  holds(length(await editor.point(0, R_SHOULDER), was[0]) < 0.1, "Where the detection had it");
  await editor.button("More").click();
  holds(await editor.locator.locator(".menu button", { hasText: "Bring back deleted people" }).isDisabled(), "Nobody is missing");
}
