// The pose editor as a test uses it: graphs with it, its own record to look at, and real gestures on it.

export class Editor {
  /** @param {import("./comfy.mjs").Comfy} comfy @param {number} index which of the page's editors */
  constructor(comfy, index = 0) {
    this.comfy = comfy;
    this.index = index;
    this.locator = comfy.page.locator(".recompose-pose-editor").nth(index);
    this.stage = this.locator.locator(".stage");
  }

  /** Call a function with the page's PoseEditor and an argument. */
  ask(work, argument = null) {
    return this.locator.evaluate(
      (element, [text, given]) => new Function(`return (${text})(...arguments)`)(element.poseEditor, given),
      [`${work}`, argument],
    );
  }

  /** Wait until the function says true of the PoseEditor. */
  async until(work, argument = null, timeout = 90_000) {
    const end = Date.now() + timeout;
    while (!(await this.locator.count()) || !(await this.ask(work, argument).catch(() => false))) {
      if (Date.now() > end) throw new Error(`This never came true: ${work}`);
      await this.comfy.page.waitForTimeout(50);
    }
  }

  /** Where a place of the picture is on the page. */
  onPage(x, y) {
    return this.ask(
      (editor, [px, py]) => {
        const stage = editor.stage.element, box = stage.getBoundingClientRect();
        const zoom = box.width / stage.offsetWidth, { camera } = editor;
        return { x: box.x + (px - camera.x) * camera.scale * zoom, y: box.y + (py - camera.y) * camera.scale * zoom };
      },
      [x, y],
    );
  }

  /** A point of the shown frame: its place in the picture and its flags. */
  point(person, point) {
    return this.ask(
      (editor, [p, q]) => {
        const record = editor.frame.people[p];
        return { x: record.xy[2 * q], y: record.xy[2 * q + 1], flags: record.flags[q] };
      },
      [person, point],
    );
  }

  /** Drag from one place of the picture to another with the mouse. */
  async drag(from, to, { button = "left", key } = {}) {
    const { page } = this.comfy, start = await this.onPage(from.x, from.y), end = await this.onPage(to.x, to.y);
    if (key) await page.keyboard.down(key);
    await page.mouse.move(start.x, start.y);
    await page.mouse.down({ button });
    await page.mouse.move((start.x + end.x) / 2, (start.y + end.y) / 2, { steps: 3 });
    await page.mouse.move(end.x, end.y, { steps: 3 });
    await this.comfy.frames(2);
    await page.mouse.up({ button });
    if (key) await page.keyboard.up(key);
    await this.comfy.frames(2);
  }

  async click(place, options = {}) {
    const at = await this.onPage(place.x, place.y);
    await this.comfy.page.mouse.click(at.x, at.y, options);
    await this.comfy.frames(2);
  }

  async press(...keys) {
    for (const key of keys) await this.comfy.page.keyboard.press(key);
    await this.comfy.frames(2);
  }

  async focus() {
    await this.ask((editor) => editor.focus());
  }

  /** A button of the bars by the beginning of its label. */
  button(label) {
    return this.locator.locator(`button[aria-label^="${label}"]`).first();
  }

  /** An entry of the menu More. */
  async more(label) {
    await this.button("More").click();
    await this.locator.locator(".menu button", { hasText: label }).first().click();
    await this.comfy.frames(2);
  }

  /** "Load picture and pose", until it is there. */
  async load() {
    await this.button("Load picture and pose").click();
    await this.until((editor) => !editor.busy && editor.state.pictures.length > 0 && editor.photo.get().status === "shown");
  }
}

/** The shown frame's first point of that many pixels below the picture's edge, far from all others. */
export const length = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

/**
 * Build photo + pose → Edit Pose → control image, opened the way a workflow file is. The editor's node has id 3.
 * @param {import("./comfy.mjs").Comfy} comfy
 */
export async function openGraph(comfy, { photo, pose }) {
  await comfy.evaluate(
    async ({ photo, pose }) => {
      const { app, LiteGraph } = window, graph = app.graph;
      graph.clear();
      const add = (type, pos, values = {}) => {
        const node = LiteGraph.createNode(type);
        node.pos = pos;
        graph.add(node);
        for (const widget of node.widgets ?? []) if (widget.name in values) widget.value = values[widget.name];
        return node;
      };
      const image = add("LoadImage", [0, 0], { image: photo }), people = add("RecomposeLoadPose", [0, 420], { text: pose });
      const editor = add("RecomposeEditPose", [420, 0]), preview = add("PreviewImage", [960, 0]);
      editor.setSize([500, 900]);
      image.connect(0, editor, "image");
      people.connect(0, editor, "pose");
      editor.connect(1, preview, "images");
      const written = { ...JSON.parse(JSON.stringify(graph.serialize())), id: crypto.randomUUID() };
      await app.loadGraphData(written);
      look(0.85, [90, 80]);
      function look(scale, offset) {
        app.canvas.ds.scale = scale;
        app.canvas.ds.offset = offset;
        app.canvas.setDirty(true, true);
      }
    },
    { photo, pose },
  );
  const editor = new Editor(comfy);
  await editor.until((each) => each.camera !== null);
  await comfy.frames(5);
  await recordRuns(comfy);
  return editor;
}

/** Note which nodes are executed, anew from here on. */
async function recordRuns(comfy) {
  await comfy.evaluate(() => {
    window.runs = [];
    window.app.api.addEventListener("executing", ({ detail }) => detail && window.runs.push(String(detail)));
  });
}

/** The nodes that were executed since the last call. */
export function executed(comfy) {
  return comfy.evaluate(() => window.runs.splice(0).sort());
}

/** Queue the whole graph as the Run button does, wait for its end, return its outputs by node. */
export async function run(comfy) {
  return comfy.evaluate(async () => {
    const { app } = window;
    const ended = new Promise((resolve, reject) => {
      app.api.addEventListener("execution_success", ({ detail }) => resolve(detail.prompt_id), { once: true });
      app.api.addEventListener("execution_error", ({ detail }) => reject(new Error(detail.exception_message)), { once: true });
    });
    await app.queuePrompt(0);
    const id = await ended;
    for (;;) {
      const entry = (await (await app.api.fetchApi(`/history/${id}`)).json())[id];
      if (entry) return entry.outputs;
      await new Promise((done) => setTimeout(done, 50));
    }
  });
}

/** The prompt that the graph makes now. */
export async function prompt(comfy) {
  return comfy.evaluate(async () => (await window.app.graphToPrompt()).output);
}
