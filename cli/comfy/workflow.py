"""API-format workflows: read them, find nodes in them, set their inputs."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Definition = Callable[[str], dict | None]
EDITOR_FORMAT = (
    "{path} is a workflow in the editor's format; open it in ComfyUI, export it with "
    "Workflow > Export (API), and run that file."
)


class WorkflowError(ValueError):
    """A sentence for the user about the file or a setting."""


@dataclass(frozen=True)
class Upload:
    """Stands for the name that the server will give to a file of the user's."""

    path: Path


def read(path: Path) -> dict:
    """The prompt in the file; WorkflowError says what else is in it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WorkflowError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{path} is not a JSON file, but holds binary data.") from error
    try:
        prompt = json.loads(text)
    except ValueError as error:
        raise WorkflowError(f"{path} is not JSON: {error}.") from error
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
                f"{path} is not an API-format workflow: '{identity}' is no node with class_type and inputs."
            )
    for identity, node in prompt.items():
        for name, value in node["inputs"].items():
            if is_link(value) and value[0] not in prompt:
                raise WorkflowError(
                    f"{path}: input {name} of {describe(prompt, identity)} is connected to node {value[0]}, "
                    "which is not in the file."
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
    node = prompt.get(identity, {})
    return (node.get("_meta") or {}).get("title") or node.get("class_type") or f"node {identity}"


def describe(prompt: dict, identity: str) -> str:
    """Title, class and id of a node, for messages."""
    name, kind = title(prompt, identity), prompt.get(identity, {}).get("class_type")
    if name in (kind, f"node {identity}"):
        return f"{kind or 'an unknown node'} (node {identity})"
    return f'"{name}" ({kind}, node {identity})'


def find(prompt: dict, key: str) -> str | None:
    """The id of the node with this id, title or class, in this order; None when there is none.

    Raises WorkflowError when a title or class fits several nodes.
    """
    if key in prompt:
        return key
    titles = [identity for identity, node in prompt.items() if (node.get("_meta") or {}).get("title") == key]
    found = titles or [identity for identity, node in prompt.items() if node["class_type"] == key]
    if len(found) > 1:
        raise WorkflowError(
            f"'{key}' could be any of the nodes {', '.join(found)}; say the id of the one you mean."
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
    known = ", ".join(f'{identity} "{title(prompt, identity)}"' for identity in prompt)
    raise WorkflowError(f"There is no node for '{target}'; use NODE.INPUT with one of these nodes: {known}.")


def declared(definition: dict | None, name: str, inputs: dict) -> tuple[object, dict] | None:
    """(type, options) that the server declares for an input, also a dotted one; None when it does not."""
    sections = (definition or {}).get("input") or {}
    parts = name.split(".")
    while parts:
        entry = None
        for section in ("required", "optional"):
            entry = entry or (sections.get(section) or {}).get(parts[0])
        if entry is None:
            return None
        kind, options = entry[0], entry[1] if len(entry) > 1 else {}
        if len(parts) == 1:
            return kind, options
        chosen = inputs.get(name.rsplit(".", len(parts) - 1)[0])
        choices = [choice for choice in options.get("options", []) if isinstance(choice, dict)]
        sections = next((choice["inputs"] for choice in choices if choice.get("key") == chosen), {})
        parts = parts[1:]
    return None


def kind_of(entry: tuple[object, dict] | None, present: object) -> str:
    """INT, FLOAT, BOOLEAN, STRING, COMBO or LINK, from the declaration or else from the present value."""
    kind = entry[0] if entry else None
    if isinstance(kind, list) or kind in ("COMBO", "COMFY_DYNAMICCOMBO_V3"):
        return "COMBO"
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
        return json.loads(raw, parse_constant=_refuse_constant)
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
        options = entry[1].get("options", entry[0]) if entry and kind == "COMBO" else []
        return value if isinstance(value, str) or (isinstance(options, list) and value in options) else raw
    raise WorkflowError(f"expected {EXPECTED[kind]}, got '{raw}'")


def attach(raw: str, kind: str) -> object:
    """What @FILE means: an upload where a file is chosen, the file's text where text is expected."""
    path = Path(raw).expanduser()
    if not path.is_file():
        raise WorkflowError(f"there is no file {path}")
    if kind == "COMBO":
        return Upload(path)
    if kind != "STRING":
        raise WorkflowError(f"a file fits a choice of files or a text, but this input takes {EXPECTED[kind]}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkflowError(f"{path} is not a text file") from error


def apply(prompt: dict, settings: list[str], definition: Definition) -> dict:
    """A copy of the prompt with every NODE.INPUT=VALUE in `settings` set; the file's own values stay checked.

    VALUE is JSON or text; @FILE is a file (see `attach`), @@ begins a text with an at sign.
    """
    prompt = copy.deepcopy(prompt)
    for setting in settings:
        target, equals, raw = setting.partition("=")
        if not equals or "." not in target:
            raise WorkflowError(f"'{setting}' is not of the form NODE.INPUT=VALUE.")
        identity, name = locate(prompt, target)
        node = prompt[identity]
        entry = declared(definition(node["class_type"]), name, node["inputs"])
        if entry is None and name not in node["inputs"]:
            known = ", ".join(node["inputs"]) or "none"
            raise WorkflowError(f"{describe(prompt, identity)} has no input {name}; it has {known}.")
        present = node["inputs"].get(name)
        kind = kind_of(entry, present)
        try:
            if raw.startswith("@") and not raw.startswith("@@"):
                node["inputs"][name] = attach(raw[1:], kind)
            else:
                raw = raw[1:] if raw.startswith("@@") else raw
                node["inputs"][name] = convert(raw, kind, entry, present, prompt)
        except WorkflowError as error:
            raise WorkflowError(f"Input {name} of {describe(prompt, identity)}: {error}.") from error
    return prompt


def uploads(prompt: dict) -> list[tuple[str, str, Path]]:
    """(node id, input, file) of every upload that still waits."""
    return [
        (identity, name, value.path)
        for identity, node in prompt.items()
        for name, value in node["inputs"].items()
        if isinstance(value, Upload)
    ]
