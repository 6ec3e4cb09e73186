import { holds, same } from "../comfy.mjs";
import { run } from "../editor.mjs";

const TEXT = "a woman with long red hair in a green shirt, blue trousers and white boots standing on a beach";
const MAPS = "8";

/** A picture of two rows by the demo model, and the maps of its words; the node of the maps has id 8. */
async function openGraph(comfy, { seed, picture = true, folded = false, size = null, rows = 2 }) {
  await comfy.evaluate(
    async ([text, number, withPicture, inside, wanted, batch]) => {
      const { app, LiteGraph } = window, { graph } = app;
      graph.clear();
      const add = (type, pos, values = {}) => {
        const node = LiteGraph.createNode(type);
        node.pos = pos;
        graph.add(node);
        for (const [name, value] of Object.entries(values)) node.widgets.find((each) => each.name === name).value = value;
        return node;
      };
      const model = add("CheckpointLoaderSimple", [-700, 0], { ckpt_name: "recompose_demo.safetensors" });
      const positive = add("CLIPTextEncode", [-700, 180], { text }), negative = add("CLIPTextEncode", [-700, 420], { text: "" });
      const latent = add("EmptyLatentImage", [-700, 660], { width: 128, height: 192, batch_size: batch });
      const record = add("RecomposeRecordAttention", [-340, 0]);
      const sampler = add("KSampler", [-340, 220], { seed: number, control_after_generate: "fixed", steps: 4, cfg: 4, sampler_name: "euler" });
      const decoded = add("VAEDecode", [-340, 560]);
      const maps = add("RecomposeAttentionMaps", [0, 0], { text, words: "shirt, boots" });
      model.connect(1, positive, "clip");
      model.connect(1, negative, "clip");
      model.connect(0, record, "model");
      record.connect(0, sampler, "model");
      positive.connect(0, sampler, "positive");
      negative.connect(0, sampler, "negative");
      latent.connect(0, sampler, "latent_image");
      sampler.connect(0, decoded, "samples");
      model.connect(2, decoded, "vae");
      record.connect(1, maps, "attention");
      sampler.connect(0, maps, "latent");
      model.connect(1, maps, "clip");
      if (withPicture) decoded.connect(0, maps, "image");
      if (wanted) maps.setSize(wanted);
      if (inside) graph.convertToSubgraph(new Set([maps]));
      await app.loadGraphData({ ...JSON.parse(JSON.stringify(graph.serialize())), id: crypto.randomUUID() });
      app.canvas.ds.scale = 0.85;
      app.canvas.ds.offset = [60, 60];
      app.canvas.setDirty(true, true);
    },
    [TEXT, seed, picture, folded, size, rows],
  );
  await comfy.frames(10);
}

/** The picture of words on a node as a test uses it. */
class Picture {
  constructor(comfy, index = 0) {
    this.comfy = comfy;
    this.locator = comfy.page.locator(".recompose-words").nth(index);
    this.stage = this.locator.locator(".stage");
  }

  async shown(timeout = 60_000) {
    const end = Date.now() + timeout;
    const there = () =>
      this.locator.evaluate(({ wordPicture: { row, rows, pictures, stage } }) => {
        return Boolean(row) && stage.size.height > 0 && rows.every(({ picture }, number) => !picture || pictures[number]);
      });
    while (!(await this.locator.count()) || !(await there())) {
      if (Date.now() > end) throw new Error("The picture of words never came");
      await this.comfy.page.waitForTimeout(50);
    }
    await this.comfy.frames(10);
  }

  /** The middle of a cell on the page. */
  place(cell) {
    return this.locator.evaluate(({ wordPicture: each }, at) => {
      const { scale, x, y } = each.fit(), { size, grid } = each.row, stage = each.stage.element, box = stage.getBoundingClientRect();
      const zoom = box.width / stage.offsetWidth;
      const right = ((at % grid.width) + 0.5) / grid.width, down = (Math.floor(at / grid.width) + 0.5) / grid.height;
      return { x: box.x + (x + right * size.width * scale) * zoom, y: box.y + (y + down * size.height * scale) * zoom };
    }, cell);
  }

  async hover(cell) {
    const { x, y } = await this.place(cell);
    await this.comfy.page.mouse.move(x - 3, y);
    await this.comfy.page.mouse.move(x, y);
    await this.comfy.frames(3);
  }

  /** The words in the list, the first with its share. */
  async list() {
    if (!(await this.locator.locator(".list").isVisible())) return null;
    return this.locator.locator(".list div").evaluateAll((lines) => lines.map((line) => line.textContent));
  }

  chip(text) {
    return this.locator.getByRole("button", { name: text, exact: true });
  }

