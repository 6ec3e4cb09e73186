"""Shape Guard beside the same inpaint checkpoint without it, on boxes larger than what is asked for."""

from __future__ import annotations

import importlib
import sys
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from PIL import Image

from ....cli.comfy.jobs import Journal
from ... import version as versions
from ...setup.environment import cache_folder
from ..bootstrap import COVERAGE, RESAMPLES, SEED, Interval, interval, paired, shown
from ..boxes import Box, boxes
from ..evaluator import Evaluator
from ..rows import Figures
from ..tables import table as lines_of
from .stage import InpaintStage

COUNT = 200
STEPS, CFG, SAMPLER, SCHEDULER = 20, 3.0, "euler", "normal"
PLAIN, GUARDED = "inpaint checkpoint", "Shape Guard"
MAKERS = ("lab.evaluate.attention.guard", "lab.evaluate.evaluator", "lab.toy.assemble")
MODELS = ("vae", "text", "unet", "openpose", "evaluator")
COLUMNS = ("kind and colour", "kind", "difference", "painted", "overlap")
Row = dict[str, Any]


class Brush(InpaintStage):
    """Paints things into boxes with the inpaint checkpoint."""

    @torch.inference_mode()
    def paint(self, box: Box, guarded: bool) -> tuple[np.ndarray, np.ndarray | None, float]:
        """The picture H,W,3 uint8, the photo outside of the box; the mask of the thing (bool); seconds."""
        guard = importlib.import_module("recompose.bridge.attention.guard")
        photo = torch.from_numpy(box.photo.copy())[None].float() / 255
        coarse = torch.from_numpy(box.mask)[None].float()
        positive, negative, latent = self.conditioned(box.text, photo, coarse)
        model, found = self.inpaint, None
        if guarded:
            words = guard.Words(self.clip, box.text, box.words)
            model, found = guard.guard(model, words, latent, None, 0.33, guard.Shaping(feather=8.0))
        sample = importlib.import_module("comfy.sample")
        noise, begun = sample.prepare_noise(latent["samples"], box.seed), perf_counter()
        made = sample.sample(
            model, noise, STEPS, CFG, SAMPLER, SCHEDULER, positive, negative, latent["samples"],
            noise_mask=latent["noise_mask"], seed=box.seed, disable_pbar=True,
        )  # fmt: skip
        seconds = perf_counter() - begun
        image = np.where(box.mask[..., None], self.pixels(made)[0], box.photo)
        mask = None if found is None else guard.shape_mask(found, {"samples": made})[0].numpy() >= 0.5
        return image, mask, seconds


class Boxes:
    """Rows by box and way; pictures and rows are kept, so that a stopped run goes on."""

    def __init__(self, weights: Path, folder: Path | None = None) -> None:
        name = versions.version(MAKERS, MODELS, weights=weights)
        self.folder = folder or cache_folder() / "maps" / name
        self.journal = Journal(self.folder / "guard.jsonl", ("seed", "run"))
        self.brush, self.evaluator = Brush(weights), Evaluator.load(weights)

    def row(self, box: Box, run: str) -> Row:
        """What is measured of a box."""
        found = self.journal.get(box.seed, run)
        if found is None:
            image, mask, seconds = self.brush.paint(box, run == GUARDED)
            Image.fromarray(image).save(self.folder / f"{box.seed:05d}_{run == GUARDED:d}.png")
            found = {"seed": box.seed, "run": run, **self.measured(box, image, mask), "seconds": seconds}
            self.journal.add(found)
        return found

    def measured(self, box: Box, image: np.ndarray, mask: np.ndarray | None) -> Row:
        """Whether the thing is of the kind and the colour asked for; the mean difference (of 255) to the
        photo inside the box where the thing is not; how much of the box the thing is; and the overlap of its
        mask with the guard's, where there is any."""
        (seen,) = self.evaluator.look([image])
        thing = seen.things.get(box.name)
        shown = thing.mask if thing is not None else np.zeros_like(box.mask)
        rest = box.mask & ~shown
        difference = np.abs(image.astype(float) - box.photo).mean(2)
        found: Row = {
            "kind": thing is not None,
            "kind and colour": thing is not None and thing.colour == box.colour,
            "difference": round(float(difference[rest].mean()), 3) if rest.any() else 0.0,
            "painted": round(float(shown[box.mask].mean()), 4),
        }
        if mask is not None and thing is not None:
            found["overlap"] = round(float((mask & shown).sum() / (mask | shown).sum()), 4)
        return found


def measure(folder: Path, count: int = COUNT) -> Figures:
    """Paint what is not kept from an earlier call, and measure everything."""
    made, rows = Boxes(folder), []
    for number, box in enumerate(islice(boxes(), count)):
        rows += [made.row(box, run) for run in (PLAIN, GUARDED)]
        if number % 20 == 19:
            print(f"box {number + 1} of {count}", file=sys.stderr, flush=True)
    return Figures(rows, summary(rows))


def values(rows: list[Row], run: str, column: str) -> list[float]:
    """A column of a way's rows in the order of their boxes; rows without it are left out."""
    some = sorted((row for row in rows if row["run"] == run), key=lambda row: row["seed"])
    return [float(row[column]) for row in some if column in row]


def ratio(first: list[float], second: list[float]) -> Interval:
    """The ratio of the means of two columns of the same boxes with its interval."""
    pairs = np.array([first, second])
    drawn = np.random.default_rng(SEED).integers(pairs.shape[1], size=(RESAMPLES, pairs.shape[1]))
    one, other = pairs[:, drawn].mean(2)
    low, high = np.quantile(one / other, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(float(pairs[0].mean() / pairs[1].mean()), float(low), float(high))


def summary(rows: list[Row]) -> dict[str, Any]:
    """All figures by name."""
    found: dict[str, Any] = {"boxes": len(values(rows, PLAIN, "kind"))}
    for run in (PLAIN, GUARDED):
        for column in COLUMNS:
            if some := values(rows, run, column):
                found[f"{run}: {column}"] = shown(interval(some))
    for column in ("kind and colour", "kind", "difference"):
        found[f"{GUARDED} − {PLAIN}: {column}"] = shown(
            paired(values(rows, GUARDED, column), values(rows, PLAIN, column))
        )
    for column in ("difference", "seconds"):
        found[f"{GUARDED} / {PLAIN}: {column}"] = shown(
            ratio(values(rows, GUARDED, column), values(rows, PLAIN, column))
        )
    return found


def section(rows: list[Row]) -> list[str]:
    """The lines of a page: both ways in a table, and Shape Guard against the checkpoint alone."""
    body = [
        [run, *(shown(interval(some)) if (some := values(rows, run, column)) else "–" for column in COLUMNS)]
        for run in (PLAIN, GUARDED)
    ]
    against = [[name, value] for name, value in summary(rows).items() if name.startswith(f"{GUARDED} ")]
    return [*lines_of(["", *COLUMNS], body), *lines_of(["", "value"], against)]
