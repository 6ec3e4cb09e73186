import { holds, same } from "../comfy.mjs";
import { openGraph, prompt } from "../editor.mjs";

const EDITOR = "3", R_ELBOW = 3, R_ANKLE = 10, ROUTE = "**/recompose/complete_pose";

/** The button asks the server; the answer is one step of undo that goes into the prompt. */
export async function guessLegs(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  same((await editor.point(0, R_ANKLE)).flags, 0, "The photo shows no ankle");
  const elbow = await editor.point(0, R_ELBOW), steps = await editor.ask((each) => each.state.past.length);
  await editor.button("Guess legs").click();
  await editor.until((each) => each.frame.people[0].flags[10]);
  const ankle = await editor.point(0, R_ANKLE);
  same(ankle.flags, 3, "The ankle is there, and estimated");
  holds(ankle.y > given.height, `The ankle lies below the picture, not at ${ankle.y}`);
  same(await editor.point(0, R_ELBOW), elbow, "What was seen stays");
  same(await editor.ask((each) => [each.state.past.length, each.estimating, each.told]), [steps + 1, false, ""], "One step");
  const { edit } = (await prompt(comfy))[EDITOR].inputs;
  same(JSON.parse(edit).frames[0].people[0].flags[R_ANKLE], "3", "The prompt has it");
  await comfy.picture("guessed legs");

  await editor.ask((each) => each.dispatch({ type: "select", points: [{ person: 0, point: 10 }], mode: "replace" }));
  await editor.focus();
  await editor.press("Delete");
  same((await editor.point(0, R_ANKLE)).flags, 0, "A deleted ankle");
  await editor.button("Points").click();
  await editor.locator.locator(".row .name", { hasText: "right ankle" }).click();
  await editor.until((each) => each.frame.people[0].flags[10]);
  const back = await editor.point(0, R_ANKLE);
  same(back.flags, 3, "It comes back as estimated");
  holds(Math.hypot(back.x - ankle.x, back.y - ankle.y) < 0.3 * given.height, `Near its place: ${back.x}, ${back.y}`);
}

/** No server, an older one, one that refuses, one that is late: one notice, and the edit stays as it was. */
export async function guessLegsInVain(comfy, given) {
  const editor = await openGraph(comfy, given);
  await editor.load();
  const value = await editor.ask((each) => each.value), notice = editor.locator.locator(".notice");
  const refusal = "Too few points are visible.";
  const cases = [
    ["no server", (route) => route.abort(), "ComfyUI did not estimate the legs"],
    ["an older server", (route) => route.fulfill({ status: 405, body: "405: Method Not Allowed" }), "ComfyUI did not"],
    ["an error page", (route) => route.fulfill({ status: 500, body: "<h1>500</h1>" }), "ComfyUI did not estimate"],
    ["another answer", (route) => route.fulfill({ json: { pose: "x" } }), "ComfyUI did not estimate"],
    ["nobody", (route) => route.fulfill({ json: { pose: [{ canvas_width: 9, canvas_height: 9 }] } }), "ComfyUI did not"],
    ["a refusal", (route) => route.fulfill({ status: 400, json: { error: refusal } }), refusal],
  ];
  for (const [what, answer, sentence] of cases) {
    await comfy.context.route(ROUTE, answer);
    await editor.button("Guess legs").click();
    await editor.until((each) => !each.estimating && each.told);
    holds((await notice.textContent()).startsWith(sentence), `${what}: ${await notice.textContent()}`);
    same(await editor.ask((each) => [each.value, each.state.before]), [value, null], `${what}: the edit`);
    await editor.ask((each) => each.dismiss());
    holds(!(await notice.isVisible()), "One notice");
    await comfy.context.unroute(ROUTE);
  }

  let late;
  await comfy.context.route(ROUTE, (route) => (late = route));
  await editor.button("Guess legs").click();
  while (!late) await comfy.page.waitForTimeout(20);
  await editor.button("Guess legs").click();
  await editor.ask((each) => each.dispatch({ type: "dragPoint", person: 0, point: 3, to: { x: 20, y: 30 } }));
  const edited = await editor.ask((each) => each.value);
  await late.continue();
  await editor.until((each) => !each.estimating && each.told);
  holds((await notice.textContent()).startsWith("The pose was edited"), await notice.textContent());
  same(await editor.ask((each) => each.value), edited, "What was done meanwhile stays");
  comfy.complaints.length = 0;
}
