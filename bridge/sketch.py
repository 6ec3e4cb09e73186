"""Draw Sketch, Extract Sketch and Self Reference between ComfyUI's tensors and the core."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.batch import common_batch, repeated
from ..core.mask.bounds import bounds_of_mask
from ..core.shapes import Box, Size
from ..core.sketch import edges, part, strokes
from ..core.sketch.draw import Layers, draw
from . import layouts
from .choices import ALONE, BLACK_LINES, FLIPS
from .notices import notice
from .preview import previews

DRAW, REFERENCE = "Draw Sketch", "Self Reference"
# What the hints are on without a photo: neither dark nor light.
PAPER = 128
SCALED = "The drawing was made for {} px and the picture is {} px; it was scaled to fit."


def _inked(lines: Tensor, polarity: str) -> Tensor:
    """Lines (B,1,H,W, 1 on a line) as pictures B,3,H,W."""
    return ((1 - lines) if polarity == BLACK_LINES else lines).expand(-1, 3, -1, -1)


def lines_of(picture: Tensor) -> np.ndarray:
    """The lines (bool H,W) of a sketch 3,H,W: the rarer of what is above and below a half."""
    bright = (picture[:3].mean(0) >= 0.5).cpu().numpy()
    return ~bright if bright.mean() > 0.5 else bright


def draw_sketch(
    width: int, height: int, polarity: str, image: Tensor | None, start: Tensor | None, value: str
) -> tuple[tuple[Tensor, Tensor, Tensor, Tensor], dict[str, Any]]:
    """Sketch, mask, colour hints, the photo with the hints on it; and what the editor is told.

    ValueError where the start is no sketch of this picture's size; damaged strokes only lead to notices.
    """
    photos = None if image is None else layouts.image_from_comfy(image)[:, :3]
    started = None if start is None else layouts.image_from_comfy(start, "Start")[0]
    size = _size(photos, started, Size(width, height))
    drawing = strokes.parse(value)
    for sentence in drawing.notices:
        notice(f"{DRAW}: {sentence}")
    if drawing.strokes and drawing.size != size:
        notice(f"{DRAW}: {SCALED.format(drawing.size, size)}")
    made = draw(strokes.rescaled(drawing, size), size, None if started is None else lines_of(started))
    # The editor shows what is drawn on: the first photo, else the sketch that was there.
    under = photos if photos is not None else None if started is None else started[None]
    report = {"size": list(size), "pictures": [] if under is None else previews(under[:1], 1)}
    return _outputs(made, polarity, photos), report


def _size(photos: Tensor | None, start: Tensor | None, blank: Size) -> Size:
    sizes = [layouts.size_of(each) for each in (photos, start) if each is not None]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"{DRAW}: start is {sizes[1]} px and the image {sizes[0]} px; connect a sketch of that picture."
        )
    return sizes[0] if sizes else blank


def _outputs(made: Layers, polarity: str, photos: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    sketch, mask, there = (
        torch.from_numpy(each)[None, None].float() for each in (made.sketch, made.mask, made.coloured)
    )
    colours = torch.from_numpy(made.colours).movedim(-1, 0)[None].float() / 255
    paper = torch.full_like(colours, PAPER / 255)
    hints = torch.where(there > 0, colours, paper)
    photo = hints if photos is None else torch.where(there.to(photos) > 0, colours.to(photos), photos)
    pictures = [layouts.image_to_comfy(each) for each in (_inked(sketch, polarity), hints, photo)]
    return pictures[0], layouts.mask_to_comfy(mask), pictures[1], pictures[2]


def line_width(size: Size, width: int, model_size: int) -> int:
    """How wide a line must be on a picture of `size` to be `width` px at the model's size."""
    return max(width, math.ceil(width * max(size) / model_size))


def extract_sketch(
    image: Tensor,
    blur: float,
    threshold: float,
    width: int,
    model_size: int,
    polarity: str,
    mask: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The lines of each picture as a sketch and as a mask."""
    pictures = layouts.image_from_comfy(image)[:, :3].cpu()
    size = layouts.size_of(pictures)
    within = layouts.mask_from_comfy(mask, size)
    batch = common_batch({"image": pictures, "mask": within})
    wide = line_width(size, width, model_size)
    areas = [None] if within is None else [(each[0] >= 0.5).cpu().numpy() for each in within]
    rows = zip(repeated(list(pictures), batch, "image"), repeated(areas, batch, "mask"), strict=True)
    found = [edges.sketch(picture, blur, threshold, wide, area) for picture, area in rows]
    lines = torch.from_numpy(np.stack(found))[:, None].float()
    return layouts.image_to_comfy(_inked(lines, polarity)), layouts.mask_to_comfy(lines)


def self_reference(
    image: Tensor, margin: int, flip: str, scale: float, background: str, mask: Tensor | None, box: Any | None
) -> tuple[Tensor, Tensor]:
    """The part of each photo that a mask or a box names, as a reference picture, and its mask."""
    photos = layouts.image_from_comfy(image)[:, :3]
    size = layouts.size_of(photos)
    masks = layouts.mask_from_comfy(mask, size)
    batch = common_batch({"image": photos, "mask": masks})
    named = None if box is None else _box(box)
    if masks is None and named is None:
        raise ValueError(f"{REFERENCE} needs a mask or a box of the photo; connect one of them.")
    whole = torch.ones(1, 1, size.height, size.width)
    masks = (whole if masks is None else masks).to(photos)
    rows = zip(repeated(list(photos), batch, "image"), repeated(list(masks), batch, "mask"), strict=True)
    parts = [_part(photo, one, named, margin, background == ALONE) for photo, one in rows]
    found = part.joined([part.turned(each, FLIPS[flip], scale) for each in parts])
    return layouts.image_to_comfy(found.picture), layouts.mask_to_comfy(found.mask)


def _box(box: Mapping[str, Any]) -> Box:
    try:
        return Box(*(int(box[key]) for key in ("x", "y", "width", "height")))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError(
            f"{REFERENCE}: box must have x, y, width and height in whole pixels; connect a BOUNDING_BOX."
        ) from None


def _part(photo: Tensor, mask: Tensor, named: Box | None, margin: int, alone: bool) -> part.Part:
    if named is not None:
        outside = torch.ones_like(mask, dtype=torch.bool)
        outside[..., max(named.y, 0) : max(named.bottom, 0), max(named.x, 0) : max(named.right, 0)] = False
        mask = mask.masked_fill(outside, 0.0)
    found = bounds_of_mask((mask >= 0.5).float()[None])
    if found is None:
        raise ValueError(f"{REFERENCE}: nothing of the photo is within mask and box; paint over the object.")
    try:
        return part.cut(photo, mask, part.grown(found, margin), alone)
    except ValueError as error:
        raise ValueError(f"{REFERENCE}: {error}") from None
