"""Whether the people of a made picture stand as was wanted: PCK and OKS of the poses found in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ....cli.plan import find
from ....cli.plan.command import people_in
from ....core.pose import decode, eye, skeleton
from ....core.pose.person import Person, from_rows
from ....core.shapes import Size
from ...toy.models import parts
from ..evaluator import Evaluator
from ..rows import distances
from .inputs import Pair
from .pictures import size_of

# COCO's constants of how far apart people mark the same point, in OpenPose's order; COCO has no neck.
SIGMAS = (
    0.026, 0, 0.079, 0.072, 0.062, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089, 0.107, 0.087, 0.089,
    0.025, 0.025, 0.035, 0.035,
)  # fmt: skip
FILLED = 0.53  # of a person's box is person, in COCO's outlines on average
Finder = Callable[[np.ndarray], list[Person]]


def read(path: Path, image: np.ndarray) -> list[Person]:
    """The people of a pose file on a picture H,W,3; Misuse where it holds no pose of it."""
    return list(people_in(path, Size(image.shape[1], image.shape[0])).people)


def check(pairs: Sequence[Pair]) -> None:
    """Misuse unless all pose files hold poses of their pictures."""
    for pair in pairs:
        for path in (pair.pose, pair.made_pose):
            if path and pair.made:
                people_in(path, size_of(pair.made))


def finder(name: str) -> Finder:
    """What finds the people of a picture H,W,3 uint8; Failure where its files are missing."""
    if name == "BlazePose":
        networks = find.open_finder()
        return lambda image: list(find.people(Image.fromarray(image), networks).people)
    network = Evaluator.load(parts.FOLDER).network

    def look(image: np.ndarray) -> list[Person]:
        size = Size(image.shape[1], image.shape[0])
        finds = [decode.to_picture(each, size, size) for each in eye.look(network, image)]
        return [one for one in (decode.person(each, eye.SURE) for each in finds) if one]

    return look


def oks(found: Person, wanted: Person) -> float:
    """COCO's object keypoint similarity over the 17 points of COCO that are wanted; 0 for one not found.

    The person's area is 0.53 times the box around the wanted points.
    """
    sigmas = np.array(SIGMAS)
    body = skeleton.BODY_POINTS
    counted = wanted.present[:body] & (sigmas > 0)
    if not counted.any():
        return 0.0
    points = wanted.points[:body][counted]
    area = max(float(np.prod(np.ptp(points, axis=0))) * FILLED, 1.0)
    apart = np.square(found.points[:body][counted] - points).sum(axis=1)
    near = np.exp(-apart / (2 * area * np.square(2 * sigmas[counted])))
    return float((near * found.measured[:body][counted]).mean())


def matched(found: Sequence[Person], wanted: Sequence[Person]) -> list[tuple[Person, Person | None, float]]:
    """Everybody wanted with the found person that is likest by OKS, each found one once, and the OKS."""
    likeness = sorted(
        ((oks(one, other), w, f) for f, one in enumerate(found) for w, other in enumerate(wanted)),
        key=lambda each: (-each[0], *each[1:]),
    )
    taken: dict[int, tuple[int, float]] = {}
    for value, w, f in likeness:
        if w not in taken and f not in {one for one, _ in taken.values()} and value > 0:
            taken[w] = (f, value)
    return [
        (other, found[taken[w][0]], taken[w][1]) if w in taken else (other, None, 0.0)
        for w, other in enumerate(wanted)
    ]


def measured(found: Sequence[Person], wanted: Sequence[Person]) -> dict[str, Any] | None:
    """OKS of everybody wanted and how far each of their 18 body points is off; None if nobody is wanted.

    Distances are in shares of the longer side of the box around the wanted points, None if not found.
    """
    if not wanted:
        return None
    rows: list[list[float | None]] = []
    pairs = matched(found, wanted)
    for other, one, _ in pairs:
        truth = other.rows[: skeleton.BODY_POINTS]
        length = (
            max(float(np.ptp(truth[truth[:, 2] > 0, :2], axis=0).max()), 1.0) if truth[:, 2].any() else 1.0
        )
        seen = one or from_rows(np.zeros((0, 3)))
        rows.append(distances(np.column_stack([seen.points, seen.measured])[: len(truth)], truth, length))
    return {
        "OKS": [round(value, 4) for *_, value in pairs],
        "distances": rows,
        "people wanted": len(wanted),
        "people found": len(found),
    }
