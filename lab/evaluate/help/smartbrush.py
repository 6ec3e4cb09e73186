"""What the pages of SmartBrush show. There are no small weights for it, so the pictures are of what the nodes
read and of what they give to a model, by the nodes' own functions; where the model would predict a shape the
exact mask stands for it, and no result is shown."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ....core.mask.latent_cells import to_cells, whole_grid
from ....core.shapes import Size
from ....core.smartbrush import example
from ....core.smartbrush.following import Following, Rules
from ....core.smartbrush.noising import shown
from ....core.smartbrush.precision import BOX, at_precision
from .exemplar import of, picture
from .shape import drawn as thing
from .sheet import listed, sheet, tinted

DRAWN = (
    "RecomposeLoadSmartBrush",
    "RecomposeSmartBrushObject",
    "RecomposeSmartBrushSampler",
    "RecomposeTrainSmartBrush",
)
CELL, WIDTH, STEPS = 8, 330, 10
SIDE, SEED = 512, 3
FILE = ("models/smartbrush/", "  things.safetensors", "", "output/smartbrush/", "  mine.safetensors")
CHANNELS = {
    "the network takes": ("4  latent, noise in the mask", "1  the mask", "   words", "   precision, 0 to 5"),
    "and gives": ("4  noise (or velocity)", "1  the thing's own mask"),
}
KEPT = (0.05, 0.5)  # the share of a picture in its noisy one, early and late


def mask_picture(mask: Tensor) -> Image.Image:
    """A mask 1,1,H,W as PIL has it."""
    return Image.fromarray((mask[0, 0].numpy() * 255).astype(np.uint8))


def enlarged(cells: Tensor) -> Tensor:
    """Cells 1,1,h,w in pixels."""
    return cells.repeat_interleave(CELL, -1).repeat_interleave(CELL, -2)


def noisy(photo: Tensor, mask: Tensor, kept: float) -> Image.Image:
    """What is shown of a photo whose noisy one keeps a share of it, in pixels."""
    noise = 0.5 + 0.5 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(1))
    mixed = kept**0.5 * photo + (1 - kept) ** 0.5 * noise
    return picture(shown(mixed, photo, mask).clamp(0, 1))


def learned() -> Image.Image:
    """A thing, a square of its picture, and its mask at precisions that a training draws."""
    image, exact = thing()
    photo, mask = of(np.asarray(image))[0], of(np.asarray(exact) > 0)[0]
    made = example.square(photo, mask, SIDE, torch.Generator().manual_seed(SEED))
    found, cut = {}, picture(made.photo)
    for seed in range(20):
        drawn = example.shape(made.mask, CELL, torch.Generator().manual_seed(seed))
        found[drawn.precision] = tinted(cut, mask_picture(enlarged(drawn.mask[None])))
    shown_levels = [(f"precision {level}", found[level]) for level in sorted(found)[:3]]
    return sheet(("picture and mask", tinted(image, exact)), ("a square", cut), *shown_levels)


def pages() -> dict[str, Image.Image]:
    """The pages of the four nodes."""
    image, drawn_mask = thing()
    photo, exact = of(np.asarray(image)), of(np.asarray(drawn_mask) > 0)
    box, grid = at_precision(exact, BOX, CELL), whole_grid(Size(*image.size), CELL)
    given, inside = to_cells(box, grid), to_cells(exact, grid)
    following = Following(given, False, STEPS, Rules())
    for step in range(STEPS):
        following.update(20 * inside - 10, step)
    shape = enlarged(following.painted)

    def over(mask: Tensor) -> Image.Image:
        return tinted(image, mask_picture(mask))

    names = {label: listed(lines, WIDTH) for label, lines in {"the file": FILE, **CHANNELS}.items()}
    return {
        "RecomposeTrainSmartBrush": learned(),
        "RecomposeLoadSmartBrush": sheet(*names.items()),
        "RecomposeSmartBrushObject": sheet(
            ("precision 0", over(exact)),
            ("precision 5", over(box)),
            ("cells of 0", over(enlarged(inside))),
            ("cells of 5", over(enlarged(given))),
        ),
        "RecomposeSmartBrushSampler": sheet(
            ("box", over(box)),
            ("shown at first", noisy(photo, enlarged(given), KEPT[0])),
            ("a predicted shape", over(shape)),
            ("shown later", noisy(photo, shape, KEPT[1])),
        ),
    }