  /** What is drawn, as one number that differs from picture to picture; 0 for nothing. */
  drawn() {
    return this.locator.evaluate(({ wordPicture }) => {
      const canvas = wordPicture.stage.element.querySelector("canvas"), { width, height } = canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      return data.reduce((sum, value, at) => (sum + value * ((at % 65521) + 1)) % 1e9, 0);
    });
  }
}

/** The cell of a row in which a word stands out most of all, and its line there, by the server's own numbers. */
function bestCell(row, text) {
  const [width, height] = row.grid, count = width * height;
  const factors = row.words.map(({ map, low, high }) => {
    const digits = [...Buffer.from(map, "base64").toString("hex")].slice(0, count);
    const values = digits.map((digit) => low + ((high - low) * parseInt(digit, 16)) / 15);
    const mean = values.reduce((a, b) => a + b, 0) / count;
    return values.map((value) => value / mean);
  });
  const word = row.words.findIndex((each) => each.text === text);
  const lead = (cell) => factors[word][cell] - Math.max(...factors.map((each, number) => (number === word ? 0 : each[cell])));
  const cell = [...Array(count).keys()].reduce((best, at) => (lead(at) > lead(best) ? at : best), 0);
  holds(lead(cell) > 0, `${text} is first somewhere`);
  return { cell, line: `${text}×${factors[word][cell].toFixed(1)}` };
}

const overlaysOf = (outputs) => outputs[Object.keys(outputs).find((id) => outputs[id].recompose?.[0]?.overlays)].recompose[0].overlays;

/** The list and the heat at known words: where the server's numbers say they are. */
async function pointsAtWords(comfy, picture, row) {
  // What is drawn gets as sharp as the graph's zoom asks for when it is next drawn.
  await picture.hover(0);
  await comfy.page.mouse.move(5, 500);
  await comfy.frames(3);
  const idle = await picture.drawn();
  holds(idle > 0, "A picture without a pointer");
  for (const text of ["shirt", "green"]) {
    const { cell, line } = bestCell(row, text);
    await picture.hover(cell);
    same((await picture.list())?.[0], line, `First of the words at ${text}`);
    holds((await picture.drawn()) !== idle, `Heat of ${text}`);
  }
  await comfy.page.mouse.move(5, 500);
  await comfy.frames(3);
  same([await picture.list(), await picture.drawn()], [null, idle], "The list and the heat without a pointer");
}

/** Run, point, choose a row and a word; then a page loaded anew, the saved file, and no run. */
export async function wordsUnderThePointer(comfy, given) {
  await openGraph(comfy, given);
  same(await comfy.page.locator(".recompose-words").getByText("Run to see").count(), 1, "What is said before the run");
  await comfy.picture("maps before");
  const rows = overlaysOf(await run(comfy)), picture = new Picture(comfy);
  await picture.shown();
  same(rows.length, 2, "Rows");
  await pointsAtWords(comfy, picture, rows[0]);
  await picture.hover(bestCell(rows[0], "shirt").cell);
  await comfy.picture("maps hover");

  await picture.locator.getByRole("button", { name: "Next row" }).click();
  await pointsAtWords(comfy, picture, rows[1]);
  await picture.chip("shirt").click();
  await comfy.page.mouse.move(5, 500);
  await comfy.frames(3);
  const pinned = await picture.drawn();
  await picture.hover(bestCell(rows[1], "green").cell);
  same(await picture.drawn(), pinned, "A chosen word's heat stays");
  same(await picture.chip("shirt").getAttribute("aria-pressed"), "true", "The chosen word");
  await comfy.picture("maps pinned");
  const file = await comfy.evaluate(() => JSON.parse(JSON.stringify(window.app.graph.serialize())));
  const text = JSON.stringify(file);
  holds(text.length < 20_000 && !text.includes("overlays"), `The file is ${text.length} letters`);
  const posted = await comfy.evaluate(async () => (await window.app.graphToPrompt()).output);
  same("recompose_words" in posted[MAPS].inputs, false, "The picture in the prompt");

  const modern = await comfy.evaluate(() => window.app.extensionManager.setting.get("Comfy.VueNodes.Enabled"));
  await comfy.renderer(!modern);
  await picture.shown();
  await comfy.frames(20);
  await picture.hover(bestCell(rows[1], "green").cell);
  same((await picture.list())?.[0], bestCell(rows[1], "green").line, "In the other renderer");
  await comfy.picture("maps other renderer");
  await comfy.renderer(modern);

  await comfy.open();
  await comfy.evaluate((saved) => window.app.loadGraphData(saved), file);
  const again = new Picture(comfy);
  await again.shown();
  await pointsAtWords(comfy, again, rows[0]);
  await comfy.picture("maps reloaded");
}

