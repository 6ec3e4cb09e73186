"""API-format workflows: read them, find nodes in them, set their inputs."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..ending import Misuse
from ..words import line
from . import answers, definitions
from .answers import items, record, text

Definition = Callable[[str], dict | None]
EDITOR_FORMAT = (
    "{path} is a workflow in the editor's format; open it in ComfyUI, export it with "
    "Workflow > Export (API), and run that file."
)


class WorkflowError(Misuse):
    """A sentence for the user about the file or a setting."""


@dataclass(frozen=True)
class Upload:
    """Stands for the name that the server will give to a file of the user's."""

    path: Path


def read(path: Path) -> dict:
    """The prompt in the file; WorkflowError says what else is in it."""
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WorkflowError(f"Cannot read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{path} is not a JSON file, but holds binary data.") from error
    try:
        prompt = answers.parse(content)
    except ValueError as error:
        raise WorkflowError(f"{path} is not JSON: {line(error)}.") from error
    if isinstance(prompt, dict) and isinstance(prompt.get("nodes"), list):
        raise WorkflowError(EDITOR_FORMAT.format(path=path))
    check(prompt, path)
    return prompt


def check(prompt: object, path: Path) -> None:
    """Raise WorkflowError unless `prompt` is nodes by id, each with a class, inputs and existing links."""
    if not isinstance(prompt, dict) or not prompt:
        raise WorkflowError(
            f"{path} holds no workflow; a file exported with Workflow > Export (API) is needed."
        )
    for identity, node in prompt.items():
        whole = isinstance(node, dict) and isinstance(node.get("inputs"), dict)
        if not whole or not isinstance(node.get("class_type"), str):
            raise WorkflowError(
                f"{path} is not an API-format workflow: '{line(identity, 80)}' is no node with class_type "
                "and inputs."
            )
    for identity, node in prompt.items():
        for name, value in node["inputs"].items():
            if is_link(value) and value[0] not in prompt:
                raise WorkflowError(
                    f"{path}: input {line(name, 80)} of {describe(prompt, identity)} is connected to node "
                    f"{line(value[0], 80)}, which is not in the file."
                )


def is_link(value: object) -> bool:
    """True for [node id, output number]."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and not isinstance(value[1], bool)
    )


def title(prompt: dict, identity: str) -> str:
    """The node's title, or its class when it has none."""
    node = record(prompt.get(identity))
    return text(record(node.get("_meta")).get("title")) or text(node.get("class_type")) or f"node {identity}"


def describe(prompt: dict, identity: str) -> str:
    """Title, class and id of a node, for messages."""
    kind = text(record(prompt.get(identity)).get("class_type"))
    name, known, number = line(title(prompt, identity), 80), line(kind, 80), line(identity, 80)
    if title(prompt, identity) in (kind, f"node {identity}"):
        return f"{known or 'an unknown node'} (node {number})"
    return f'"{name}" ({known}, node {number})'


def find(prompt: dict, key: str) -> str | None:
    """The id of the node with this id, title or class, in this order; None when there is none.

    Raises WorkflowError when a title or class fits several nodes.
    """
    if key in prompt:
        return key
    titles = [identity for identity, node in prompt.items() if record(node.get("_meta")).get("title") == key]
    found = titles or [identity for identity, node in prompt.items() if node["class_type"] == key]
    if len(found) > 1:
        raise WorkflowError(
            f"'{line(key, 120)}' could be any of the nodes {line(', '.join(found))}; "
            "say the id of the one you mean."
        )
    return found[0] if found else None


def locate(prompt: dict, target: str) -> tuple[str, str]:
    """(node id, input name) of NODE.INPUT; titles and inputs may contain dots themselves."""
    places = [index for index, character in enumerate(target) if character == "."]
    candidates = [
        (identity, target[place + 1 :]) for place in places if (identity := find(prompt, target[:place]))
    ]
    for identity, name in candidates:
        if name in prompt[identity]["inputs"]:
            return identity, name
    if candidates:
        return candidates[0]
    known = line(", ".join(f'{identity} "{title(prompt, identity)}"' for identity in prompt))
    raise WorkflowError(
        f"There is no node for '{line(target, 120)}'; use NODE.INPUT with one of these nodes: {known}."
    )


def kind_of(entry: tuple[object, dict] | None, present: object) -> str:
    """INT, FLOAT, BOOLEAN, STRING, COMBO or LINK, from the declaration or else from the present value."""
    kind = entry[0] if entry else None
    if isinstance(kind, list) or kind in ("COMBO", definitions.DYNAMIC):
        return "COMBO"
    if kind == "COLOR":
        return "STRING"
    if kind in ("INT", "FLOAT", "BOOLEAN", "STRING"):
        return str(kind)
    for python, name in ((bool, "BOOLEAN"), (int, "FLOAT"), (float, "FLOAT"), (str, "STRING")):
        if isinstance(present, python):
            return name
    return "JSON" if isinstance(present, dict) or (present is not None and not is_link(present)) else "LINK"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def parse(raw: str) -> object:
    """The JSON value, or the text itself where it is none."""
    try:
        return answers.parse(raw, _refuse_constant)
    except ValueError:
        return raw


EXPECTED = {
    "BOOLEAN": "true or false",
    "INT": "a whole number",
    "FLOAT": "a number",
    "LINK": 'a connection like ["4", 0]',
    "JSON": "JSON of the same kind as before",
}


