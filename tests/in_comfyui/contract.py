"""What saved workflows and prompts rest on: which changes of a schema would break them.

Widget values are saved by position: required inputs, in between those of a dynamic combo's option, then
optional ones. So inputs are added only at the end and optional, and never to an option that exists. A dynamic
combo's choice is saved by its name, and its first option is what a new node starts with: new ones may stand
before it.
"""

from __future__ import annotations

from collections.abc import Iterator

# Other keys of an input change only how it looks.
KEPT = {
    "default",
    "forceInput",
    "socketless",
    "control_after_generate",
    "multiselect",
    "widgetType",
    "template",
}
# Lists of ComfyUI's own, whose order is its own.
HOSTS_LISTS = {"scheduler"}


def violations(frozen: dict, now: dict) -> list[str]:
    """A sentence on everything in the frozen schemas (by id) that the present ones no longer offer."""
    gone = [f"{node} is gone" for node in frozen if node not in now]
    there = (node for node in frozen if node in now)
    return gone + [f"{node}: {what}" for node in there for what in of_node(frozen[node], now[node])]


def of_node(frozen: dict, now: dict) -> Iterator[str]:
    yield from of_groups(frozen, now)
    for key in ("output", "output_name", "output_is_list"):
        if now[key][: len(frozen[key])] != frozen[key]:
            yield f"{key} was {frozen[key]} and is {now[key]}"
    for key in ("is_input_list", "output_node"):
        if now[key] != frozen[key]:
            yield f"{key} was {frozen[key]} and is {now[key]}"


def of_groups(frozen: dict, now: dict) -> Iterator[str]:
    for group in sorted({*frozen["input"], *now["input"]}):
        before, after = (list(schema["input_order"].get(group, [])) for schema in (frozen, now))
        more_allowed = group != "required"
        if after[: len(before)] != before or (len(after) > len(before) and not more_allowed):
            yield f"{group} inputs were {before} and are {after}"
        if sorted(after) != sorted(now["input"].get(group, {})):
            yield f"{group} inputs are listed as {after} but are {sorted(now['input'].get(group, {}))}"
        for name in before:
            if group != "hidden" and name in now["input"].get(group, {}):
                yield from of_input(name, frozen["input"][group][name], now["input"][group][name])


def of_input(name: str, frozen: list, now: list) -> Iterator[str]:
    (kind, before), (other, after) = (entry if len(entry) > 1 else (entry[0], {}) for entry in (frozen, now))
    if kind != other:
        yield f"{name} was of type {kind} and is of type {other}"
        return
    for key in sorted(KEPT):
        if before.get(key) != after.get(key):
            yield f"{name}: {key} was {before.get(key)} and is {after.get(key)}"
    for key, sign in (("min", 1), ("max", -1)):
        # A narrower range refuses what was saved; no limit is the widest.
        if key in after and (key not in before or sign * after[key] > sign * before[key]):
            yield f"{name}: {key} was {before.get(key)} and is {after[key]}"
    yield from of_options(name, before.get("options", []), after.get("options", []))


def of_options(name: str, frozen: list, now: list) -> Iterator[str]:
    before, after = (
        [each["key"] if isinstance(each, dict) else each for each in some] for some in (frozen, now)
    )
    if name in HOSTS_LISTS:
        lost = bool(set(before) - set(after))
    elif any(isinstance(each, dict) for each in frozen):
        lost = [each for each in after if each in before] != before
    else:
        lost = after[: len(before)] != before
    if lost:
        yield f"{name}: the options were {before} and are {after}"
    offered = {each["key"]: each["inputs"] for each in now if isinstance(each, dict)}
    for each in frozen:
        if isinstance(each, dict) and each["key"] in offered:
            where = f"{name}, {each['key']}"
            yield from of_option(where, each["inputs"], offered[each["key"]])


def of_option(where: str, frozen: dict, now: dict) -> Iterator[str]:
    for group in sorted({*frozen, *now}):
        before, after = (list(inputs.get(group, {})) for inputs in (frozen, now))
        if before != after:
            yield f"{where}: {group} inputs were {before} and are {after}"
        for name in before:
            if name in now.get(group, {}):
                for what in of_input(name, frozen[group][name], now[group][name]):
                    yield f"{where}: {what}"
