/**
 * What lies before a node in the graph: which run of it is meant, and whether it changed. Knows graphs only as records
 * of nodes ({id, type, mode, inputs, widgets}) and links ({origin_id}), inside subgraphs as well.
 */

/**
 * @typedef {{name: string, value: unknown, type?: string, serialize?: boolean, options?: {serialize?: boolean}}} Widget
 * @typedef {{name: string, link?: number|null}} Input
 * @typedef {object} Link
 * @property {number|string} origin_id @property {number} [origin_slot]
 * @property {number|string} [target_id] @property {number} [target_slot]
 *
 * @typedef {object} GraphNode As much of a node of the graph as is read here.
 * @property {number|string} id @property {string} [type] @property {number} [mode]
 * @property {Graph|null} [graph] @property {Graph} [subgraph] @property {() => boolean} [isSubgraphNode]
 * @property {Input[]} [inputs] @property {Widget[]} [widgets]
 * @property {(index: number) => Link|null|undefined} [getInputLink]
 *
 * @typedef {object} Graph
 * @property {string} [id] @property {GraphNode[]} [nodes] @property {Map<string, Graph>} [subgraphs]
 * @property {Record<number, Link> & {get?: (id: number) => Link|undefined, values?: () => Iterable<Link>}} [links]
 * @property {(id: number|string) => GraphNode|null|undefined} [getNodeById]
 * @property {(foreground: boolean, background: boolean) => void} [setDirtyCanvas]
 */

/** Whether two records are the same graph; a frontend may hand out one graph behind several proxies.
 * @param {Graph|undefined} a @param {Graph|undefined} b
 */
const sameGraph = (a, b) => a === b || (a?.id !== undefined && a.id === b?.id);

/** Every graph of a workflow. @param {Graph} root @returns {Graph[]} */
export function graphsOf(root) {
  return [root, ...(root.subgraphs?.values() ?? [])];
}

/**
 * The node that stands for a subgraph; the first where there are several.
 * @param {Graph} root @param {Graph} graph
 */
function hostOf(root, graph) {
  for (const each of graphsOf(root)) {
    const host = (each.nodes ?? []).find((node) => node.isSubgraphNode?.() && sameGraph(node.subgraph, graph));
    if (host) return host;
  }
  return null;
}

/**
 * The node's id in prompts: the ids of the subgraphs it lies in and its own, joined by colons.
 * @param {GraphNode} node @param {Graph} root @returns {string}
 */
export function executionId(node, root) {
  if (!node.graph || sameGraph(node.graph, root)) return String(node.id);
  const host = hostOf(root, node.graph);
  return host ? `${executionId(host, root)}:${node.id}` : String(node.id);
}

/**
 * The node's id in stored results: alone in the main graph, after the subgraph's own elsewhere.
 * @param {GraphNode} node @param {Graph} root
 */
export function locatorId(node, root) {
  return !node.graph || sameGraph(node.graph, root) ? String(node.id) : `${node.graph.id}:${node.id}`;
}

/** @param {Graph} graph @param {number} id @returns {Link|null} */
function linkOf(graph, id) {
  return graph.links?.get?.(id) ?? graph.links?.[id] ?? null;
}

/** @param {Graph} graph @param {GraphNode} node @param {number} index @returns {Link|null} */
function linkTo(graph, node, index) {
  /** @type {Iterable<Link>} */
  const links = graph.links?.values?.() ?? Object.values(/** @type {Record<number, Link>} */ (graph.links ?? {}));
  for (const link of links) {
    if (String(link.target_id) === String(node.id) && link.target_slot === index) return link;
  }
  return null;
}

/**
 * What one of the node's inputs is connected to, null where to nothing. Newer frontends give up `input.link` for
 * `getInputLink`, with which a node that stands for a subgraph answers what lies inside it.
 * @param {GraphNode} node @param {number} index @param {Graph|null} [graph] the node's own
 */
export function inputLink(node, index, graph = node.graph) {
  if (!graph) return null;
  if (node.getInputLink && !node.isSubgraphNode?.()) return node.getInputLink(index) ?? null;
  const input = node.inputs?.[index];
  if (input?.link === undefined) return linkTo(graph, node, index);
  return input.link === null ? null : linkOf(graph, input.link);
}

/** Buttons and previews come and go without meaning anything. @param {Widget} widget */
function counts(widget) {
  return widget.serialize !== false && widget.options?.serialize !== false && widget.type !== "button";
}

/** @param {GraphNode} node */
function described(node) {
  const widgets = (node.widgets ?? []).filter(counts).map((widget) => [widget.name, widget.value]);
  return [String(node.id), node.type, node.mode ?? 0, widgets];
}

/**
 * @param {GraphNode} node @param {Graph} root
 * @param {{seen: Set<string>, nodes: unknown[], links: unknown[]}} found
 */
function visit(node, root, found) {
  const graph = node.graph ?? root;
  for (const index of (node.inputs ?? []).keys()) {
    const link = inputLink(node, index, graph);
    if (!link) continue;
    found.links.push([String(node.id), index, String(link.origin_id), link.origin_slot ?? 0]);
    const inside = graph.getNodeById?.(link.origin_id), origin = inside ?? hostOf(root, graph);
    if (!origin) continue;
    const name = locatorId(origin, root);
    if (found.seen.has(name)) continue;
    found.seen.add(name);
    for (const inner of inside?.subgraph?.nodes ?? []) found.nodes.push(described(inner));
    found.nodes.push(described(origin));
    visit(origin, root, found);
  }
}

/**
 * A text that changes when anything the node's inputs come from changes; the node's own widgets are not in it.
 * @param {GraphNode} node @param {Graph} root
 */
export function upstreamText(node, root) {
  const found = { seen: new Set([locatorId(node, root)]), nodes: [], links: [] };
  visit(node, root, found);
  return JSON.stringify([found.nodes, found.links]);
}
