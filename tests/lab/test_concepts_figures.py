"""New things taught and looked at: likeness, intervals over things, figures and page, and going on."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from recompose.lab.evaluate.concepts import intervals, likeness, marks, measures
from recompose.lab.evaluate.evaluator import Seen, Thing
from recompose.lab.toy import things

STAR, SWEATER = things.PAIRS[0]
NOTHING = np.zeros((2, 2), bool)


@pytest.fixture(scope="module")
def concepts(comfy: ModuleType) -> ModuleType:
    from recompose.lab.evaluate.concepts import figures

    return figures


def test_an_interval_over_things_draws_things_and_then_pictures() -> None:
    one = intervals.nested([[0.5, 0.5, 0.5]] * 4)
    assert (one.value, one.low, one.high) == (0.5, 0.5, 0.5)
    # Two things that differ: a quarter of the draws has the first twice, a quarter the second.
    both = intervals.nested([[0.0] * 5, [1.0] * 5])
    assert (both.value, both.low, both.high) == (0.5, 0.0, 1.0)
    # One thing whose pictures differ: the mean of two draws of 0 and 1.
    alone = intervals.nested([[0.0, 1.0]])
    assert (alone.low, alone.high) == (0.0, 1.0)


def test_a_difference_is_of_the_same_pictures() -> None:
    first, second = [[0.9, 0.4], [0.7, 0.3]], [[0.8, 0.3], [0.6, 0.2]]
    found = intervals.difference(first, second)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    with pytest.raises(ValueError, match="as many pictures of each thing"):
        intervals.nested([[1.0], [1.0, 0.0]])


def test_a_ratio_draws_the_same_things_for_both() -> None:
    found = intervals.ratio([[0.4, 0.4], [0.2, 0.2]], [[0.8, 0.8], [0.4, 0.4]])
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    assert intervals.ratio([[1.0]], [[0.0]]) is None


def test_contrast_kept_is_the_least_of_all_pairs_of_marks() -> None:
    marked = np.array([[1, 1, 2, 2, 3, 3, 0, 0]], np.uint8)
    image = np.repeat(np.array([[0, 0, 255, 255, 128, 128, 9, 9]], np.uint8)[..., None], 3, 2)
    assert marks.contrast_kept(image, image, marked) == pytest.approx(1)
    flat = image.copy()
    flat[marked == 3] = 255  # as the second mark
    assert marks.contrast_kept(image, flat, marked) == pytest.approx(0)


def test_psnr_is_within_the_mask() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    other = image + np.array([[[16], [255]], [[16], [255]]], np.uint8)
    mask = np.array([[True, False], [True, False]])
    assert marks.psnr(image, other, mask) == pytest.approx(20 * np.log10(255 / 16))


def seen(scene: str, **colours: str) -> Seen:
    found = {name: Thing(NOTHING, name, colour) for name, colour in colours.items()}
    return Seen(np.zeros((24, 3)), 0, {}, scene=scene, things=found)


def test_alignment_counts_scene_garments_and_other_objects() -> None:
    asked = {"scene": "snow", "hair colour": "black", "objects": (("dog", "red"),)}
    assert measures.agreed(seen("snow", hair="black", dog="red"), asked) == [True, True, True]
    assert measures.agreed(seen("gym", hair="brown"), asked) == [False, False, False]
    assert measures.share([True, False, False, False]) == 0.25 and measures.share([]) == 1


def test_known_things_are_right_with_their_colours() -> None:
    said = {"objects": (("ball", "blue"),), "top": "sweater", "top colour": "pink", "hair colour": "blond"}
    picture = seen("snow", ball="blue", top="pink", hair="black")
    assert measures.known_right(picture, said, STAR) and measures.known_right(picture, said, SWEATER)
    assert not measures.known_right(picture, said, things.PAIRS[1][1])  # whose hair is black


def test_likeness_tells_true_pictures_of_things_from_their_shapes_in_other_colours() -> None:
    some = things.PAIRS[0]
    images, shown = likeness.lessons(some, 0.5)
    assert shown.shape == (len(images), 2) and shown[:24, 0].all() and not shown[24:40, 0].any()
    network = likeness.train(images, shown, steps=120)
    judge = likeness.Judge(network, [thing.name for thing in some])
    for thing in some:
        true = [things.shown((thing,), seed).image for seed in range(6)]
        other = [things.shown((likeness.recoloured(thing, seed),), seed).image for seed in range(6)]
        own, decoys = judge.chances(true, thing), judge.chances(other, thing)
        assert np.mean(own) > 0.7 and np.mean(decoys) < 0.3, (own, decoys)


class Stopped(Exception):
    """Somebody has stopped the study."""


class Room:
    """A classroom that counts what it is asked for and stops at one of the calls."""

    def __init__(self, stop: int | None = None) -> None:
        self.stop, self.taught, self.painted = stop, list[str](), 0
        self.base = ("model", "clip")

    def count(self) -> None:
        if self.stop is not None and len(self.taught) + self.painted == self.stop:
            raise Stopped
        self.painted += 1

    def teach(self, row: Any, setting: Any, words: str, lessons: list, files: dict[int, Path]) -> Any:
        from recompose.lab.evaluate.concepts.stage import Taught

        self.count()
        self.painted -= 1
        self.taught.append(f"{row.name}, {setting}, {words}, {lessons[0].caption}")
        for file in files.values():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"1234")
        return Taught(10.0, setting.steps, 4)

    def applied(self, *files: Path) -> tuple[Path, ...]:
        assert all(file.is_file() for file in files)
        return files

    def merged(self, files: list[Path], classes: list[str]) -> tuple[Path, ...]:
        assert classes == [STAR.class_word, SWEATER.class_word]
        return self.applied(*files)

    def paint_with(self, loaded: Any, prompts: list[str]) -> list[np.ndarray]:
        self.count()
        return [np.full((8, 8, 3), len(text), np.uint8) for text in prompts]

    def through(self, images: list[np.ndarray]) -> list[np.ndarray]:
        return images


class Knowing:
    """A judge and an evaluator of grey pictures."""

    def chances(self, images: list[np.ndarray], thing: Any) -> list[float]:
        return [float(image[0, 0, 0] % 2) for image in images]

    def look(self, images: list[np.ndarray]) -> list[Seen]:
        return [seen("snow", top="red") for _ in images]

    def features(self, images: list[np.ndarray]) -> np.ndarray:
        return np.stack([[1.0, float(image[0, 0, 0])] for image in images])


@pytest.fixture(scope="module")
def whole(concepts: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The figures of a trial that is stopped at every call once and goes on each time."""
    from recompose.lab.evaluate.concepts import plan, study
    from recompose.lab.places import WEIGHTS

    folder, rooms = tmp_path_factory.mktemp("concepts"), list[Room]()
    patch = pytest.MonkeyPatch()
    patch.setattr(study.Study, "judge", Knowing())
    patch.setattr(study.Study, "evaluator", Knowing())

    class Here(study.Study):
        def __init__(self, weights: Path, planned: plan.Plan) -> None:
            super().__init__(weights, planned, folder)
            self.__dict__["room"] = rooms[-1]

    patch.setattr(concepts.study, "Study", Here)
    found = None
    while found is None:
        rooms.append(Room(7))
        try:
            found = concepts.measure(WEIGHTS, 2, 10)
        except Stopped:
            assert len(rooms) < 40
    patch.undo()
    return found, rooms


