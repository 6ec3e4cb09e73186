"""Paint all tasks with all methods, going on where a run stopped, and measure what was painted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ....cli.comfy.jobs import Journal
from ... import version as versions
from ...places import RESULTS
from ...toy.pipeline import Painter
from ...toy.requests import BATCH
from .. import set_distances
from ..evaluator import Evaluator
from ..samplers import sweep
from . import latent_problem, metrics
from .tasks import COUNT, Task, tasks

OURS = "Lagrange"
TRUE = "true picture"  # measured beside them: what a perfect painter reads
METHODS = ("noise mask", "differential", "RePaint", "improved LanPaint, constant count", OURS)
# Text-to-image paints every kind; the inpaint variant is shown mask and rest, which is for outpaint only.
KINDS = (*COUNT, "outpaint, inpaint model")
# What paints: the tasks, the problem the samplers are given, and how a method's settings become a run.
PAINTERS = tuple(
    f"lab.evaluate.{name}" for name in ("pictures.tasks", "pictures.latent_problem", "samplers.sweep")
)

MEASURERS = ("pictures.metrics", "set_distances")


def version(chosen: dict[str, Any]) -> str:
    """Of everything that a method's painted pictures depend on."""
    return versions.version(PAINTERS, ("vae", "text", "unet"), settings=chosen)


def truth_version() -> str:
    """Of the true pictures and their holes."""
    return versions.version(["lab.evaluate.pictures.tasks"])


def measured_by() -> str:
    """Version of what looks at the pictures."""
    return versions.version([f"lab.evaluate.{name}" for name in MEASURERS], ("evaluator",))


