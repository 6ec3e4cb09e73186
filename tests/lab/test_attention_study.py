"""The study of Mutual Attention: its pairs, its ways to sample, what is kept and what is told."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from recompose.lab.toy import world
from recompose.lab.toy.world.labels import GARMENTS


@pytest.fixture(scope="module")
def attention(comfy: ModuleType) -> ModuleType:
    from recompose.lab.evaluate.attention import figures

    return figures


def test_a_pair_is_the_same_person_elsewhere_without_colours(attention: ModuleType) -> None:
    from recompose.lab.evaluate.attention.pairs import pairs

    for pair in islice(pairs(), 30):
        source, target, ceiling = map(world.parse, (pair.source, pair.target, pair.ceiling))
        assert source["subject"] == target["subject"] == ceiling["subject"]
        assert source["pose"] != target["pose"] == ceiling["pose"] == pair.wanted["pose"]
        assert source["scene"] != target["scene"] == ceiling["scene"] == pair.wanted["scene"]
        for name in GARMENTS:
            assert source[f"{name} colour"] == ceiling[f"{name} colour"] == pair.asked[f"{name} colour"]
            assert f"{name} colour" not in target
        assert pair.points.shape == (24, 3) and pair.height in range(128, 193)


def test_masks_from_words_are_beside_those_of_the_evaluator(attention: ModuleType) -> None:
    from recompose.lab.evaluate.attention import runs

    names = [run.name for run in runs.TABLE]
    at = names.index(runs.MASKED)
    assert names[at : at + 3] == ["masked", "masked, from words, 0.1", "masked, from words, Otsu"]
    assert [run.threshold for run in runs.TABLE[at : at + 3]] == [None, 0.1, 0.0]
    assert len({run.settings for run in runs.TABLE}) == len(runs.TABLE)
    assert [run.name for run in runs.FOLLOWING] == names[1 : at + 3]


def test_the_person_s_words_are_in_their_prompts(attention: ModuleType) -> None:
    from recompose.lab.evaluate.attention import runs, stage
    from recompose.lab.evaluate.attention.pairs import pairs

    some = stage.Stage.__new__(stage.Stage)
    some.clip = None
    for pair in islice(pairs(), 30):
        plain, *_, words = runs.FOLLOWING
        assert some.asked(pair, [pair.source, pair.target], plain) is None
        asked = some.asked(pair, [pair.source, pair.target], words)
        assert (asked.text_source, asked.text_target, asked.threshold) == (pair.source, pair.target, 0.0)
        for listed, text in ((asked.words_source, pair.source), (asked.words_target, pair.target)):
            named = listed.split(", ")
            assert named[0] == pair.asked["subject"]
            assert all(word in text.replace(",", " ").split() for word in named)


def test_photos_stay_at_their_place(attention: ModuleType) -> None:
    from recompose.lab.evaluate.attention import photos

    for photo, asked in islice(photos.photos(), 5):
        assert world.parse(asked.target)["scene"] == photo.scene == asked.wanted["scene"]
        assert asked.height == photo.image.shape[0] and asked.wanted["pose"] != photo.attributes["pose"]


def test_the_ways_to_sample_are_those_of_the_published_study(attention: ModuleType) -> None:
    from recompose.core.attention import ranges
    from recompose.lab.evaluate.attention import runs, study

    def steps(run: runs.Run) -> list[int]:
        return ranges.chosen(run.steps, runs.STEPS, "steps")

    last, first, of_ten, layers = runs.STUDY.values()
    assert [steps(run) for run in last.values()] == [[*range(4, end)] for end in range(20, 51, 5)]
    assert [steps(run) for run in first.values()] == [[*range(start, 50)] for start in range(0, 11, 2)]
    for name, run in of_ten.items():
        assert steps(run) == [step for step in range(50) if step % 10 >= int(name)]
    assert all(steps(run) == [*range(4, 50)] for run in layers.values())
    # What two curves share is sampled once.
    settings = [run.settings for run in study.runs()]
    assert len(settings) == len(set(settings)) == len(runs.TABLE) + 7 + 6 + 9 + 6 - 3


class Colours:
    """Eyes that see a picture's first pixel: its red is how many of the four colours are kept."""

    def look(self, images: list[np.ndarray]) -> list[Any]:
        from recompose.lab.evaluate.evaluator import Seen

        points, person = np.zeros((24, 3)), np.zeros(images[0].shape[:2], bool)
        person[4:8, 4:8] = True
        return [Seen(points, 2, {}, person=person) for _ in images]

    def measured(self, pair: Any, source: np.ndarray, target: np.ndarray) -> dict[str, Any]:
        count = int(target[0, 0, 0])
        return {
            "kept": {name: index < count for index, name in enumerate(GARMENTS)}, "pose": count > 1,
            "place": True, "similarity": 0.5, "likelihood": -1.0, "distances": [0.05, 0.2],
        }  # fmt: skip


