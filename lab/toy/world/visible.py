"""Which attributes a window of a picture shows; what is not seen is not said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import SIDES
from .captions import Attributes
from .figure import LEG_REACH
from .labels import GARMENTS, MATERIAL, OBJECTS
from .raster import Point

# A colour is said when this many pixels, and this share of the whole, are seen.
PIXELS, SHARE = 16, 0.25
MARGIN = 3
PERSON = [MATERIAL[name] for name in ("skin", *GARMENTS)]


@dataclass(frozen=True)
class Drawing:
    """All that was drawn on the whole picture, however small the window later cut from it.

    `closer`: the things are what the picture is of, with or without a person.
    """

    material: np.ndarray
    segment: np.ndarray
    points: dict[str, Point]
    attributes: Attributes
    horizon: int
    stature: float
    closer: bool = False


@dataclass(frozen=True)
class Window:
    """The rows and columns of the whole picture that are shown."""

    top: int
    bottom: int
    left: int
    right: int

    def cut(self, plane: np.ndarray) -> np.ndarray:
        return plane[self.top : self.bottom, self.left : self.right]

    def holds(self, point: Point, margin: float = 0.0) -> bool:
        inside_x = self.left + margin <= point[0] < self.right - margin
        return inside_x and self.top + margin <= point[1] < self.bottom - margin


def visible(drawing: Drawing, window: Window) -> Attributes:
    """The attributes that can be told from the window alone."""
    count = np.bincount(window.cut(drawing.material).ravel(), minlength=len(MATERIAL))
    whole = np.bincount(drawing.material.ravel(), minlength=len(MATERIAL))

    def seen(name: str, share: float = SHARE) -> bool:
        k = MATERIAL[name]
        return count[k] >= PIXELS and count[k] >= share * whole[k]

    said = drawing.attributes
    found: Attributes = {} if count[PERSON].sum() >= 2 * PIXELS else {"subject": "nobody"}
    if seen("hair", 0.5):
        found |= {name: said[name] for name in ("subject", "hair", "hair colour")}
    for name in GARMENTS[1:]:
        if seen(name):
            found[f"{name} colour"] = said[f"{name} colour"]
            if kind_seen(name, drawing, window, count, whole):
                found[name] = said[name]
    if found.get("subject") != "nobody":
        found |= pose_seen(drawing, window, seen("seat", 0.4))
    if window.top + 8 <= drawing.horizon <= window.bottom - 6 and window.right - window.left >= 48:
        found["scene"] = said["scene"]
    things = tuple(thing for thing in said.get("objects", ()) if thing[0] in OBJECTS and seen(thing[0], 0.5))
    if drawing.closer and things and found.get("subject") == "nobody":
        found["subject"] = "things"
    return found | ({"objects": things} if things else {})


def kind_seen(name: str, drawing: Drawing, window: Window, count: np.ndarray, whole: np.ndarray) -> bool:
    """Whether the cut of a garment shows: sleeves and tail, hem, or foot."""
    points, holds = drawing.points, window.holds
    if name == "shoes":
        return count[MATERIAL["shoes"]] >= 0.5 * whole[MATERIAL["shoes"]]
    if name == "top":
        elbow = any(holds(points[f"{side} elbow"], MARGIN) for side, _ in SIDES)
        return elbow and holds(points["neck"], 1) and count[MATERIAL["top"]] >= 0.5 * whole[MATERIAL["top"]]
    if count[MATERIAL["bottom"]] < 2 * PIXELS:
        return False
    reach = LEG_REACH[drawing.attributes["bottom"]]
    past_hem = 1.35 if reach > 1 else 1.0
    return any(holds(along_leg(points, side, past_hem), MARGIN) for side, _ in SIDES)


def along_leg(points: dict[str, Point], side: str, reach: float) -> Point:
    """The point `reach` segments down the leg: 1 is the knee, 2 the ankle."""
    upper, lower = ("hip", "knee") if reach <= 1 else ("knee", "ankle")
    (ax, ay), (bx, by) = points[f"{side} {upper}"], points[f"{side} {lower}"]
    t = reach if reach <= 1 else reach - 1
    return ax + t * (bx - ax), ay + t * (by - ay)


def pose_seen(drawing: Drawing, window: Window, seat: bool) -> Attributes:
    """The pose when the limbs that tell it are seen, the seat, and where the person faces."""
    said, points, holds = drawing.attributes, drawing.points, window.holds
    found: Attributes = {}
    wrists = [holds(points[f"{side} wrist"]) for side, _ in SIDES]
    thighs = all(holds(along_leg(points, side, 0.5)) for side, _ in SIDES)
    shanks = all(holds(along_leg(points, side, 1.5)) for side, _ in SIDES)
    ankles = all(holds(points[f"{side} ankle"], 1) for side, _ in SIDES)
    pose = said["pose"]
    legs = {"standing": shanks, "crossed legs": ankles, "walking": shanks, "running": shanks}
    if pose == "sitting":
        if seat and thighs:
            found = {name: said[name] for name in ("pose", "seat", "seat colour")}
    elif legs.get(pose, thighs and all(wrists)):
        found["pose"] = pose
    if "facing" in said and holds(points["nose"], 1):
        found["facing"] = said["facing"]
    return found
