"""The measurement of Shape Guard: its photos and boxes, what is kept and what is told."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from recompose.cli.comfy.jobs import Journal
from recompose.lab.toy import world


@pytest.fixture(scope="module")
def boxes(comfy: ModuleType) -> ModuleType:
    from recompose.lab.evaluate import boxes

    return boxes


@pytest.fixture(scope="module")
def guard(comfy: ModuleType) -> ModuleType:
    from recompose.lab.evaluate.attention import guard

    return guard


def test_a_box_is_around_a_thing_that_is_not_there(boxes: ModuleType) -> None:
    shares = []
    for box in islice(boxes.boxes(), 30):
        whole = boxes.drawn(box.seed, with_thing=True)
        thing = whole.masks[box.name]
        rows, columns = np.nonzero(box.mask)
        assert box.mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()
        assert box.mask[thing].all()
        shares.append(thing.sum() / box.mask.sum())
        assert (box.name, box.colour) in world.parse(box.text)["objects"] and box.words in box.text
        assert box.photo.shape == whole.image.shape
        changed = (box.photo != whole.image).any(2)
        assert changed[thing].mean() > 0.9  # a thing may have the colour of what is behind it
        low = int(np.nonzero(thing)[0].max())
        assert changed[: max(0, int(np.nonzero(thing)[0].min()) - 3)].sum() == 0 or low < 20
    assert 0.15 < np.mean(shares) < 0.5


def test_the_same_seed_draws_the_same_box(boxes: ModuleType) -> None:
    one, other = (next(boxes.boxes()) for _ in range(2))
    assert one.text == other.text and np.array_equal(one.photo, other.photo)
    assert np.array_equal(one.mask, other.mask)


class Brush:
    """Paints a thing of 4 × 6 px, and the rest of the box 30 brighter where it is not guarded."""

    def __init__(self) -> None:
        self.calls = 0

    def paint(self, box: Any, guarded: bool) -> tuple[np.ndarray, np.ndarray | None, float]:
        self.calls += 1
        image = box.photo.astype(int)
        image[box.mask] += 0 if guarded else 30
        row, column = (int(each[0]) for each in np.nonzero(box.mask))
        thing = np.zeros(box.mask.shape, bool)
        thing[row : row + 4, column : column + 6] = True
        image[thing] = 77
        return image.clip(0, 255).astype(np.uint8), thing if guarded else None, 1.1 if guarded else 1.0


def evaluator(box: Any) -> Any:
    def look(images: list[np.ndarray]) -> list[Any]:
        thing = SimpleNamespace(mask=(images[0] == 77).all(2), kind=box.name, colour=box.colour)
        return [SimpleNamespace(things={box.name: thing})]

    return SimpleNamespace(look=look)


def test_rows_are_kept_and_measured_where_the_thing_is_not(
    boxes: ModuleType, guard: ModuleType, tmp_path: Path
) -> None:
    box = next(boxes.boxes())
    box = box._replace(photo=np.full_like(box.photo, 100))

    def made() -> Any:
        found = guard.Boxes.__new__(guard.Boxes)
        found.folder, found.journal = tmp_path, Journal(tmp_path / "guard.jsonl", ("seed", "run"))
        found.brush, found.evaluator = Brush(), evaluator(box)
        return found

    first = made()
    plain, guarded = (first.row(box, run) for run in (guard.PLAIN, guard.GUARDED))
    assert plain["difference"] == 30 and guarded["difference"] == 0
    assert plain["kind"] and plain["kind and colour"] and guarded["overlap"] == 1
    assert plain["painted"] == pytest.approx(24 / box.mask.sum(), abs=1e-4) and "overlap" not in plain
    again = made()
    assert [again.row(box, run) for run in (guard.PLAIN, guard.GUARDED)] == [plain, guarded]
    assert again.brush.calls == 0 and len(list(tmp_path.glob("*.png"))) == 2


def test_a_picture_without_the_thing_differs_in_the_whole_box(boxes: ModuleType, guard: ModuleType) -> None:
    box = next(boxes.boxes())
    found = guard.Boxes.__new__(guard.Boxes)
    found.evaluator = SimpleNamespace(look=lambda images: [SimpleNamespace(things={})])
    image = box.photo.copy()
    image[box.mask] = np.where(image[box.mask] > 99, image[box.mask] - 50, image[box.mask] + 50)
    row = found.measured(box, image, box.mask)
    assert row == {"kind": False, "kind and colour": False, "difference": 50.0, "painted": 0.0}


def test_the_summary_compares_the_same_boxes(guard: ModuleType) -> None:
    rows = []
    for seed in range(40):
        for run, factor in ((guard.PLAIN, 1.0), (guard.GUARDED, 0.5)):
            right = seed % 4 > 0
            rows.append(
                {
                    "seed": seed, "run": run, "kind": True, "kind and colour": right, "painted": 0.3,
                    "difference": factor * (10 + seed), "seconds": 2 + (run == guard.GUARDED) * 0.2,
                }
            )  # fmt: skip
    found = guard.summary(rows[::-1])
    assert found["boxes"] == 40
    assert found["Shape Guard / inpaint checkpoint: difference"] == "0.500 (0.500 … 0.500)"
    assert found["Shape Guard / inpaint checkpoint: seconds"] == "1.100 (1.100 … 1.100)"
    assert found["Shape Guard − inpaint checkpoint: kind and colour"] == "0.000 (0.000 … 0.000)"
    assert found["inpaint checkpoint: kind and colour"].startswith("0.750 (")
    lines = guard.section(rows)
    assert lines[1] == "|  | kind and colour | kind | difference | painted | overlap |" and "–" in lines[3]


def test_a_ratio_s_interval_holds_it(guard: ModuleType) -> None:
    values = np.random.default_rng(2).uniform(5, 9, (2, 60)).tolist()
    found = guard.ratio(*values)
    assert found.low < found.value < found.high and found.value == np.mean(values[0]) / np.mean(values[1])
