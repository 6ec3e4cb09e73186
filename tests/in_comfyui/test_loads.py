"""What ComfyUI's own loader gets from the pack: exactly the committed ids and schemas.

`UPDATE_SCHEMAS=1` rewrites the committed list; a change there is a change of the file format. What saved
workflows rest on is in a second list, which stays as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from recompose.tests.in_comfyui import contract

DATA = Path(__file__).resolve().parent.parent / "data"
COMMITTED, FROZEN = DATA / "schemas.json", DATA / "contract_schemas.json"
FOLDER = "ComfyUI-Recompose 0 main"
LOADER = """
import asyncio, json, logging, sys
import comfy.options
comfy.options.enable_args_parsing()
import comfy.cli_args, comfy.supported_models, nodes
core = dict(nodes.NODE_CLASS_MAPPINGS)
models = list(comfy.supported_models.models)
before = set(sys.modules)
asyncio.run(nodes.init_external_custom_nodes())
added = {name: found for name, found in nodes.NODE_CLASS_MAPPINGS.items() if name not in core}
print(json.dumps({
    "schemas": {name: found.GET_NODE_INFO_V1() for name, found in added.items()},
    "core_kept": all(nodes.NODE_CLASS_MAPPINGS[name] is found for name, found in core.items()),
    "models_kept": comfy.supported_models.models == models,
    "web": sorted(nodes.EXTENSION_WEB_DIRS),
    "heavy": sorted((set(sys.modules) - before) & {
        "transformers", "torchvision", "skimage", "cv2", "controlnet_aux", "rtmlib", "onnxruntime"
    }),
}))
"""
SHOWN = {"tooltip", "description", "display_name", "search_aliases", "output_tooltips", "python_module"}
# Lists of files differ from machine to machine.
FILE_LISTS = {("RecomposeLoadPose", "file"), ("RecomposeBlipCaption", "model")}


@pytest.fixture(scope="module")
def loaded(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a ComfyUI with this pack alone reports, the pack's folder having a dash and a space."""
    base = tmp_path_factory.mktemp("alone")
    (base / "custom_nodes").mkdir()
    (base / "custom_nodes" / FOLDER).symlink_to(root, target_is_directory=True)
    command = [sys.executable, "-c", LOADER, "--cpu", "--base-directory", str(base)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=os.environ["COMFYUI_PATH"], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    said = done.stdout + done.stderr
    assert f"from the folder {FOLDER!r}; rename it to comfyui-recompose" in said
    assert "IMPORT FAILED" not in said and "Error while calling" not in said, said[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def format_of(value: object) -> object:
    """A schema without what is only shown: names on screen, descriptions and tooltips."""
    if isinstance(value, dict):
        return {key: format_of(inner) for key, inner in value.items() if key not in SHOWN}
    return [format_of(inner) for inner in value] if isinstance(value, list | tuple) else value


def file_formats(schemas: dict) -> dict:
    """What workflow files depend on in each schema, without the lists of files under the user's folders."""
    schemas = format_of(schemas)
    for node, name in FILE_LISTS:
        schemas[node]["input"]["required"][name][1].pop("options")
    return schemas


def test_ids_and_schemas_equal_the_committed_list(loaded: dict) -> None:
    found = file_formats(loaded["schemas"])
    if os.environ.get("UPDATE_SCHEMAS"):
        COMMITTED.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")
    committed = json.loads(COMMITTED.read_text())
    assert sorted(found) == sorted(committed)
    for name, schema in committed.items():
        assert found[name] == schema, f"{name} is not what the committed schemas say"
        assert [list(group) for group in found[name]["input_order"].values()] == [
            list(group) for group in schema["input_order"].values()
        ]


def test_every_node_is_ours_by_name_and_place(loaded: dict) -> None:
    assert loaded["schemas"], "nothing was loaded"
    for name, schema in loaded["schemas"].items():
        assert name.startswith("Recompose")
        assert schema["category"].split("/")[0] == "recompose"
        assert schema["python_module"] == f"custom_nodes.{FOLDER}"


def test_the_host_stays_as_it_was(loaded: dict) -> None:
    assert loaded["core_kept"]
    assert loaded["models_kept"], "the pack alone must leave comfy.supported_models.models untouched"
    assert loaded["heavy"] == [], "loading the pack must not import these"


def test_the_architecture_page_names_every_node(loaded: dict, root: Path) -> None:
    page = (root / "docs" / "architecture.md").read_text()
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `Recompose")}
    assert rows == set(loaded["schemas"])


def test_all_that_saved_workflows_rest_on_is_still_there(loaded: dict) -> None:
    """The frozen list is never written anew: what it holds has been promised."""
    assert contract.violations(json.loads(FROZEN.read_text()), file_formats(loaded["schemas"])) == []


def rename_input(schemas: dict) -> None:
    node = schemas["RecomposeCropToRegion"]
    required = node["input"]["required"]
    node["input"]["required"] = {
        {"margin": "border"}.get(name, name): entry for name, entry in required.items()
    }
    node["input_order"]["required"] = list(node["input"]["required"])


def insert(schemas: dict, group: str, at: int) -> None:
    node = schemas["RecomposeCropToRegion"]
    names = node["input_order"][group]
    names.insert(at, "new")
    entries = {**node["input"][group], "new": ["INT", {"default": 1}]}
    node["input"][group] = {name: entries[name] for name in names}


def options(schemas: dict, node: str, name: str) -> list:
    return schemas[node]["input"]["required"][name][1]["options"]


BREAKS: dict[str, Callable[[dict], object]] = {
    "node gone": lambda s: s.pop("RecomposePatch"),
    "input renamed": rename_input,
    "inputs reordered": lambda s: s["RecomposeCropToRegion"]["input_order"]["required"].reverse(),
    "new required input": lambda s: insert(s, "required", 8),
    "new required input in the middle": lambda s: insert(s, "required", 2),
    "new optional input in the middle": lambda s: insert(s, "optional", 1),
    "option removed": lambda s: options(s, "RecomposeFeatherMask", "direction").pop(),
    "option inserted": lambda s: options(s, "RecomposeFeatherMask", "direction").insert(0, "new"),
    "ComfyUI's scheduler gone": lambda s: options(s, "RecomposeRePaint", "scheduler").remove("simple"),
    "options with inputs reordered": lambda s: options(s, "RecomposeExtendCanvas", "fill").reverse(),
    "option with inputs removed": lambda s: options(s, "RecomposeExtendCanvas", "fill").pop(),
    "input of an option gone": lambda s: options(s, "RecomposeExtendCanvas", "mode")[0]["inputs"][
        "required"
    ].popitem(),
    "new input of an option": lambda s: options(s, "RecomposeExtendCanvas", "mode")[0]["inputs"].update(
        optional={"new": ["INT", {"default": 1}]}
    ),
    "default changed": lambda s: s["RecomposeCropToRegion"]["input"]["required"]["width"][1].update(
        default=1024
    ),
    "type changed": lambda s: s["RecomposePatch"]["input"]["required"].update(mask=["IMAGE", {}]),
    "range narrowed": lambda s: s["RecomposeCropToRegion"]["input"]["required"]["width"][1].update(min=64),
    "optional made required": lambda s: move_to_required(s["RecomposeCropToRegion"], "mask"),
    "outputs reordered": lambda s: s["RecomposeCropToRegion"]["output"].reverse(),
    "output renamed": lambda s: s["RecomposeCropToRegion"]["output_name"].__setitem__(0, "crop"),
}


def move_to_required(node: dict, name: str) -> None:
    node["input"]["required"][name] = node["input"]["optional"].pop(name)
    node["input_order"] = {group: list(inputs) for group, inputs in node["input"].items()}


@pytest.mark.parametrize("plant", BREAKS.values(), ids=BREAKS)
def test_what_would_break_saved_workflows_is_found(plant: Callable[[dict], object]) -> None:
    frozen, now = (json.loads(FROZEN.read_text()) for _ in range(2))
    plant(now)
    assert contract.violations(frozen, now)


def test_what_comes_at_the_end_breaks_nothing() -> None:
    frozen, now = (json.loads(FROZEN.read_text()) for _ in range(2))
    insert(now, "optional", 4)
    now["RecomposeNew"] = {}
    options(now, "RecomposeFeatherMask", "direction").append("new")
    options(now, "RecomposeRePaint", "scheduler").insert(0, "new of ComfyUI's")
    new = {"key": "new", "inputs": {"required": {"size": ["INT", {"default": 1}]}}}
    options(now, "RecomposeExtendCanvas", "mode").append(new)
    for key, more in (("output", "INT"), ("output_name", "count"), ("output_is_list", False)):
        now["RecomposeCropToRegion"][key].append(more)
    assert contract.violations(frozen, now) == []
