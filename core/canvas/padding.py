"""How much canvas to add on each side, and the mask of what is new."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..memory import zeros
from ..shapes import Padding, Size, padded
from .choices import ANCHORS, LARGEST_SIDE


def pad_to_multiple(size: Size, padding: Padding, multiple: int) -> Padding:
    """Grow the sides already extended until the canvas is a multiple of `multiple` px, and only those."""
    left, right = _grow_pair(padding.left, padding.right, -padded(size, padding).width % multiple)
    top, bottom = _grow_pair(padding.top, padding.bottom, -padded(size, padding).height % multiple)
    grown = Padding(left, top, right, bottom)
    if max(padded(size, grown)) > LARGEST_SIDE:
        raise ValueError(
            f"The canvas would become {padded(size, grown)}, but a side may have at most {LARGEST_SIDE} px; "
            "extend less."
        )
    return grown


def _grow_pair(before: int, after: int, missing: int) -> tuple[int, int]:
    if before and after:
        return before + missing // 2, after + missing - missing // 2
    if before:
        return before + missing, after
    return (before, after + missing) if after else (before, after)


def pad_to_size(size: Size, target: Size, anchor: str) -> Padding:
    """The padding that brings a picture of `size` to `target`, the picture at `anchor` (one of ANCHORS).

    A target of 0 keeps that side; a target smaller than the picture raises ValueError, nothing is ever
    cropped.
    """
    target = Size(target.width or size.width, target.height or size.height)
    if target.width < size.width or target.height < size.height:
        raise ValueError(
            f"The canvas of {target} is smaller than the picture of {size}; "
            "choose at least the picture's size, or scale the picture down first."
        )
    if anchor not in ANCHORS:
        raise ValueError(f"The anchor must be one of {', '.join(ANCHORS)} but is {anchor!r}.")
    row, column = divmod(ANCHORS.index(anchor), 3)
    left, right = _split(target.width - size.width, column)
    top, bottom = _split(target.height - size.height, row)
    return Padding(left, top, right, bottom)


def _split(added: int, place: int) -> tuple[int, int]:
    """Divide `added` px before and after a picture that stands at the start (0), centre (1) or end (2)."""
    before = added * place // 2
    return before, added - before


def pad_to_aspect(size: Size, aspect_width: float, aspect_height: float, anchor: str) -> Padding:
    """The smallest padding that gives the canvas an aspect (rounded to pixels); raises ValueError for 0."""
    if not (aspect_width > 0 and aspect_height > 0):
        raise ValueError(
            f"The aspect must be two numbers above 0 but is {aspect_width}:{aspect_height}; "
            "enter for example 3 and 4."
        )
    width = max(size.width, round(size.height * aspect_width / aspect_height))
    height = max(size.height, round(size.width * aspect_height / aspect_width))
    return pad_to_size(size, Size(width, height), anchor)


def pad_for_body(needed: tuple[float, float, float, float], body: float, margin: float) -> Padding:
    """Whole pixels for the `needed` extension (left, top, right, bottom px) and `margin` % of `body` px.

    Only sides that need an extension get the margin.
    """
    extra = body * margin / 100
    return Padding(*(math.ceil(side + extra) if side > 0 else 0 for side in needed))


def new_area(
    size: Size,
    padding: Padding,
    mask: Tensor | None,
    batch: int,
    feather: int,
    device: torch.device | None = None,
) -> Tensor:
    """The mask (batch,1,H,W) of what is new on the canvas, joined with the picture's `mask` (B,1,h,w).

    With `feather` the mask ramps into the picture over that many pixels, (1 - d / feather)², d px from its
    centre to the new area, on the sides that were extended.
    """
    canvas = padded(size, padding)
    area = zeros((batch, 1, canvas.height, canvas.width), device or torch.device("cpu"))
    # Four strips instead of a fill and an overwrite: no pixel of the picture is written.
    bottom, right = padding.top + size.height, padding.left + size.width
    area[..., : padding.top, :] = 1
    area[..., bottom:, :] = 1
    area[..., padding.top : bottom, : padding.left] = 1
    area[..., padding.top : bottom, right:] = 1
    inner = area[..., padding.top : bottom, padding.left : right]
    if mask is not None:
        inner.copy_(mask)
    if feather > 0 and any(padding):
        _feather_into(inner, padding, feather)
    return area


def _feather_into(inner: Tensor, padding: Padding, feather: int) -> None:
    """Raise `inner` (a view, changed in place) to the ramp that falls from every extended side."""
    height, width = inner.shape[-2:]
    rows = _ramp(height, padding.top > 0, padding.bottom > 0, feather, inner.device)[:, None]
    columns = _ramp(width, padding.left > 0, padding.right > 0, feather, inner.device)[None, :]
    # Beyond the bands both ramps are 0, so only the bands are touched.
    for band in _bands(height, padding.top > 0, padding.bottom > 0, feather):
        view = inner[..., band, :]
        torch.maximum(view, torch.maximum(rows[band], columns), out=view)
    for band in _bands(width, padding.left > 0, padding.right > 0, feather):
        view = inner[..., :, band]
        torch.maximum(view, columns[:, band], out=view)


def _bands(length: int, before: bool, after: bool, feather: int) -> list[slice]:
    first = slice(0, min(feather, length))
    last = slice(max(0, length - feather), length)
    return [band for band, wanted in ((first, before), (last, after)) if wanted]


def _ramp(length: int, before: bool, after: bool, feather: int, device: torch.device) -> Tensor:
    """The ramp over one axis of `length` px, falling from its start and / or its end."""
    position = torch.arange(length, device=device, dtype=torch.float32) + 0.5
    far = torch.full_like(position, torch.inf)
    distance = torch.minimum(position if before else far, position.flip(0) if after else far)
    return (1 - distance / feather).clamp_(min=0) ** 2
