"""Paint all tasks with all methods, going on where a run stopped, and measure what was painted."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..contest import sweep
from ..judge import Judge
from ..models import parts
from ..orders import BATCH
from ..painter import Painter
from ..quality.journal import Journal
from . import measures, painted
from .tasks import COUNT, Task, tasks

OURS = "Lagrange"
METHODS = ("noise mask", "differential", "RePaint", "Langevin, constant count", OURS)
# Text-to-image paints every kind; the inpaint variant is shown mask and rest, which is for outpaint only.
KINDS = (*COUNT, "outpaint, inpaint model")


def version() -> str:
    """Of everything that a painted picture depends on."""
    root = Path(__file__).resolve().parents[2]
    files = [root / "core" / f"{name}.py" for name in ("noise_path", "repaint", "lagrange")]
    files += [root / "demo" / name for name in ("painter.py", "gaussian.py", "contest/methods.py")]
    files += sorted((root / "demo" / "world").glob("*.py"))
    files += [root / "demo" / "study" / name for name in ("tasks.py", "painted.py")]
    files += [parts.FOLDER / parts.PARTS[name].file for name in ("vae", "text", "unet")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def settings(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the contest chose for each method at 50 calls."""
    return {row["method"]: row["settings"] for row in rows if row["calls"] == painted.CALLS}


class Study:
    """Pictures and rows in a folder."""

    def __init__(self, folder: Path, chosen: dict[str, dict[str, Any]], count: int | None = None) -> None:
        self.folder, self.chosen = folder, chosen
        drawn = {kind: tasks(kind, count) for kind in COUNT}
        self.tasks = {kind: drawn[kind.partition(",")[0]] for kind in KINDS}
        self.journal = Journal(folder / "painted.jsonl")
        self.painter, self.judge = Painter(), Judge.load()

    def image(self, kind: str, method: str, task: Task) -> Path:
        """Where a painted picture is kept."""
        return self.folder / f"{kind}-{method}-{task.seed}.png".replace(", ", "_").replace(" ", "_")

    def paint(self, tell: Callable[[str], None]) -> None:
        """Paint what is not painted yet."""
        for kind, todo in self.tasks.items():
            for method in METHODS:
                missing = [task for task in todo if not self.journal.get(task.seed, f"{kind}: {method}")]
                for some in alike(missing):
                    self.paint_some(kind, method, some)
                    tell(f"{kind}, {method}: pictures {', '.join(str(task.seed) for task in some)}")

    def paint_some(self, kind: str, method: str, some: list[Task]) -> None:
        """Paint tasks of one size together and keep them."""
        found = sweep.method(method, self.chosen[method], painted.CALLS)
        if found is None:
            raise RuntimeError(
                f"Expected {method} to fit into {painted.CALLS} calls; run bench samplers again."
            )
        start = time.monotonic()
        images, calls = painted.paint(self.painter, some, kind.endswith("model"), found[0])
        seconds = (time.monotonic() - start) / len(some)
        for task, image in zip(some, images, strict=True):
            Image.fromarray(image).save(self.image(kind, method, task))
            row = {"kind": kind, "seed": task.seed, "by": method, "calls": calls}
            self.journal.add(row | {"seconds": round(seconds, 2), "method": f"{kind}: {method}"})

    def pictures(self, kind: str, method: str) -> list[np.ndarray]:
        """What a method painted for a kind's tasks."""
        return [np.asarray(Image.open(self.image(kind, method, task))) for task in self.tasks[kind]]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each picture, measured anew: how to measure may change while the pictures stay."""
        found = []
        for kind, todo in self.tasks.items():
            for method in METHODS:
                images = self.pictures(kind, method)
                for task, image, seen in zip(todo, images, self.judge.look(images), strict=True):
                    made = self.journal.rows[task.seed, f"{kind}: {method}"]
                    row = {name: made[name] for name in ("kind", "seed", "by", "calls")}
                    found.append(row | measures.measured(task, image, seen) | {"seconds": made["seconds"]})
        return found

    def kernel_distances(self) -> dict[str, dict[str, float]]:
        """By kind and method, how far the painted pictures' features are from the true ones'."""
        found: dict[str, dict[str, float]] = {}
        for kind, todo in self.tasks.items():
            true = self.judge.features([task.example.image for task in todo])
            for method in METHODS:
                features = self.judge.features(self.pictures(kind, method))
                distance = measures.kernel_distance(features, true)
                found.setdefault(kind, {})[method] = round(distance, 6)
        return found


def alike(some: list[Task]) -> Iterator[list[Task]]:
    """Tasks of one size that are painted together."""
    for height in sorted({task.hole.shape[0] for task in some}):
        same = [task for task in some if task.hole.shape[0] == height]
        for start in range(0, len(same), BATCH):
            yield same[start : start + BATCH]


def committed(docs: Path) -> list[dict[str, Any]]:
    """The contest's rows."""
    return json.loads((docs / "samplers.json").read_text(encoding="utf-8"))
