"""What the new canvas shows before anything was painted: color, edge, mirror, smooth, noise."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from torch import Tensor

from ..memory import empty_picture
from ..shapes import Box, Padding, Size, padded, region_of
from .continuation import continue_smoothly

FILLS = ("smooth", "edge", "mirror", "noise", "color")
# Half the side of the window around the nearest known pixel that noise draws its colours from.
NOISE_REACH = 12


def extend(image: Tensor, padding: Padding, fill: str, color: str = "#808080", seed: int = 0) -> Tensor:
    """Put the picture (B,C,H,W) on a canvas larger by `padding`, its values unchanged, the rest filled.

    `fill` is one of FILLS: *smooth* continues the border as a membrane, *edge* repeats the border, *mirror*
    reflects the picture as often as needed, *noise* draws each pixel from the nearest part of the picture
    (seeded), *color* is `color` (#rrggbb). A fourth channel is opaque (1) in the new area. The result is
    channels-last and never shares memory with `image`.
    """
    batch, channels, height, width = image.shape
    size = padded(Size(width, height), padding)
    canvas = empty_picture(batch, channels, size, image.device)
    region = region_of(Size(width, height), padding)
    view(canvas, region.box).copy_(image)
    if any(padding):
        _fill(canvas, image, padding, fill, color, seed)
        for box in new_boxes(Size(width, height), padding) if channels == 4 else ():
            view(canvas, box)[:, 3] = 1
    return canvas


def _fill(canvas: Tensor, image: Tensor, padding: Padding, fill: str, color: str, seed: int) -> None:
    if fill == "smooth":
        continue_smoothly(canvas, padding)
    elif fill == "edge":
        _repeat_edge(canvas, padding)
    elif fill == "mirror":
        _mirror(canvas, image, padding)
    elif fill == "noise":
        _scatter(canvas, image, padding, seed)
    elif fill == "color":
        _paint(canvas, image, padding, color)
    else:
        raise ValueError(f"The fill must be one of {', '.join(FILLS)} but is {fill!r}.")


def view(canvas: Tensor, box: Box) -> Tensor:
    """The part of a canvas (B,C,H,W) inside `box`, as a view."""
    return canvas[..., box.y : box.bottom, box.x : box.right]


def new_boxes(size: Size, padding: Padding) -> Iterator[Box]:
    """Divide the new area around a picture of `size` into at most four boxes: left, right, top, bottom."""
    canvas, inner = padded(size, padding), region_of(size, padding).box
    boxes = (
        Box(0, inner.y, padding.left, size.height),
        Box(inner.right, inner.y, padding.right, size.height),
        Box(0, 0, canvas.width, padding.top),
        Box(0, inner.bottom, canvas.width, padding.bottom),
    )
    return (box for box in boxes if box.width and box.height)


def _repeat_edge(canvas: Tensor, padding: Padding) -> None:
    inner_bottom = canvas.shape[-2] - padding.bottom
    inner_right = canvas.shape[-1] - padding.right
    rows = slice(padding.top, inner_bottom)
    canvas[..., rows, : padding.left] = canvas[..., rows, padding.left : padding.left + 1]
    canvas[..., rows, inner_right:] = canvas[..., rows, inner_right - 1 : inner_right]
    canvas[..., : padding.top, :] = canvas[..., padding.top : padding.top + 1, :]
    canvas[..., inner_bottom:, :] = canvas[..., inner_bottom - 1 : inner_bottom, :]


def _mirror(canvas: Tensor, image: Tensor, padding: Padding) -> None:
    height, width = image.shape[-2:]
    rows = _reflected(canvas.shape[-2], padding.top, height, image.device) + padding.top
    columns = _reflected(canvas.shape[-1], padding.left, width, image.device) + padding.left
    inner = slice(padding.top, padding.top + height)
    for part in (slice(0, padding.left), slice(padding.left + width, None)):
        canvas[..., inner, part] = canvas[..., inner, :].index_select(-1, columns[part])
    # The sides are complete now, so whole rows may be copied.
    for part in (slice(0, padding.top), slice(padding.top + height, None)):
        canvas[..., part, :] = canvas.index_select(-2, rows[part])


def _reflected(length: int, before: int, inner: int, device: torch.device) -> Tensor:
    """For every place on an axis the pixel of the picture it mirrors (the border pixel is not repeated)."""
    period = max(2 * (inner - 1), 1)
    place = (torch.arange(length, device=device) - before) % period
    return torch.minimum(place, period - place) if inner > 1 else torch.zeros_like(place)


def _scatter(canvas: Tensor, image: Tensor, padding: Padding, seed: int) -> None:
    """Draw every new pixel from a window around the nearest pixel of the picture."""
    height, width = image.shape[-2:]
    generator = torch.Generator().manual_seed(seed)
    for box in new_boxes(Size(width, height), padding):
        shape = (image.shape[0], box.height, box.width)
        rows = _jittered(box.y - padding.top, box.height, height, shape, generator, 1)
        columns = _jittered(box.x - padding.left, box.width, width, shape, generator, 2)
        index = (rows * width + columns).to(image.device).flatten(1)
        pixels = image.flatten(2).transpose(1, 2)
        drawn = torch.stack([pixels[i].index_select(0, index[i]) for i in range(shape[0])])
        view(canvas, box).copy_(drawn.view(*shape, -1).permute(0, 3, 1, 2))


def _jittered(
    start: int, count: int, length: int, shape: tuple[int, ...], generator: torch.Generator, axis: int
) -> Tensor:
    """Random indices (of `shape`) into an axis of `length` px, each near where its place is clamped to."""
    reach = min(NOISE_REACH, (length - 1) // 2)
    middle = (torch.arange(count, dtype=torch.int32) + start).clamp(reach, length - 1 - reach)
    middle = middle.view([-1 if i == axis else 1 for i in range(3)])
    offset = torch.randint(-reach, reach + 1, shape, generator=generator, dtype=torch.int32)
    return offset.add_(middle)


def _paint(canvas: Tensor, image: Tensor, padding: Padding, color: str) -> None:
    channels = torch.tensor([*rgb(color), 1.0][: image.shape[1]], device=image.device).view(1, -1, 1, 1)
    for box in new_boxes(Size(image.shape[-1], image.shape[-2]), padding):
        view(canvas, box).copy_(channels.expand(*canvas.shape[:2], box.height, box.width))


def rgb(color: str) -> tuple[float, float, float]:
    """The three channels 0…1 of #rrggbb; raises ValueError for anything else."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise ValueError(f"The color must look like #ff8000 but is {color!r}.")
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
