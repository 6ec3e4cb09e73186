"""What the pages of exemplar models show. There are no small weights for them, so the pictures are of what
the nodes read and of what they give to a model, by the nodes' own functions; no result is shown."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ....core.exemplar.photo import holes, without_holes
from ....core.exemplar.reference import DEVIATION, MEAN, cut
from ....core.exemplar.views import Box, view
from ....core.mask.bounds import bounds_of_mask
from ....core.mask.latent_cells import cut_grid
from ....core.shapes import Size
from ...toy import world
from .. import boxes
from .brush import drawn, rough
from .sheet import listed, sheet, tinted

# The nodes that no prompt runs.
DRAWN = ("RecomposeLoadExemplarModel", "RecomposeExemplarConditioning", "RecomposeTrainExemplarModel")
SEED, KIND, COLOUR, CELL = 12, "umbrella", "red", 8
FOLDER = ("model_index.json", "image_encoder/", "scheduler/", "unet/", "vae/")
FILES = {
    "a checkpoint": ("models/checkpoints/", "  model.ckpt", "", "models/exemplar/", "  mine.safetensors"),
    "or a folder": ("models/diffusers/", "  paint-by-example/", *(f"    {name}" for name in FOLDER)),
    "vision, if it has none": ("models/clip_vision/", "  clip_vit_l.safetensors"),
}
WIDTH = 270
VIEWS, SIDE, SEEN = (3, 8), 128, 224  # which views, their side in px, that of references


def of(pixels: np.ndarray) -> Tensor:
    """A picture H,W,3 or a mask H,W as a batch of one, 0…1."""
    values = torch.from_numpy(pixels.astype(np.float32))
    return (values.movedim(-1, 0) / 255 if values.ndim == 3 else values[None])[None]


def picture(pixels: Tensor) -> Image.Image:
    """A picture 1,3,H,W or 3,H,W as PIL has it."""
    values = (pixels.reshape(3, *pixels.shape[-2:]) * 255).round().byte()
    return Image.fromarray(values.movedim(0, -1).numpy())


def shown(found: boxes.Box) -> Image.Image:
    """The photo as the model is shown it."""
    photo, mask = of(found.photo), of(found.mask)
    grid = cut_grid(Size(photo.shape[-1], photo.shape[-2]), CELL)
    left, top = grid.left, grid.top
    kept = photo[..., top : grid.box.bottom, left : grid.box.right]
    return picture(without_holes(kept, holes(mask, grid), grid._replace(left=0, top=0)))


def learned_from(whole: Tensor, mask: Tensor) -> list[tuple[str, Image.Image]]:
    """Views of an object that a training shows: the reference, and the masked square."""
    place = bounds_of_mask(mask[None])
    if place is None:
        raise RuntimeError(f"Expected a thing in the drawn picture {SEED}, got none; choose another seed.")
    box, found = Box(place.x, place.y, place.right, place.bottom), []
    for number in VIEWS:
        seen = view(whole, box, SIDE, SEEN, torch.Generator().manual_seed(number))
        mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
        reference = (seen.reference * deviation + mean).clamp(0, 1)
        photo, where = (picture(each.expand(3, -1, -1)) for each in (seen.photo, seen.mask))
        found += [("reference", picture(reference)), ("photo and mask", tinted(photo, where))]
    return found


def pages() -> dict[str, Image.Image]:
    """The pages of all nodes."""
    reference = world.closer(SEED, "test", things=((KIND, COLOUR),), person=False)
    whole, mask, found = of(reference.image)[0], of(reference.masks[KIND])[0], drawn()
    return {
        "RecomposeLoadExemplarModel": sheet(
            *((label, listed(lines, WIDTH)) for label, lines in FILES.items())
        ),
        "RecomposeExemplarConditioning": sheet(
            ("references", Image.fromarray(reference.image)),
            ("cut by reference mask", picture(cut(whole, mask))),
            ("photo and mask", rough(found)),
            ("as the model sees it", shown(found)),
        ),
        "RecomposeTrainExemplarModel": sheet(
            ("images", Image.fromarray(reference.image)), *learned_from(whole, mask)
        ),
    }
