import { holds, same } from "../comfy.mjs";

/** Put a node of this type alone on the graph and open its help. */
async function openHelp(comfy, type) {
  const id = await comfy.evaluate((wanted) => {
    const { app, LiteGraph } = window;
    app.graph.clear();
    const node = LiteGraph.createNode(wanted);
    node.pos = [300, 200];
    app.graph.add(node);
    app.canvas.ds.reset();
    return node.id;
  }, type);
  await comfy.frames(5);
  await comfy.clickNode(id);
  await comfy.page.getByTestId("info-button").click();
}

/** All nodes of the pack can be searched for, and its template opens without a missing node. */
export async function packAndTemplate(comfy, { nodes }) {
  const known = await comfy.evaluate(() =>
    Object.keys(window.LiteGraph.registered_node_types).filter((id) => id.startsWith("Recompose")),
  );
  same(known.sort(), nodes, "The pack's nodes");
  const types = await comfy.evaluate(async () => {
    const listed = await (await window.app.api.fetchApi("/workflow_templates")).json();
    const pack = Object.keys(listed).find((name) => listed[name].includes("full_body"));
    const file = await fetch(window.app.api.apiURL(`/workflow_templates/${encodeURIComponent(pack)}/full_body.json`));
    await window.app.loadGraphData(await file.json());
    return window.app.graph.nodes.map((node) => ({ type: node.type, known: node.type in window.LiteGraph.registered_node_types }));
  });
  holds(types.some(({ type }) => type === "RecomposeStitchBack"), "The template has no Stitch Back");
  const missing = types.filter(({ known }) => !known).map(({ type }) => type);
  same(missing.filter((type) => type.startsWith("Recompose")), [], "Missing nodes");
  await comfy.frames(10);
  await comfy.picture("template");
}

/** Each template opens in the page and would post what its API twin says. */
export async function templatesPost(comfy, { twins }) {
  for (const [name, twin] of Object.entries(twins)) {
    const posted = await comfy.evaluate(async (file) => {
      const listed = await (await window.app.api.fetchApi("/workflow_templates")).json();
      const pack = Object.keys(listed).find((folder) => listed[folder].includes(file));
      const answer = await fetch(window.app.api.apiURL(`/workflow_templates/${encodeURIComponent(pack)}/${file}.json`));
      await window.app.loadGraphData(await answer.json());
      return (await window.app.graphToPrompt()).output;
    }, name);
    same(Object.keys(posted).sort(), Object.keys(twin).sort(), `The nodes that ${name} posts`);
    for (const [id, { inputs, class_type: type }] of Object.entries(twin)) {
      same(posted[id].class_type, type, `${name}, node ${id}`);
      const names = [...new Set([...Object.keys(inputs), ...Object.keys(posted[id].inputs)])].sort();
      for (const input of names) same(posted[id].inputs[input], inputs[input], `${name}, ${type} ${id}, ${input}`);
    }
    await comfy.evaluate(() => window.app.extensionManager.command.execute("Comfy.Canvas.FitView"));
    await comfy.frames(10);
    await comfy.picture(`template-${name}`);
  }
}

/** The help of a node opens from its toolbox and shows its picture; the server has those of all nodes. */
export async function helpShowsPicture(comfy, { nodes, opened }) {
  for (const type of nodes) {
    for (const file of [`${type}.md`, `pictures/${type}.webp`]) {
      const answer = await comfy.context.request.get(`${comfy.url}/extensions/comfyui-recompose/docs/${file}`);
      same(answer.status(), 200, file);
    }
  }
  for (const type of opened) {
    await openHelp(comfy, type);
    const picture = comfy.page.locator(`.node-help-content img[src*="${type}"]`);
    await picture.waitFor();
    await comfy.until((wanted) => document.querySelector(`.node-help-content img[src*="${wanted}"]`)?.naturalWidth > 0, type);
    const { src, width } = await picture.evaluate((image) => ({ src: image.getAttribute("src"), width: image.getBoundingClientRect().width }));
    same(src, `/extensions/comfyui-recompose/docs/pictures/${type}.webp`, `The picture of ${type}`);
    holds(width > 100, `The picture of ${type} is ${width} px wide`);
    await comfy.picture(`help-${type}`);
  }
  // The frontend first looks for a page of the user's language, and then for the one that there is.
  comfy.complaints = comfy.complaints.filter((text) => !/404.*\/docs\/\w+\/en\.md/.test(text));
}

/** On a French page the help of a node is French, with its picture. */
export async function frenchHelp(comfy, { type, title }) {
  await comfy.set({ "Comfy.Locale": "fr" });
  try {
    await comfy.open();
    await openHelp(comfy, type);
    await comfy.until(() => document.querySelector(".node-help-content img")?.naturalWidth > 0);
    const shown = await comfy.page.locator(".node-help-content h1").first().textContent();
    same(shown.trim(), title, "The title of the help");
    await comfy.picture("help in French");
  } finally {
    await comfy.set({ "Comfy.Locale": "en" });
  }
}

/** What is typed on the node of a template's subgraph is posted for the nodes within. */
export async function subgraphTakesPrompts(comfy, { name, values }) {
  const posted = await comfy.evaluate(async ({ file, typed }) => {
    const listed = await (await window.app.api.fetchApi("/workflow_templates")).json();
    const pack = Object.keys(listed).find((folder) => listed[folder].includes(file));
    const answer = await fetch(window.app.api.apiURL(`/workflow_templates/${encodeURIComponent(pack)}/${file}.json`));
    await window.app.loadGraphData(await answer.json());
    const host = window.app.graph.nodes.find((node) => node.subgraph);
    for (const [widget, value] of Object.entries(typed)) host.widgets.find((each) => each.name === widget).value = value;
    return (await window.app.graphToPrompt()).output;
  }, { file: name, typed: values });
  const inner = Object.entries(posted).filter(([id]) => id.includes(":")).map(([, node]) => node);
  for (const [widget, value] of Object.entries(values)) {
    const found = inner.filter(({ inputs }) => widget in inputs).map(({ inputs }) => inputs[widget]);
    same(found, [value], `What is posted as ${widget}`);
  }
}
