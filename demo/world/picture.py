"""One drawn picture with everything that is known about it, and windows cut from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .body import BODY, FEET, SIDES, Camera, Joints, joints, proportions
from .captions import BOTTOMS, HAIR_STYLES, SHOES, TOPS, Attributes, caption
from .chance import Chance
from .figure import Figure, Wardrobe, draw
from .labels import GARMENTS, MATERIAL, OBJECTS, SEATS
from .objects import DRAW, SIZES, draw_seat
from .palette import COLOURS, HAIR, SKIN, difference
from .poses import FAMILIES, facing
from .raster import Canvas, Colour, Point
from .scenes import SCENES, Scene, ground_shadow
from .visible import Drawing, Window, visible

WIDTH = 128
HEIGHTS = (128, 136, 144, 152, 160, 160, 168, 168, 176, 176, 184, 184, 192, 192, 192, 192)
APART = 30.0


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
        """What is visible of person, skin, garments and objects, each bool (H,W); absent objects have no mask."""
        material = self.window.cut(self.drawing.material)
        masks = {name: material == MATERIAL[name] for name in ("skin", *GARMENTS)}
        masks["person"] = (material > 0) & (material <= MATERIAL["shoes"])
        present = [name for name, _ in self.drawing.attributes.get("objects", ())]
        present += ["seat"] if "seat" in self.drawing.attributes else []
        return masks | {name: material == MATERIAL[name] for name in present}

    @cached_property
    def sketch(self) -> np.ndarray:
        """Outlines of all things and limbs as white lines on black, uint8 (H,W)."""
        planes = [
            self.window.cut(plane).astype(np.int16) for plane in (self.drawing.material, self.drawing.segment)
        ]
        planes.append(self.image.astype(np.int16).sum(axis=2) // 110)
        lines = np.zeros(planes[0].shape, bool)
        for plane in planes[:2]:
            lines[:, 1:] |= plane[:, 1:] != plane[:, :-1]
            lines[1:] |= plane[1:] != plane[:-1]
        steps = planes[2]
        lines[:, 1:] |= abs(steps[:, 1:] - steps[:, :-1]) > 1
        lines[1:] |= abs(steps[1:] - steps[:-1]) > 1
        return lines.astype(np.uint8) * 255


def example(
    seed: int,
    part: str = "train",
    height: int | None = None,
    family: str | None = None,
    scene: str | None = None,
) -> Example:
    """Draw the picture of a seed of a part; height, pose family and scene can be prescribed."""
    frame, person, clothes, place = (Chance(part, seed, topic) for topic in range(4))
    drawn = frame.choice(HEIGHTS)
    height = drawn if height is None else height
    if height % 8 or not 128 <= height <= 192:
        raise ValueError(
            f"Expected a height from 128 to 192 in steps of 8, got {height}; choose one of them."
        )
    scenes, families = frame.choice(list(SCENES)), frame.choice(list(FAMILIES))
    scene, family = scene or scenes, family or families
    canvas = Canvas.blank(
        height, WIDTH, (frame.sign() * frame.uniform(0.55, 0.85), -frame.uniform(0.45, 0.65))
    )
    horizon = int(
        height * (frame.uniform(0.60, 0.68) if SCENES[scene].indoors else frame.uniform(0.42, 0.56))
    )
    SCENES[scene].draw(canvas, horizon, frame)

    lengths, posture = proportions(person), FAMILIES[family](person)
    body = joints(lengths, posture)
    attributes, wardrobe = dress(clothes, SCENES[scene])
    attributes |= {"pose": family, "scene": scene}
    if facing(posture.yaw) != "front":
        attributes["facing"] = facing(posture.yaw)
    figure, ground = placed(body, Camera(posture.yaw, person.uniform(13, 17)), wardrobe, place, height)
    attributes |= furnish(canvas, figure, ground, posture.yaw, family, place, attributes, SCENES[scene])
    draw(canvas, figure)
    image = np.clip(canvas.image + 0.5, 0, 255).astype(np.uint8)
    drawing = Drawing(canvas.material, canvas.segment, figure.at, attributes, horizon)
    shown = visible(drawing, whole := Window(0, height, 0, WIDTH))
    pose = keypoints(figure, whole)
    return Example(image, caption(shown), pose, shown, family, scene, seed, part, whole, drawing)


def clear_colour(chance: Chance, names: list[str], against: list[Colour], apart: float = APART) -> str:
    """A palette colour that stands out against all given ones."""
    fit = [name for name in names if all(difference(COLOURS[name], other) >= apart for other in against)]
    return chance.choice(fit or names)


def dress(chance: Chance, scene: Scene) -> tuple[Attributes, Wardrobe]:
    sex = chance.choice(list(HAIR_STYLES))
    hair, top, shoes = chance.choice(HAIR_STYLES[sex]), chance.choice(TOPS), chance.choice(SHOES)
    bottom = chance.choice(BOTTOMS if sex == "woman" else BOTTOMS[:2])
    skin, names = chance.choice(SKIN), list(COLOURS)
    hair_colour = chance.choice([name for name in HAIR if difference(HAIR[name], skin) >= 24])
    top_colour = clear_colour(chance, names, [scene.backdrop, skin, HAIR[hair_colour]])
    bottom_colour = clear_colour(chance, names, [scene.ground, scene.backdrop, skin, COLOURS[top_colour]])
    shoes_colour = clear_colour(chance, names, [scene.ground, skin, COLOURS[bottom_colour]])
    attributes: Attributes = {"subject": sex, "hair": hair, "hair colour": hair_colour}
    attributes |= {"top": top, "top colour": top_colour, "bottom": bottom, "bottom colour": bottom_colour}
    attributes |= {"shoes": shoes, "shoes colour": shoes_colour}
    tints = (COLOURS[top_colour], COLOURS[bottom_colour], COLOURS[shoes_colour])
    return attributes, Wardrobe(sex, hair, top, bottom, shoes, skin, HAIR[hair_colour], *tints)


def placed(
    body: Joints, camera: Camera, wardrobe: Wardrobe, chance: Chance, height: int
) -> tuple[Figure, Point]:
    """The figure in pixels, whole inside the picture, and the ground below the pelvis."""
    flat = {name: camera.project(point) for name, point in body.items()}
    ground = camera.project(body["pelvis"] * (1, 0, 1))
    xs, ys = [p[0] for p in flat.values()], [p[1] for p in flat.values()]
    left, right, top, bottom = min(xs) - 0.075, max(xs) + 0.075, min(ys) - 0.06, max(ys) + 0.012
    below, above = chance.uniform(5, 15), 4
    largest = min((height - below - above) / (bottom - top), (WIDTH - 8) / (right - left), 165)
    stature = largest * chance.uniform(0.86 if height < 160 else 0.76, 1)
    x0, x1 = 4 - left * stature, WIDTH - 4 - right * stature
    x, y = chance.uniform(x0, x1), height - below - bottom * stature
    at = {name: (x + p[0] * stature, y + p[1] * stature) for name, p in flat.items()}
    figure = Figure(at, {name: p[2] for name, p in flat.items()}, stature, wardrobe)
    return figure, (x + ground[0] * stature, y + ground[1] * stature)


def furnish(
    canvas: Canvas,
    figure: Figure,
    ground: Point,
    yaw: float,
    family: str,
    chance: Chance,
    worn: Attributes,
    scene: Scene,
) -> Attributes:
    """Shadows, the seat and the objects beside the person; returns the attributes they add."""
    s, at, added = figure.stature, figure.at, {}
    soles = [at[f"{side} sole {end}"] for side, _ in SIDES for end in ("heel", "toe")]
    low = max(y for _, y in soles)
    feet = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in (soles[:2], soles[2:])]
    ground_shadow(canvas, [foot for foot in feet if foot[1] > low - 0.10 * s], ground, s)
    names, taken = list(COLOURS), []
    if family == "sitting":
        kind = chance.choice(SEATS)
        colour = clear_colour(
            chance, names, [scene.ground, scene.backdrop, figure.wardrobe.bottom_colour], 36
        )
        height = ground[1] - at["pelvis"][1] - 0.055 * s
        draw_seat(canvas, kind, ground, height, s, yaw, COLOURS[colour])
        added, taken = {"seat": kind, "seat colour": colour}, [kind]
    half = 0.30 * s if family == "sitting" else 0.0
    free = {
        -1: min([p[0] for n, p in at.items() if p[1] > low - 0.45 * s] + [ground[0] - half]) - 3,
        1: WIDTH - max([p[0] for n, p in at.items() if p[1] > low - 0.45 * s] + [ground[0] + half]) - 3,
    }
    things = []
    for side in (-1, 1):
        fit = [n for n in OBJECTS if n not in taken and SIZES[n][0] * s <= free[side] - 2]
        if fit and chance.happens(0.62):
            name = chance.choice(fit)
            colour = clear_colour(chance, names, [scene.ground, scene.backdrop], 32)
            room = free[side] - SIZES[name][0] * s
            centre = chance.uniform(0, min(room, 14)) + SIZES[name][0] * s / 2
            x = free[side] - centre if side < 0 else WIDTH - free[side] + centre
            y = low - chance.uniform(0.0, 0.09) * s
            canvas.darken((x, y), 0.6 * SIZES[name][0] * s, 0.028 * s, 0.32)
            DRAW[name](canvas, (x, y), s, COLOURS[colour], chance.sign())
            taken.append(name)
            things.append((name, colour))
    return added | ({"objects": tuple(things)} if things else {})


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
    size = {"canvas_width": window.right - window.left, "canvas_height": window.bottom - window.top}
    return [size | {"people": [person]}]


def crop(whole: Example, top: int, bottom: int, left: int = 0, right: int | None = None) -> Example:
    """The window of a picture, with the pose a detector would find there and the caption of what it shows."""
    height, width = whole.image.shape[:2]
    right = width if right is None else right
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise ValueError(
            f"Expected a window inside {width}×{height}, got rows {top} to {bottom}, columns {left} to {right}; shrink it."
        )
    base = whole.window
    window = Window(base.top + top, base.top + bottom, base.left + left, base.left + right)
    shown = visible(whole.drawing, window)
    image = np.ascontiguousarray(whole.image[top:bottom, left:right])
    pose = shifted(whole.pose, left, top, right - left, bottom - top)
    return Example(
        image,
        caption(shown),
        pose,
        shown,
        whole.family,
        whole.scene,
        whole.seed,
        whole.part,
        window,
        whole.drawing,
    )


def shifted(pose: list[dict[str, Any]], left: int, top: int, width: int, height: int) -> list[dict[str, Any]]:
    def move(flat: list[float]) -> list[float]:
        moved: list[float] = []
        for x, y, seen in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
            inside = seen and 0 <= x - left < width and 0 <= y - top < height
            moved += [x - left, y - top, 1.0] if inside else [0.0, 0.0, 0.0]
        return moved

    people = [{name: move(flat) for name, flat in person.items()} for person in pose[0]["people"]]
    return [{"canvas_width": width, "canvas_height": height, "people": people}]


def crop_between(whole: Example, seed: int, upper: str = "hip", lower: str = "ankle") -> Example:
    """Cut the picture at a random height between the hips and the ankles, so that the feet are missing."""
    points = whole.drawing.points
    high = max(points[f"{side} {upper}"][1] for side, _ in SIDES)
    low = min(points[f"{side} {lower}"][1] for side, _ in SIDES)
    high, low = min(high, low), max(high, low)
    row = Chance(whole.part, seed, 4).uniform(high, low) - whole.window.top
    return crop(whole, 0, int(min(max(row, 16), whole.image.shape[0])))


def caption_visible(whole: Example, top: int, bottom: int, left: int = 0, right: int | None = None) -> str:
    """The caption of only what the window shows."""
    return crop(whole, top, bottom, left, right).caption
