"""What the person does with the legs, read from arms and thighs, and how thighs and shanks swing then.

Angles are forward swings from hanging, in radians; a knee only bends backward. Walking after D. A. Winter,
Biomechanics and Motor Control of Human Movement (2009), running after T. F. Novacheck, The biomechanics of
running, Gait & Posture 7 (1998).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..choices import Legs
from ..skeleton import L_ELBOW, L_SHOULDER, L_WRIST, R_ELBOW, R_SHOULDER, R_WRIST
from . import proportions
from .body import LEFT, RIGHT, Body, Leg, angle_from

# Halfway between the extremes of a stride: the thigh in front, the thigh behind.
_WALKING, _RUNNING = np.deg2rad([24.0, -18.0]), np.deg2rad([36.0, -18.0])
# A hip flexes further than it extends.
_REAR_TO_FRONT, _FURTHEST_BACK = 0.75, np.deg2rad(25.0)
# Thighs lifted further than this sit, unless the other one is behind.
SEATED = np.deg2rad(40.0)
# Ramps from no evidence to full evidence: how far the arms swing and the thighs are apart, how far elbows
# bend and the knee in front is lifted in running, how far the thigh behind may be in front, or is behind.
_SWINGS, _APART = np.deg2rad([8.0, 18.0]), np.deg2rad([10.0, 30.0])
_BENT, _LIFTED = np.deg2rad([45.0, 70.0]), np.deg2rad([30.0, 42.0])
_NOT_IN_FRONT, _BEHIND = np.deg2rad([-20.0, -5.0]), np.deg2rad([0.0, 10.0])
# (share of reach lost per unit, from where on, over how much): of the trunk's lean, of an arm's stretch.
_LEANING, _REACHING = (0.75, 0.1, 0.3), (0.45, 0.4, 0.6)
_HAND_UP = np.array([0.2, 0.4])
_ARMS = ((L_SHOULDER, L_ELBOW, L_WRIST), (R_SHOULDER, R_ELBOW, R_WRIST))


@dataclass(frozen=True)
class Stance:
    """`stride` 0 … 1 from standing to a whole stride, `running` 0 … 1 from walking to running, `lead` 1 when
    the left leg is in front and −1 when the right one is."""

    kind: Legs
    stride: float = 0.0
    running: float = 0.0
    lead: float = 0.0
    raised: float = 0.0
    bent: float = 0.0


def _share(value: float, ramp: np.ndarray) -> float:
    low, high = ramp
    return float(np.clip((value - low) / (high - low), 0, 1))


def _arms(body: Body) -> list[tuple[float, float | None]]:
    """(swing from the trunk, bend of the elbow) of left and right arm; none unless both upper arms are
    seen."""
    found = []
    for shoulder, elbow, wrist in _ARMS:
        upper, lower = body.vector(shoulder, elbow), body.vector(elbow, wrist)
        if upper is None:
            return []
        bend = None if lower is None else angle_from(lower, upper) * np.sign(body.profile)
        found.append((body.swing(upper, body.trunk), bend))
    return found


def _by_arms(body: Body) -> Stance:
    """Arms swing against the legs: one before and one behind the trunk, elbows bent when running."""
    arms = _arms(body) if body.in_profile else []
    if not arms:
        return Stance(Legs.AUTO)
    (left, _), (right, _) = arms
    bends = [bend for _, bend in arms if bend is not None]
    swings = _share(min(max(left, right), -min(left, right)), _SWINGS)
    running = swings * _share(min(bends), _BENT) if bends else 0.0
    return Stance(Legs.AUTO, swings * body.in_profile, running, float(np.sign(right - left)))


def thigh_swing(body: Body, leg: Leg) -> float | None:
    """How far a measured thigh swings forward; None where that cannot be seen."""
    thigh = body.vector(leg[0], leg[1])
    return body.swing(thigh, body.down) if thigh is not None and body.in_profile else None


def _by_thighs(body: Body, arms: Stance) -> Stance:
    """Thighs that are seen decide; where only one is, the other one is taken to swing against it."""
    left, right = thigh_swing(body, LEFT), thigh_swing(body, RIGHT)
    seen = [swing for swing in (left, right) if swing is not None]
    if not seen or (len(seen) == 1 and seen[0] > SEATED):
        return arms
    left = opposite(seen[0]) if left is None else left
    right = opposite(seen[0]) if right is None else right
    front, rear = max(left, right), min(left, right)
    apart = _share(front - rear, _APART) * _share(-rear, _NOT_IN_FRONT)
    leaps = _share(front, _LIFTED) * _share(-rear, _BEHIND)
    running = max(arms.running, leaps)
    return Stance(Legs.AUTO, apart * body.in_profile, running, float(np.sign(left - right)))


def opposite(swing: float) -> float:
    """The swing of the other thigh in a stride."""
    against = -swing * _REAR_TO_FRONT if swing > 0 else -swing / _REAR_TO_FRONT
    return float(np.clip(against, -_FURTHEST_BACK, SEATED))


def _told(body: Body, legs: Legs, seen: Stance) -> Stance:
    strides = legs in (Legs.WALKING, Legs.RUNNING)
    # Nothing shows which leg leads: the far one, which the near one would otherwise hide.
    lead = seen.lead or float(np.sign(body.profile))
    return Stance(legs, float(strides and lead != 0), float(legs == Legs.RUNNING), lead)


def _bent(body: Body) -> float:
    """The share of their reach that legs lose by bending in motion.

    Somebody who leans aside or throws an arm out is not standing still. Fitted to photographs.
    """
    if body.lies:
        return 0.0
    lost = _lost(abs(float(body.trunk[0])), *_LEANING) + _lost(_reach(body), *_REACHING)
    return (1 - body.in_profile) * lost


def _lost(value: float, share: float, start: float, longest: float) -> float:
    return share * float(np.clip(value - start, 0, longest))


def _reach(body: Body) -> float:
    """How far the arm that reaches furthest is stretched sideways, 0 … 1, at elbow and wrist alike; a raised
    hand waves."""
    found, table = [0.0], proportions.BODY
    for shoulder, elbow, wrist in _ARMS:
        upper, whole = body.vector(shoulder, elbow), body.vector(shoulder, wrist)
        if upper is not None and whole is not None:
            longest = (table.upper_arm + table.forearm) * body.q
            aside = min(abs(upper[0]) / (table.upper_arm * body.q), abs(whole[0]) / longest)
            found.append(aside * (1 - _share(-whole[1] / longest, _HAND_UP)))
    return max(found)


def read(body: Body, legs: Legs) -> Stance:
    """The stance that was told, or else the one that arms and thighs show."""
    seen = replace(
        _by_thighs(body, _by_arms(body)),
        raised=proportions.foreshortened(body.points, body.measured),
        bent=_bent(body),
    )
    return seen if legs is Legs.AUTO else _told(body, legs, seen)


def in_front(stance: Stance, leg: Leg) -> bool:
    """Whether this leg leads the stride."""
    return (stance.lead > 0) == (leg == LEFT)


def stride_thigh(stance: Stance, leg: Leg) -> float:
    """How far a hidden thigh swings forward in a stride."""
    which = 0 if in_front(stance, leg) else 1
    return float(_WALKING[which] + stance.running * (_RUNNING[which] - _WALKING[which]))


def stride_shank(stance: Stance, leg: Leg, thigh: float, other_thigh: float) -> float:
    """How far the shank below a thigh swings forward in a stride, whose other thigh is at `other_thigh`."""
    own, other = np.rad2deg(thigh), np.rad2deg(other_thigh)
    if in_front(stance, leg):
        # Heel strike with a nearly straight knee; the higher a knee is lifted, the more it bends.
        walking, running = 7 + 1.3 * max(0.0, own - 30), np.clip(1.7 * own - 16, 10, 100)
    else:
        # The leg behind pushes off; while the one in front of a runner is low, it is swinging through.
        walking, running = np.clip(-1.15 * own, 0, 30), np.clip(20 + 1.5 * (60 - other), 20, 75)
    return float(np.deg2rad(own - walking - stance.running * (running - walking)))
