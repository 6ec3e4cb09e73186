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

const permissions = ["clipboard-read", "clipboard-write"];

/** Run one scenario in a page of its own and say how it went. */
async function run(browser, { scenario, url, settings, folder, arguments: given }) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, hasTouch: true, permissions });
  const comfy = new Comfy(context, url, folder);
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
console.log(JSON.stringify({ ready: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(browser, JSON.parse(line))));
}
await browser.close();
