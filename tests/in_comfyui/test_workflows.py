"""The workflow files: both twins say the same, fit the running server, and come with a picture."""

from __future__ import annotations

import asyncio
import copy
import json
import time
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.request import urlopen

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from recompose.cli.comfy import workflow
from recompose.cli.comfy.client import Refused
from recompose.lab.toy import templates
from recompose.tests.in_comfyui import main_job, subgraphs

FOLDER = Path(__file__).resolve().parents[2] / "workflows"
FILES = sorted(FOLDER.glob("*.json"))
# The templates' prompts as they first were; never written anew, for users' scripts hold copies of them.
FROZEN = json.loads((FOLDER.parent / "tests" / "data" / "contract_prompts.json").read_text("utf-8"))
NOTES = {"MarkdownNote", "Note"}
ANY = ("*", "COMFY_MATCHTYPE_V3")
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
# Which files exist differs from machine to machine.
FILE_CHOICES = {"image", "ckpt_name", "control_net_name", "model", "file"}
TITLES = {
    "Photo": "LoadImage",
    "Checkpoint": "CheckpointLoaderSimple",
    "ControlNet": "ControlNetLoader",
    "Caption": "RecomposeBlipCaption",
    "Detect Pose": "RecomposeDetectPose",
    "Complete Pose": "RecomposeCompletePose",
    "Edit Pose": "RecomposeEditPose",
    "Extend Canvas": "RecomposeExtendCanvas",
    "Crop to Region": "RecomposeCropToRegion",
    "Draw Pose": "RecomposeDrawPose",
    "Stitch Back": "RecomposeStitchBack",
    "Skeleton": "PreviewImage",
    "Extended canvas": "PreviewImage",
    "Repaint mask": "PreviewImage",
    "Full body": "SaveImage",
    "Outpaint": "KSampler",
    "ControlNet pass": "KSampler",
    "Your words": "PrimitiveStringMultiline",
    "Negative": "CLIPTextEncode",
}


@pytest.fixture(scope="module")
def definitions(server) -> dict:
    return server.client.nodes()


def declared(sections: dict, prefix: str, chosen: dict) -> list[tuple[str, object, dict, bool]]:
    """(name, type, options, required) of every input in order, those under a chosen option included."""
    found = []
    for section in ("required", "optional"):
        for name, entry in sections.get(section, {}).items():
            kind, options = entry[0], entry[1] if len(entry) > 1 else {}
            found.append((prefix + name, kind, options, section == "required"))
            if kind == "COMFY_DYNAMICCOMBO_V3":
                option = next(o for o in options["options"] if o["key"] == chosen(prefix + name))
                found += declared(option["inputs"], f"{prefix}{name}.", chosen)
            if kind == "COMFY_AUTOGROW_V3":
                found.pop()
                (template,) = options["template"]["input"]["required"].values()
                names = [f"{prefix}{name}.{options['template']['prefix']}{index}" for index in range(10)]
                found += [(grown, template[0], {}, False) for grown in names]
    return found


def is_widget(kind: object, options: dict) -> bool:
    typed = isinstance(kind, list) or kind in WIDGETS or kind == "COMFY_DYNAMICCOMBO_V3"
    return typed and not options.get("forceInput")


def widget_values(node: dict, definition: dict) -> dict:
    """The editor's positional widget values under the names of the definition's inputs."""
    values, found = list(node.get("widgets_values") or []), {}

    def take(sections: dict, prefix: str) -> None:
        for section in ("required", "optional"):
            for name, entry in sections.get(section, {}).items():
                kind, options = entry[0], entry[1] if len(entry) > 1 else {}
                if not is_widget(kind, options):
                    continue
                found[prefix + name] = values.pop(0)
                if options.get("control_after_generate") or options.get("image_upload"):
                    values.pop(0)
                if kind == "COMFY_DYNAMICCOMBO_V3":
                    option = next(o for o in options["options"] if o["key"] == found[prefix + name])
                    take(option["inputs"], f"{prefix}{name}.")

    take(definition["input"], "")
    assert values == [], f"{node['type']} {node['id']} has {len(values)} values too many"
    return found


def prompt_of(graph: dict, definitions: dict) -> dict:
    """The prompt the editor would post for its own file."""
    graph = subgraphs.flattened(graph)
    origins = {link[0]: [str(link[1]), link[2]] for link in graph["links"]}
    prompt = {}
    for node in graph["nodes"]:
        if node["type"] in NOTES:
            continue
        assert node["mode"] == 0, f"{node['type']} {node['id']} is muted or bypassed"
        definition = definitions[node["type"]]
        inputs = widget_values(node, definition)
        inputs |= {
            slot["name"]: origins[slot["link"]] for slot in node["inputs"] if slot.get("link") is not None
        }
        title = node.get("title") or definition["display_name"]
        prompt[str(node["id"])] = {"inputs": inputs, "class_type": node["type"], "_meta": {"title": title}}
    return prompt


