"""One drawn picture with everything that is known about it, and windows cut from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ....core.pose.person import Frame, from_rows
from ....core.shapes import Size
from .body import BODY, FEET, SIDES, Camera, joints, proportions
from .captions import Attributes, caption
from .chance import Chance
from .composition import WIDTH, cast_shadow, dress, place, set_objects, set_seat
from .figure import Figure, draw
from .labels import GARMENTS, MATERIAL, WHOLE_LIMB
from .poses import FAMILIES, facing
from .raster import Canvas, Point
from .scenes import SCENES, Scene
from .visible import PERSON, Drawing, Window, visible

HEIGHTS = (128, 136, 144, 152, 160, 160, 168, 168, 176, 176, 184, 184, 192, 192, 192, 192)
# Of the camera, in degrees; the stream of chance that makes the person.
PITCH, PERSON_TOPIC = (13, 17), 1


@dataclass(frozen=True, eq=False)
class Example:
    """A picture (H,W,3 uint8), its caption, its pose as one POSE_KEYPOINT frame, and what each pixel shows.

    `attributes` holds what the caption says; `window` is where the picture lies in the whole drawing.
    """

    image: np.ndarray
    caption: str
    pose: list[dict[str, Any]]
    attributes: Attributes
    family: str
    scene: str
    seed: int
    part: str
    window: Window
    drawing: Drawing = field(repr=False)

    @cached_property
    def masks(self) -> dict[str, np.ndarray]:
        """What is visible of person, skin, garments, objects and seat, each bool (H,W)."""
        material = self.window.cut(self.drawing.material)
        masks = {name: material == MATERIAL[name] for name in ("skin", *GARMENTS)}
        masks["person"] = np.isin(material, PERSON)
        present = [name for name, _ in self.drawing.attributes.get("objects", ())]
        present += ["seat"] if "seat" in self.drawing.attributes else []
        return masks | {name: material == MATERIAL[name] for name in present}

    @cached_property
    def sketch(self) -> np.ndarray:
        """Outlines of things, clothes and limbs as white lines on black, uint8 (H,W)."""
        lines = np.zeros(self.image.shape[:2], bool)
        limbs = np.array(WHOLE_LIMB)[self.drawing.segment]
        shades = self.image.astype(np.int16).sum(axis=2) // 3
        for plane, step in ((self.drawing.material, 0), (limbs, 0), (shades, 40)):
            cut = (plane if plane is shades else self.window.cut(plane)).astype(np.int16)
            lines[:, 1:] |= abs(cut[:, 1:] - cut[:, :-1]) > step
            lines[1:] |= abs(cut[1:] - cut[:-1]) > step
        return lines.astype(np.uint8) * 255


def example(
    seed: int,
    part: str = "train",
    height: int | None = None,
    family: str | None = None,
    scene: str | None = None,
) -> Example:
    """Draw the picture of a seed of a part; height, pose family and scene can be prescribed."""
    frame, person, clothes, around = (Chance(part, seed, topic) for topic in range(4))
    drawn = (frame.choice(HEIGHTS), frame.choice(list(FAMILIES)), frame.choice(list(SCENES)))
    height, family, scene = height or drawn[0], family or drawn[1], scene or drawn[2]
    if height % 8 or not 128 <= height <= 192:
        raise ValueError(
            f"Expected a height from 128 to 192 in steps of 8, got {height}; choose one of them."
        )
    canvas, horizon = backdrop(frame, height, SCENES[scene])
    attributes, wardrobe = dress(clothes, SCENES[scene])
    attributes |= {"pose": family, "scene": scene}
    body, posture = proportions(person), FAMILIES[family](person)
    if facing(posture.yaw) != "front":
        attributes["facing"] = facing(posture.yaw)
    camera = Camera(posture.yaw, person.uniform(*PITCH))
    figure, ground = place(joints(body, posture), camera, wardrobe, around, height, family == "sitting")
    attributes |= surround(canvas, figure, ground, family, posture.yaw, around, SCENES[scene])
    draw(canvas, figure)
    image = np.clip(canvas.image + 0.5, 0, 255).astype(np.uint8)
    drawing = Drawing(canvas.material, canvas.segment, figure.at, attributes, horizon, figure.stature)
    whole = Window(0, height, 0, WIDTH)
    shown, pose = visible(drawing, whole), keypoints(figure, whole)
    return Example(image, caption(shown), pose, shown, family, scene, seed, part, whole, drawing)


def backdrop(chance: Chance, height: int, scene: Scene) -> tuple[Canvas, int]:
    """The empty place and the row of its horizon."""
    light = (chance.sign() * chance.uniform(0.55, 0.85), -chance.uniform(0.45, 0.65))
    return scenery(chance, Canvas.blank(height, WIDTH, light), scene)


def scenery(chance: Chance, canvas: Canvas, scene: Scene) -> tuple[Canvas, int]:
    """The canvas with a place drawn on it, and the row of its horizon, in units."""
    height = canvas.height
    low, high = (0.60, 0.68) if scene.indoors else (0.42, 0.56)
    horizon = int(height * chance.uniform(low, high))
    scene.draw(canvas, horizon, chance)
    return canvas, horizon


def surround(
    canvas: Canvas, figure: Figure, ground: Point, family: str, yaw: float, chance: Chance, scene: Scene
) -> Attributes:
    """Shadows, seat and objects; returns the attributes they add."""
    low = cast_shadow(canvas, figure, ground)
    added: Attributes = {}
    if family == "sitting":
        added = set_seat(canvas, figure, ground, yaw, chance, scene)
    seat = ground[0] if added else None
    taken = [added["seat"]] if added else []
    things = set_objects(canvas, figure, low, seat, taken, chance, scene)
    return added | ({"objects": things} if things else {})


def keypoints(figure: Figure, window: Window) -> list[dict[str, Any]]:
    """One POSE_KEYPOINT frame; points outside the window and far eyes and ears are missing (0, 0, 0)."""

    def triple(name: str) -> list[float]:
        x, y = figure.at[name]
        hidden = name.endswith(("eye", "ear")) and figure.near[name] < figure.near["skull"] - 0.03
        if hidden or not window.holds((x, y)):
            return [0.0, 0.0, 0.0]
        return [x - window.left, y - window.top, 1.0]

    person = {
        "pose_keypoints_2d": [value for name in BODY for value in triple(name)],
        "foot_keypoints_2d": [value for name in FEET for value in triple(name)],
    }
    return pose_frame(window.right - window.left, window.bottom - window.top, [person])


def pose_frame(width: int, height: int, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One POSE_KEYPOINT frame of a picture's size in pixels."""
    return [{"canvas_width": width, "canvas_height": height, "people": people}]