/** A page that brings its unsaved workflow back by itself. */
export async function wordsAfterAReload(comfy, given) {
  await comfy.set({ "Comfy.Workflow.Persist": true });
  await comfy.open();
  await openGraph(comfy, given);
  const rows = overlaysOf(await run(comfy)), picture = new Picture(comfy);
  await picture.shown();
  await comfy.page.waitForTimeout(2500);
  await comfy.open();
  await picture.shown();
  same(await comfy.evaluate(() => Object.keys(window.app.nodeOutputs).length), 0, "Results that the page itself keeps");
  await comfy.evaluate(() => {
    const { app } = window;
    Object.assign(app.canvas.ds, { scale: 0.85, offset: [60, 60] });
    app.canvas.setDirty(true, true);
  });
  await comfy.frames(10);
  await pointsAtWords(comfy, picture, rows[0]);

  await comfy.evaluate(() => window.app.api.fetchApi("/history", { method: "POST", body: JSON.stringify({ clear: true }) }));
  await comfy.open();
  await picture.shown();
  same(await picture.locator.evaluate(({ wordPicture }) => wordPicture.rows.length), 2, "Rows without a history");
  await comfy.set({ "Comfy.Workflow.Persist": false });
}

/** Keys, a finger, the graph's undo, a copy, another tab, a blank picture, a large and a small node. */
export async function wordsByKeysAndFinger(comfy, given) {
  await openGraph(comfy, { ...given, picture: false });
  const rows = overlaysOf(await run(comfy)), picture = new Picture(comfy), { page } = comfy;
  await picture.shown();
  holds((await picture.drawn()) > 0, "Without a picture the first word's heat is there");
  same(await picture.list(), null, "The list without a pointer");

  await picture.stage.locator("canvas").last().focus();
  const said = () => picture.locator.locator("[aria-live]").textContent();
  await page.keyboard.press("ArrowRight");
  await comfy.frames(3);
  const [width, height] = rows[0].grid, middle = (height >> 1) * width + (width >> 1);
  const cell = () => picture.locator.evaluate(({ wordPicture }) => wordPicture.cell);
  same(await cell(), middle, "The first arrow begins in the middle");
  const list = await picture.list();
  holds((await said()).includes("times its mean") && list[0].startsWith((await said()).split(",")[0]), "What is read out is first in the list");
  for (const key of ["ArrowDown", "ArrowLeft", "Shift+ArrowUp"]) await page.keyboard.press(key);
  same(await cell(), middle + width - 1 - 4 * width, "The arrows move by a cell, with Shift by four");
  for (let times = 0; times < 10; times++) await page.keyboard.press("Shift+ArrowLeft");
  same((await cell()) % width, 0, "The arrows stay within the picture");
  await page.keyboard.press("PageDown");
  same(await picture.locator.locator(".number").textContent(), "2 of 2", "Page Down goes to the next row");
  same(await said(), "Row 2 of 2", "The row is read out");
  const nodes = () => comfy.evaluate(() => window.app.graph.nodes.length);
  const before = await nodes();
  await page.keyboard.press("Delete");
  same(await nodes(), before, "Delete on the picture deletes no node");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await comfy.frames(3);
  same(await picture.chip("shirt").getAttribute("aria-pressed"), "true", "Tab goes to the words, the space bar keeps one");
  await page.keyboard.press("Space");
  await picture.locator.getByRole("button", { name: "Previous row" }).click();

  const { cell: place, line } = bestCell(rows[0], "shirt"), at = await picture.place(place);
  await page.mouse.move(5, 500);
  await page.touchscreen.tap(at.x, at.y);
  await comfy.frames(3);
  same((await picture.list())?.[0], line, "A tap shows the words and leaves them there");
  await comfy.picture("maps tapped without a picture");

  await picture.chip("green").click();
  await picture.locator.getByRole("button", { name: "Next row" }).click();
  await comfy.evaluate((id) => {
    const { app } = window, node = app.graph.getNodeById(id);
    node.title = "Another title";
    app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState();
    app.extensionManager.command.execute("Comfy.Undo");
  }, MAPS);
  await comfy.until((id) => window.app.graph.getNodeById(id).title !== "Another title", MAPS);
  await picture.shown();
  same(await picture.chip("green").getAttribute("aria-pressed"), "true", "The chosen word outlives the graph's undo");
  same(await picture.locator.locator(".number").textContent(), "2 of 2", "So does the row");

  const copy = await comfy.evaluate((id) => {
    const { app } = window;
    app.canvas.selectItems([app.graph.getNodeById(id)]);
    app.canvas.copyToClipboard();
    app.canvas.pasteFromClipboard();
    const made = app.graph.nodes.filter(({ type }) => type === "RecomposeAttentionMaps").at(-1);
    made.pos = [420, 0];
    app.canvas.setDirty(true, true);
    return String(made.id);
  }, MAPS);
  holds(copy !== MAPS, "A copy was pasted");
  await comfy.frames(20);
  same(await page.locator(".recompose-words").getByText("Run to see").filter({ visible: true }).count(), 1, "The copy waits for its own run");
  same(await picture.chip("green").getAttribute("aria-pressed"), "true", "The first stays as it was");
  await comfy.evaluate((id) => window.app.graph.remove(window.app.graph.getNodeById(id)), copy);
  await comfy.frames(10);
  same(await page.locator(".recompose-words").count(), 1, "A removed node's picture is gone");

  await comfy.evaluate(() => window.app.extensionManager.command.execute("Comfy.NewBlankWorkflow"));
  await comfy.until(() => !document.querySelector(".recompose-words"));
  await comfy.evaluate(() => window.app.extensionManager.command.execute("Workspace.PreviousOpenedWorkflow"));
  await picture.shown();
  for (const [name, size] of [["large", [700, 800]], ["small", [210, 400]]]) {
    await comfy.evaluate(
      ([id, wanted]) => {
        window.app.graph.getNodeById(id).setSize(wanted);
        window.app.canvas.ds.offset = [100, -120];
        window.app.canvas.setDirty(true, true);
      },
      [MAPS, size],
    );
    await comfy.frames(20);
    await picture.hover(bestCell(rows[1], "green").cell);
    same((await picture.list())?.[0], bestCell(rows[1], "green").line, `The words on a ${name} node`);
    await comfy.picture(`maps ${name}`);
  }
}