@cache
def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_twins_describe_the_same_graph(path: Path, definitions: dict) -> None:
    shown, posted = prompt_of(read(path), definitions), read(FOLDER / "api" / path.name)
    assert sorted(shown) == sorted(posted)
    for node, entry in posted.items():
        assert shown[node] == entry


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_value_fits_its_node(path: Path, definitions: dict) -> None:
    prompt = read(FOLDER / "api" / path.name)
    for identity, node in prompt.items():
        where, inputs = workflow.describe(prompt, identity), node["inputs"]
        rows = declared(definitions[node["class_type"]]["input"], "", inputs.get)
        assert set(inputs) <= {name for name, *_ in rows}, where
        for name, kind, options, required in rows:
            if name not in inputs:
                assert not required, f"{where}: {name} is missing"
            else:
                assert fits(inputs[name], kind, options, name, prompt, definitions), f"{where}: {name}"


def fits(value: object, kind: object, options: dict, name: str, prompt: dict, definitions: dict) -> bool:
    if workflow.is_link(value):
        origin = definitions[prompt[value[0]]["class_type"]]["output"][value[1]]
        return kind in (origin, *ANY) or origin in ANY
    if kind in ("INT", "FLOAT"):
        number = isinstance(value, int if kind == "INT" else int | float) and not isinstance(value, bool)
        return number and options.get("min", value) <= value <= options.get("max", value)
    if kind in ("STRING", "BOOLEAN"):
        return isinstance(value, {"STRING": str, "BOOLEAN": bool}[kind])
    allowed = kind if isinstance(kind, list) else options["options"]
    allowed = [option["key"] if isinstance(option, dict) else option for option in allowed]
    return isinstance(value, str) and (value in allowed or name in FILE_CHOICES)


def test_a_wrong_value_would_be_found(definitions: dict) -> None:
    prompt = read(FOLDER / "api" / "full_body.json")
    rows = {row[0]: row[1:3] for row in declared(definitions["KSampler"]["input"], "", {}.get)}
    for name, wrong in [
        ("steps", 0),
        ("steps", 2.5),
        ("cfg", "7"),
        ("sampler_name", "eulr"),
        ("model", ["1", 0]),
    ]:
        assert not fits(wrong, *rows[name], name, prompt, definitions)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_workflow_has_a_picture(path: Path) -> None:
    picture = path.with_suffix(".jpg")
    with Image.open(picture) as image:
        assert image.format == "JPEG"
        assert 256 <= image.width <= 1024 and 256 <= image.height <= 1024
    assert picture.stat().st_size <= 200_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_template_is_listed_once(path: Path, server) -> None:
    with urlopen(f"{server.url}/workflow_templates") as answer:
        assert sum(path.stem in names for names in json.load(answer).values()) == 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_template_is_served_with_its_picture(path: Path, comfy) -> None:
    """By ComfyUI's own routes, which serve no files of a pack whose folder name holds a space."""
    from app.custom_node_manager import CustomNodeManager

    application = web.Application()
    CustomNodeManager().add_routes(
        web.RouteTableDef(), application, [("comfyui-recompose", str(FOLDER.parent))]
    )

    async def fetch(*names: str) -> list[bytes]:
        async with TestClient(TestServer(application)) as client:
            answers = [
                await client.get(f"/api/workflow_templates/comfyui-recompose/{name}") for name in names
            ]
            return [await answer.read() for answer in answers if answer.status == 200]

    files = [path, path.with_suffix(".jpg")]
    assert asyncio.run(fetch(*(file.name for file in files))) == [file.read_bytes() for file in files]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_models_are_named_with_where_they_come_from(path: Path) -> None:
    graph = read(path)
    loaders = {
        "CheckpointLoaderSimple": "checkpoints",
        "ControlNetLoader": "controlnet",
        "RecomposeBlipCaption": "blip",
    }
    found = {node["type"]: node for node in graph["nodes"] if node["type"] in loaders}
    for kind, node in found.items():
        (model,) = node["properties"]["models"]
        assert model["url"].startswith("https://huggingface.co/")
        assert model["directory"] == loaders[kind]
        assert model["name"] in node["widgets_values"]
    notes = "\n".join(node["widgets_values"][0] for node in graph["nodes"] if node["type"] == "MarkdownNote")
    for node in found.values():
        assert node["properties"]["models"][0]["name"] in notes


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_notes_have_no_inline_code(path: Path) -> None:
    """Nodes 2.0 shows it dark on dark."""
    notes = [node for node in read(path)["nodes"] if node["type"] in NOTES]
    assert [node["id"] for node in notes if "`" in node["widgets_values"][0]] == []


