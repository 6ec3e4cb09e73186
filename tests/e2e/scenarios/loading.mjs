import { holds, same } from "../comfy.mjs";
import { openGraph, prompt, Editor } from "../editor.mjs";

const OURS = "/extensions/comfyui-recompose/";
/** Endings every host knows. */
const KNOWN = /\.(html|js|css|json|png|svg|jpg|webp|ico|woff2?|md)$/;

/** The scripts of this pack that the page asked for since it was told to listen, without their folder. */
function scripts(comfy) {
  const found = [];
  comfy.page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith(OURS) && request.resourceType() === "script") found.push(pathname.slice(OURS.length));
  });
  return found;
}

/** One script of ours as the page starts; the editor's modules once, with the first node that has it. */
export async function oneScriptAtTheStart(comfy, given) {
  const found = scripts(comfy);
  await comfy.open();
  await comfy.page.waitForLoadState("networkidle");
  same(found, ["pose_editor.js"], "What a page loads of this pack");
  await openGraph(comfy, given);
  const modules = found.slice(1);
  holds(modules.length > 10 && modules.every((path) => path.startsWith(".modules/")), `Modules: ${modules}`);
  same(new Set(modules).size, modules.length, "Each module once");
  await openGraph(comfy, given);
  same(found.length, 1 + modules.length, "Nothing is loaded for a second graph");
  return { start: 1, editor: modules.length };
}

/** A host that sends every ending it does not know as text, as nginx and Windows may: the editor opens all the same. */
export async function opensWhereUnknownEndingsAreText(comfy, given) {
  let plain = 0;
  await comfy.context.route("**/extensions/**", async (route) => {
    const { pathname } = new URL(route.request().url());
    if (KNOWN.test(pathname)) return route.continue();
    plain++;
    const headers = { "content-type": "text/plain", "x-content-type-options": "nosniff" };
    if (pathname.endsWith("/planted.mjs")) return route.fulfill({ headers, body: "export const planted = 1;" });
    const response = await route.fetch();
    return route.fulfill({ response, headers: { ...response.headers(), ...headers } });
  });
  await comfy.open();
  const planted = (path) => import(path).then(() => "imported", (error) => error.name);
  same(await comfy.evaluate(planted, "/extensions/planted.mjs"), "TypeError", "Such a host's .mjs is no module");
  same(plain, 1, "Nothing of ours has an ending the host does not know");
  const editor = await openGraph(comfy, given);
  await editor.load();
  await comfy.picture("unknown endings");
}

/** The modules do not come, or late: the value waits, and a sentence says what is missing. */
export async function modulesThatComeLateOrNever(comfy, given) {
  let answer = (route) => route.abort();
  await comfy.context.route("**/.modules/**", (route) => answer(route));
  await comfy.open();
  const value = JSON.stringify({ version: 1, frames: { 0: { size: [64, 96], fingerprint: "", people: [] } } });
  const add = () =>
    comfy.evaluate((edit) => {
      const node = window.LiteGraph.createNode("RecomposeEditPose");
      window.app.graph.add(node);
      node.widgets.find(({ name }) => name === "edit").value = edit;
      return String(node.id);
    }, value);
  await comfy.evaluate(() => window.app.graph.clear());
  const id = await add();
  await comfy.until(() => document.body.textContent.includes("The editor did not load"));
  same((await prompt(comfy))[id].inputs.edit, value, "A value without its editor goes into the prompt");
  comfy.complaints.length = 0;

  const gates = [];
  answer = (route) => gates.push(route);
  await comfy.open();
  await comfy.evaluate(() => window.app.graph.clear());
  const late = await add();
  for (let tries = 0; !gates.length && tries < 200; tries++) await comfy.page.waitForTimeout(50);
  holds(gates.length > 0, "A page that was loaded anew asks again");
  same((await prompt(comfy))[late].inputs.edit, value, "A value goes into the prompt before its editor is there");
  answer = (route) => route.continue();
  for (const route of gates) await route.continue();
  const editor = new Editor(comfy);
  await editor.until((each) => each.camera !== null);
  same(await editor.ask((each) => [each.value, each.frame.people.length]), [value, 0], "The late editor shows it");
}
