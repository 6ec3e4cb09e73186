"""The editor's presets: postures of the demo's articulated person, seen from slightly above."""

from __future__ import annotations

import math
from typing import NamedTuple

from .world import body
from .world.body import Limb, Posture


class Preset(NamedTuple):
    """A posture, and by how many degrees it is turned clockwise in the picture."""

    posture: Posture
    turn: float = 0.0


HANGING = Limb((2, 12), (10, 5))
STRAIGHT = Limb((0, 5), (0, 5))
RAISED = Limb((0, 140), (0, 160))
AKIMBO = Limb((-12, 45), (14, -59))
LEGS, ARMS = (STRAIGHT, STRAIGHT), (HANGING, HANGING)

# Pairs are (left, right).
PRESETS = {
    "standing": Preset(Posture(LEGS, ARMS, 0)),
    "relaxed": Preset(
        Posture(
            (Limb((14, 14), (-12, 8), -12, 24), Limb((0, -4), (-2, -4), outward=14)),
            (Limb((-6, 16), (12, 4)), AKIMBO),
            14,
            nod=4,
        )
    ),
    "walking": Preset(
        Posture(
            (Limb((24, 0), (18, 0), 9, 8), Limb((-18, 0), (-38, 0), -24, 8)),
            (Limb((-24, 8), (-8, 4)), Limb((26, 8), (42, 4))),
            72,
            3,
        )
    ),
    "running": Preset(
        Posture(
            (Limb((60, 0), (-26, 0), -12, 8), Limb((-23, 0), (-42, 0), -45, 8)),
            (Limb((-48, 8), (34, 4)), Limb((38, 8), (126, 4))),
            -76,
            12,
        )
    ),
    "jumping": Preset(
        Posture(
            (Limb((8, 26), (-34, 20), -40, 20), Limb((8, 26), (-34, 20), -40, 20)),
            (Limb((0, 128), (0, 150)), Limb((0, 128), (0, 150))),
            0,
            nod=-4,
        )
    ),
    "dancing": Preset(
        Posture(
            (Limb((30, 34), (-22, -6), -40, 40), Limb((0, 3), (0, 3), outward=20)),
            (Limb((0, 112), (0, 176)), Limb((0, 84), (0, 74))),
            -12,
            -3,
            -4,
        )
    ),
    "arms up": Preset(Posture(LEGS, (RAISED, RAISED), 0, nod=-3)),
    "hands on hips": Preset(Posture(LEGS, (AKIMBO, AKIMBO), 0)),
    "waving": Preset(Posture(LEGS, (Limb((0, 100), (0, 168)), HANGING), -8)),
    "sitting": Preset(
        Posture(
            (Limb((84, 8), (2, 3), outward=10), Limb((84, 8), (-4, 3), outward=10)),
            (Limb((20, 8), (62, -4)), Limb((20, 8), (60, -4))),
            38,
            2,
        )
    ),
    "kneeling": Preset(
        Posture(
            (Limb((84, 6), (4, 4), outward=8), Limb((6, 6), (-80, 4), -150, 6)),
            (Limb((28, 8), (70, -8)), HANGING),
            52,
            4,
        )
    ),
    "lying": Preset(Posture(LEGS, (Limb((0, 22), (0, 10)), Limb((0, 60), (0, 150))), 24, nod=4), 90.0),
}
CAMERA_PITCH = 5


def points(preset: Preset) -> list[int]:
    """x, y of the 18 body and 6 foot points in thousandths of stature, the ground below them at 0, 0."""
    joints = body.joints(body.PROPORTIONS, preset.posture)
    camera = body.Camera(preset.posture.yaw, CAMERA_PITCH)
    seen = [camera.project(joints[name])[:2] for name in (*body.BODY, *body.FEET)]
    cosine, sine = math.cos(math.radians(preset.turn)), math.sin(math.radians(preset.turn))
    turned = [(x * cosine - y * sine, x * sine + y * cosine) for x, y in seen]
    middle = (min(x for x, _ in turned) + max(x for x, _ in turned)) / 2
    ground = max(y for _, y in turned)
    return [round(1000 * value) for x, y in turned for value in (x - middle, y - ground)]


def javascript() -> str:
    """The file js/.modules/pose/edit/preset_points.js."""
    lines = [
        "/** Written by lab/toy/presets.py: body and feet as x, y in thousandths of stature, ground at 0. */",
        "",
        "export const PRESET_POINTS = {",
    ]
    for name, preset in PRESETS.items():
        found = points(preset)
        lines.append(f'  "{name}": [')
        lines += ["    " + ", ".join(map(str, found[at : at + 16])) + "," for at in range(0, len(found), 16)]
        lines.append("  ],")
    return "\n".join([*lines, "};", ""])
