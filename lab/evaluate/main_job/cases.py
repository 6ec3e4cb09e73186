"""The test pictures of the main job: what a frame cut off, and where it truly was."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...toy import corruptions, world
from ..rows import longer_side

PART = "test"  # no model has seen it
SEEDS = tuple(range(100))
ANKLES = ("left ankle", "right ankle")


@dataclass(frozen=True, eq=False)
class Case:
    """A whole test picture and its crop, cut at a random row between hips and feet."""

    seed: int
    whole: world.Example
    cropped: world.Example

    @cached_property
    def length(self) -> int:
        """The longer side of the box around the person in the whole picture, in px."""
        return longer_side(self.whole.drawing.material)

    @property
    def ankles(self) -> np.ndarray:
        """The true ankles as 2,3 (left and right; x, y, 1) in px of the photo."""
        return np.array([(*self.whole.drawing.points[name], 1.0) for name in ANKLES])

    @property
    def feet(self) -> int:
        """How many feet the whole picture shows."""
        segment = self.whole.drawing.segment
        return corruptions.feet_shown(np.where(np.isin(segment, list(corruptions.FOOT.values())), segment, 0))

    @property
    def share(self) -> float:
        """Where the frame cuts the legs: 0 at the lower hip, 1 at the higher ankle."""
        points = self.whole.drawing.points
        hips = max(points[f"{side} hip"][1] for side in ("left", "right"))
        feet = min(points[name][1] for name in ANKLES)
        row = self.cropped.window.bottom
        return float(np.clip((row - hips) / max(feet - hips, 1.0), 0, 1))


def case(seed: int, part: str = PART) -> Case:
    """The picture of a seed, drawn anew; the same on every machine."""
    whole = world.example(seed, part=part)
    return Case(seed, whole, world.crop_between(whole, seed))
