/**
 * What lies before a node in the graph: which run of it is meant, and whether it changed. Knows graphs only as records
 * of nodes ({id, type, mode, inputs, widgets}) and links ({origin_id}), inside subgraphs as well.
 */

/** Whether two records are the same graph; a frontend may hand out one graph behind several proxies. */
const sameGraph = (a, b) => a === b || (a?.id !== undefined && a.id === b?.id);

/** Every graph of a workflow. */
function graphsOf(root) {
  return [root, ...(root.subgraphs?.values() ?? [])];
}

/** The node that stands for a subgraph; the first where there are several. */
function hostOf(root, graph) {
  for (const each of graphsOf(root)) {
    const host = (each.nodes ?? []).find((node) => node.isSubgraphNode?.() && sameGraph(node.subgraph, graph));
    if (host) return host;
  }
  return null;
}

/** The node's id in prompts: the ids of the subgraphs it lies in and its own, joined by colons. */
export function executionId(node, root) {
  if (!node.graph || sameGraph(node.graph, root)) return String(node.id);
  const host = hostOf(root, node.graph);
  return host ? `${executionId(host, root)}:${node.id}` : String(node.id);
}

/** The node's id in stored results: alone in the main graph, after the subgraph's own elsewhere. */
export function locatorId(node, root) {
  return !node.graph || sameGraph(node.graph, root) ? String(node.id) : `${node.graph.id}:${node.id}`;
}

function linkOf(graph, id) {
  return graph.links?.get?.(id) ?? graph.links?.[id] ?? null;
}

/** Buttons and previews come and go without meaning anything. */
function counts(widget) {
  return widget.serialize !== false && widget.options?.serialize !== false && widget.type !== "button";
}

function described(node) {
  const widgets = (node.widgets ?? []).filter(counts).map((widget) => [widget.name, widget.value]);
  return [String(node.id), node.type, node.mode ?? 0, widgets];
}

function visit(node, root, found) {
  const graph = node.graph ?? root;
  for (const [index, input] of (node.inputs ?? []).entries()) {
    const link = input.link === null || input.link === undefined ? null : linkOf(graph, input.link);
    if (!link) continue;
    found.links.push([String(node.id), index, String(link.origin_id), link.origin_slot ?? 0]);
    const inside = graph.getNodeById?.(link.origin_id), origin = inside ?? hostOf(root, graph);
    const name = origin && locatorId(origin, root);
    if (!origin || found.seen.has(name)) continue;
    found.seen.add(name);
    for (const inner of inside?.subgraph?.nodes ?? []) found.nodes.push(described(inner));
    found.nodes.push(described(origin));
    visit(origin, root, found);
  }
}

/** A text that changes when anything the node's inputs come from changes; the node's own widgets are not in it. */
export function upstreamText(node, root) {
  const found = { seen: new Set([locatorId(node, root)]), nodes: [], links: [] };
  visit(node, root, found);
  return JSON.stringify([found.nodes, found.links]);
}
