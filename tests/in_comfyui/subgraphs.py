"""A workflow file without its subgraphs: their nodes in their place, as the page posts them."""

from __future__ import annotations

import copy

INPUTS, OUTPUTS = -10, -20  # what a subgraph's links call its own inputs and outputs
Origin = tuple[object, int]  # a node's id and its output


def flattened(graph: dict) -> dict:
    """The graph with ids as in prompts ("101:3" for node 3 in the subgraph that is node 101).

    AssertionError where a value on a subgraph's node is another than in the subgraph.
    """
    definitions = {each["id"]: each for each in graph.get("definitions", {}).get("subgraphs", [])}
    origins: dict[object, Origin] = {link[0]: (link[1], link[2]) for link in graph["links"]}
    nodes: list[dict] = []
    outputs: dict[Origin, Origin] = {}
    for host in graph["nodes"]:
        if host["type"] not in definitions:
            nodes.append(copy.deepcopy(host))
            continue
        inside, made = within(host, definitions[host["type"]], origins)
        nodes += inside
        outputs |= made
    for node in nodes:
        for slot in node["inputs"]:
            origin = slot.get("origin") or origins.get(slot.get("link"))
            slot["origin"] = outputs.get(origin, origin) if origin else None
    links = [slot for node in nodes for slot in node["inputs"] if slot["origin"]]
    for number, slot in enumerate(links, 1):
        slot["link"] = number
    listed = [[number, *slot["origin"]] for number, slot in enumerate(links, 1)]
    return {"nodes": nodes, "links": listed}


def within(
    host: dict, definition: dict, origins: dict[object, Origin]
) -> tuple[list[dict], dict[Origin, Origin]]:
    """The nodes of a subgraph, and which of their outputs are those of its node."""
    links = {link["id"]: link for link in definition["links"]}
    shown = iter(host["widgets_values"])
    values = {slot["name"]: next(shown) for slot in host["inputs"] if "widget" in slot}
    nodes = copy.deepcopy(definition["nodes"])
    for node in nodes:
        for slot in node["inputs"]:
            link = links.get(slot.pop("link", None))
            if link is None:
                continue
            if link["origin_id"] != INPUTS:
                slot["origin"] = (f"{host['id']}:{link['origin_id']}", link["origin_slot"])
                continue
            outer = host["inputs"][link["origin_slot"]]
            if outer["link"] is not None:
                slot["origin"] = origins[outer["link"]]
            else:
                assert values[outer["name"]] in node["widgets_values"], (host["title"], outer["name"])
        node["id"] = f"{host['id']}:{node['id']}"
    ends = {
        (host["id"], link["target_slot"]): (f"{host['id']}:{link['origin_id']}", link["origin_slot"])
        for link in links.values()
        if link["target_id"] == OUTPUTS
    }
    return nodes, ends
