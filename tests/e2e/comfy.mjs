// A page of ComfyUI as a test sees it: real pointer and keys, and the frontend's public objects to look at it.
import { join } from "node:path";

export class Comfy {
  constructor(context, url, folder, outside) {
    this.outside = outside;
    this.context = context;
    this.url = url;
    this.folder = folder;
    /** What the page reported about this pack: exceptions and console errors. */
    this.complaints = [];
  }

  /** Settings as the user would have saved them. */
  async set(settings) {
    const answer = await this.context.request.post(`${this.url}/api/settings`, { data: settings });
    if (!answer.ok()) throw new Error(`The settings were not taken: ${answer.status()}`);
  }

  /** Load the page and wait until graphs can be built. */
  async open() {
    this.page ??= await this.context.newPage();
    if (!this.listening) {
      this.listening = true;
      const note = (text) => /recompose|pose_editor/i.test(text) && this.complaints.push(text);
      this.page.on("pageerror", (error) => note(`${error.stack ?? error}`));
      this.page.on("console", (message) => {
        if (message.type() === "error") note(`${message.text()} ${message.location().url}`);
      });
    }
    await this.page.goto(this.url, { waitUntil: "domcontentloaded", timeout: 120_000 });
    const ready = () =>
      window.app?.extensionManager?.workflow?.activeWorkflow?.changeTracker &&
      Object.keys(window.LiteGraph.registered_node_types).length > 100;
    await this.page.waitForFunction(ready, null, { timeout: 240_000 });
    await this.frames(3);
  }

  /** Run a function in the page. */
  evaluate(work, argument) {
    return this.page.evaluate(work, argument);
  }

  /** Wait until a function in the page says true. */
  async until(work, argument, timeout = 20_000) {
    await this.page.waitForFunction(work, argument, { timeout });
  }

  /** Switch between the classic canvas (false) and Nodes 2.0 (true) in the living page. */
  async renderer(modern) {
    await this.evaluate((value) => window.app.extensionManager.setting.set("Comfy.VueNodes.Enabled", value), modern);
    await this.frames(5);
  }

  /** Let the page draw. */
  async frames(count = 2) {
    await this.evaluate(async (left) => {
      for (; left > 0; left--) await new Promise((done) => requestAnimationFrame(done));
    }, count);
  }

  /** Click on a node's title with the mouse. */
  async clickNode(id) {
    const at = await this.evaluate((wanted) => {
      const { ds, canvas } = window.app.canvas, { pos } = window.app.graph.getNodeById(wanted), box = canvas.getBoundingClientRect();
      return { x: box.x + (pos[0] + 60 + ds.offset[0]) * ds.scale, y: box.y + (pos[1] - 14 + ds.offset[1]) * ds.scale };
    }, id);
    await this.page.mouse.click(at.x, at.y);
    await this.frames(2);
  }

  /** Save what the page shows. */
  async picture(name, clip) {
    await this.page.screenshot({ path: join(this.folder, `${name}.png`), ...(clip && { clip }) });
  }
}

/** Throw with both values where they are not the same JSON. */
export function same(found, wanted, what) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: expected ${right}, got ${left}`);
}

/** Throw where something does not hold. */
export function holds(condition, what) {
  if (!condition) throw new Error(what);
}
