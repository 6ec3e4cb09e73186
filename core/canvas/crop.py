"""Cut a region out of a canvas at the model's working size, and know how to go back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..mask.latent_cells import resize_to_maximum
from ..shapes import Box, Size
from .resample import resample


@dataclass(frozen=True)
class Context:
    """Which box of which canvas was cropped, and the size it was brought to.

    The box may reach outside the canvas; there pictures repeat their edge and masks are 0.
    """

    canvas: Size
    box: Box
    working: Size

    @property
    def scale(self) -> tuple[float, float]:
        """Working pixels per canvas pixel, across and down (equal up to rounding)."""
        return self.working.width / self.box.width, self.working.height / self.box.height

    @property
    def offset(self) -> tuple[float, float]:
        """What a point's coordinates gain after they were scaled."""
        across, down = self.scale
        return -self.box.x * across, -self.box.y * down


@dataclass(frozen=True)
class Fit:
    """How a region becomes a crop: the model's `size`, its aspect kept (`exact`) or only its pixel count.

    `margin` is in % of the region's longer side; a scale within 1/rescale_tolerance … rescale_tolerance
    becomes exactly 1.
    """

    size: Size
    exact: bool
    margin: float
    multiple_of: int
    rescale_tolerance: float


def union(boxes: list[Box]) -> Box:
    """The smallest box around all boxes."""
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    return Box(left, top, max(box.right for box in boxes) - left, max(box.bottom for box in boxes) - top)


def plan(region: Box, canvas: Size, fit: Fit) -> Context:
    """Choose the crop around `region`: its box on the canvas and the size it is brought to.

    The scale is the same across and down up to the rounding of a box side to whole pixels. The box stays
    within the canvas where it fits into it.
    """
    around = _clipped(_with_margin(region, fit.margin), canvas, region)
    step = fit.multiple_of
    target = Size(_up(fit.size.width, step), _up(fit.size.height, step))
    if fit.exact:
        scale = min(target.width / around.width, target.height / around.height)
        # Enlarging a little is spared by a wider crop, reducing a little by a narrower margin.
        fits = region.width <= target.width and region.height <= target.height
        keep = fits and 1 / fit.rescale_tolerance <= scale <= fit.rescale_tolerance
        return _context(around, canvas, target, 1.0 if keep else scale)
    scale = math.sqrt(target.width * target.height / (around.width * around.height))
    if 1 / fit.rescale_tolerance <= scale <= fit.rescale_tolerance:
        return _context(around, canvas, Size(_up(around.width, step), _up(around.height, step)), 1.0)
    width, height = (max(step, round(side * scale / step) * step) for side in around.size)
    return _context(around, canvas, Size(width, height), min(width / around.width, height / around.height))


def _up(length: float, step: int) -> int:
    return math.ceil(length / step) * step


def _with_margin(region: Box, margin: float) -> Box:
    extra = math.ceil(max(region.size) * margin / 100)
    return Box(region.x - extra, region.y - extra, region.width + 2 * extra, region.height + 2 * extra)


def _clipped(box: Box, canvas: Size, keep: Box) -> Box:
    """Cut what lies outside the canvas off `box`, but nothing of `keep`."""
    left, top = max(box.x, min(0, keep.x)), max(box.y, min(0, keep.y))
    right = min(box.right, max(canvas.width, keep.right))
    bottom = min(box.bottom, max(canvas.height, keep.bottom))
    return Box(left, top, right - left, bottom - top)


def _context(around: Box, canvas: Size, working: Size, scale: float) -> Context:
    width, height = round(working.width / scale), round(working.height / scale)
    x = _shifted(around.x + around.width / 2, width, canvas.width)
    y = _shifted(around.y + around.height / 2, height, canvas.height)
    return Context(canvas, Box(x, y, width, height), working)


def _shifted(center: float, length: int, canvas: int) -> int:
    """Where a stretch of `length` starts that is centred on `center`, moved into the canvas if it fits."""
    start = round(center - length / 2)
    if length <= canvas:
        return min(max(start, 0), canvas - length)
    return min(max(start, canvas - length), 0)


def crop_image(image: Tensor, context: Context) -> Tensor:
    """The context's crop of a picture (B,C,H,W) at the working size; the edge is repeated outside."""
    cut = _cut(image, context)
    return resample(cut, context.working)


def crop_mask(mask: Tensor, context: Context) -> Tensor:
    """The context's crop of a mask (B,1,H,W) at the working size, keeping every thin stroke; 0 outside."""
    box, canvas = context.box, context.canvas
    left, top = max(0, -box.x), max(0, -box.y)
    inner = mask[..., max(0, box.y) : box.bottom, max(0, box.x) : box.right]
    right, bottom = max(0, box.right - canvas.width), max(0, box.bottom - canvas.height)
    return resize_to_maximum(F.pad(inner, (left, right, top, bottom)), context.working)


def _cut(image: Tensor, context: Context) -> Tensor:
    box, canvas = context.box, context.canvas
    inner = image[..., max(0, box.y) : box.bottom, max(0, box.x) : box.right]
    if inner.shape[-2:] == (box.height, box.width):
        return inner
    rows = torch.arange(box.y, box.bottom, device=image.device).clamp(0, canvas.height - 1)
    columns = torch.arange(box.x, box.right, device=image.device).clamp(0, canvas.width - 1)
    return image.index_select(-2, rows).index_select(-1, columns)
