"""Sample all pairs in all ways and keep the pictures, so that a stopped study goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ....cli.comfy.jobs import Journal, fingerprint
from ... import version as versions
from ...setup.environment import cache_folder
from . import measures, photos
from .pairs import Pair, pairs
from .runs import CEILING, MASKED, PLAIN, STUDY, TABLE, Run
from .stage import Masks, Stage

COUNT = 60
# What the pictures depend on beside the models and the settings of a run.
MAKERS = (
    "lab.evaluate.attention.pairs",
    "lab.evaluate.attention.stage",
    "lab.evaluate.attention.runs",
    "lab.toy.assemble",
)
MODELS = ("vae", "text", "unet", "openpose")


def runs() -> list[Run]:
    """Every way to sample once, the table's first."""
    found = {run.settings: run for run in TABLE}
    for curve in STUDY.values():
        for run in curve.values():
            found.setdefault(run.settings, run)
    return list(found.values())


class Study:
    """Pictures of pairs by the settings of a run."""

    def __init__(self, weights: Path, folder: Path | None = None) -> None:
        name = versions.version(MAKERS, MODELS, weights=weights)
        self.evaluator = versions.version(["lab.evaluate.evaluator"], ["evaluator"], weights=weights)
        self.folder = folder or cache_folder() / "attention" / name
        self.journal = Journal(self.folder / "pictures.jsonl", ("seed", "run"))
        self.stage, self.eyes = Stage(weights), measures.Eyes(weights)

    def pictures(self, pair: Pair, run: Run) -> list[np.ndarray]:
        """Source and target of a run, and of the plain run the ceiling; sampled where they are not kept."""
        names = ("source", "target", "ceiling") if run.settings == TABLE[0].settings else ("source", "target")
        files, key = [self.file(pair.seed, run, name) for name in names], self.key(run)
        if self.journal.get(pair.seed, key) is None:
            prompts = [pair.source, pair.target, pair.ceiling][: len(names)]
            masks = self.masks(pair) if run.mode == MASKED else None
            for file, image in zip(files, self.stage.paint(pair, prompts, run, masks), strict=True):
                Image.fromarray(image).save(file)
            self.journal.add({"seed": pair.seed, "run": key})
        return [np.asarray(Image.open(file)) for file in files]

    def key(self, run: Run) -> str:
        """Of all that a run's pictures depend on: masks are the evaluator's."""
        return f"{run.settings}; {self.evaluator}" if run.mode == MASKED else run.settings

    def file(self, seed: int, run: Run, name: str) -> Path:
        """Where a picture is kept."""
        return self.folder / f"{seed:05d}_{fingerprint({'run': run.settings})}_{name}.png"

    def masks(self, pair: Pair) -> Masks:
        """Where the evaluator sees the person in the source and in the target of the same noise."""
        source, target, _ = self.eyes.look(self.pictures(pair, TABLE[0]))
        return source.person, target.person

    def chosen(self, count: int) -> Iterator[tuple[Pair, bool]]:
        """Pairs until `count` of them are good, and whether each is: its source and its ceiling fit."""
        good = 0
        for pair in pairs():
            if good == count:
                return
            source, _, ceiling = self.eyes.look(self.pictures(pair, TABLE[0]))
            fits = measures.fits(source, pair.asked, pair.asked) and measures.fits(
                ceiling, pair.asked, pair.wanted
            )
            good += fits
            yield pair, fits

    def row(self, pair: Pair, run: Run) -> list[dict[str, Any]]:
        """What is measured of a run of a good pair; the plain run has a row for the ceiling too."""
        source, *targets = self.pictures(pair, run)
        plain = self.pictures(pair, TABLE[0])[0]
        names = (PLAIN, CEILING) if run.settings == TABLE[0].settings else (run.settings,)
        return [
            {
                "seed": pair.seed,
                "run": name,
                "source changed": int((source != plain).any(2).sum()),
                **self.eyes.measured(pair, source, image),
            }
            for name, image in zip(names, targets, strict=True)
        ]

    def photos(self, tell: Callable[[str], None]) -> Iterator[dict[str, Any]]:
        """A row for each way to edit each photo, and for each way to invert it."""
        for number, (photo, asked) in enumerate(islice(photos.photos(), photos.COUNT)):
            made: dict[str, np.ndarray] = {}
            inverted = None  # once for all edits, and not at all where these are kept
            for run in photos.EDITS:
                file, key = self.file(asked.seed, run, f"edit_{len(run.name)}"), f"{run.name}; {run.settings}"
                if self.journal.get(asked.seed, key) is None:
                    if inverted is None:
                        inverted = self.stage.inverted(photo.image, photos.METHODS[photos.EXACT])
                    Image.fromarray(photos.edited(self.stage, inverted, asked, run)).save(file)
                    self.journal.add({"seed": asked.seed, "run": key})
                made[run.name] = np.asarray(Image.open(file))
            yield from photos.edits(self.eyes, photo, asked, made)
            for method in photos.METHODS if number < photos.ITERATED else [photos.EXACT]:
                if (row := self.journal.get(asked.seed, method)) is None:
                    row = {"seed": asked.seed, "run": method, **photos.returned(self.stage, photo, method)}
                    self.journal.add(row)
                yield row
            tell(f"photo {number + 1} of {photos.COUNT}")
