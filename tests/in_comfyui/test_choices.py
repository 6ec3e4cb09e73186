"""A choice that a node does not have: ComfyUI drops it silently, the node says what there is to choose."""

from __future__ import annotations

import inspect

import pytest
from recompose.cli.comfy import errors
from recompose.cli.comfy.client import Refused
from recompose.tests.in_comfyui import main_job

LINKED = ["words", 0]
NODES = {
    "RecomposeExtendCanvas": {
        "inputs": {"image": ["photo", 0], "multiple_of": 8, "feather": 0},
        "choices": {"mode": "body, sides, size or aspect", "fill": "smooth, edge, mirror, noise or color"},
        "good": {"mode": "sides", "mode.left": 3, "mode.top": 0, "mode.right": 0, "mode.bottom": 0,
                 "fill": "smooth"},
    },
    "RecomposeStitchBack": {
        "inputs": {"original": ["photo", 0], "generated": ["photo", 0]},
        "choices": {"mode": "strict or blend"},
        "good": {"mode": "strict"},
    },
    "RecomposeDetectPose": {
        "inputs": {"image": ["photo", 0], "threshold": 0.3},
        "choices": {"detector": "auto, BlazePose, DWPose, OpenPose or keypoint model"},
        "good": {},
    },
    "RecomposeBlipCaption": {
        "inputs": {"image": ["photo", 0], "model": main_job.CAPTIONER, "prompt": "", "min_new_tokens": 5,
                   "max_new_tokens": 30, "repetition_penalty": 1.0},
        "choices": {"search": "beams or nucleus"},
        "good": {},
    },
    "RecomposeRePaint": {
        "inputs": {"model": ["models", 0], "positive": ["words", 0], "negative": ["words", 0],
                   "latent": ["latent", 0], "scheduler": "karras", "cfg": 5.0, "seed": 0, "denoise": 1.0},
        "choices": {"preset": "fast, better, best or custom"},
        "good": {},
    },
}  # fmt: skip
CASES = [(kind, name, value) for kind, node in NODES.items() for name in node["choices"]
         for value in ("Sides", "", None, 3, LINKED, {"key": "sides"})]  # fmt: skip


def prompt(kind: str, inputs: dict) -> dict:
    """The node at work on a plain picture."""
    nodes = {
        "photo": ("EmptyImage", {"width": 24, "height": 16, "batch_size": 1, "color": 7}),
        "models": ("CheckpointLoaderSimple", {"ckpt_name": main_job.CHECKPOINT}),
        "words": ("CLIPTextEncode", {"clip": ["models", 1], "text": ""}),
        "latent": ("EmptyLatentImage", {"width": 64, "height": 64, "batch_size": 1}),
        "node": (kind, inputs),
        "shown": ("PreviewAny", {"source": ["node", 0]}),
    }
    return {name: {"class_type": each, "inputs": values} for name, (each, values) in nodes.items()}


@pytest.mark.parametrize(("kind", "name", "value"), CASES, ids=[f"{k[9:]} {n} {v}" for k, n, v in CASES])
def test_an_unknown_choice_is_refused_before_anything_runs(server, kind: str, name: str, value) -> None:
    node = NODES[kind]
    graph = prompt(kind, {**node["inputs"], **node["good"], name: value})
    with pytest.raises(Refused) as refused:
        server.run(graph)
    sentence = errors.refusal(refused.value.body, graph)
    assert f"expected {name} to be {node['choices'][name]}, got none of these; choose one." in sentence
    assert "missing 1 required positional" not in sentence and "cannot be checked" not in sentence


@pytest.mark.parametrize("kind", NODES)
def test_a_choice_that_is_not_there_at_all_is_refused_as_well(server, kind: str) -> None:
    with pytest.raises(Refused) as refused:
        server.run(prompt(kind, NODES[kind]["inputs"]))
    assert "choose one." in errors.refusal(refused.value.body, prompt(kind, {}))


def test_a_good_choice_still_runs(server) -> None:
    node = NODES["RecomposeExtendCanvas"]
    assert server.run(prompt("RecomposeExtendCanvas", {**node["inputs"], **node["good"]})).succeeded


def test_a_node_that_a_subgraph_makes_is_checked_as_it_runs(comfy) -> None:
    from recompose.nodes import canvas, caption, detect, sampling

    made = [canvas.ExtendCanvas, canvas.StitchBack, caption.BlipCaption, detect.DetectPose, sampling.RePaint]
    for node in made:
        given = dict.fromkeys((each.id for each in node.define_schema().inputs), None)
        known = {name: given[name] for name in given if name in inspect.signature(node.execute).parameters}
        for each in NODES[node.define_schema().node_id]["choices"]:
            del known[each]
        with pytest.raises(ValueError, match="choose one"):
            node.execute(**known)