def convert(raw: str, kind: str, entry: tuple[object, dict] | None, present: object, prompt: dict) -> object:
    """The value that `raw` means for an input of this kind; WorkflowError says what was expected."""
    value = parse(raw)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_link(value) and value[0] in prompt and kind != "STRING":
        return value
    if kind == "BOOLEAN" and isinstance(value, bool):
        return value
    if kind == "INT" and number and float(value).is_integer():
        return int(value)
    if kind == "FLOAT" and number and math.isfinite(value):
        return value
    if kind == "JSON" and type(value) is type(present):
        return value
    if kind in ("STRING", "COMBO"):
        known = definitions.choices(entry) if kind == "COMBO" else []
        return value if isinstance(value, str) or value in known else raw
    raise WorkflowError(f"expected {EXPECTED[kind]}, got '{line(raw, 120)}'")


def attach(raw: str, kind: str) -> object:
    """What @FILE means: an upload where a file is chosen, the file's text where text is expected."""
    try:
        path = Path(raw).expanduser()
        found = path.is_file()
    except (OSError, RuntimeError, ValueError):  # A home of nobody, a name too long, no right to look.
        path, found = Path(raw), False
    if not found:
        raise WorkflowError(f"there is no file {line(path, 200)}")
    if kind == "COMBO":
        return Upload(path)
    if kind != "STRING":
        raise WorkflowError(f"a file fits a choice of files or a text, but this input takes {EXPECTED[kind]}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkflowError(f"{line(path, 200)} is not a text file") from error


def apply(prompt: dict, settings: list[str], definition: Definition) -> dict:
    """A copy of the prompt with every NODE.INPUT=VALUE in `settings` set; the file's own values stay checked.

    VALUE is JSON or text; @FILE is a file (see `attach`), @@ begins a text with an at sign. A dynamic choice
    brings its inputs with their defaults, in whatever order they are set.
    """
    prompt, wanted = copy.deepcopy(prompt), []
    for setting in settings:
        target, equals, raw = setting.partition("=")
        if not equals or "." not in target:
            raise WorkflowError(f"'{line(setting, 200)}' is not of the form NODE.INPUT=VALUE.")
        wanted.append((*locate(prompt, target), raw))
    # A choice decides which inputs there are, and theirs have more dots.
    for identity, name, raw in sorted(wanted, key=lambda each: each[1].count(".")):
        put(prompt, identity, name, raw, definition(prompt[identity]["class_type"]))
    return prompt


def put(prompt: dict, identity: str, name: str, raw: str, known: dict | None) -> None:
    """Set one input of a node with the definition `known`; WorkflowError where that cannot be."""
    inputs = prompt[identity]["inputs"]
    entry, where = definitions.declared(known, name, inputs), describe(prompt, identity)
    if entry is None:
        if why := definitions.missing_choice(known, name, inputs):
            raise WorkflowError(f"{where}: input {line(name, 80)} {why}.")
        if name not in inputs:
            has = line(", ".join(inputs)) or "none"
            raise WorkflowError(f"{where} has no input {line(name, 80)}; it has {has}.")
    present = inputs.get(name)
    kind = kind_of(entry, present)
    dynamic = bool(entry) and entry[0] == definitions.DYNAMIC
    try:
        if raw.startswith("@") and not raw.startswith("@@") and not dynamic:
            inputs[name] = attach(raw[1:], kind)
        else:
            raw = raw[1:] if raw.startswith("@@") else raw
            inputs[name] = convert(raw, kind, entry, present, prompt)
        # Any other list may be wider than its declaration: the server knows, and refuses what does not fit.
        if entry and kind == "COMBO" and (dynamic or "." in name):
            check_choice(entry, inputs[name], dynamic)
    except WorkflowError as error:
        raise WorkflowError(f"Input {line(name, 80)} of {where}: {error}.") from error
    if dynamic:
        definitions.fill(known, name, inputs)


def check_choice(entry: tuple[object, dict], value: object, dynamic: bool) -> None:
    """WorkflowError unless the value is one of the declared ones or comes from elsewhere."""
    known = definitions.choices(entry)
    elsewhere = isinstance(value, Upload) or is_link(value) or entry[1].get("multiselect")
    if known and value not in known and (dynamic or not elsewhere):
        raise WorkflowError(f"expected one of {definitions.listed(known)}; got '{line(value, 120)}'")


def check_with_server(prompt: dict, definition: Definition) -> None:
    """WorkflowError for what ComfyUI does not notice itself: choices it drops, outputs that are not there."""
    for identity, node in prompt.items():
        known = definition(node["class_type"])
        if known and (why := definitions.wrong_choice(known, node["inputs"])):
            raise WorkflowError(f"{describe(prompt, identity)}: {why}.")
        for name, value in node["inputs"].items():
            if not is_link(value):
                continue
            source, output = value
            outputs = items(record(definition(prompt[source]["class_type"])).get("output"))
            if output < 0 or (outputs and output >= len(outputs)):
                there = f"which has {len(outputs)}, " if outputs else ""
                raise WorkflowError(
                    f"{describe(prompt, identity)}: input {line(name, 80)} is connected to output "
                    f"{line(output, 20)} of {describe(prompt, source)}, {there}counted from 0."
                )


def uploads(prompt: dict) -> list[tuple[str, str, Path]]:
    """(node id, input, file) of every upload that still waits."""
    return [
        (identity, name, value.path)
        for identity, node in prompt.items()
        for name, value in node["inputs"].items()
        if isinstance(value, Upload)
    ]
