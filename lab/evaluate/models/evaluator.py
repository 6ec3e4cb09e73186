"""How well the evaluator sees true, planted and generated pictures, as they are and as the autoencoder gives
them back: joints, feet, pose, scene, and the things' masks, kinds and colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ...toy import corruptions, world
from ...toy.models import parts
from ...toy.tensors import stacked
from ...toy.world.captions import Attributes
from ..evaluator import Evaluator, Seen
from ..rows import Figures, distances, longer_side
from . import things
from .labelled import labelled

PART = "test"
TRUE_SEEDS = range(0, 300)
FAULT_SEEDS = range(1000, 1060)
# A planted foot whose visible pixels lie between these is neither there nor gone, and the seed is left out.
UNCLEAR = range(8, 37)
# The sheets of pictures labelled by eye: what the rule for feet was chosen on, and others.
GENERATED = {"generated": "labelled", "generated, fresh": "labelled_fresh"}
AGAIN = "round trip"  # of pictures that the autoencoder coded and decoded
BATCH = 8


class Shown(NamedTuple):
    """A picture with what is known of it: materials H,W, points 24,3, the length that their distances are
    measured in, how many feet it shows (None where that is not asked), attributes (None where the picture
    has faults)."""

    kind: str
    seed: int
    image: np.ndarray
    material: np.ndarray
    points: np.ndarray
    length: float
    feet: int | None
    attributes: Attributes | None


def clear(example: corruptions.Planted) -> bool:
    """Whether every foot of the picture is there or not beyond doubt."""
    return not any(count in UNCLEAR for count in np.bincount(example.feet.ravel())[1:])


def pictures() -> Iterator[Shown]:
    """All drawn pictures that are measured on."""
    for kind in corruptions.KINDS:
        for seed in TRUE_SEEDS if kind == "true" else FAULT_SEEDS:
            one = corruptions.planted(kind, seed, PART)
            if clear(one):
                said = world.example(seed, PART).attributes if kind == "true" else None
                length = longer_side(one.material) if kind == "true" else 0
                yield Shown(kind, seed, one.image, one.material, one.points, length, one.count, said)
    for seed in TRUE_SEEDS:
        one = world.closer(seed, PART)
        material, points = one.window.cut(one.drawing.material), world.points_of(one)
        yield Shown("closer", seed, one.image, material, points, one.drawing.stature, None, one.attributes)


def row(shown: Shown, seen: Seen) -> dict[str, Any]:
    """One picture's row."""
    found: dict[str, Any] = {"kind": shown.kind, "seed": shown.seed}
    if shown.feet is not None:
        found |= {"feet": shown.feet, "feet_seen": seen.feet}
    if shown.attributes is None:
        return found
    found["distances"] = distances(seen.points, shown.points, shown.length)
    return found | things.compared(shown.image, shown.attributes, shown.material, seen)


@torch.inference_mode()
def round_trip(images: Sequence[np.ndarray], folder: Path) -> list[np.ndarray]:
    """Pictures H,W,3 uint8 as the autoencoder of a folder codes and decodes them."""
    from ...toy.models import networks  # needs ComfyUI

    network = networks.autoencoder().eval()
    parts.load(network, folder, "vae")
    found: dict[int, np.ndarray] = {}
    for size in sorted({image.shape for image in images}):
        same = [index for index, image in enumerate(images) if image.shape == size]
        for some in (same[start : start + BATCH] for start in range(0, len(same), BATCH)):
            given = stacked([images[index] for index in some])
            made = networks.decode(network, networks.encode(network, given)).clamp(0, 1)
            back = (made * 255).round().byte().permute(0, 2, 3, 1).numpy()
            found |= dict(zip(some, back, strict=True))
    return [found[index] for index in range(len(images))]


def measure(folder: Path) -> Figures:
    """Look at all pictures with the evaluator of a folder, and again after its autoencoder."""
    chosen, evaluator = list(pictures()), Evaluator.load(folder)
    images = [shown.image for shown in chosen]
    rows = []
    for through, given in (("", images), (AGAIN, round_trip(images, folder))):
        for shown, image, seen in zip(chosen, given, evaluator.look(given), strict=True):
            rows.append({"through": through} | row(shown._replace(image=image), seen))
    for kind, sheet in GENERATED.items():
        rows += generated(evaluator, kind, sheet)
    return Figures(rows, summary(rows))


def generated(evaluator: Evaluator, kind: str, sheet: str) -> list[dict[str, Any]]:
    """The rows of a sheet of pictures that were labelled by eye."""
    shown = labelled(sheet)
    seen = evaluator.look([each.image for each in shown])
    return [
        {
            "through": "",
            "kind": kind,
            "seed": each.seed,
            "method": each.method,
            "sure": each.sure,
            "feet": each.feet,
            "feet_seen": what.feet,
        }
        for each, what in zip(shown, seen, strict=True)
    ]


def feet_right(rows: list[dict[str, Any]]) -> str | None:
    """In how many rows the feet are counted right."""
    return things.share([row["feet"] == row["feet_seen"]] for row in rows)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of the rows: of pictures as they are, then of round trips."""
    found: dict[str, Any] = {}
    for through in ("", AGAIN):
        some = [row for row in rows if row["through"] == through]
        if some:
            end = f", {through}" if through else ""
            found |= {f"{name}{end}": value for name, value in figures(some).items()}
    return found


def figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of rows that came the same way."""
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in (*corruptions.KINDS, *GENERATED)}
    found: dict[str, Any] = {}
    for view, some in (
        ("whole", kinds["true"]),
        ("closer", [row for row in rows if row["kind"] == "closer"]),
    ):
        for at in (0.05, 0.1):
            near = ([d is not None and d <= at for d in row["distances"]] for row in some)
            found[f"pck@{at}, {view}"] = things.share(near)
        if some:
            found |= things.summary(some, view)
        if some and some[0]["through"] != AGAIN:
            found |= things.ceilings(some, view)
    for kind, some in kinds.items():
        found[f"feet right, {kind}"] = feet_right(some)
        if kind in GENERATED:
            found[f"feet right, {kind} and sure"] = feet_right([row for row in some if row["sure"]])
    well = ("true", "nobody", *GENERATED)
    faulty = [row for kind, some in kinds.items() if kind not in well for row in some]
    found["feet right on faults"] = feet_right(faulty)
    return {name: value for name, value in found.items() if value is not None}
