"""How far the completed ankles are from the true ones, by pose family and by how much the frame cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....core.pose.estimate import complete
from ...toy.world import picture
from ..rows import distances, pck
from .cases import Case
from .metrics import ANKLES

BANDS = ("thighs", "knees", "shins")  # where the frame cuts, in thirds of the way from hip to ankle


@dataclass(frozen=True)
class Completed:
    """The ankles' distances in lengths of the person, and where the frame cut (0 hip … 1 ankle)."""

    family: str
    share: float
    away: list[float | None]

    @property
    def band(self) -> str:
        return BANDS[min(int(self.share * len(BANDS)), len(BANDS) - 1)]

    @property
    def error(self) -> float:
        """The mean distance of the ankles that were completed."""
        return float(np.mean([value for value in self.away if value is not None]))


def completed(case: Case) -> Completed:
    """Complete the pose that the crop shows and hold it against the true one."""
    pose = complete.complete(picture.people(case.cropped.pose))
    ankles = pose[0].people[0].rows[list(ANKLES)]
    away = distances(ankles, case.ankles, case.length)
    return Completed(case.whole.family, case.share, away)


def summary(found: list[Completed], share: float = 0.1) -> tuple[int, float, float] | None:
    """How many pictures, the mean error and PCK at `share`; None without a picture."""
    if not found:
        return None
    error = float(np.mean([one.error for one in found]))
    return len(found), error, pck([one.away for one in found], share)
