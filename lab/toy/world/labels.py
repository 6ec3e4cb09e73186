"""What a pixel can be made of, and which limb it can show."""

from __future__ import annotations

GARMENTS = ("hair", "top", "bottom", "shoes")
OBJECTS = ("ball", "box", "cone", "umbrella", "dog", "balloon")
SEATS = ("box", "bench")
# The seat comes last, so that a person on a box beside which another object stands keeps two masks.
MATERIALS = ("background", "skin", *GARMENTS, *OBJECTS, "seat")
MATERIAL = {name: index for index, name in enumerate(MATERIALS)}
LIMBS = ("upper arm", "forearm", "hand", "thigh", "shank", "foot")
SEGMENTS = ("none", "head", "torso", *(f"{side} {limb}" for side in ("left", "right") for limb in LIMBS))
SEGMENT = {name: index for index, name in enumerate(SEGMENTS)}
# One number per whole limb, so that outlines skip elbows, knees and ankles.
WHOLE_LIMB = (0, 1, 2, *(3 + k // 3 for k in range(12)))
