"""What can be chosen for poses, in a file of its own: the nodes' schemas list it as ComfyUI starts."""

from __future__ import annotations

from enum import Enum

NETWORKS = ("heavy", "full", "lite")  # BlazePose's landmarks networks, largest first
PERSON_SCORE = 0.45  # of BlazePose's people: pictures without people stay below it


def landmarks_file(network: str) -> str:
    """The name of the published file of one of BlazePose's landmarks networks."""
    return f"pose_landmark_{network}.tflite"


class Layout(str, Enum):
    """Which points a file lists; see core/pose/openpose.py."""

    AUTO = "auto"
    COCO_18 = "coco18"
    BODY_25 = "body25"
    WHOLEBODY = "wholebody"


class Legs(Enum):
    """What the hidden legs do; AUTO goes by what is visible."""

    AUTO = "auto"
    STANDING = "standing"
    WALKING = "walking"
    RUNNING = "running"
    SITTING = "sitting"
    KNEELING = "kneeling"
    LYING = "lying"


class Guesses(Enum):
    """What becomes of the points that a detector guessed beyond the picture."""

    MIX = "mix"
    KEEP = "keep"
    IGNORE = "ignore"


class Parts(str, Enum):
    """What a limb mask covers."""

    ESTIMATED = "estimated"
    LEGS = "legs"
    FEET = "feet"
    LEFT_LEG = "left leg"
    RIGHT_LEG = "right leg"
    ARMS = "arms"
    LEFT_ARM = "left arm"
    RIGHT_ARM = "right arm"
    HEAD = "head"
    TORSO = "torso"
    WHOLE_BODY = "whole body"
    MOVED = "moved"
