"""Cut a region out of a canvas at the model's working size, and know how to go back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..mask.latent_cells import resize_to_maximum
from ..mask.values import LEAST, copied
from ..memory import empty_picture
from ..shapes import Box, Size
from .choices import LARGEST_SIDE
from .resample import resample

# Beyond it there is less than a photo's pixel per latent cell of 8 px, and nothing of the surroundings.
MOST_ENLARGED = 8


@dataclass(frozen=True)
class Context:
    """Which box of which canvas was cropped, and the size it was brought to.

    The box may reach outside the canvas; there pictures repeat their edge and masks that hold anything are 1.
    `mask` is that of the canvas (B,1,H,W) on the part of it that the box shows, if one was cropped.
    """

    canvas: Size
    box: Box
    working: Size
    mask: Tensor | None = field(default=None, compare=False, repr=False)

    @property
    def shown(self) -> Box:
        """The part of the canvas that the box shows."""
        left, top = max(0, self.box.x), max(0, self.box.y)
        right, bottom = min(self.canvas.width, self.box.right), min(self.canvas.height, self.box.bottom)
        return Box(left, top, right - left, bottom - top)

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

    The scale is the same across and down up to the rounding of a box side to whole pixels, and at most
    MOST_ENLARGED where the canvas has more to show. The box stays within the canvas where it fits into it;
    the margin gives way if that makes it fit. Raises ValueError where a side would get too long.
    """
    around = _clipped(_with_margin(region, fit.margin), canvas, region)
    step = fit.multiple_of
    target = Size(_up(fit.size.width, step), _up(fit.size.height, step))
    if fit.exact:
        scale = min(target.width / around.width, target.height / around.height)
        # Enlarging a little is spared by a wider crop, reducing a little by a narrower margin.
        fits = region.width <= target.width and region.height <= target.height
        if fits and 1 / fit.rescale_tolerance <= scale <= fit.rescale_tolerance:
            return _context(around, region, canvas, target, 1.0)
        scale = min(scale, max(MOST_ENLARGED, target.width / canvas.width, target.height / canvas.height))
        return _context(around, region, canvas, target, _inside(scale, region, canvas, target))
    around = _with_surroundings(around, canvas, target)
    scale = math.sqrt(target.width * target.height / (around.width * around.height))
    if 1 / fit.rescale_tolerance <= scale <= fit.rescale_tolerance:
        sides = zip(around.size, region.size, canvas, strict=True)
        working = Size(*(_unscaled(side, least, most, step) for side, least, most in sides))
        return _context(around, region, canvas, working, 1.0)
    scale = min(scale, LARGEST_SIDE / max(around.size))
    working = Size(*(max(step, round(side * scale / step) * step) for side in around.size))
    scale = min(working.width / around.width, working.height / around.height)
    return _context(around, region, canvas, working, _inside(scale, region, canvas, working))


def _with_surroundings(around: Box, canvas: Size, target: Size) -> Box:
    """The box, grown alike on all sides as far as the canvas goes until it is enlarged less."""
    width, height = around.size
    least = target.width * target.height / MOST_ENLARGED**2
    if width * height >= least:
        return around
    more = math.ceil((math.sqrt((width - height) ** 2 + 4 * least) - width - height) / 2)
    grown = Size(max(width, min(width + more, canvas.width)), max(height, min(height + more, canvas.height)))
    x = _shifted(around.x + width / 2, grown.width, canvas.width)
    y = _shifted(around.y + height / 2, grown.height, canvas.height)
    return union([around, Box(x, y, *grown)])


def _inside(scale: float, region: Box, canvas: Size, working: Size) -> float:
    """The scale, or a larger one that makes the box fit into the canvas and still holds the region."""
    needed = max(working.width / canvas.width, working.height / canvas.height)
    highest = min(working.width / region.width, working.height / region.height)
    fits = round(working.width / scale) <= canvas.width and round(working.height / scale) <= canvas.height
    return scale if fits or needed > highest else needed


def _up(length: float, step: int) -> int:
    return math.ceil(length / step) * step


def _unscaled(side: int, least: int, most: int, step: int) -> int:
    """The multiple of `step` from `side` on, or the one below `most` if that still holds `least`."""
    up, down = _up(side, step), most // step * step
    return down if up > most and down >= max(least, 1) else up


def _with_margin(region: Box, margin: float) -> Box:
    extra = math.ceil(max(region.size) * margin / 100)
    return Box(region.x - extra, region.y - extra, region.width + 2 * extra, region.height + 2 * extra)


