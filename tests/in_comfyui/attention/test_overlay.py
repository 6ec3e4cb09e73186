"""What Attention Maps leaves for the page: the words at each place of a row."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.attention.overlay import MOST_BYTES, levels
from recompose.tests.in_comfyui.attention import models
from recompose.tests.in_comfyui.attention.test_maps import LOOK, TEXT, Clip, prompt
from recompose.tests.in_comfyui.attention.test_maps_workflow import MAPS
from recompose.tests.in_comfyui.attention.test_maps_workflow import prompt as workflow

WORDS = ["a", "red", "ball", "shirt", "and", "dog"]


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


@pytest.fixture
def run(world: models.World) -> Callable[..., Any]:
    """The node after a run of a toy UNet with that detail, and its record."""
    nodes = importlib.import_module("recompose.nodes.attention_maps")

    def shown(words: str, detail: str = "all together", text: str = TEXT, **given: Any) -> Any:
        clip = Clip(world.words)
        model, attention = nodes.RecordAttention.execute(world.model, detail, "", "").args
        out = {"samples": world.run(model, prompt(clip, text))}
        return nodes.AttentionMaps.execute(attention, out, clip, text, words, **{**LOOK, **given})

    return shown


def overlays(out: Any) -> list[dict]:
    return out.ui["recompose"][0]["overlays"]


def cells(row: dict, text: str) -> list[int]:
    (some,) = (word["map"] for word in row["words"] if word["text"] == text)
    return [int(digit, 16) for digit in base64.b64decode(some).hex()][: row["grid"][0] * row["grid"][1]]


def test_each_row_has_the_asked_words_first_and_then_the_others(run: Callable) -> None:
    rows = overlays(run("red ball, SHIRT, a#2"))
    assert [(row["row"], row["asked"]) for row in rows] == [(0, 3), (1, 3)]
    for row in rows:
        assert [word["text"] for word in row["words"]] == ["red ball", "SHIRT", "a#2"] + [
            word for word in WORDS if word != "shirt"
        ]
        assert row["size"] == [128, 128] and row["grid"] == [16, 16] and "picture" not in row
    assert [word["text"] for word in overlays(run(""))[1]["words"]] == WORDS


@pytest.mark.parametrize("aggregation", ["DAAM", "prompt-to-prompt"])
@pytest.mark.parametrize("detail", ["all together", "each layer and step"])
def test_an_overlay_is_the_nodes_own_map_in_16_levels(run: Callable, aggregation: str, detail: str) -> None:
    out = run("shirt, dog", detail, aggregation=aggregation)
    own = out.args[2].reshape(2, 2, 16, 8, 16, 8)[:, :, :, 4, :, 4]  # near the middle of each cell
    for row, overlay in enumerate(overlays(out)):
        for number, word in enumerate(("shirt", "dog")):
            found = torch.tensor(cells(overlay, word)).reshape(16, 16)
            assert found.min() == 0 and found.max() == 15
            difference = found.sub(levels(own[row, number][None])[0].int()).abs().float()
            assert difference.mean() < 1 and difference.max() <= 3


def test_the_picture_comes_with_its_row(run: Callable) -> None:
    image = torch.zeros(2, 64, 64, 3)
    image[1] = 1
    dark, light = (base64.b64decode(row["picture"]) for row in overlays(run("dog", image=image)))
    assert dark[:2] == light[:2] == b"\xff\xd8" and dark != light


def test_a_prompt_of_many_words_keeps_to_200_kb_a_row(run: Callable) -> None:
    text = " ".join(f"{one}{other}" for one in "abcdefghij" for other in "klmnopqrstu")
    rows = overlays(run("ak, bl", text=text, image=torch.rand(1, 128, 128, 3)))
    assert all(len(json.dumps(row)) <= MOST_BYTES and len(row["words"]) > 2 for row in rows)


def test_the_servers_history_has_the_overlays(server: Any) -> None:
    asked = workflow()
    for consumer in ("9", "10", "11", "12"):  # the node is worth running for itself
        del asked[consumer]
    outcome = server.run(asked)
    assert outcome.succeeded
    rows = outcome.report(MAPS)["overlays"]
    assert [(row["row"], row["asked"], row["size"]) for row in rows] == [
        (0, 2, [128, 192]),
        (1, 2, [128, 192]),
    ]
    for row in rows:
        assert row["grid"] == [16, 24] and len(json.dumps(row)) < 30_000
        assert [word["text"] for word in row["words"]][:4] == ["shirt", "boots", "a", "woman"]
        assert base64.b64decode(row["picture"])[:2] == b"\xff\xd8"
        assert max(cells(row, "shirt")) == 15
    again = server.run(asked)
    assert again.report(MAPS)["overlays"] == rows
