"""Where the inpaint model has to paint: mostly below a line, as for missing legs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from ...core.pose.skeleton import (
    BODY_POINTS,
    L_ANKLE,
    L_BIG_TOE,
    L_ELBOW,
    L_HIP,
    L_KNEE,
    L_SHOULDER,
    L_WRIST,
    NECK,
    NOSE,
    POINTS,
    R_ANKLE,
    R_BIG_TOE,
    R_ELBOW,
    R_HIP,
    R_KNEE,
    R_SHOULDER,
    R_WRIST,
)
from ..toy.world.raster import capsule

LEG_BONES = (
    (R_HIP, R_KNEE),
    (R_KNEE, R_ANKLE),
    (R_ANKLE, R_BIG_TOE),
    (L_HIP, L_KNEE),
    (L_KNEE, L_ANKLE),
    (L_ANKLE, L_BIG_TOE),
)
BONES = (
    *LEG_BONES,
    (R_SHOULDER, R_ELBOW),
    (R_ELBOW, R_WRIST),
    (L_SHOULDER, L_ELBOW),
    (L_ELBOW, L_WRIST),
    (NECK, R_HIP),
    (NOSE, NECK),
)
LEGS = (R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE, *range(BODY_POINTS, POINTS))
KINDS = ("below", "strokes", "box", "beside", "all")
SHARES = (0.5, 0.2, 0.1, 0.1, 0.1)
AT_THINGS = 0.7


def hole(points: np.ndarray, height: int, width: int, random: Generator) -> np.ndarray:
    """A random mask height,width (float32, 1 = repaint) for a person with points 24,3."""
    kind = KINDS[int(np.searchsorted(np.cumsum(SHARES), random.random()))]
    mask = np.zeros((height, width), np.float32)
    if kind == "below":
        mask[cut(points, height, random) :] = 1
        if random.random() < 0.3:
            mask[: random.integers(1, height // 5)] = 1
    elif kind == "strokes":
        mask = strokes(points, height, width, random)
    elif kind == "box":
        w, h = random.integers(16, 80), random.integers(16, 100)
        x, y = random.integers(0, width - w + 1), random.integers(0, height - h + 1)
        mask[y : y + h, x : x + w] = 1
    elif kind == "beside":
        mask[:, : random.integers(8, width // 2)] = 1
        mask = mask[:, ::-1].copy() if random.random() < 0.5 else mask
    else:
        mask[:] = 1
    return mask


def hole_at_things(boxes: Sequence[Sequence[int]], height: int, width: int, random: Generator) -> np.ndarray:
    """A random mask height,width for a closer picture: mostly one thing's box, somewhat larger."""
    if random.random() >= AT_THINGS:
        mask = hole(np.zeros((POINTS, 3)), height, width, random)
        return mask if mask.any() else np.ones_like(mask)
    left, top, right, bottom = boxes[random.integers(len(boxes))]
    grown = random.integers(0, 9, 4)
    mask = np.zeros((height, width), np.float32)
    mask[max(top - grown[0], 0) : bottom + grown[1], max(left - grown[2], 0) : right + grown[3]] = 1
    return mask


def cut(points: np.ndarray, height: int, random: Generator) -> int:
    """A row between the hip and the sole, now and then anywhere."""
    rows = points[[index for index in LEGS if points[index, 2] > 0], 1]
    if len(rows) == 0 or random.random() < 0.15:
        return int(random.integers(height // 4, height - 8))
    low, high = rows.min() - 4, rows.max() + 2
    return int(np.clip(low + random.random() * (high - low), 8, height - 8))


def strokes(points: np.ndarray, height: int, width: int, random: Generator) -> np.ndarray:
    """Thick lines along some bones, or along both legs."""
    legs = random.random() < 0.6
    chosen = LEG_BONES if legs else [bone for bone in BONES if random.random() < 0.3] or BONES[:1]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    mask, radius = np.zeros((height, width), np.float32), random.uniform(5, 12)
    for first, second in chosen:
        a, b = points[first], points[second]
        if a[2] > 0 and b[2] > 0:
            distance, _, _ = capsule(a[:2], b[:2], radius, radius).field(x, y)
            mask[distance <= 0] = 1
    if legs and random.random() < 0.7:
        mask[: cut(points, height, random)] = 0
    return mask
