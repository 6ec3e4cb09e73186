"""What the pages of sketches show: the nodes' own functions on a drawn picture."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ....core.mask.bounds import bounds_of_mask
from ....core.shapes import Size
from ....core.sketch import edges, part
from ....core.sketch.draw import draw
from ....core.sketch.strokes import FULL, STEPS, Stroke
from ...toy import world
from .exemplar import of, picture
from .sheet import sheet, tinted

DRAWN = ("RecomposeDrawSketch", "RecomposeExtractSketch", "RecomposeSelfReference")
SEED, KIND, COLOUR = 12, "umbrella", "red"
THRESHOLD, WIDTH, GREY = 0.4, 3, 128


def pen(places: list[tuple[float, float, float]], side: int) -> np.ndarray:
    """Points of a pen (x, y in shares of the side, pressure 0…1)."""
    scale = np.array([side * STEPS, side * STEPS, FULL])
    return np.rint(np.array(places) * scale).astype(np.int64)


def strokes(side: int) -> list[Stroke]:
    """A cloud, its area as a mask, and two colours for it."""
    turn = np.linspace(0, 2 * np.pi, 90)
    wave = 1 + 0.14 * np.cos(7 * turn)
    x, y = 0.5 + 0.3 * wave * np.cos(turn), 0.28 + 0.17 * wave * np.sin(turn)
    cloud = pen(list(zip(x, y, 0.6 + 0.4 * np.sin(2 * turn), strict=True)), side)
    sky = pen([(0.28, 0.3, 0.3), (0.5, 0.24, 1), (0.72, 0.3, 0.3)], side)
    shade = pen([(0.34, 0.38, 0.4), (0.5, 0.36, 1), (0.66, 0.38, 0.4)], side)
    wide = side * STEPS
    return [
        Stroke("sketch", wide // 32, cloud),
        Stroke("mask", wide // 16, cloud, fill=True),
        Stroke("colour", wide // 7, sky, colour=(250, 250, 250)),
        Stroke("colour", wide // 12, shade, colour=(150, 160, 190)),
    ]


def lines(photo: Tensor, blur: float, within: np.ndarray | None = None) -> Image.Image:
    """Extract Sketch's lines, white on black."""
    return Image.fromarray(edges.sketch(photo, blur, THRESHOLD, WIDTH, within)).convert("L")


def pages() -> dict[str, Image.Image]:
    """The pages of the three nodes."""
    example = world.closer(SEED, "test", things=((KIND, COLOUR),), person=False)
    photo, mask = of(example.image)[0], of(example.masks[KIND])[0]
    shown, size = Image.fromarray(example.image), Size(photo.shape[-1], photo.shape[-2])
    made = draw(strokes(size.width), size)
    hints = np.where(made.coloured[..., None], made.colours, GREY).astype(np.uint8)
    mixed = np.where(made.coloured[..., None], made.colours, example.image)
    bounds = bounds_of_mask((mask >= 0.5).float()[None])
    assert bounds is not None
    box = part.grown(bounds, 4)
    whole, alone = (part.cut(photo, mask, box, each) for each in (False, True))
    object_mask = Image.fromarray(mask[0].numpy() >= 0.5).convert("L")
    return {
        "RecomposeDrawSketch": sheet(
            ("sketch", Image.fromarray(made.sketch).convert("L")),
            ("mask", Image.fromarray(made.mask).convert("L")),
            ("colour hints", Image.fromarray(hints)),
            ("photo with hints", Image.fromarray(mixed)),
        ),
        "RecomposeExtractSketch": sheet(
            ("image", shown),
            ("sketch", lines(photo, 1.0)),
            ("more blur", lines(photo, 3.0)),
            ("within a mask", lines(photo, 1.0, torch.gt(mask[0], 0.5).numpy())),
        ),
        "RecomposeSelfReference": sheet(
            ("photo and mask", tinted(shown, object_mask)),
            ("reference", picture(whole.picture)),
            ("neutral", picture(alone.picture)),
            ("flip horizontal", picture(part.turned(alone, [-1], 1.0).picture)),
        ),
    }
