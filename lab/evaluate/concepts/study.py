"""Teach the model everything, paint and look, and keep it all, so that a stopped study goes on."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ....cli.comfy.jobs import Journal
from ... import version as versions
from ...setup.environment import cache_folder
from ...toy import things, world
from ...toy.things import Shown, Thing
from ..evaluator import Evaluator
from . import marks, measures
from .likeness import SURE, Judge
from .plan import (
    BASE,
    CHAINED,
    CUSTOM,
    JOINT,
    KNOWN,
    LESSONS,
    MERGED,
    OTHERS,
    PROMPTS,
    ROUND_TRIP,
    ROW,
    ROWS,
    TOGETHER,
    TRUE,
    WHOLE,
    Plan,
    Row,
    Setting,
    word,
)
from .stage import Classroom, Lesson, Loaded

# What trained concepts depend on beside the models and their settings, and what the rows do in addition.
MAKERS = ("lab.evaluate.concepts.stage", "lab.toy.things", "lab.toy.assemble")
MODELS = ("vae", "text", "unet")
LOOKERS = ("lab.evaluate.concepts.measures", "lab.evaluate.concepts.marks", "lab.evaluate.concepts.likeness")
Kept = dict[str, Any]


def slug(*parts: object) -> str:
    """A file's name without ending."""
    return re.sub(r"[^a-z0-9.<>]+", "_", " ".join(map(str, parts)).lower())


def longer(setting: Setting) -> Setting:
    """The setting of a training of two things, by that of one."""
    return Setting(setting.rate, round(JOINT * setting.steps))


def named(some: Sequence[Thing]) -> str:
    """What one thing or two are called in rows."""
    return " and ".join(thing.name for thing in some)


