// The one browser of a test session: reads a line {scenario, url, settings, folder} and answers with a line.
//
// A scenario is an exported function of scenarios/*.mjs that gets a Comfy (comfy.mjs) and throws where the page
// is not as it must be.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { Comfy } from "./comfy.mjs";

const packages = process.env.RECOMPOSE_NODE_PACKAGES;
const { chromium } = createRequire(join(packages, "node_modules", "/"))("playwright-core");

const scenarios = {};
for (const file of readdirSync(new URL("scenarios/", import.meta.url))) {
  if (file.endsWith(".mjs")) Object.assign(scenarios, await import(`./scenarios/${file}`));
}

/** Start the unpacked Chromium with its own libraries and font; it needs no rights and no network. */
function launch() {
  const folder = join(packages, "chromium");
  return chromium.launch({
    executablePath: join(folder, "chromium"),
    args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"],
    env: { LD_LIBRARY_PATH: join(folder, "lib"), FONTCONFIG_FILE: join(folder, "fonts.conf"), HOME: process.env.HOME_FOLDER },
  });
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (answer) => console.log(JSON.stringify(answer));

/** Let the test do something outside the page, such as restart the server, and wait until it is done. */
async function outside(what) {
  say({ ask: what });
  await lines.next();
}

const permissions = ["clipboard-read", "clipboard-write"];

/** Run one scenario in a page of its own and say how it went. */
async function run(browser, { scenario, url, settings, folder, arguments: given }) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, hasTouch: true, permissions });
  const comfy = new Comfy(context, url, folder, outside);
  try {
    await comfy.set({ "Comfy.TutorialCompleted": true, "Comfy.Workflow.Persist": false, ...settings });
    await comfy.open();
    const result = await scenarios[scenario](comfy, given);
    return { result: result ?? null, complaints: comfy.complaints };
  } catch (error) {
    await comfy.picture(`failed-${scenario}`).catch(() => {});
    return { error: `${error.stack ?? error}\n${comfy.complaints.join("\n")}` };
  } finally {
    await context.close();
  }
}

const browser = await launch();
say({ ready: browser.version() });
for (let line = await lines.next(); !line.done; line = await lines.next()) say(await run(browser, JSON.parse(line.value)));
await browser.close();
