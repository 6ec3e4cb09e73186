"""How far guessed legs lie from the true ones, by where the picture is cut and by pose family.

Each person is completed three ways: by the points alone, told what the legs do, and by the training people
who look most alike, which shows what the points can tell at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....core.pose.estimate import complete
from ....core.pose.estimate.stance import Legs
from ....core.pose.extension import extension_needed
from ....core.pose.person import Frame, Pose, from_rows
from ....core.pose.skeleton import (
    L_ANKLE,
    L_BIG_TOE,
    L_EAR,
    L_EYE,
    L_HEEL,
    L_HIP,
    L_KNEE,
    L_SMALL_TOE,
    R_ANKLE,
    R_BIG_TOE,
    R_EAR,
    R_EYE,
    R_HEEL,
    R_HIP,
    R_KNEE,
    R_SMALL_TOE,
)
from ....core.shapes import Size
from ...toy.world import picture
from ...toy.world.poses import FAMILIES
from ...toy.world.skeleton import key_points
from ..rows import Figures, longer_side, mean, pck

PART, PER_FAMILY = "test", 40
TRAINED, NEIGHBOURS = 400, 12
HIPS, KNEES, ANKLES = [R_HIP, L_HIP], [R_KNEE, L_KNEE], [R_ANKLE, L_ANKLE]
JOINTS = {
    "knees": KNEES,
    "ankles": ANKLES,
    "heels": [L_HEEL, R_HEEL],
    "toes": [L_BIG_TOE, L_SMALL_TOE, R_BIG_TOE, R_SMALL_TOE],
}
CUTS = ("above the hips", "below the hips", "mid-thigh", "below the knees", "mid-shank", "below the ankles")
AUTO, TOLD, ALIKE = WAYS = ("auto", "told", "alike")
# What a user who sees the photo would answer; everybody else stands.
ANSWERS = {"walking": Legs.WALKING, "running": Legs.RUNNING, "sitting": Legs.SITTING}
_MARGIN = 0.02  # how far beside a joint the cut lies, in statures
_SEAT, _STRIDE = 0.15, 0.25  # seated knees hang less, striding ankles are further apart, in statures
_FACE = (R_EYE, L_EYE, R_EAR, L_EAR)
Row = dict[str, Any]
Completing = Callable[[Pose], Pose]


def cut_row(truth: np.ndarray, stature: float, cut: str) -> int:
    """The first row of pixels that is cut off; `truth` 24,3 in pixels."""
    hips, knees, ankles = (truth[joints, 1] for joints in (HIPS, KNEES, ANKLES))
    margin = _MARGIN * stature
    rows = (
        hips.min() - margin,
        hips.max() + margin,
        (hips.max() + knees.min()) / 2,
        knees.max() + margin,
        (knees.max() + ankles.max()) / 2,
        ankles.max() + margin,
    )
    return round(rows[CUTS.index(cut)])


def kind(points: np.ndarray, stature: float) -> str:
    """Seated, striding or upright, by the joints of the legs (24,2 or more, in pixels)."""
    if (points[KNEES, 1] - points[HIPS, 1]).max() < _SEAT * stature:
        return "seated"
    apart = abs(points[R_ANKLE, 0] - points[L_ANKLE, 0])
    return "striding" if apart > _STRIDE * stature else "upright"


class Alike:
    """The mean of the training people who fit best to what is visible.

    They come from the same drawn world, so no rule that also holds for photographs can be expected to be
    better; it is no rule for photographs itself.
    """

    def __init__(self, per_family: int = TRAINED) -> None:
        drawn = [
            picture.example(seed, "train", family=name) for name in FAMILIES for seed in range(per_family)
        ]
        self.known = np.stack([key_points(each)[:, :2] for each in drawn])

    def __call__(self, pose: Pose) -> Pose:
        seen = pose[0].people[0].rows
        visible = (seen[:, 2] > 0) & ~np.isin(np.arange(len(seen)), _FACE)
        target = seen[visible, :2]
        middle, centres = target.mean(axis=0), self.known[:, visible].mean(axis=1, keepdims=True)
        given, wanted = self.known[:, visible] - centres, target - middle
        scales = ((given * wanted).sum(axis=(1, 2)) / (given**2).sum(axis=(1, 2)))[:, None, None]
        misfit = ((given * scales - wanted) ** 2).sum(axis=(1, 2))
        best = np.argsort(misfit, kind="stable")[:NEIGHBOURS]
        guess = ((self.known[best] - centres[best]) * scales[best] + middle).mean(axis=0)
        points = np.where(seen[:, 2:] > 0, seen, np.column_stack([guess, np.ones(len(guess))]))
        return [replace(pose[0], people=(from_rows(points, seen[:, 2] == 0),))]


def told(family: str) -> Completing:
    """Completing by somebody who says what the legs do."""
    return lambda pose: complete.complete(pose, legs=ANSWERS.get(family, Legs.STANDING))


def guessed(example: picture.Example, cut: str, completing: Completing) -> Row:
    """The distances of guessed joints from the true ones in statures, the kind of legs, and how many % of the
    body the extension needed is too long."""
    stature, width = example.drawing.stature, example.image.shape[1]
    truth = key_points(example)
    row = cut_row(truth, stature, cut)
    size = Size(width, row)
    inside = ((truth[:, :2] >= 0) & (truth[:, :2] < size)).all(axis=1)
    shown = [Frame(size, (from_rows(np.where(inside[:, None], truth, 0.0)),))]
    completed = completing(shown)
    seen, found = (pose[0].people[0].rows for pose in (shown, completed))
    away = np.linalg.norm(found[:, :2] - truth[:, :2], axis=1) / stature
    # A foot whose guess lies inside the picture stays unseen.
    placed = (seen[:, 2] == 0) & (found[:, 2] > 0)
    whole = [Frame(size, (from_rows(truth),))]
    needed, right = (extension_needed(pose, size, 9.0).bottom for pose in (completed, whole))
    distances = {
        name: [round(float(away[i]), 3) for i in joints if placed[i]] for name, joints in JOINTS.items()
    }
    return distances | {"kind": kind(found, stature), "extension": round((needed - right) / stature * 100, 1)}


def row_of(example: picture.Example, cut: str, alike: Completing) -> Row:
    """One picture cut at one height, completed each way."""
    stature = example.drawing.stature
    ways = (complete.complete, told(example.family), alike)
    row = {"family": example.family, "seed": example.seed, "cut": cut}
    row["length"] = round(longer_side(example.drawing.material) / stature, 3)
    row["kind"] = kind(key_points(example), stature)
    return row | {name: guessed(example, cut, way) for name, way in zip(WAYS, ways, strict=True)}


def ankles_in_lengths(rows: list[Row], way: str) -> list[list[float]]:
    """The distances of guessed ankles in lengths of the person's box, row by row."""
    return [[distance / row["length"] for distance in row[way]["ankles"]] for row in rows]


def summary(rows: list[Row]) -> dict[str, Any]:
    """The figures of all rows by way."""
    found: dict[str, Any] = {}
    for way in WAYS:
        for name in JOINTS:
            found[f"{way}: {name}, statures"] = mean(distance for row in rows for distance in row[way][name])
        lengths = ankles_in_lengths(rows, way)
        found |= {f"{way}: ankles, pck@{share}": pck(lengths, share) for share in (0.05, 0.1)}
        found[f"{way}: wrong kind of legs"] = mean(row["kind"] != row[way]["kind"] for row in rows)
        found[f"{way}: extension, % of the body"] = mean(row[way]["extension"] for row in rows)
    return found


def measure(folder: Path, per_family: int = PER_FAMILY) -> Figures:
    """Complete all pictures cut at all heights; no model is needed, `folder` is not read."""
    alike = Alike()
    drawn = [picture.example(seed, PART, family=name) for name in FAMILIES for seed in range(per_family)]
    rows = [row_of(example, cut, alike) for example in drawn for cut in CUTS]
    return Figures(rows, summary(rows))
