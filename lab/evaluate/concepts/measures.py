"""What is measured of pictures: whether they show what was asked for, and how alike they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...toy import things
from ...toy.things import Thing
from ...toy.world.captions import Attributes
from ...toy.world.labels import GARMENTS
from ..evaluator import Evaluator, Seen


def agreed(seen: Seen, asked: Attributes) -> list[bool]:
    """Whether a picture shows each thing that is asked for: the scene, colours of garments, other objects."""
    found = [seen.scene == asked["scene"]] if "scene" in asked else []
    wanted = {name: asked[f"{name} colour"] for name in GARMENTS if f"{name} colour" in asked}
    for name, colour in [*wanted.items(), *asked.get("objects", ())]:
        found.append(name in seen.things and seen.things[name].colour == colour)
    return found


def share(answers: Sequence[bool]) -> float:
    """The share that is true; 1 where nothing was asked."""
    return round(sum(answers) / len(answers), 4) if len(answers) else 1.0


def alignment(evaluator: Evaluator, images: Sequence[np.ndarray], asked: Sequence[Attributes]) -> list[float]:
    """Of each picture the share of what is asked for that it shows."""
    seen = evaluator.look(images)
    return [share(agreed(one, wanted)) for one, wanted in zip(seen, asked, strict=True)]


def similarity(evaluator: Evaluator, images: Sequence[np.ndarray], own: Sequence[np.ndarray]) -> list[float]:
    """The mean cosine of each picture's features with those of a thing's own pictures."""
    made, true = (unit(evaluator.features(each)) for each in (images, own))
    return [round(float(value), 4) for value in (made @ true.T).mean(1)]


def unit(features: np.ndarray) -> np.ndarray:
    features = features.astype(np.float64)
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def known_right(seen: Seen, said: Attributes, thing: Thing) -> bool:
    """Whether a picture shows what the world knows in a thing's place, as it is said."""
    if thing.sort == things.OBJECT:
        wanted = {thing.class_word: dict(said["objects"])[thing.class_word]}
    else:
        names = ("top",) if thing.sort == things.GARMENT else ("top", "hair")
        wanted = {name: said[f"{name} colour"] for name in names}
    return all(name in seen.things and seen.things[name].colour == colour for name, colour in wanted.items())
