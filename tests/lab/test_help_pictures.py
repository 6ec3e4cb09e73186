"""The pictures of the help pages: the prompt that makes them, and the sheets they become."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from recompose.lab.commands import help_pictures
from recompose.lab.evaluate.help import (
    brush,
    concepts,
    exemplar,
    pages,
    scenes,
    shape,
    sheet,
    sketch,
    smartbrush,
    templates,
)
from recompose.lab.evaluate.help.graph import Graph
from recompose.lab.toy import coarse_brush, concept_templates
from recompose.lab.toy import templates as composed

SCHEMAS = json.loads((Path(__file__).resolve().parents[1] / "data" / "schemas.json").read_text("utf-8"))
POSE = help_pictures.POSE.read_text("utf-8")
SIZES = {"photo": (128, 142)}


class Server:
    """Stands for a ComfyUI that answers every preview with its node's id as a picture or a text."""

    def __init__(self) -> None:
        self.client = self

    def run(self, prompt: dict) -> dict:
        self.prompt = prompt
        outputs: dict[str, dict] = {}
        for identity, node in prompt.items():
            if node["class_type"] == "PreviewAny":
                outputs[identity] = {"text": [identity]}
            if node["class_type"] == "PreviewImage":
                outputs[identity] = {"images": [{"filename": identity}]}
        return {"outputs": outputs}

    def fetch(self, image: dict) -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (len(image["filename"]), 2)).save(file, "PNG")
        return file.getvalue()


@pytest.fixture(scope="module")
def graph() -> Graph:
    painted = {name: f"{name}.png" for name in scenes.masks(SIZES["photo"]) | brush.photos()}
    return scenes.build("photo.png", POSE, painted)


def test_a_graph_links_nodes_and_dots_dynamic_inputs() -> None:
    graph = Graph()
    image = graph.add("LoadImage", image="a.png")
    other = graph.add("Other", image=image, mask=[image, 1], mode="body", mode__margin=4.0)
    assert graph.prompt[other]["inputs"] == {
        "image": [image, 0],
        "mask": [image, 1],
        "mode": "body",
        "mode.margin": 4.0,
    }


def test_a_run_gives_pictures_and_texts_by_name() -> None:
    graph, server = Graph(), Server()
    graph.show("picture", graph.add("LoadImage", image="a.png"))
    graph.show_text("text", [next(iter(graph.prompt)), 1])
    found = graph.run(server)
    assert found["picture"].size == (len(graph.shown["picture"]), 2)
    assert found["text"] == graph.shown["text"]
    assert server.prompt is graph.prompt


def test_a_picture_that_was_not_made_is_named() -> None:
    graph, server = Graph(), Server()
    graph.show("photo", graph.add("LoadImage", image="a.png"))
    graph.show("result", graph.add("LoadImage", image="b.png"))
    blocked = graph.shown["result"]
    made = server.run
    server.run = lambda prompt: {
        "outputs": {k: v for k, v in made(prompt)["outputs"].items() if k != blocked}
    }
    with pytest.raises(RuntimeError, match="the picture 'result' but its node made none"):
        graph.run(server)


def test_every_node_of_the_pack_runs(graph: Graph) -> None:
    prompts = [
        concept_templates.training(["a.png"] * 4, "<new1>", "ball", "a ball", 1, 1e-3, 0),
        concept_templates.two(["a", "b"], "ball, box", "both", ["a ball"]),
    ]
    used = {node["class_type"] for prompt in (graph.prompt, *prompts) for node in prompt.values()}
    # Exemplar models and SmartBrush have no small weights, sketches need none: they draw their pages.
    drawn = {*exemplar.DRAWN, *smartbrush.DRAWN, *sketch.DRAWN}
    assert set(SCHEMAS) - drawn <= used


def test_the_prompts_nodes_have_their_schemas_inputs_and_no_others(graph: Graph) -> None:
    for node in graph.prompt.values():
        if node["class_type"] not in SCHEMAS:
            continue
        declared = SCHEMAS[node["class_type"]]["input"]
        known = {name for group in ("required", "optional") for name in declared.get(group, {})}
        given = {name.partition(".")[0] for name in node["inputs"]}
        assert given <= known, node
        assert set(declared["required"]) <= given, node


def test_every_mask_is_used_and_of_its_pictures_size(graph: Graph) -> None:
    loaded = {
        node["inputs"]["image"] for node in graph.prompt.values() if node["class_type"] == "LoadImageMask"
    }
    masks = scenes.masks(SIZES["photo"])
    assert loaded == {f"{name}.png" for name in masks}
    sizes = {name: mask.size for name, mask in masks.items()}
    assert sizes == dict.fromkeys(("shirt", "trousers", "cloud"), scenes.PERSON) | dict.fromkeys(
        ("stroke", "disc"), SIZES["photo"]
    ) | {name: mask.size for name, mask in shape.masks().items()}
    assert all(mask.getextrema() == (0, 255) for mask in masks.values())


def test_every_node_gets_a_picture_that_may_be_committed(graph: Graph) -> None:
    found: dict = {name: Image.new("RGB", scenes.PERSON, (200, 90, 40)) for name in graph.shown}
    found |= {name: Image.new("RGB", SIZES["photo"]) for name in ("photo", "pose", "detected")}
    texts = {"caption": "a man", "context": "Context(box=Box(x=0, y=-4, width=128, height=160))"}
    found |= texts | {f"sigmas {name}": "tensor([14.6, 3.0e-02, 0.0000])" for name in scenes.SCHEDULES}
    made = (
        pages.pages(found, POSE)
        | concepts.pages(own())
        | exemplar.pages()
        | smartbrush.pages()
        | sketch.pages()
    )
    assert sorted(made) == sorted(SCHEMAS)
    assert all(len(sheet.webp(picture)) <= sheet.LIMIT for picture in made.values())


