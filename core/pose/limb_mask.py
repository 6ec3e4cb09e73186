"""Masks around parts of the body, around guessed points, and around what moved between two poses."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..batch import common_batch, repeated
from ..memory import zeros
from ..shapes import Box
from .choices import Parts
from .estimate import proportions
from .pairing import UNMOVED, paired
from .person import Frame, Person, Pose, common_size
from .skeleton import (
    L_ANKLE,
    L_BIG_TOE,
    L_EAR,
    L_ELBOW,
    L_EYE,
    L_HEEL,
    L_HIP,
    L_KNEE,
    L_SHOULDER,
    L_SMALL_TOE,
    L_WRIST,
    NECK,
    NOSE,
    R_ANKLE,
    R_BIG_TOE,
    R_EAR,
    R_ELBOW,
    R_EYE,
    R_HEEL,
    R_HIP,
    R_KNEE,
    R_SHOULDER,
    R_SMALL_TOE,
    R_WRIST,
)

BAND = 64  # rows filled at a time

# Shapes are chains of points: one is a disc, two a capsule, more a filled polygon with a rim.
Shape = tuple[int, ...]
_L_FOOT: tuple[Shape, ...] = ((L_ANKLE, L_HEEL, L_BIG_TOE, L_SMALL_TOE), (L_ANKLE,))
_R_FOOT: tuple[Shape, ...] = ((R_ANKLE, R_HEEL, R_BIG_TOE, R_SMALL_TOE), (R_ANKLE,))
_L_LEG: tuple[Shape, ...] = ((L_HIP, L_KNEE), (L_KNEE, L_ANKLE), *_L_FOOT)
_R_LEG: tuple[Shape, ...] = ((R_HIP, R_KNEE), (R_KNEE, R_ANKLE), *_R_FOOT)
_L_ARM: tuple[Shape, ...] = ((L_SHOULDER, L_ELBOW), (L_ELBOW, L_WRIST))
_R_ARM: tuple[Shape, ...] = ((R_SHOULDER, R_ELBOW), (R_ELBOW, R_WRIST))
_HEAD: tuple[Shape, ...] = ((NECK, NOSE), (NOSE, R_EYE), (R_EYE, R_EAR), (NOSE, L_EYE), (L_EYE, L_EAR))
_TORSO: tuple[Shape, ...] = ((R_SHOULDER, L_SHOULDER, L_HIP, R_HIP), (NECK, R_SHOULDER), (NECK, L_SHOULDER))
_WHOLE = (*_HEAD, *_TORSO, *_L_ARM, *_R_ARM, *_L_LEG, *_R_LEG)
SHAPES: dict[Parts, tuple[Shape, ...]] = {
    Parts.ESTIMATED: _WHOLE,
    Parts.LEGS: (*_L_LEG, *_R_LEG),
    Parts.FEET: (*_L_FOOT, *_R_FOOT),
    Parts.LEFT_LEG: _L_LEG,
    Parts.RIGHT_LEG: _R_LEG,
    Parts.ARMS: (*_L_ARM, *_R_ARM),
    Parts.LEFT_ARM: _L_ARM,
    Parts.RIGHT_ARM: _R_ARM,
    Parts.HEAD: _HEAD,
    Parts.TORSO: _TORSO,
    Parts.WHOLE_BODY: _WHOLE,
    Parts.MOVED: _WHOLE,
}
# Beyond the last point of these there is more body than the skeleton has: (from, to, how far in statures).
_HAND, _CROWN = 0.108, 0.13
_BEYOND: dict[Shape, float] = {
    (L_ELBOW, L_WRIST): _HAND,
    (R_ELBOW, R_WRIST): _HAND,
    (NECK, NOSE): _CROWN,
}


class _Outline(NamedTuple):
    """Corners N,2 and the radius of the rim around each."""

    corners: np.ndarray
    radii: np.ndarray


def _stature(person: Person) -> float:
    """q, or the height of the person's points where q cannot be measured."""
    q = proportions.stature(person)
    heights = person.points[person.present, 1]
    return q if q is not None else float(np.ptp(heights)) if len(heights) else 0.0


