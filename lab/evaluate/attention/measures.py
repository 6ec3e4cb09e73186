"""What is measured of a target row: what it kept of the source, and whether it is what its words ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...toy.world.captions import Attributes
from ...toy.world.labels import GARMENTS
from .. import captioner
from ..evaluator import Evaluator, Seen
from ..rows import LIMBS, distances
from .pairs import Pair


def colours(seen: Seen) -> dict[str, str | None]:
    """The colour of each garment and of the hair, None where there is none or nobody."""
    there = seen.things if seen.somebody else {}
    return {name: there[name].colour if name in there else None for name in GARMENTS}


def kept(seen: Seen, asked: Attributes) -> dict[str, bool]:
    """Whether each garment has the colour that the source's prompt asks for."""
    return {name: colour == asked[f"{name} colour"] for name, colour in colours(seen).items()}


def fits(seen: Seen, dressed: Attributes, posed: Attributes) -> bool:
    """Whether a picture shows the colours of one prompt and the pose and the place of another."""
    return all(kept(seen, dressed).values()) and seen.pose == posed["pose"] and seen.scene == posed["scene"]


def similarity(features: np.ndarray) -> float:
    """The cosine between two pictures' features."""
    one, other = features.astype(np.float64)
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


class Eyes:
    """The evaluator, and the captioner for how well a picture fits a text."""

    def __init__(self, weights: Path) -> None:
        self.evaluator, self.captioner = Evaluator.load(weights), captioner.load(weights)

    def look(self, images: list[np.ndarray]) -> list[Seen]:
        """What each picture shows."""
        return self.evaluator.look(images)

    def measured(self, pair: Pair, source: np.ndarray, target: np.ndarray) -> dict[str, Any]:
        """Colours kept, pose and place right, similarity to the source, the mean log-probability of the
        target's words, and how far the limbs are from the pair's pose."""
        (seen,) = self.look([target])
        body = pair.points[pair.points[:, 2] > 0, :2]
        length = float(np.ptp(body, axis=0).max())
        return {
            "kept": kept(seen, pair.asked),
            "pose": seen.pose == pair.wanted["pose"],
            "place": seen.scene == pair.wanted["scene"],
            "similarity": round(similarity(self.evaluator.features([source, target])), 4),
            "likelihood": round(captioner.likelihood(self.captioner, [target], [pair.target])[0], 4),
            "distances": distances(seen.points[list(LIMBS)], pair.points[list(LIMBS)], length),
        }