def settings(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the contest chose for each method at 50 calls."""
    return {row["method"]: row["settings"] for row in rows if row["calls"] == latent_problem.CALLS}


class Study:
    """Pictures and rows in a folder; `kept` is what an earlier study wrote, so far as nothing has changed."""

    def __init__(
        self,
        folder: Path,
        chosen: dict[str, dict[str, Any]],
        count: int | None = None,
        kept: dict[str, Any] | None = None,
    ) -> None:
        self.folder, self.chosen = folder, chosen
        drawn = {kind: tasks(kind, count) for kind in COUNT}
        self.tasks = {kind: drawn[kind.partition(",")[0]] for kind in KINDS}
        self.versions = {TRUE: truth_version()} | {name: version(chosen[name]) for name in METHODS}
        self.measured_by = measured_by()
        self.journal = Journal(folder / "painted.jsonl", ("kind", "seed", "by"))
        self.painter, self.evaluator = Painter(), Evaluator.load()
        self.kept_rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.kept_distances: dict[str, dict[str, float | None]] = {}
        if kept and count is None and kept.get("measured by") == self.measured_by:
            self.keep(kept)

    def keep(self, kept: dict[str, Any]) -> None:
        """Take over the rows of methods that would paint the same again."""
        same = [name for name in self.versions if kept["versions"].get(name) == self.versions[name]]
        for row in kept["rows"]:
            if row["by"] in same:
                self.kept_rows.setdefault((row["kind"], row["by"]), []).append(row)
        self.kept_distances = kept["kernel distances"]

    def image(self, kind: str, method: str, task: Task) -> Path:
        """Where a painted picture is kept."""
        return self.folder / f"{kind}-{method}-{task.seed}.png".replace(", ", "_").replace(" ", "_")

    def done(self, kind: str, method: str, task: Task) -> bool:
        """Whether the picture is painted, by what would paint it now."""
        row = self.journal.get(kind, task.seed, method)
        return row is not None and row["version"] == self.versions[method]

    def paint(self, tell: Callable[[str], None]) -> None:
        """Paint what is not painted yet."""
        for kind, todo in self.tasks.items():
            for method in METHODS:
                if (kind, method) in self.kept_rows:
                    continue
                for some in alike([task for task in todo if not self.done(kind, method, task)]):
                    self.paint_some(kind, method, some)
                    tell(f"{kind}, {method}: pictures {', '.join(str(task.seed) for task in some)}")

    def painted(self, kind: str, method: str, some: list[Task]) -> tuple[list[np.ndarray], int]:
        """The pictures of tasks of one size, painted together, and the calls of the model."""
        found = sweep.method(method, self.chosen[method], latent_problem.CALLS)
        if found is None:
            raise RuntimeError(
                f"Expected {method} to fit into {latent_problem.CALLS} calls; run bench samplers again."
            )
        return latent_problem.paint(self.painter, some, kind.endswith("model"), found[0])

    def paint_some(self, kind: str, method: str, some: list[Task]) -> None:
        """Paint tasks of one size together and keep them."""
        start = time.monotonic()
        images, calls = self.painted(kind, method, some)
        seconds = (time.monotonic() - start) / len(some)
        for task, image in zip(some, images, strict=True):
            Image.fromarray(image).save(self.image(kind, method, task))
            row = {"kind": kind, "seed": task.seed, "by": method, "version": self.versions[method]}
            row |= {"calls": calls, "seconds": round(seconds, 2)}
            self.journal.add(row)

    def pictures(self, kind: str, method: str) -> list[np.ndarray]:
        """What a method painted for a kind's tasks, or the truth."""
        if method == TRUE:
            return [task.example.image for task in self.tasks[kind]]
        return [np.asarray(Image.open(self.image(kind, method, task))) for task in self.tasks[kind]]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each picture, measured anew: how to measure may change while the pictures stay."""
        found = []
        for kind, todo in self.tasks.items():
            for method in self.versions:
                if (kind, method) in self.kept_rows:
                    found += self.kept_rows[kind, method]
                    continue
                images = self.pictures(kind, method)
                for task, row in zip(todo, self.measured(kind, method, todo, images), strict=True):
                    if method != TRUE:
                        made = self.journal.rows[kind, task.seed, method]
                        row |= {name: made[name] for name in ("calls", "seconds")}
                    found.append(row)
        return found

    def measured(
        self, kind: str, method: str, some: list[Task], images: list[np.ndarray]
    ) -> list[dict[str, Any]]:
        """The row of each painted picture, but for what painting it took."""
        return [
            {"kind": kind, "seed": task.seed, "by": method, **metrics.measured(task, image, seen)}
            for task, image, seen in zip(some, images, self.evaluator.look(images), strict=True)
        ]

    def kernel_distances(self) -> dict[str, dict[str, float | None]]:
        """By kind and method, how far painted features are from the true ones; None of one picture."""
        found: dict[str, dict[str, float | None]] = {kind: {} for kind in self.tasks}
        for kind, todo in self.tasks.items():
            true: np.ndarray | None = None  # not looked at while everything is kept
            for method in METHODS:
                if (kind, method) in self.kept_rows:
                    found[kind][method] = self.kept_distances[kind][method]
                elif len(todo) < 2:
                    found[kind][method] = None
                else:
                    if true is None:
                        true = self.evaluator.features(self.pictures(kind, TRUE))
                    features = self.evaluator.features(self.pictures(kind, method))
                    found[kind][method] = round(set_distances.kernel(true, features), 6)
        return found

    def data(self) -> dict[str, Any]:
        """All that lab/results/samplers_pictures.json holds."""
        return {
            "settings": {method: self.chosen[method] for method in METHODS},
            "versions": self.versions,
            "measured by": self.measured_by,
            "kernel distances": self.kernel_distances(),
            "rows": self.rows(),
        }


def alike(some: list[Task]) -> Iterator[list[Task]]:
    """Tasks of one size that are painted together."""
    for height in sorted({task.hole.shape[0] for task in some}):
        same = [task for task in some if task.hole.shape[0] == height]
        for start in range(0, len(same), BATCH):
            yield same[start : start + BATCH]


def committed() -> list[dict[str, Any]]:
    """The rows of the samplers' benchmark."""
    return json.loads((RESULTS / "samplers.json").read_text(encoding="utf-8"))