def test_the_command_line_finds_its_nodes() -> None:
    prompt = read(FOLDER / "api" / "full_body.json")
    for title, kind in TITLES.items():
        node = workflow.find(prompt, title)
        assert node is not None, title
        assert prompt[node]["class_type"] == kind


def test_the_notes_explain_every_group() -> None:
    graph = read(FOLDER / "full_body.json")
    notes = [node for node in graph["nodes"] if node["type"] == "MarkdownNote"]

    def inside(node: dict, group: dict) -> bool:
        x, y, width, height = group["bounding"]
        return x <= node["pos"][0] <= x + width and y <= node["pos"][1] <= y + height

    assert len(graph["groups"]) == 6
    for group in graph["groups"]:
        assert sum(inside(note, group) for note in notes) == 1, group["title"]
    for node in graph["nodes"]:
        assert sum(inside(node, group) for group in graph["groups"]) == 1, node["type"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_node_lies_on_another(path: Path) -> None:
    title = 30  # px above a node
    boxes = [(*node["pos"], *node["size"], node["id"]) for node in read(path)["nodes"]]
    for number, (x, y, width, height, one) in enumerate(boxes):
        for left, top, wide, high, other in boxes[:number]:
            apart = x >= left + wide or left >= x + width
            assert apart or y - title >= top + high or top - title >= y + height, (one, other)


def test_the_main_job_reads_from_left_to_right() -> None:
    graph = read(FOLDER / "full_body.json")
    nodes = {node["id"]: node for node in graph["nodes"]}
    back = [
        (source, target)
        for _, source, _, target, _, _ in graph["links"]
        if nodes[target]["pos"][0] < nodes[source]["pos"][0] + nodes[source]["size"][0]
    ]
    # To the prompt's text, to the caption's crop in the group above, to the second pass in the group below.
    assert sorted(back) == [(12, 13), (20, 26), (37, 8)]
    starts = [group["bounding"][0] for group in graph["groups"]]
    assert starts == sorted(starts)


@pytest.mark.parametrize("name", templates.NAMES)
def test_no_link_leads_left(name: str) -> None:
    graph = read(FOLDER / f"{name}.json")
    nodes = {node["id"]: node for node in graph["nodes"]}
    for _, source, _, target, *_ in graph["links"]:
        assert nodes[target]["pos"][0] >= nodes[source]["pos"][0] + nodes[source]["size"][0], (source, target)


def test_another_value_on_a_subgraph_than_inside_would_be_found() -> None:
    graph = copy.deepcopy(read(FOLDER / f"{templates.PACKED}.json"))
    host = next(node for node in graph["nodes"] if node["title"] == "Same Person, New Pose")
    host["widgets_values"][0] += " at night"
    with pytest.raises(AssertionError, match="source_prompt"):
        subgraphs.flattened(graph)


@pytest.fixture
def posted(server) -> Iterator[Callable[[dict], None]]:
    """Posts a prompt with the demo's files in place of its own, and takes it from the queue again."""
    files = {
        "image": "contract.png",
        "ckpt_name": main_job.CHECKPOINT,
        "control_net_name": main_job.CONTROLNET,
        "model": main_job.CAPTIONER,
    }
    (server.input_dir / files["image"]).write_bytes((FOLDER.parent / "docs/demo/photo.png").read_bytes())
    folder = server.models_dir / "dwpose"
    folder.mkdir(exist_ok=True)  # other tests of the same server leave it, empty
    weights = [folder / name for name in ("yolox_l.onnx", "dw-ll_ucoco_384.onnx")]
    for file in weights:
        file.touch()  # validation asks only whether they are there

    def post(prompt: dict) -> None:
        given = copy.deepcopy(prompt)
        for node in given.values():
            changed = {
                name: file for name, file in files.items() if isinstance(node["inputs"].get(name), str)
            }
            node["inputs"].update(changed)
        job = str(uuid.uuid4())
        server.client.submit(given, job)
        server.client.cancel(job)
        while server.client.waiting(job):
            time.sleep(0.1)

    yield post
    for file in weights:
        file.unlink()


@pytest.mark.parametrize("name", FROZEN)
def test_a_prompt_saved_with_the_first_templates_is_still_valid(name: str, posted: Callable) -> None:
    posted(FROZEN[name])


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [("RecomposeCropToRegion", "crop_to", "around"), ("RecomposeCompletePose", "max_extension", "cap")],
)
def test_a_prompt_with_another_name_of_an_input_would_be_refused(
    kind: str, old: str, new: str, posted: Callable
) -> None:
    prompt = copy.deepcopy(FROZEN["full_body"])
    node = next(node for node in prompt.values() if node["class_type"] == kind)
    node["inputs"][new] = node["inputs"].pop(old)
    with pytest.raises(Refused) as refused:
        posted(prompt)
    assert "required_input_missing" in json.dumps(refused.value.body)