def test_panels_have_one_height_and_room_for_their_labels() -> None:
    page = sheet.sheet(("a label that is wider than its picture", Image.new("RGB", (10, 100))))
    assert page.height == sheet.HEIGHT + sheet.LABEL + 2 * sheet.GAP
    assert page.width > 200
    two = sheet.sheet(("a", Image.new("RGB", (50, 100))), ("b", Image.new("L", (5, 10))))
    assert two.width == 2 * sheet.HEIGHT // 2 + 3 * sheet.GAP


def test_a_printed_context_and_printed_sigmas_are_read() -> None:
    assert pages.box_of("Context(canvas=1, box=Box(x=-3, y=16, width=128, height=160), …)") == (
        -3,
        16,
        125,
        176,
    )
    assert pages.numbers("tensor([14.6146, 2.9e-02,\n  0.0000])") == [14.6146, 0.029, 0.0]
    with pytest.raises(ValueError, match="Expected a printed context"):
        pages.box_of("nothing")


def test_a_picture_too_large_to_be_committed_is_refused() -> None:
    noise = Image.effect_noise((900, 900), 120).convert("RGB")
    with pytest.raises(ValueError, match="Expected at most 40000 bytes"):
        sheet.webp(noise)


class Saving(Server):
    """Answers with three pictures for everything that is saved or shown."""

    def upload(self, path: Path) -> str:
        return path.name

    def run(self, prompt: dict) -> dict:
        ends = [name for name, node in prompt.items() if node["class_type"] in ("SaveImage", "PreviewImage")]
        return {"outputs": {name: {"images": [{"filename": "a" * 128}] * 3} for name in ends}}

    def fetch(self, image: dict) -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (len(image["filename"]), 192), (200, 90, 40)).save(file, "PNG")
        return file.getvalue()


def test_every_template_of_the_demo_models_gets_a_picture() -> None:
    made = help_pictures.of_templates(Saving(), own())
    names = (concept_templates.TRAINING, concept_templates.USE, concept_templates.TWO)
    assert sorted(made) == sorted([*composed.NAMES, coarse_brush.NAME, *names])
    for file in made.values():
        picture = Image.open(io.BytesIO(file))
        assert picture.format == "JPEG" and 256 <= picture.width <= 1024 and 256 <= picture.height <= 1024


def own() -> concepts.Made:
    """Two things, taught and painted."""
    picture = Image.new("RGB", (128, 128), (200, 90, 40))
    taught = concepts.Taught([picture] * 4, Image.new("RGB", (512, 384)), picture, "ball_00001_.safetensors")
    strengths = dict.fromkeys(concepts.STRENGTHS, picture)
    return concepts.Made(dict.fromkeys(concepts.THINGS, taught), strengths, picture)


def test_things_are_taught_by_the_templates_and_used_by_their_files() -> None:
    server = Saving()
    asked, answer = [], server.run

    def run(prompt: dict) -> dict:
        asked.append(prompt)
        found = answer(prompt)
        saves = [name for name, node in prompt.items() if node["class_type"] == "RecomposeSaveConcept"]
        reports = {name: {"recompose": [{"files": [f"concepts/{len(asked)}.safetensors"]}]} for name in saves}
        return {"outputs": found["outputs"] | reports}

    server.run = run
    made = concepts.made(server)
    assert [each.file for each in made.taught.values()] == ["1.safetensors", "2.safetensors"]
    inputs = [
        {node["class_type"]: node["inputs"] for node in prompt.values() if "text" not in node["inputs"]}
        for prompt in asked
    ]
    trained = [each["RecomposeTrainConcept"] for each in inputs if "RecomposeTrainConcept" in each]
    assert [(each["token"], each["class_word"]) for each in trained] == [
        ("<new1>", "ball"),
        ("<new2>", "box"),
    ]
    loaded = [each["RecomposeLoadConcept"] for each in inputs if "RecomposeLoadConcept" in each]
    assert [each["strength"] for each in loaded] == [*concepts.STRENGTHS, 1.0]
    assert concepts.words(("<new1>", "<new2>"), "snow") == "a <new1> ball and a <new2> box in the snow"


def test_a_wide_strip_is_lower() -> None:
    strip = templates.strip(*[Image.new("RGB", (300, 200))] * 3)
    assert strip.width <= templates.WIDTH and strip.height < templates.HEIGHT
    assert templates.strip(Image.new("RGB", (128, 192))).size == (284, templates.HEIGHT)


def test_a_template_that_saves_nothing_is_named() -> None:
    server = Saving()
    server.run = lambda prompt: {"outputs": {}}
    with pytest.raises(RuntimeError, match="the picture 'saved' but its node made none"):
        help_pictures.of_templates(server, own())


def test_an_edit_moves_the_points_that_are_named_and_no_others() -> None:
    pose = json.dumps(
        [
            {
                "canvas_width": 90,
                "canvas_height": 70,
                "people": [{"pose_keypoints_2d": [3, 4, 1, 0, 0, 0, 7, 8, 1]}],
            }
        ]
    )
    (frame,) = json.loads(composed.edit(pose, "0" * 16, {2: (50.5, 6)}))["frames"].values()
    assert frame["size"] == [90, 70]
    assert frame["people"] == [{"from": 0, "flags": "101", "xy": [48, 64, 808, 96]}]
