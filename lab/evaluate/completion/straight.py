"""The simplest guess: legs that hang straight down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ....core.pose.estimate import proportions
from ....core.pose.estimate.proportions import Table
from ....core.pose.person import Person
from ....core.pose.skeleton import L_ANKLE, L_HIP, L_KNEE, R_ANKLE, R_HIP, R_KNEE
from ...toy.world.body import PROPORTIONS

# Breadths of the whole body, which is what the book's table has; its joints are those of the drawn world.
WINTER = Table(
    ankle_height=PROPORTIONS["ankle height"],
    shank=PROPORTIONS["shank"],
    thigh=PROPORTIONS["thigh"],
    trunk=PROPORTIONS["trunk"],
    upper_arm=PROPORTIONS["upper arm"],
    forearm=PROPORTIONS["forearm"],
    shoulder_width=2 * PROPORTIONS["half shoulder"],
    hip_width=0.191,
    shoulders_to_eyes=0.118,
)
_LEGS = ((R_HIP, R_KNEE, R_ANKLE), (L_HIP, L_KNEE, L_ANKLE))


def straight_down(person: Person, winter: bool) -> Person | None:
    """The person with hips below the shoulders, knees below the hips and ankles below the knees.

    By the lengths of `proportions.BODY`, or by Winter's. What was measured stays. None for nobody to measure.
    """
    table = WINTER if winter else proportions.BODY
    q = proportions.stature(person, table)
    points, present = person.points.copy(), person.measured.copy()
    if q is None:
        return None
    middle = proportions.shoulders_middle(points, present)
    for side, (hip, knee, ankle) in zip((-1, 1), _LEGS, strict=True):
        beside = table.hip_width / 2 * q * side
        other = _LEGS[side < 0][0]
        if not present[hip] and person.measured[other]:
            points[hip], present[hip] = points[other] + [2 * beside, 0], True
        elif not present[hip] and middle is not None:
            points[hip], present[hip] = middle + np.array([beside, table.trunk * q]), True
        for above, below, length in ((hip, knee, table.thigh), (knee, ankle, table.shank)):
            if present[above] and not present[below]:
                points[below], present[below] = points[above] + [0, length * q], True
    if not present[[R_HIP, L_HIP]].all():
        return None
    guessed = present & ~person.measured
    return replace(person, points=np.where(present[:, None], points, 0), present=present, estimated=guessed)