class Stage:
    """Paints every row in one colour, and counts."""

    def __init__(self) -> None:
        self.painted = 0

    def paint(self, pair: Any, prompts: list[str], run: Any, masks: Any = None) -> np.ndarray:
        assert (masks is None) == (run.mode != "masked")
        self.painted += 1
        return np.stack(
            [np.full((16, 16, 3), 4 if run.mode else row, np.uint8) for row in range(len(prompts))]
        )


@pytest.fixture
def made(attention: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from recompose.lab.evaluate.attention import measures, study

    monkeypatch.setattr(study, "Stage", lambda _: Stage())
    monkeypatch.setattr(measures, "Eyes", lambda _: Colours())
    monkeypatch.setattr(measures, "fits", lambda seen, *_: True)
    return lambda: study.Study(tmp_path / "weights", tmp_path / "kept")


def test_what_is_sampled_is_kept_and_every_pair_is_measured(made: Any) -> None:
    from recompose.lab.evaluate.attention import figures, runs

    first = made()
    pairs = [pair for pair, fits in first.chosen(3) if fits]
    rows = [row for run in runs.TABLE for pair in pairs for row in first.row(pair, run)]
    assert first.stage.painted == 3 * len(runs.TABLE)
    again = made()
    assert rows == [row for run in runs.TABLE for pair in pairs for row in again.row(pair, run)]
    assert again.stage.painted == 0
    plain, ceiling = (figures.values(rows, name, "clothes kept") for name in (runs.PLAIN, runs.CEILING))
    assert plain == [0, 0, 0] and ceiling == pytest.approx([1 / 3] * 3)  # rows 1 and 2 of the plain run
    replaced = figures.values(rows, runs.TABLE[1].settings, "clothes kept")
    assert replaced == [1, 1, 1]
    unpatched = (runs.PLAIN, runs.CEILING, *(run.settings for run in runs.TABLE if not run.mode))
    assert all(row["source changed"] == (0 if row["run"] in unpatched else 256) for row in rows)


def test_the_page_and_its_curves_tell_every_figure(attention: ModuleType) -> None:
    from recompose.lab.evaluate.attention import page, photos, runs, study
    from recompose.lab.evaluate.rows import Figures

    eyes = Colours()
    names = [runs.PLAIN, runs.CEILING, *(run.settings for run in study.runs()[1:])]
    image = np.full((16, 16, 3), 2, np.uint8)
    rows = [
        {"seed": seed, "run": name, "source changed": 0, **eyes.measured(None, image, image)}
        for name in names
        for seed in range(3)
    ]
    rows += [
        {
            "seed": 0,
            "run": f"photo, {run.name}",
            "changed pixels outside": 0,
            **eyes.measured(None, image, image),
        }
        for run in photos.EDITS
    ]
    rows += [
        {"seed": 0, "run": name, "latent": 1e-6, "psnr": 28.0, "psnr of the VAE": 28.5}
        for name in photos.METHODS
    ]
    found = Figures(rows, attention.summary(rows, 5))
    assert found.summary["pairs"] == "3; 2 more failed their own prompts"
    assert found.summary["replace: clothes kept"] == "0.333 (0.333 … 0.333)"
    assert found.summary["replace − same noise: clothes kept"] == "0.000 (0.000 … 0.000)"
    text, drawing = page.page(found), page.curves(found)
    for name in (*runs.STUDY, *photos.METHODS, "replace, ControlNet", runs.CEILING):
        assert name in text.replace(name[0].upper() + name[1:], name)
    assert drawing.count("<polyline") == 4 * 3


def test_an_edited_photo_changes_where_somebody_stands_and_nowhere_else(attention: ModuleType) -> None:
    from recompose.lab.evaluate.attention import photos

    photo, made = np.zeros((24, 24, 3), np.uint8), np.full((24, 24, 3), 9, np.uint8)
    one, other = np.zeros((24, 24), bool), np.zeros((24, 24), bool)
    one[4, 4], other[4, 16] = True, True
    picture, mask = photos.stitched(photo, made, [one, other])
    assert (picture[mask] == 9).all() and (picture[~mask] == 0).all()
    assert mask[4, 4 : 4 + photos.AROUND + 1].all() and not mask[4, 5 + photos.AROUND]
    assert mask[4, 16] and not mask[12].any()
    assert photos.psnr(photo, photo + 1) == pytest.approx(48.13, abs=0.01)
