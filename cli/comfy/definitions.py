"""What a server declares about a node's inputs: types, choices, defaults, and what hangs on a choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..words import line
from .answers import items, record

DYNAMIC = "COMFY_DYNAMICCOMBO_V3"
SHOWN = 12  # choices in a sentence
EMPTY = {"BOOLEAN": False, "STRING": ""}


def typed(entry: object) -> tuple[object, dict]:
    """The type and the settings of an input's declaration, None and {} where it has none."""
    parts = list(entry) if isinstance(entry, list | tuple) else []
    return (parts[0] if parts else None), record(parts[1] if len(parts) > 1 else None)


def choices(entry: object) -> list:
    """The values that an input accepts by its declaration; [] where there is no list of them."""
    kind, settings = typed(entry)
    if isinstance(kind, list):
        return kind
    options = items(settings.get("options"))
    return [option.get("key") if isinstance(option, dict) else option for option in options]


def listed(values: list) -> str:
    """The values as a readable list that does not fill the screen."""
    shown = ", ".join(line(value, 80) for value in values[:SHOWN])
    return shown + (f" and {len(values) - SHOWN} more" if len(values) > SHOWN else "")


def active(definition: object, inputs: dict) -> Iterator[tuple[str, tuple[object, dict]]]:
    """Every declared input and its declaration; those of a dynamic choice as far as `inputs` make it.

    What is set in `inputs` between two steps counts.
    """
    yield from _active(record(definition).get("input"), "", inputs)


def _active(sections: object, prefix: str, inputs: dict) -> Iterator[tuple[str, tuple[object, dict]]]:
    for section in ("required", "optional"):
        for name, entry in record(record(sections).get(section)).items():
            kind, settings = typed(entry)
            yield f"{prefix}{name}", (kind, settings)
            if kind == DYNAMIC:
                options = [each for each in items(settings.get("options")) if isinstance(each, dict)]
                chosen = [each for each in options if each.get("key") == inputs.get(f"{prefix}{name}")]
                if chosen:
                    yield from _active(chosen[0].get("inputs"), f"{prefix}{name}.", inputs)


def declared(definition: object, name: str, inputs: dict) -> tuple[object, dict] | None:
    """(type, settings) that the server declares for an input, also a dotted one; None when it does not."""
    return next((entry for full, entry in active(definition, inputs) if full == name), None)


def default(entry: tuple[object, dict]) -> Any:
    """What the page puts into an input that nobody has set; None for what only a connection gives."""
    kind, settings = entry
    if "default" in settings:
        return settings["default"]
    if settings.get("forceInput"):
        return None
    if kind in ("INT", "FLOAT"):
        least = settings.get("min")
        return max(0, least) if isinstance(least, int | float) else 0
    known = choices(entry)
    return known[0] if known else EMPTY.get(str(kind))


def fill(definition: object, name: str, inputs: dict) -> None:
    """After the dynamic choice `name`: its inputs get their defaults, those of the other choices go."""
    kept = {name}
    for full, entry in active(definition, inputs):
        if full.startswith(f"{name}."):
            kept.add(full)
            if full not in inputs and default(entry) is not None:
                inputs[full] = default(entry)
    # Inputs that grow with what is connected are declared once, as the part before the dot.
    for full in [each for each in inputs if each.startswith(f"{name}.")]:
        if not any(full == each or full.startswith(f"{each}.") for each in kept - {name}):
            del inputs[full]


def missing_choice(definition: object, name: str, inputs: dict) -> str | None:
    """One sentence's end on the choice that an input needs and that is not made; None where it needs none."""
    known = dict(active(definition, inputs))
    parent = name.rpartition(".")[0]
    while parent and parent not in known:
        parent = parent.rpartition(".")[0]
    if not parent or known[parent][0] != DYNAMIC or name in known:
        return None
    chosen = line(inputs.get(parent), 80)
    with_it = [
        key
        for key in choices(known[parent])
        if declared(definition, name, {**inputs, parent: key}) is not None
    ]
    if with_it:
        return f"belongs to {parent} {listed(with_it)}, but {parent} is {chosen}; set {parent} as well"
    there = [full for full in known if full.startswith(f"{parent}.")]
    return f"does not exist; with {parent} {chosen} there is {listed(there) or 'none'}"


def wrong_choice(definition: object, inputs: dict) -> str | None:
    """One sentence's end on the first dynamic choice that is none of those declared; None without one."""
    for full, (kind, settings) in active(definition, inputs):
        known = choices((kind, settings))
        if kind == DYNAMIC and known and inputs.get(full) not in known:
            got = f"got '{line(inputs[full], 120)}'" if full in inputs else "got none"
            return f"input {full}: expected one of {listed(known)}; {got}"
    return None
