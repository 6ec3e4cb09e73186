"""The articulated person: lengths, joint angles to joints, and the camera; the unit is the stature.

Body axes are x to the person's left, y up, z forward; angles are degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np

from .chance import Chance

# Fractions of stature (Winter 2009, Fig. 4.1, after Drillis and Contini 1966).
PROPORTIONS = {
    "ankle height": 0.039,
    "shank": 0.246,
    "thigh": 0.245,
    "trunk": 0.288,
    "half shoulder": 0.1295,
    "upper arm": 0.186,
    "forearm": 0.146,
    "foot": 0.152,
    "foot breadth": 0.055,
    "head": 0.130,
}
# Between the key points that detectors mark, in the same order: medians of photographed people who stand. No
# picture is painted from them.
KEY_POINTS = PROPORTIONS | {
    "ankle height": 0.060,
    "shank": 0.215,
    "thigh": 0.218,
    "trunk": 0.292,
    "half shoulder": 0.090,
    "upper arm": 0.157,
    "forearm": 0.135,
}
# Winter's hip width .191 is the breadth of the hips; the joints lie a thigh's radius further in.
HALF_HIP = 0.050
NECK = 0.052
BODY = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow",
    "left wrist",
    "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
    "right eye", "left eye", "right ear", "left ear",
)  # fmt: skip
FEET = (
    "left big toe", "left small toe", "left heel", "right big toe", "right small toe", "right heel",
)  # fmt: skip
SIDES = (("left", 1), ("right", -1))
Joints = dict[str, np.ndarray]


@dataclass(frozen=True)
class Limb:
    """Two segments as (forward swing, outward angle): 0, 0 hangs straight down."""

    upper: tuple[float, float]
    lower: tuple[float, float]
    pitch: float = 0.0
    outward: float = 12.0


@dataclass(frozen=True)
class Posture:
    """Joint angles of one pose; `yaw` 0 faces the camera, -90 the left border; `lean` tilts forward."""

    legs: tuple[Limb, Limb]
    arms: tuple[Limb, Limb]
    yaw: float
    lean: float = 0.0
    nod: float = 0.0


def proportions(chance: Chance, table: dict[str, float] = PROPORTIONS) -> dict[str, float]:
    """The lengths of a table, Winter's or KEY_POINTS, each varied by up to 5 %."""
    return {name: value * chance.uniform(0.95, 1.05) for name, value in table.items()}


def direction(swing: float, outward: float, side: int) -> np.ndarray:
    a, b = radians(swing), radians(outward)
    return np.array([side * sin(b), -cos(b) * cos(a), cos(b) * sin(a)])


def joints(lengths: dict[str, float], posture: Posture) -> Joints:
    """All joints in body axes, the lowest foot point on the ground y = 0 and the pelvis over x = z = 0."""
    lean = radians(posture.lean)
    up, ahead = np.array([0, cos(lean), sin(lean)]), np.array([0, -sin(lean), cos(lean)])
    left = np.array([1.0, 0, 0])
    found: Joints = {"pelvis": np.zeros(3), "neck": up * lengths["trunk"]}
    for (name, side), leg, arm in zip(SIDES, posture.legs, posture.arms, strict=True):
        found[f"{name} hip"] = hip = side * HALF_HIP * left
        found[f"{name} knee"] = knee = hip + lengths["thigh"] * direction(*leg.upper, side)
        found[f"{name} ankle"] = ankle = knee + lengths["shank"] * direction(*leg.lower, side)
        found |= foot(name, side, ankle, leg, lengths)
        found[f"{name} shoulder"] = shoulder = found["neck"] + side * lengths["half shoulder"] * left
        found[f"{name} elbow"] = elbow = shoulder + lengths["upper arm"] * direction(*arm.upper, side)
        forearm = direction(*arm.lower, side)
        found[f"{name} wrist"] = elbow + lengths["forearm"] * forearm
        found[f"{name} hand"] = elbow + (lengths["forearm"] + 0.055) * forearm
    found |= head(found["neck"], up, ahead, left, lengths["head"] / 0.130, posture.nod)
    ground = min(found[f"{name} sole {end}"][1] for name, _ in SIDES for end in ("heel", "toe"))
    return {name: point - np.array([0, ground, 0]) for name, point in found.items()}


def foot(name: str, side: int, ankle: np.ndarray, leg: Limb, lengths: dict[str, float]) -> Joints:
    """Heel a quarter of the foot behind the ankle, toes three quarters before it, on the sole."""
    pitch, turn = radians(leg.pitch), radians(leg.outward) * side
    ahead = np.array([sin(turn) * cos(pitch), sin(pitch), cos(turn) * cos(pitch)])
    up = np.array([-sin(turn) * sin(pitch), cos(pitch), -cos(turn) * sin(pitch)])
    outward = np.cross(up, ahead) * side
    length, half, sole = lengths["foot"], lengths["foot breadth"] / 2, ankle - lengths["ankle height"] * up
    inside = sole + 0.010 * up
    return {
        f"{name} big toe": inside + 0.75 * length * ahead - 0.6 * half * outward,
        f"{name} small toe": inside + 0.62 * length * ahead + 0.9 * half * outward,
        f"{name} heel": inside - 0.25 * length * ahead,
        f"{name} sole heel": sole - 0.25 * length * ahead,
        f"{name} sole toe": sole + 0.75 * length * ahead,
        f"{name} ball": sole + 0.026 * up + 0.50 * length * ahead,
        f"{name} instep": sole + 0.044 * up + 0.25 * length * ahead,
        f"{name} outer": sole + 0.45 * length * ahead + half * outward,
        f"{name} inner": sole + 0.45 * length * ahead - half * outward,
    }


def head(
    neck: np.ndarray, up: np.ndarray, ahead: np.ndarray, left: np.ndarray, size: float, nod: float
) -> Joints:
    a = radians(nod)
    up, ahead = cos(a) * up + sin(a) * ahead, cos(a) * ahead - sin(a) * up
    chin = neck + NECK * up

    def at(x: float, y: float, z: float) -> np.ndarray:
        return chin + size * (x * left + y * up + z * ahead)

    points = {"chin": chin, "skull": at(0, 0.065, 0), "face": at(0, 0.052, 0.022), "crown": at(0, 0.130, 0)}
    points |= {"nose": at(0, 0.042, 0.066), "mouth": at(0, 0.020, 0.058), "nape": at(0, 0.02, -0.06)}
    points |= {"bun": at(0, 0.135, -0.035)}
    for name, side in SIDES:
        points |= {
            f"{name} eye": at(side * 0.025, 0.064, 0.058),
            f"{name} ear": at(side * 0.060, 0.055, -0.004),
        }
    return points


@dataclass(frozen=True)
class Camera:
    """Orthographic, looking down by `pitch`; `project` gives (x, y, nearness) in statures, y down."""

    yaw: float
    pitch: float

    def project(self, point: np.ndarray) -> tuple[float, float, float]:
        yaw, pitch = radians(self.yaw), radians(self.pitch)
        x = point[0] * cos(yaw) + point[2] * sin(yaw)
        near = -point[0] * sin(yaw) + point[2] * cos(yaw)
        return float(x), float(-point[1] * cos(pitch) + near * sin(pitch)), float(near)
