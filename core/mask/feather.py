"""Grow, shrink and feather masks by exact Euclidean distance."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .bounds import bounds_of_mask
from .distance import to_level, to_nearest


class Direction(str, Enum):
    BOTH = "both"
    INWARD = "inward"
    OUTWARD = "outward"


class Profile(str, Enum):
    LINEAR = "linear"
    COSINE = "cosine"
    GAUSSIAN = "gaussian"


def feather(
    mask: Tensor,
    grow: float,
    width: float,
    direction: Direction = Direction.BOTH,
    profile: Profile = Profile.LINEAR,
    border_is_edge: bool = False,
) -> Tensor:
    """Move the edge of a mask (B,1,H,W, 0…1) outwards by `grow` px and soften it over `width` px.

    The edge of a mask of zeros and ones runs along the sides of its pixels, half a pixel beyond the centre
    of the last one: a pixel is d - ½ px away from it, d its distance to the nearest pixel of the other
    kind. The edge of a soft mask is where it crosses ½ between two pixels, or half of its highest value
    where that is not above ½. The profile falls from 1 to 0 over `width` px: around the edge, or all inside
    or all outside of it; 0 gives a hard edge. With `border_is_edge` everything outside the picture counts as
    unmasked, otherwise the picture's border is no edge. Nothing to do returns a copy.
    """
    if width < 0:
        raise ValueError(f"The feather must be at least 0 px but is {width}.")
    if grow == 0 and width == 0:
        return mask.clone()
    inside = {Direction.BOTH: width / 2, Direction.INWARD: width, Direction.OUTWARD: 0.0}[
        Direction(direction)
    ]
    lowest, highest = grow - inside, grow - inside + width
    pictures = [_feather_one(one, lowest, highest, Profile(profile), border_is_edge) for one in mask.split(1)]
    return torch.cat(pictures)


def _feather_one(mask: Tensor, lowest: float, highest: float, profile: Profile, border: bool) -> Tensor:
    """One mask (1,1,H,W) with the profile from 1 at the signed distance `lowest` px to 0 at `highest`."""
    margin = max(0, math.ceil(highest)) + 2
    area = bounds_of_mask(mask)
    result = torch.zeros_like(mask)
    if area is None:
        return result
    height, width = mask.shape[-2:]
    part = (
        ...,
        slice(max(0, area.y - margin), min(height, area.bottom + margin)),
        slice(max(0, area.x - margin), min(width, area.right + margin)),
    )
    ring = int(border)
    values = F.pad(mask[part], (ring,) * 4)[0, 0].cpu().numpy()
    if values.max() <= 0.5:
        values = values / values.max()
    distance = torch.from_numpy(signed_distance(values, _reach(-lowest), _reach(highest)))
    distance = distance[ring : distance.shape[0] - ring, ring : distance.shape[1] - ring]
    result[part] = _profile(distance, lowest, highest, profile).to(mask)
    return result


def _reach(edge: float) -> float:
    """How far centres must be measured for a profile that ends `edge` px from the mask's edge."""
    return edge + 1 if edge > 0 else 0


def signed_distance(values: np.ndarray, inside: float, outside: float) -> np.ndarray:
    """The distance (float32 H,W, px) to the edge of a mask (float H,W), below 0 inside of it.

    Exact as far as `inside` and `outside` px reach, beyond that at least as far; see `feather` for where
    the edge is. Without an edge everything is farther than that.
    """
    masked = values > 0.5
    if not np.array_equal(masked, values):
        distance = to_level(values, max(inside, outside))
        return np.where(masked, -distance, distance)
    half = np.float32(0.5)
    # What lies on the side that no profile reaches only has to be on the right side.
    outer = to_nearest(masked, outside) - half if outside > 0 else half
    inner = half - to_nearest(~masked, inside) if inside > 0 else -half
    return np.where(masked, inner, outer)


def _profile(distance: Tensor, lowest: float, highest: float, profile: Profile) -> Tensor:
    if highest == lowest:
        return (distance < lowest).float()
    place = ((distance - lowest) / (highest - lowest)).clamp_(0, 1)
    if profile is Profile.LINEAR:
        return 1 - place
    if profile is Profile.COSINE:
        return 0.5 + 0.5 * torch.cos(place * math.pi)
    # A step blurred with sigma = width / 6, cut at ±3 sigma and stretched back to 1…0.
    cut = 3 / math.sqrt(2)
    return 0.5 - 0.5 * torch.erf((2 * place - 1) * cut) / math.erf(cut)