def rows(pose: list[dict[str, Any]]) -> np.ndarray:
    """The 24 body and foot points (x, y, score) of the first person of a pose in pixels; zeros for nobody."""
    if not pose[0]["people"]:
        return np.zeros((len(BODY) + len(FEET), 3))
    person, feet = pose[0]["people"][0], [0.0] * 3 * len(FEET)
    flat = [*person["pose_keypoints_2d"], *(person.get("foot_keypoints_2d") or feet)]
    return np.reshape(np.array(flat, dtype=np.float64), (-1, 3))


def points_of(example: Example) -> np.ndarray:
    """The one person's points 24,3 in pixels."""
    return rows(example.pose)


def people(pose: list[dict[str, Any]]) -> list[Frame]:
    """A pose of one person or nobody, made here, as core takes it."""
    size = Size(pose[0]["canvas_width"], pose[0]["canvas_height"])
    return [Frame(size, (from_rows(rows(pose)),) if pose[0]["people"] else ())]


def crop(whole: Example, top: int, bottom: int, left: int = 0, right: int | None = None) -> Example:
    """The window of a picture, with the pose a detector would find there and the caption of what it shows."""
    height, width = whole.image.shape[:2]
    right = width if right is None else right
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise ValueError(
            f"Expected a window inside {width}×{height}, got rows {top} to {bottom} "
            f"and columns {left} to {right}; shrink it."
        )
    base = whole.window
    window = Window(base.top + top, base.top + bottom, base.left + left, base.left + right)
    shown = visible(whole.drawing, window)
    image = np.ascontiguousarray(whole.image[top:bottom, left:right])
    pose = shifted(whole.pose, left, top, right - left, bottom - top)
    return replace(whole, image=image, caption=caption(shown), pose=pose, attributes=shown, window=window)


def shifted(pose: list[dict[str, Any]], left: int, top: int, width: int, height: int) -> list[dict[str, Any]]:
    def move(flat: list[float]) -> list[float]:
        moved: list[float] = []
        for x, y, seen in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
            inside = seen and 0 <= x - left < width and 0 <= y - top < height
            moved += [x - left, y - top, 1.0] if inside else [0.0, 0.0, 0.0]
        return moved

    people = [{name: move(flat) for name, flat in person.items()} for person in pose[0]["people"]]
    return pose_frame(width, height, people)


def crop_between(whole: Example, seed: int) -> Example:
    """Cut the picture at a random row between the hips and the higher foot, so that both feet are missing."""
    points = whole.drawing.points
    hips = max(points[f"{side} hip"][1] for side, _ in SIDES)
    feet = min(
        points[f"{side} {end}"][1] for side, _ in SIDES for end in ("ankle", "heel", "big toe", "small toe")
    )
    row = Chance(whole.part, seed, 4).uniform(min(hips, feet), feet) - whole.window.top
    return crop(whole, 0, int(row))


def caption_visible(whole: Example, top: int, bottom: int, left: int = 0, right: int | None = None) -> str:
    """The caption of only what the window shows."""
    return crop(whole, top, bottom, left, right).caption