class Study:
    """Rows by what was done and with which thing, trainings by their setting too."""

    def __init__(self, weights: Path, planned: Plan, folder: Path | None = None) -> None:
        made = versions.version(MAKERS, MODELS, weights=weights)
        looked = versions.version(LOOKERS, ["evaluator"], weights=weights)
        self.plan, self.weights = planned, weights
        self.folder = folder or cache_folder() / "concepts" / made
        self.trainings = Journal(self.folder / "trainings.jsonl", ("run", "thing"))
        self.rows = Journal(self.folder / f"rows_{looked}.jsonl", ("run", "thing"))
        telling = versions.version(["lab.evaluate.concepts.likeness"], ["vae"], weights=weights)
        self.judged = self.folder.parent / f"likeness_{telling}_{planned.number}.pt"

    @cached_property
    def room(self) -> Classroom:
        return Classroom(self.weights)

    @cached_property
    def evaluator(self) -> Evaluator:
        return Evaluator.load(self.weights)

    @cached_property
    def judge(self) -> Judge:
        return Judge.kept(self.judged, self.plan.every, self.room.through)

    def once(self, run: str, some: Sequence[Thing], make: Callable[[], Kept]) -> Kept:
        """The row of a run of things, made where it is missing."""
        key = {"run": f"{run} [of {self.plan.number}]", "thing": named(some)}
        row = self.rows.get(*key.values())
        if row is None:
            print(f"{run}: {key['thing']}", file=sys.stderr, flush=True)
            row = {**key, **make()}
            self.rows.add(row)
        return {**row, "run": run}

    def lessons(self, some: Sequence[Thing]) -> list[Lesson]:
        """The own pictures of things, each with its captions."""
        found = []
        for thing in some:
            for seed in range(LESSONS):
                shown = things.shown((thing,), seed)
                text = things.caption(shown.attributes, {thing: word(thing)})
                found.append(Lesson(shown.image, text))
        return found

    def asked(self, some: tuple[Thing, ...]) -> list[Shown]:
        """Further pictures of things, whose captions are the prompts."""
        return [things.shown(some, LESSONS + number) for number in range(PROMPTS)]

    def taught(
        self, row: Row, some: tuple[Thing, ...], setting: Setting, savings: Sequence[int] = ()
    ) -> dict[int, Path]:
        """The files of a training by the steps after which they were kept."""
        label, name = f"{row.name}, {setting}", named(some)
        files = {
            step: self.folder / "concepts" / f"{slug(label, name, step)}.safetensors"
            for step in sorted({*savings, setting.steps})
        }
        if self.trainings.get(label, name) is None or not all(file.is_file() for file in files.values()):
            words = " ".join(word(thing) for thing in some)
            print(f"train {label}: {name}", file=sys.stderr, flush=True)
            cost = self.room.teach(row, setting, words, self.lessons(some), files)
            self.trainings.add({"run": label, "thing": name, **cost._asdict()})
        return files

    def looked(self, run: str, thing: Thing, images: list[np.ndarray], shown: Sequence[Shown]) -> Kept:
        """What pictures show of a thing and of what else was asked for; they are kept as a strip."""
        self.strip(run, thing.name, images)
        asked = [things.asked(one.attributes, (thing,)) for one in shown]
        own = [lesson.image for lesson in self.lessons([thing])]
        return {
            "likeness": self.judge.chances(images, thing),
            "text": measures.alignment(self.evaluator, images, asked),
            "similarity": measures.similarity(self.evaluator, images, own),
        }

    def strip(self, run: str, name: str, images: Sequence[np.ndarray]) -> None:
        """Keep pictures beside each other for an eye."""
        path = self.folder / "pictures" / f"{slug(name, run)}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(images, 1)).save(path)

    def others(self, loaded: Loaded, thing: Thing) -> list[float]:
        """How much of captions of other classes a model's pictures show."""
        texts, asked, seed = [], [], 0
        while len(texts) < OTHERS:
            example = world.closer(seed, "test")
            if "scene" in example.attributes and thing.class_word not in example.caption.split():
                texts.append(example.caption)
                asked.append(things.asked(example.attributes, ()))
            seed += 1
        return measures.alignment(self.evaluator, self.room.paint_with(loaded, texts), asked)

    def limits(self, thing: Thing) -> list[Kept]:
        """What the autoencoder leaves of a thing's marks, and what is read in its true pictures."""
        shown = self.asked((thing,))
        images = [one.image for one in shown]

        def marked() -> Kept:
            pairs = list(zip(shown, self.room.through(images), strict=True))
            name = thing.name
            return {
                "contrast": [
                    round(marks.contrast_kept(one.image, made, one.marks[name]), 4) for one, made in pairs
                ],
                "psnr": [round(marks.psnr(one.image, made, one.masks[name]), 2) for one, made in pairs],
            }

        return [
            self.once("marks", [thing], marked),
            self.once(TRUE, [thing], lambda: self.looked(TRUE, thing, images, shown)),
            self.once(
                ROUND_TRIP,
                [thing],
                lambda: self.looked(ROUND_TRIP, thing, self.room.through(images), shown),
            ),
        ]

    def painted(self, run: str, thing: Thing, loaded: Loaded, said: str, *, others: bool = True) -> Kept:
        """What a model paints of a thing that prompts call by a word, and of other classes."""
        shown = self.asked((thing,))
        texts = [things.caption(one.attributes, {thing: said}) for one in shown]
        found = self.looked(run, thing, self.room.paint_with(loaded, texts), shown)
        return found | ({"others": self.others(loaded, thing)} if others else {})

    def alone(self, thing: Thing, chosen: dict[str, Setting]) -> list[Kept]:
        """The rows of a thing: the class word alone, and each way to teach it."""
        rows = [self.once(BASE, [thing], lambda: self.painted(BASE, thing, self.room.base, ""))]
        for row in ROWS:
            setting = chosen[row.name]

            def made(row: Row = row, setting: Setting = setting) -> Kept:
                file = self.taught(row, (thing,), setting)[setting.steps]
                found = self.painted(row.name, thing, self.room.applied(file), word(thing))
                if row.name == WHOLE:
                    file.unlink()  # tens of megabytes, and not needed again
                return found

            found = self.once(f"{row.name}, {setting}", [thing], made)
            cost = self.trainings.get(f"{row.name}, {setting}", thing.name) or {}
            rows.append(
                {**found, "run": row.name, "seconds": cost.get("seconds"), "bytes": cost.get("bytes")}
            )
        return rows

    def tried(self, row: Row, rate: float, thing: Thing) -> list[Kept]:
        """A further thing at a rate, looked at after each number of steps."""
        setting = Setting(rate, self.plan.steps)
        rows = []
        for step in self.plan.savings:

            def made(step: int = step) -> Kept:
                files = self.taught(row, (thing,), setting, self.plan.savings)
                run = f"{row.name}, {Setting(rate, step)}"
                return self.painted(run, thing, self.room.applied(files[step]), word(thing), others=False)

            rows.append(self.once(f"tried, {row.name}, {setting}, after {step}", [thing], made))
            rows[-1] |= {"run": "tried", "row": row.name, "rate": rate, "steps": step}
        if row.name == WHOLE:
            for file in self.folder.glob(f"concepts/{slug(f'{row.name}, {setting}', thing.name)}*"):
                file.unlink()
        return rows

    def together(self, pair: tuple[Thing, Thing], chosen: dict[str, Setting]) -> list[Kept]:
        """Both things of a pair in one picture, by each way to have them in one model, and known ones."""
        shown, setting, joint = self.asked(pair), chosen[CUSTOM], longer(chosen[CUSTOM])
        said = {thing: word(thing) for thing in pair}

        def files() -> list[Path]:
            return [self.taught(ROW[CUSTOM], (thing,), setting)[setting.steps] for thing in pair]

        ways: dict[str, Callable[[], Loaded]] = {
            MERGED: lambda: self.room.merged(files(), [thing.class_word for thing in pair]),
            CHAINED: lambda: self.room.applied(*files()),
            TOGETHER: lambda: self.room.applied(self.taught(ROW[CUSTOM], pair, joint)[joint.steps]),
        }
        rows = []
        for run, way in ways.items():

            def made(run: str = run, way: Callable[[], Loaded] = way) -> Kept:
                texts = [things.caption(one.attributes, said) for one in shown]
                return self.both(run, pair, self.room.paint_with(way(), texts), shown)

            rows.append(self.once(f"{run}, {setting}", pair, made) | {"run": run})
        images = [one.image for one in shown]
        rows.append(self.once(TRUE, pair, lambda: self.both(TRUE, pair, images, shown)))
        rows.append(self.once(KNOWN, pair, lambda: self.known(pair, shown)))
        return rows

    def costs(self, chosen: dict[str, Setting]) -> list[Kept]:
        """What each training of the plan has cost."""
        tried = [(row, Setting(rate, self.plan.steps)) for row in ROWS for rate in row.rates]
        keys = [
            (f"{row.name}, {setting}", thing.name) for row, setting in tried for thing in self.plan.further
        ]
        keys += [
            (f"{name}, {setting}", each.name) for name, setting in chosen.items() for each in self.plan.things
        ]
        keys += [(f"{CUSTOM}, {longer(chosen[CUSTOM])}", named(pair)) for pair in self.plan.pairs]
        return [{**row, "kind": "training"} for key in keys if (row := self.trainings.get(*key)) is not None]

    def both(
        self, run: str, pair: tuple[Thing, Thing], images: list[np.ndarray], shown: Sequence[Shown]
    ) -> Kept:
        """What pictures show of a pair."""
        self.strip(run, named(pair), images)
        first, second = (self.judge.chances(images, thing) for thing in pair)
        asked = [things.asked(one.attributes, pair) for one in shown]
        return {
            "first": first,
            "second": second,
            "both": [min(each) >= SURE for each in zip(first, second, strict=True)],
            "text": measures.alignment(self.evaluator, images, asked),
        }

    def known(self, pair: tuple[Thing, Thing], shown: Sequence[Shown]) -> Kept:
        """The same of what the base knows in the places of both things."""
        said = [things.known(one.attributes, pair, number) for number, one in enumerate(shown)]
        images = self.room.paint_with(self.room.base, [world.caption(each) for each in said])
        self.strip(KNOWN, named(pair), images)
        seen = self.evaluator.look(images)
        first, second = (
            [float(measures.known_right(*one, thing)) for one in zip(seen, said, strict=True)]
            for thing in pair
        )
        both = [bool(a and b) for a, b in zip(first, second, strict=True)]
        asked = [things.asked(one.attributes, pair) for one in shown]
        text = measures.alignment(self.evaluator, images, asked)
        return {"first": first, "second": second, "both": both, "text": text}