def _corners(shape: Shape, points: np.ndarray, present: np.ndarray, q: float) -> np.ndarray:
    """The present points of a shape, N,2, lengthened by hand or crown."""
    if len(shape) == 2 and not present[list(shape)].all():
        return np.zeros((0, 2))
    corners = points[[index for index in shape if present[index]]]
    beyond = _BEYOND.get(shape, 0.0) * q
    if beyond and np.any(corners[1] != corners[0]):
        direction = (corners[1] - corners[0]) / np.linalg.norm(corners[1] - corners[0])
        corners = np.concatenate([corners[:1], corners[1:] + beyond * direction])
    return corners


def _outlines(person: Person, shapes: list[Shape], width: float) -> list[_Outline]:
    """Corner points and rim radii of each shape; `width` in % of the body, more around doubtful guesses."""
    q = _stature(person)
    radii = np.full(len(person.points), width / 200 * q)
    if person.uncertainty is not None:
        radii = np.maximum(radii, person.uncertainty)
    found = []
    for shape in shapes:
        corners = _corners(shape, person.points, person.present, q)
        around = radii[[index for index in shape if person.present[index]]][: len(corners)]
        # Hand and crown are as broad as the point before them.
        found.append(_Outline(corners, np.concatenate([around, around[-1:]])[: len(corners)]))
    return found


def _moved(person: Person, other: Person | None, shapes: tuple[Shape, ...]) -> list[Shape]:
    """The shapes of which a point moved by more than half a pixel, came or went."""
    if other is None:
        return list(shapes)
    distance = np.linalg.norm(person.points - other.points, axis=1)
    changed = (person.present != other.present) | (person.present & (distance > UNMOVED))
    return [shape for shape in shapes if changed[list(shape)].any()]


def _chosen(frame: Frame, parts: Parts, width: float, other: Frame | None) -> list[_Outline]:
    """The outlines to fill for one frame."""
    found = frame.people
    if parts is Parts.MOVED:
        result = []
        for pair in paired(found, other.people if other is not None else ()):
            for person, counterpart in (pair, pair[::-1]):
                if person is not None:
                    result += _outlines(person, _moved(person, counterpart, SHAPES[parts]), width)
        return result
    result = []
    for person in found:
        shapes = list(SHAPES[parts])
        if parts is Parts.ESTIMATED:
            shapes = [shape for shape in shapes if person.estimated[list(shape)].any()]
        result += _outlines(person, shapes, width)
    return result


def _from_segment(
    x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray | float]:
    """Squared distance of every (x, y) to the segment from a to b, and where along it that is, 0 … 1."""
    (dx, dy), squared = b - a, float(((b - a) ** 2).sum())
    along = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / squared, 0, 1) if squared else 0.0
    return (x - a[0] - along * dx) ** 2 + (y - a[1] - along * dy) ** 2, along


def _reached(a: np.ndarray, b: np.ndarray, radius: float, top: int, bottom: int) -> tuple[float, float]:
    """Between which columns the segment from a to b comes within `radius` px of the rows."""
    low, high = top - radius, bottom + radius
    (x, y), (dx, dy) = a, b - a
    if dy == 0:
        ends = np.array([0.0, 1.0]) if low <= y <= high else np.zeros(0)
    else:
        ends = np.clip([(low - y) / dy, (high - y) / dy], 0, 1)
        # Clipped to the same end, it passes by; at that end it may still touch the rows.
        ends = ends if ends[0] != ends[1] or low <= y + ends[0] * dy <= high else np.zeros(0)
    across = x + ends * dx
    return (across.min() - radius, across.max() + radius) if len(across) else (0.0, 0.0)


