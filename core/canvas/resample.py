"""Bring a picture, or a part of it, to another size."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..shapes import Size

# Pictures of more pixels are reduced in bands of so many new rows: copying the whole takes most of the time.
LARGE, BAND = 2048 * 2048, 32
SHARPNESS = -0.5  # of the cubic that torch's antialiased bicubic uses
SUPPORT = 2  # px on either side that a cubic reaches


def resample(image: Tensor, size: Size) -> Tensor:
    """Resize a picture (B,C,h,w), antialiased bicubic, clamped to 0…1; a copy where the size is the same."""
    height, width = image.shape[-2:]
    if (height, width) == (size.height, size.width):
        return image.contiguous(memory_format=torch.channels_last).clone()
    if height * width > LARGE and size.height < height:
        image = _reduced_rows(image, size.height)
    # ComfyUI's pictures are strided views; resampling planes is several times faster.
    planes = image.contiguous()
    return F.interpolate(planes, (size.height, size.width), mode="bicubic", antialias=True).clamp_(0, 1)


def _reduced_rows(image: Tensor, count: int) -> Tensor:
    """The picture (B,C,h,w) with `count` rows, B,C,count,w."""
    batch, channels, height, width = image.shape
    axis, pixels = Axis(height, count), image.permute(0, 2, 3, 1)
    result = image.new_empty(batch, count, width * channels)
    for top in range(0, count, BAND):
        rows = slice(top, min(top + BAND, count))
        seen, weights = axis.weights(rows)
        result[:, rows] = weights.to(image) @ pixels[:, seen].flatten(2)
    return result.view(batch, count, width, channels).permute(0, 3, 1, 2)


class Axis:
    """Antialiased bicubic resampling of an axis of `length` px to `count`, as torch does it."""

    def __init__(self, length: int, count: int) -> None:
        self.length, self.count = length, count
        self.scale = length / count
        self.stretch = max(self.scale, 1.0)
        self._tables: dict[tuple[int, int], tuple[slice, Tensor]] = {}

    def weights(self, part: slice) -> tuple[slice, Tensor]:
        """The old pixels that the new pixels `part` are made of, and their weights (new, old).

        All tiles of a row or column need the same ones, so they are kept.
        """
        key = part.start, part.stop
        if key not in self._tables:
            self._tables[key] = self._made(part)
        return self._tables[key]

    def _made(self, part: slice) -> tuple[slice, Tensor]:
        centers = (torch.arange(part.start, part.stop, dtype=torch.float64) + 0.5) * self.scale
        reach = SUPPORT * self.stretch
        first = max(0, math.floor(float(centers[0]) - reach))
        last = min(self.length, math.ceil(float(centers[-1]) + reach) + 1)
        old = torch.arange(first, last, dtype=torch.float64) + 0.5
        weights = _cubic((old - centers[:, None]) / self.stretch)
        return slice(first, last), (weights / weights.sum(1, keepdim=True)).float()


def _cubic(x: Tensor) -> Tensor:
    """Keys's cubic convolution kernel (1981, eq. 15) with SHARPNESS for its free parameter."""
    x, a = x.abs(), SHARPNESS
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))


class Resized:
    """A picture (B,C,h,w) at another size, of which each part is made when it is asked for."""

    def __init__(self, image: Tensor, size: Size) -> None:
        self.image = image
        height, width = image.shape[-2:]
        self.same = (height, width) == (size.height, size.width)
        self.down, self.across = Axis(height, size.height), Axis(width, size.width)

    def part(self, rows: slice, columns: slice) -> Tensor:
        """These rows and columns, B,C,rows,columns within 0…1 (a view where the size is the same)."""
        if self.same:
            return self.image[..., rows, columns]
        seen, down = self.down.weights(rows)
        shown, across = self.across.weights(columns)
        pixels = self.image[..., seen, shown]
        return (down.to(pixels) @ pixels @ across.to(pixels).mT).clamp_(0, 1)