def _clipped(box: Box, canvas: Size, keep: Box) -> Box:
    """Cut what lies outside the canvas off `box`, but nothing of `keep`."""
    left, top = max(box.x, min(0, keep.x)), max(box.y, min(0, keep.y))
    right = min(box.right, max(canvas.width, keep.right))
    bottom = min(box.bottom, max(canvas.height, keep.bottom))
    return Box(left, top, right - left, bottom - top)


def _context(around: Box, region: Box, canvas: Size, working: Size, scale: float) -> Context:
    width, height = round(working.width / scale), round(working.height / scale)
    if max(width, height) > max(LARGEST_SIDE, *canvas):
        raise ValueError(
            f"The crop would take in {width}×{height} px, but a side may have at most {LARGEST_SIDE}; "
            "choose the fit area, another aspect or a smaller margin."
        )
    # A box smaller than the region with its margin must not move off the region.
    middle = around.x + around.width / 2, around.y + around.height / 2
    x = _shifted(_held(middle[0], width, region.x, region.right), width, canvas.width)
    y = _shifted(_held(middle[1], height, region.y, region.bottom), height, canvas.height)
    return Context(canvas, Box(x, y, width, height), working)


def _held(middle: float, length: int, first: int, last: int) -> float:
    """The middle of a stretch of `length`, moved so that it holds first…last if it is long enough."""
    if length < last - first:
        return middle
    return min(max(middle, last - length / 2), first + length / 2)


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
    """The context's crop of a mask (B,1,H,W) at the working size, keeping every thin stroke.

    Outside the canvas, where nothing is known, a mask that holds anything is 1.
    """
    return _scaled(_shown(mask, context), context)


def with_mask(context: Context, mask: Tensor) -> Context:
    """The context with what it shows of the canvas's mask (B,1,H,W)."""
    shown = _shown(mask, context)
    return replace(context, mask=shown if shown.shape == mask.shape else copied(shown))


def uncrop_mask(mask: Tensor, context: Context) -> Tensor:
    """A mask of the working size (B,1,h,w) back on the part of the canvas that the crop shows.

    On the way to the working size and back a mask grows by up to a pixel of either. What the given mask has
    not more than the crop of the canvas's own mask is therefore limited by that one; what it has more, for
    it was grown or snapped meanwhile, is added.
    """
    back = _inner(resize_to_maximum(mask, context.box.size), context)
    own = context.mask
    if own is None:
        return back
    own = (own if len(own) in (1, len(mask)) else own.amax(0, keepdim=True)).to(mask)
    grown = mask - _scaled(own, context) >= LEAST
    limited = torch.minimum(back, own)
    if not grown.any():
        return limited
    # Beside what was added the crop's own edge pixels count as well, or a thin line would stay between.
    more = mask * F.max_pool2d(grown.float(), 3, stride=1, padding=1)
    return torch.maximum(limited, _inner(resize_to_maximum(more, context.box.size), context))


def _shown(mask: Tensor, context: Context) -> Tensor:
    shown = context.shown
    return mask[..., shown.y : shown.bottom, shown.x : shown.right]


def _scaled(shown: Tensor, context: Context) -> Tensor:
    """What the crop shows of a mask, on the whole box and at the working size."""
    box, inner = context.box, context.shown
    around = (inner.x - box.x, box.right - inner.right, inner.y - box.y, box.bottom - inner.bottom)
    if not any(around):
        return resize_to_maximum(shown, context.working)
    padded = F.pad(shown, around, value=1) * (shown.amax((1, 2, 3), keepdim=True) > 0)
    return resize_to_maximum(padded, context.working)


def _inner(mask: Tensor, context: Context) -> Tensor:
    """The part inside the canvas of a mask of the box's size."""
    box, shown = context.box, context.shown
    return mask[..., shown.y - box.y : shown.bottom - box.y, shown.x - box.x : shown.right - box.x]


def _cut(image: Tensor, context: Context) -> Tensor:
    """The box of a picture, its edge repeated outside; copied only where it reaches outside."""
    box, inner = context.box, _shown(image, context)
    if inner.shape[-2:] == (box.height, box.width):
        return inner
    left, top = context.shown.x - box.x, context.shown.y - box.y
    right, bottom = left + inner.shape[-1], top + inner.shape[-2]
    cut = empty_picture(len(image), image.shape[1], box.size, image.device)
    cut[..., top:bottom, left:right] = inner
    cut[..., top:bottom, :left] = inner[..., :1]
    cut[..., top:bottom, right:] = inner[..., -1:]
    cut[..., :top, :] = cut[..., top : top + 1, :]
    cut[..., bottom:, :] = cut[..., bottom - 1 : bottom, :]
    return cut