def _fill(mask: np.ndarray, outline: _Outline, rows: slice) -> None:
    """Set the pixels in `rows` whose centre lies in the shape or within its rim to 1."""
    corners, radii = outline
    if not len(corners):
        return
    radius = radii.max()
    first, last = (0, rows.start), (mask.shape[1], rows.stop)
    left, top = np.clip(np.floor(corners.min(axis=0) - radius), first, last).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0) + radius), first, last).astype(int)
    for row in range(top, bottom, BAND) if left < right else ():
        _fill_band(mask, outline, Box(left, row, right - left, min(BAND, bottom - row)))


def _fill_band(mask: np.ndarray, outline: _Outline, box: Box) -> None:
    """`_fill` for some rows: small enough for the processor's cache, and next to most of a limb."""
    corners, radii = outline
    part = mask[box.y : box.bottom, box.x : box.right]
    y, x = np.arange(box.y, box.bottom)[:, None] + 0.5, np.arange(box.x, box.right)[None, :] + 0.5
    edges = list(zip(corners, np.roll(corners, -1, axis=0), radii, np.roll(radii, -1), strict=True))
    for a, b, begin, end in edges if len(corners) > 2 else edges[:1]:
        near, far = _reached(a, b, max(begin, end), box.y, box.bottom)
        columns = slice(max(math.floor(near) - box.x, 0), max(math.ceil(far) - box.x, 0))
        squared, along = _from_segment(x[:, columns], y, a, b)
        part[:, columns][squared <= (begin + along * (end - begin)) ** 2] = 1
    if len(corners) > 2:
        crossings = np.zeros(part.shape, dtype=bool)
        for a, b, _, _ in edges:
            if a[1] != b[1]:
                between = (y >= min(a[1], b[1])) & (y < max(a[1], b[1]))
                crossings ^= between & (x >= a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1]))
        part[crossings] = 1


def _rows(mask: Tensor) -> slice:
    """The rows between the first and the last of a mask (B,1,H,W) that hold anything."""
    found = (mask.amax((0, 1, 3)) > 0).nonzero()
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def limb_mask(
    pose: Pose, parts: Parts, width: float, within: Tensor | None = None, other_pose: Pose | None = None
) -> Tensor:
    """A mask B,1,H,W of 0 and 1 around the chosen parts of everybody in the pose, at the pose's picture size.

    `width` is the breadth around a limb in % of the body; a guessed point that is less sure gets its standard
    deviation as radius. `within` (B,1,H,W) limits it by the pixelwise
    minimum. `other_pose` is what the pose is compared with for Parts.MOVED: both places of what moved are
    covered. Raises ValueError for other sizes or batch lengths, and for Parts.MOVED without another pose.
    """
    size = common_size(pose)
    if parts is Parts.MOVED:
        if other_pose is None:
            raise ValueError("To mask what moved, a second pose is needed; connect other_pose.")
        if common_size(other_pose) != size:
            raise ValueError(
                f"The pose belongs to a picture of {size} but the other pose to {common_size(other_pose)}; "
                "compare poses of one picture."
            )
        count = common_batch({"pose": pose, "other pose": other_pose})
        then = repeated(other_pose, count, "other pose")
        pairs = list(zip(repeated(pose, count, "pose"), then, strict=True))
    else:
        pairs = [(frame, None) for frame in pose]
    batch = common_batch({"pose": pairs, "mask": within})
    rows = slice(0, size.height) if within is None else _rows(within)
    result = zeros((batch, 1, size.height, size.width), torch.device("cpu"))
    for mask, (frame, other) in zip(result.numpy(), pairs, strict=False):
        for outline in _chosen(frame, parts, width, other):
            _fill(mask[0], outline, rows)
    held = result[..., rows, :]
    held[len(pairs) :] = held[:1]
    if within is not None:
        torch.minimum(held, within[..., rows, :].to(held), out=held)
    return result
