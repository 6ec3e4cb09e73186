"""How visible the seam between known and generated pixels is."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..mask.bounds import bounds_of_mask
from ..shapes import Box

# Parallel lines this far from the seam, in pixels, tell how much the picture changes anyway.
NEAREST, FARTHEST = 8, 24
STRIP = 16
# Added above and below the fraction, in ΔE: two flat sides would otherwise divide by nothing.
JUST_NOTICEABLE = 0.5
MOST_SAMPLES = 4000


class Seam(NamedTuple):
    """`ratio` is 1 for an invisible seam; `step` the distance ΔE between the mean colours of both sides."""

    ratio: float
    step: float


def lab(image: Tensor) -> Tensor:
    """CIE L*a*b* (…,3; D65) of sRGB colours 0…1 in the last axis (IEC 61966-2-1, CIE 15)."""
    value = image[..., :3].double().clamp(0, 1)
    linear = torch.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ linear.new_tensor(
        [
            [0.4124564, 0.2126729, 0.0193339],
            [0.3575761, 0.7151522, 0.1191920],
            [0.1804375, 0.0721750, 0.9503041],
        ]
    )
    ratio = xyz / xyz.new_tensor([0.95047, 1.0, 1.08883])
    cube = torch.where(ratio > (6 / 29) ** 3, ratio.clamp(min=1e-9) ** (1 / 3), ratio * 841 / 108 + 4 / 29)
    x, y, z = cube.unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def measure(image: Tensor, mask: Tensor) -> Seam:
    """How visible the edge of `mask` (B,1,H,W, > 0 = generated) is in `image` (B,C,H,W).

    g is the Lab difference between two neighbours across the edge. ratio = (median of g on the edge + 0.5)
    over (median of g on parallel lines 8…24 px away, of the rougher side, + 0.5). Without an edge: 1 and 0.
    """
    masked = mask[:, 0].expand(len(image), -1, -1) > 0
    crossings = _crossings(masked)
    if not len(crossings):
        return Seam(1.0, 0.0)
    across = _differences(image, masked, crossings, 0)[0].median()
    sides = []
    for direction in (-1, 1):
        lines = [
            _differences(image, masked, crossings, direction * away)
            for away in range(NEAREST, FARTHEST + 1, 2)
        ]
        values = torch.cat([values[valid] for values, valid in lines])
        sides += [values.median()] if len(values) else []
    beside = max(sides) if sides else across
    ratio = (across + JUST_NOTICEABLE) / (beside + JUST_NOTICEABLE)
    return Seam(float(ratio), _step(image, masked, crossings))


def measure_part(image: Tensor, mask: Tensor, box: Box) -> Seam:
    """`measure` for a mask (B,1,h,w) that lies at `box` inside the picture; beyond it all is known."""
    held = bounds_of_mask(mask)
    if held is None:
        return Seam(1.0, 0.0)
    mask = mask[..., held.y : held.bottom, held.x : held.right]
    box = Box(box.x + held.x, box.y + held.y, held.width, held.height)
    around = FARTHEST + 1
    left, top = min(around, box.x), min(around, box.y)
    right, bottom = (
        min(around, side) for side in (image.shape[-1] - box.right, image.shape[-2] - box.bottom)
    )
    rows, columns = slice(box.y - top, box.bottom + bottom), slice(box.x - left, box.right + right)
    return measure(image[..., rows, columns], F.pad(mask, (left, right, top, bottom)))


def _crossings(masked: Tensor) -> Tensor:
    """Neighbours across the edge as rows picture, y, x, dy, dx: from the known to the generated."""
    found = []
    for dy, dx in ((0, 1), (1, 0)):
        before = masked[:, : masked.shape[1] - dy, : masked.shape[2] - dx]
        place = (before != masked[:, dy:, dx:]).nonzero()
        place = place[:: len(place) // MOST_SAMPLES + 1]
        step = place.new_tensor([dy, dx])
        # Where the earlier pixel is the generated one, the way from the known to it leads backwards.
        back = masked[place[:, 0], place[:, 1], place[:, 2]].long()[:, None]
        start = torch.cat([place[:, :1], place[:, 1:] + back * step], 1)
        found.append(torch.cat([start, (1 - 2 * back) * step], 1))
    return torch.cat(found)


def _differences(image: Tensor, masked: Tensor, crossings: Tensor, away: int) -> tuple[Tensor, Tensor]:
    """Lab differences across the line `away` px from the edge (below 0: known side), and which count."""
    first, inside_first = _at(masked, crossings, away)
    second, inside_second = _at(masked, crossings, away + 1)
    valid = inside_first & inside_second
    if away:
        side = masked[first] == masked[second]
        valid = valid & side & (masked[first] == (away > 0))
    colours = [lab(image[place[0], :, place[1], place[2]]) for place in (first, second)]
    return (colours[1] - colours[0]).norm(dim=-1), valid


def _at(masked: Tensor, crossings: Tensor, away: int) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """The pixels `away` steps from the crossings' known pixels, clamped, and which are in the picture."""
    picture, y, x, dy, dx = crossings.unbind(1)
    y, x = y + away * dy, x + away * dx
    height, width = masked.shape[1:]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return (picture, y.clamp(0, height - 1), x.clamp(0, width - 1)), inside


def _step(image: Tensor, masked: Tensor, crossings: Tensor) -> float:
    """ΔE between the mean Lab colours of the strips on both sides of the edge."""
    means = []
    for start in (1 - STRIP, 1):
        colours = []
        for away in range(start, start + STRIP):
            place, inside = _at(masked, crossings, away)
            valid = inside & (masked[place] == (start > 0))
            colours.append(lab(image[place[0], :, place[1], place[2]])[valid])
        means.append(torch.cat(colours).mean(0))
    return float((means[1] - means[0]).norm())