/** In a subgraph, and there after a page was loaded anew; light palette; French. */
export async function wordsInASubgraph(comfy, given) {
  await openGraph(comfy, { ...given, folded: true });
  const rows = overlaysOf(await run(comfy));
  const enter = () =>
    comfy.evaluate(() => {
      const { app } = window, host = app.graph.nodes.find((node) => node.isSubgraphNode?.());
      app.canvas.openSubgraph(host.subgraph, host);
      app.canvas.ds.scale = 0.85;
      const [inner] = host.subgraph.nodes.filter(({ type }) => type === "RecomposeAttentionMaps");
      app.canvas.ds.offset = [100 - inner.pos[0], 100 - inner.pos[1]];
      app.canvas.setDirty(true, true);
    });
  await enter();
  const picture = new Picture(comfy);
  await picture.shown();
  await pointsAtWords(comfy, picture, rows[0]);
  const file = await comfy.evaluate(() => JSON.parse(JSON.stringify((window.app.rootGraph ?? window.app.graph).serialize())));
  await comfy.set({ "Comfy.ColorPalette": "light", "Comfy.Locale": "fr" });
  await comfy.open();
  await comfy.evaluate((saved) => window.app.loadGraphData(saved), file);
  await comfy.frames(5);
  await enter();
  const again = new Picture(comfy);
  await again.shown();
  await pointsAtWords(comfy, again, rows[0]);
  await again.locator.getByRole("button", { name: "Ligne suivante" }).click();
  same(await again.locator.locator(".number").textContent(), "2 sur 2", "The row in French");
  await again.hover(bestCell(rows[1], "green").cell);
  await comfy.picture("maps in a subgraph");
  await comfy.set({ "Comfy.ColorPalette": "dark", "Comfy.Locale": "en" });
}

/** In App mode, where the picture of words is among the chosen widgets. */
export async function wordsInAppMode(comfy, given) {
  await openGraph(comfy, given);
  await comfy.evaluate(async (id) => {
    const { app } = window, file = JSON.parse(JSON.stringify(app.graph.serialize()));
    const linearData = { inputs: [[Number(id), "words"], [Number(id), "recompose_words"]], outputs: [Number(id)] };
    file.extra = { ...file.extra, linearMode: true, linearData };
    await app.loadGraphData({ ...file, id: crypto.randomUUID() });
  }, MAPS);
  const rows = overlaysOf(await run(comfy));
  const picture = new Picture(comfy), skip = comfy.page.getByRole("button", { name: "Skip", exact: true });
  await picture.shown();
  await comfy.frames(30);
  // Newer frontends offer a tour at the first app.
  if (await skip.isVisible()) await skip.click();
  await comfy.frames(30);
  await pointsAtWords(comfy, picture, rows[0]);
  await picture.hover(bestCell(rows[0], "shirt").cell);
  await comfy.picture("maps app");
}
