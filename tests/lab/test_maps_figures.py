"""The figures of maps: what is looked for, how it is counted, and what is kept."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def maps(comfy: ModuleType) -> Any:
    from recompose.lab.evaluate.attention import maps

    return maps


@pytest.fixture
def word_masks(comfy: ModuleType) -> Any:
    from recompose.lab.evaluate.attention import word_masks

    return word_masks


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((128, 128), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_things_are_the_captions_large_ones_and_the_place(word_masks: Any) -> None:
    masks = {"top": box(40, 90, 40, 90), "ball": box(90, 120, 10, 40), "dog": box(100, 110, 60, 70)}
    masks |= {name: box(0, 0, 0, 0) for name in ("hair", "bottom", "shoes")}
    text = "a person in a green vest on a beach next to a red ball and a blue dog"
    found = {thing.name: thing for thing in word_masks.things(text, masks)}
    assert {name: thing.words for name, thing in found.items()} == {
        "top": "green vest", "ball": "red ball", "place": "beach",
    }  # fmt: skip
    assert found["place"].mask.sum() == 128 * 128 - 50 * 50 - 30 * 30 - 10 * 10


def test_a_shuffled_mask_is_as_large(word_masks: Any) -> None:
    mask = box(40, 80, 40, 80)
    mixed = word_masks.shuffled(mask, np.random.default_rng(0))
    assert mixed.sum() == mask.sum() and (mixed & mask).sum() < 0.5 * mask.sum()


def thing(name: str, overlap: float, layers: list[float], ceiling: float = 0.8) -> dict[str, Any]:
    ways = {"as the node takes them, Otsu": overlap, "shuffled": 0.1}
    return {"name": name, "ceiling": ceiling, "layers": [*layers, *[0.0] * (16 - len(layers))], **ways}


ROWS: list[dict[str, Any]] = [
    {
        "run": "drawn, closer",
        "seed": 1,
        "things": [thing("ball", 0.6, [0.2, 0.9]), thing("top", 0.4, [0.6, 0.1])],
    },
    {"run": "drawn, whole", "seed": 1, "things": [thing("place", 0.8, [0.5, 0.2])]},
    {"run": "generated, whole", "seed": 1, "things": []},
    {"run": "removed", "seed": 1, "seen before": True, "gone": True, "changed pixels outside": 0},
    {"run": "removed", "seed": 2, "seen before": True, "gone": False, "changed pixels outside": 0},
    {"run": "removed", "seed": 3, "seen before": False, "gone": True, "changed pixels outside": 2},
]


def test_the_summary_counts_things(maps: Any) -> None:
    found = maps.summary(ROWS)
    assert found["things in drawn pictures"] == 3
    assert found["drawn: as the node takes them, Otsu"] == "0.600 (75% of 0.800)"
    assert found["drawn, closer, objects: as the node takes them, Otsu"] == "0.600 (75% of 0.800), 1"
    assert found["drawn: best single layer"] == "0.433, layer 0"
    assert found["removed by word: gone"] == "1 of 2"
    assert found["removed by word: changed pixels outside"] == 2


def test_kept_rows_are_not_made_again(maps: Any, tmp_path: Path) -> None:
    from recompose.cli.comfy.jobs import Journal

    made = []

    class One:
        seed, view = 4, "whole"

    def make(one: Any) -> dict[str, Any]:
        made.append(one)
        return {"run": "drawn, whole", "seed": one.seed, "things": []}

    for _ in range(2):
        rows = list(maps.kept(Journal(tmp_path / "rows.jsonl", ("seed", "run")), "drawn", [One()], make))
        assert rows == [{"run": "drawn, whole", "seed": 4, "things": []}]
    assert len(made) == 1


def test_a_new_page_keeps_the_parts_of_other_figures(tmp_path: Path) -> None:
    from recompose.lab.evaluate.models import catalogue

    path = tmp_path / "attention.md"
    path.write_text("# Old\n\ntext\n\n## Words\n\ntable\n", encoding="utf-8")
    assert catalogue.with_parts("# New\n", path) == "# New\n\n## Words\n\ntable\n"
    assert catalogue.with_parts("# New\n", tmp_path / "completion.md") == "# New\n"
