"""What is measured of the painting models: by pictures whose answer is known."""

from __future__ import annotations

import importlib
import itertools

import numpy as np
import pytest
from recompose.lab.evaluate import holes, rows
from recompose.lab.evaluate.evaluator import Evaluator
from recompose.lab.evaluate.models import openpose, text_to_image, vae
from recompose.lab.toy import world
from recompose.lab.toy.models import parts
from recompose.lab.toy.requests import Order, batches


@pytest.fixture(scope="module")
def evaluator(comfy: object) -> Evaluator:
    return Evaluator.load(parts.FOLDER)


def test_true_pictures_have_the_colours_they_name_and_plain_ones_none(evaluator: Evaluator) -> None:
    seeds = list(range(12))
    examples = [world.example(seed, "test") for seed in seeds]
    wanted = [text_to_image.asked(example.attributes) for example in examples]
    images = {
        "true": [example.image for example in examples],
        "one colour": [np.full_like(example.image, (206, 40, 44)) for example in examples],
        "grey": [np.full_like(example.image, 128) for example in examples],
    }
    rows = [
        row
        for kind, shown in images.items()
        for row in text_to_image.described(kind, seeds, wanted, shown, evaluator)
    ]
    found = text_to_image.summary(rows)
    assert float(found["true"].split()[0]) > 0.9
    assert found["one colour"].startswith("0.0000 (0 of ")
    assert found["grey"].startswith("0.0000 (0 of ")


def test_colours_are_counted_by_garment() -> None:
    rows = [
        {"kind": "painted", "asked": {"top": "red", "hair": "black"}, "found": {"top": "red", "hair": None}},
        {"kind": "painted", "asked": {"top": "blue"}, "found": {"top": "green"}},
    ]
    found = text_to_image.summary(rows)
    assert found["painted"] == "0.3333 (1 of 3)"
    assert found["painted, top"] == "0.5000 (1 of 2)"
    assert found["painted, hair"] == "0.0000 (0 of 1)"


def test_only_limbs_in_the_hole_count() -> None:
    pose = np.zeros((18, 3))
    pose[:, :2] = 5
    pose[10], pose[13] = (5, 15, 1), (5, 15, 0)
    hole = np.zeros((20, 20), bool)
    hole[10:] = True
    assert rows.inside(pose, hole)[:, 2].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    pose[:, 2] = 1
    assert rows.inside(pose, None)[:, 2].tolist() == [1] * 8


def test_a_hole_lies_on_whole_cells_below_a_cut_that_takes_the_feet() -> None:
    example = world.example(3, "test")
    hole = holes.below(example, 3)
    first = int(hole.argmax(0)[0])
    assert first % 8 == 0
    assert hole[first:].all()
    assert not hole[:first].any()
    assert first < max(example.drawing.points[f"{side} ankle"][1] for side in ("left", "right"))


def test_what_an_order_gives_depends_on_no_other(comfy: object) -> None:
    painter = importlib.import_module("recompose.lab.toy.pipeline").Painter()
    examples = [world.example(seed, "test") for seed in (1, 2)]
    orders = [openpose.order("hole", seed, each) for seed, each in zip((1, 2), examples, strict=True)]
    orders.append(Order("a man in a red shirt", *orders[0].room, 3))
    assert sorted(itertools.chain(*batches(orders))) == [0, 1, 2]
    together, alone = painter.paint(orders), painter.paint(orders[:1])
    difference = np.abs(together[0].astype(int) - alone[0])
    assert difference.max() <= 1
    kept = ~holes.below(examples[0], 1)
    assert (together[0][kept] == examples[0].image[kept]).all()
    assert (together[0] != examples[0].image).any()


def test_decibels_are_averaged() -> None:
    rows = [{"seed": 0, "decibel": 20.0}, {"seed": 1, "decibel": 30.0}]
    assert vae.summary(rows) == {"decibel": 25.0, "least": 20.0, "most": 30.0, "pictures": 2}
