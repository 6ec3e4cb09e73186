"""People beside each other on one bench: who sits shows that the next one at the same height sits, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .body import LEFT, RIGHT, Body
from .stance import Stance

# In statures: how near neighbours are, by how much their hips differ in height on one seat (ramp), and as a
# ratio how alike their statures are. Somebody who stands has the hips about .2 higher than on a bench.
_BESIDE, _LEVEL, _ALIKE = 1.0, (0.06, 0.12), 1.25


def _hips(body: Body) -> np.ndarray:
    return (body.points[LEFT[0]] + body.points[RIGHT[0]]) / 2


def _sits_like(body: Body, other: Body) -> float:
    """How surely two people are on one seat, 0 … 1."""
    q = min(body.q, other.q)
    across, height = abs(_hips(body) - _hips(other)) / q
    if max(body.q, other.q) > _ALIKE * q or across > _BESIDE:
        return 0.0
    return float(np.clip((_LEVEL[1] - height) / (_LEVEL[1] - _LEVEL[0]), 0, 1))


def agreed(bodies: Sequence[Body | None], stances: Sequence[Stance | None]) -> list[Stance | None]:
    """The stances where everybody sits at least as surely as a neighbour on the same seat."""
    result = []
    for body, own in zip(bodies, stances, strict=True):
        if body is None or own is None:
            result.append(None)
            continue
        raised = [
            other.raised * _sits_like(body, beside)
            for beside, other in zip(bodies, stances, strict=True)
            if beside is not None and other is not None and beside is not body
        ]
        result.append(replace(own, raised=max([own.raised, *raised])))
    return result
