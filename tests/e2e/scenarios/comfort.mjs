import { holds, same } from "../comfy.mjs";
import { openGraph } from "../editor.mjs";

/** On a narrow node every button stays within reach; the large view has a button that leaves it. */
export async function narrowAndLarge(comfy, given) {
  const editor = await openGraph(comfy, given);
  await comfy.evaluate(() => {
    window.app.graph.getNodeById("3").setSize([240, 900]);
    window.app.canvas.setDirty(true, true);
  });
  const { width } = await editor.ask((each) => {
    each.element.style.width = "220px";
    return { width: each.element.offsetWidth };
  });
  same(width, 220, "The narrow editor");
  await comfy.frames(5);
  await comfy.picture("narrow");
  const box = await editor.locator.boundingBox();
  for (const label of ["Load picture", "Delete what", "Undo", "Redo", "More", "Large view"]) {
    const part = await editor.button(label).boundingBox();
    holds(part && part.x >= box.x && part.x + part.width <= box.x + box.width + 1, `${label} is within reach`);
  }
  await editor.ask((each) => (each.element.style.width = ""));
  const done = editor.locator.locator("button", { hasText: "Done" });
  same(await done.isVisible(), false, "Done on the node");
  await editor.button("Large view").click();
  await editor.until((each) => each.large);
  await comfy.picture("large with done");
  await done.click();
  await editor.until((each) => !each.large);
  await comfy.until(() => !document.querySelector("dialog[open]"));
}

/** Pictures that are not loaded yet and files with nobody or too many people are told; new people stand aside. */
export async function toldAndKept(comfy, given) {
  const editor = await openGraph(comfy, given);
  const hint = editor.locator.locator(".hint"), people = () => editor.ask((each) => each.frame.people.length);
  holds((await hint.textContent()).includes("not loaded"), "The hint before the picture is loaded");
  await editor.load();
  same(await hint.isVisible(), false, "The hint once it is");
  await editor.ask((each) => each.actions.importText('{"people": []}'));
  same(await people(), 1, "People after a file without any");
  holds((await editor.locator.locator(".notice").textContent()).includes("Nobody is in this file"), "It is told");
  await editor.ask((each) => each.dispatch({ type: "dismiss" }));
  for (let count = 0; count < 2; count++) {
    await editor.button("Add a person").click();
    await editor.locator.locator(".gallery button", { hasText: "standing" }).click();
  }
  const hips = await editor.ask((each) => each.frame.people.slice(1).map(({ xy }) => xy[16]));
  holds(Math.abs(hips[0] - hips[1]) > 2, `The second new person stands aside, not at ${hips}`);
  const body = Array.from({ length: 54 }, (_, index) => (index % 3 === 2 ? 1 : 50 + index));
  const crowd = JSON.stringify({ people: Array.from({ length: 101 }, () => ({ pose_keypoints_2d: body })) });
  await editor.ask((each, text) => each.actions.importText(text), crowd);
  same(await people(), 100, "People of a file with 101");
  const said = await editor.locator.locator(".notice").textContent();
  holds(said.includes("more than 100 people"), `It is told: ${said}`);
}

/** On a French page the editor's words are French: buttons, menu, points, presets, keys and sentences. */
export async function inFrench(comfy, given) {
  await comfy.set({ "Comfy.Locale": "fr" });
  try {
    await comfy.open();
    const editor = await openGraph(comfy, given);
    holds((await editor.locator.locator(".hint").textContent()).includes("pas encore chargée"), "The hint");
    await editor.button("Points :").click();
    holds(await editor.locator.locator(".panel").getByText("épaule droite", { exact: true }).isVisible(), "A point");
    await comfy.picture("French points");
    await editor.button("Points :").click();
    await editor.button("Ajouter").click();
    await comfy.picture("French gallery");
    holds(await editor.locator.locator(".gallery button", { hasText: "debout" }).isVisible(), "A preset");
    await editor.press("Escape");
    await editor.button("Plus").click();
    holds(await editor.locator.locator(".menu button", { hasText: "Refléter la personne" }).isVisible(), "An entry");
    await comfy.picture("French");
    await editor.press("Escape");
    await editor.focus();
    await editor.press("Tab");
    holds(/^nez : |^nez: /.test(await editor.locator.locator(".status").textContent()), "The selected point");
  } finally {
    await comfy.set({ "Comfy.Locale": "en" });
  }
}