def test_a_stopped_study_goes_on_where_it_was(whole: Any) -> None:
    _, rooms = whole
    taught = [each for room in rooms for each in room.taught]
    assert len(rooms) > 5 and len(taught) == len(set(taught))
    # Seven rates on a further thing, three ways for each of two things, and both together.
    assert len(taught) == 7 + 6 + 1
    assert all("<new1> <new2>" in each for each in taught[-1:])


def test_every_row_and_column_has_a_figure_and_a_cell(whole: Any, concepts: ModuleType) -> None:
    from recompose.lab.evaluate.concepts import page, plan

    figures, _ = whole
    text = page.page(figures)
    assert "**This is a trial** with 2 of 12 things" in text
    for run in (plan.BASE, plan.EMBEDDING, plan.CUSTOM, plan.WHOLE):
        (line,) = [line for line in text.splitlines() if line.startswith(f"| {run} |")][-1:]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == 7 and all(cells)
        assert ("–" in cells) == (run == plan.BASE)
    for run in (plan.MERGED, plan.CHAINED, plan.TOGETHER, plan.KNOWN):
        assert f"| {run} |" in text and f"two, {run}: both" in figures.summary
    assert figures.summary["hours of one core for all trainings"] == round(14 * 10 / 3600, 2)
    assert text.count("chosen |") == 3 and "| star |" in text and "| hourglass |" in text


def test_the_best_setting_counts_likeness_and_text_alike(concepts: ModuleType) -> None:
    def tried(way: str, rate: float, likeness: float, text: float) -> dict[str, Any]:
        return {"row": way, "rate": rate, "steps": 8, "likeness": [likeness] * 2, "text": [text] * 2}

    rows = [tried(way, rate, *pair) for way in concepts.TAUGHT
            for rate, pair in ((0.1, (0.9, 0.1)), (0.2, (0.6, 0.6)), (0.3, (0.2, 0.9)))]  # fmt: skip
    assert {str(setting) for setting in concepts.best(rows).values()} == {"rate 0.2, 8 steps"}


def test_less_than_all_is_a_trial_and_never_takes_the_place_of_results() -> None:
    from recompose.lab.commands import figures
    from recompose.lab.evaluate.concepts.plan import Plan
    from recompose.lab.evaluate.models import catalogue

    assert Plan(2).trial and Plan(steps=3).trial and not Plan().trial
    with pytest.raises(ValueError, match="even number of things"):
        Plan(3)
    given = figures.parser().parse_args(["concepts", "--number", "2"])
    with pytest.raises(ValueError, match="--out DIR with --number"):
        figures.less(given)
    with pytest.raises(ValueError, match="--number with concepts only, got vae"):
        catalogue.measure("vae", Path(), number=2)
