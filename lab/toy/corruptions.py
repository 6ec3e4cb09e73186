"""Pictures of the world with known faults at the feet: erased, one too few or too many, blurred, detached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, cos, hypot, radians, sin

import numpy as np

from .world.body import BODY, FEET, SIDES, Camera, joints, proportions
from .world.captions import Attributes
from .world.chance import Chance
from .world.composition import dress, place
from .world.figure import Figure, draw, draw_foot, draw_leg
from .world.labels import SEGMENT, SEGMENTS
from .world.picture import HEIGHTS, backdrop, keypoints, surround
from .world.poses import FAMILIES
from .world.raster import Canvas, Colour, Point, Shape
from .world.scenes import SCENES
from .world.visible import Window

FOOT = {side: SEGMENT[f"{side} foot"] for side, _ in SIDES}
EXTRA_FOOT = len(SEGMENTS)  # the segment of a third leg's foot; the rest of that leg is "none"
# A foot is shown when so many of its pixels are seen, they are sharp and it hangs on its leg.
SHOWN_PIXELS = 24
TOPIC = 5


@dataclass(frozen=True)
class Manner:
    """From what a fault's numbers are drawn: degrees a third leg is turned, and, in statures, how far feet
    are blurred and moved; `stumps` is the share of the shank that may go with an erased foot."""

    turns: tuple[tuple[float, float], ...]
    blurs: tuple[float, float]
    moves: tuple[float, float]
    stumps: tuple[float, float]


PRACTICE = Manner(((9, 20), (26, 42)), (0.030, 0.075), (0.09, 0.24), (0.0, 0.55))
EXAM = Manner(((20, 26),), (0.040, 0.055), (0.12, 0.18), (0.0, 0.25))


@dataclass(frozen=True)
class Planted:
    """A picture (H,W,3 uint8), its planes (H,W uint8: material; feet, numbered 1… where they are good ones),
    the points 24,3 and the stature, all in pixels, and the attributes of all that was to be drawn."""

    image: np.ndarray
    material: np.ndarray
    feet: np.ndarray
    points: np.ndarray
    stature: float
    attributes: Attributes

    @property
    def count(self) -> int:
        """How many feet the picture shows."""
        return feet_shown(self.feet)


def feet_shown(feet: np.ndarray) -> int:
    """How many numbered feet have enough pixels in a plane (H,W)."""
    return int((np.bincount(feet.ravel(), minlength=2)[1:] >= SHOWN_PIXELS).sum())


@dataclass
class Altered(Canvas):
    """A canvas on which some limbs leave no paint (None) or count as another segment."""

    segments: Mapping[int, int | None] = field(default_factory=dict)

    def paint(
        self,
        shapes: Shape | Sequence[Shape],
        colour: Colour,
        material: int = 0,
        segments: Sequence[int] = (0,),
        relief: float = 0.13,
        edge: float = 0.22,
    ) -> None:
        shapes = [shapes] if isinstance(shapes, Shape) else list(shapes)
        limbs = [segments[index % len(segments)] for index in range(len(shapes))]
        kept = [(s, self.segments.get(limb, limb)) for s, limb in zip(shapes, limbs, strict=True)]
        kept = [(shape, limb) for shape, limb in kept if limb is not None]
        if kept:
            super().paint([s for s, _ in kept], colour, material, [k for _, k in kept], relief, edge)


@dataclass(frozen=True)
class Stage:
    """A place with everything but the person, the place alone, the person to be drawn, and the attributes."""

    canvas: Canvas
    empty: Canvas
    figure: Figure
    attributes: Attributes

    def altered(self, segments: Mapping[int, int | None]) -> Altered:
        canvas = self.canvas
        return Altered(canvas.image, canvas.material, canvas.segment, canvas.light, segments=segments)


def staged(seed: int, part: str) -> Stage:
    """What `world.example` of the same seed and part draws, just before it draws the person."""
    frame, person, clothes, around = (Chance(part, seed, topic) for topic in range(4))
    height, family = frame.choice(HEIGHTS), frame.choice(list(FAMILIES))
    name = frame.choice(list(SCENES))
    scene = SCENES[name]
    canvas, _ = backdrop(frame, height, scene)
    empty = Canvas(canvas.image.copy(), canvas.material.copy(), canvas.segment.copy(), canvas.light)
    attributes, wardrobe = dress(clothes, scene)
    body, posture = proportions(person), FAMILIES[family](person)
    camera = Camera(posture.yaw, person.uniform(13, 17))
    figure, ground = place(joints(body, posture), camera, wardrobe, around, height, family == "sitting")
    attributes |= {"pose": family, "scene": name}
    attributes |= surround(canvas, figure, ground, family, posture.yaw, around, scene)
    return Stage(canvas, empty, figure, attributes)


def finished(
    stage: Stage, feet: Sequence[int] = tuple(FOOT.values()), lacking: Sequence[str] = ()
) -> Planted:
    """The drawn stage; `feet` are the segments of good feet, the sides `lacking` have no good one."""
    canvas = stage.canvas
    height, width = canvas.material.shape
    person = keypoints(stage.figure, Window(0, height, 0, width))[0]["people"][0]
    flat = person["pose_keypoints_2d"] + person["foot_keypoints_2d"]
    points = np.array(flat, np.float32).reshape(len(BODY) + len(FEET), 3)
    for index, name in enumerate(FEET, len(BODY)):
        if name.split()[0] in lacking:
            points[index] = 0
    numbered = np.zeros_like(canvas.segment)
    for number, segment in enumerate(feet, 1):
        numbered[canvas.segment == segment] = number
    image = np.clip(canvas.image + 0.5, 0, 255).astype(np.uint8)
    return Planted(image, canvas.material, numbered, points, stage.figure.stature, stage.attributes)


def true(stage: Stage, chance: Chance, manner: Manner) -> Planted:
    """The world's own picture."""
    draw(stage.canvas, stage.figure)
    return finished(stage)


def nobody(stage: Stage, chance: Chance, manner: Manner) -> Planted:
    """The place alone, or with its things and the shadow of somebody who is not there."""
    canvas = stage.empty if chance.happens(0.5) else stage.canvas
    blank = finished(replace(stage, canvas=canvas))
    return replace(blank, points=np.zeros_like(blank.points))


def without(stage: Stage, sides: Sequence[str], chance: Chance, manner: Manner) -> Planted:
    """The person whose legs of these sides end above or at the ankle."""
    for side in sides:
        stage = shortened(stage, side, chance.uniform(*manner.stumps))
    draw(stage.altered({FOOT[side]: None for side in sides}), stage.figure)
    return finished(stage, [FOOT[side] for side in FOOT if side not in sides], sides)


def shortened(stage: Stage, side: str, share: float) -> Stage:
    figure = stage.figure
    end = figure.between(f"{side} ankle", f"{side} knee", share)
    return replace(stage, figure=replace(figure, at=figure.at | {f"{side} ankle": end}))


def no_feet(stage: Stage, chance: Chance, manner: Manner) -> Planted:
    """Both feet erased."""
    return without(stage, ("left", "right"), chance, manner)


def one_foot(stage: Stage, chance: Chance, manner: Manner) -> Planted:
    """One foot erased."""
    return without(stage, (chance.choice(list(FOOT)),), chance, manner)


def three_legs(stage: Stage, chance: Chance, manner: Manner) -> Planted:
    """A third leg behind the others: one of them once more, turned about its hip."""
    side, angle = chance.choice(list(FOOT)), chance.uniform(*chance.choice(manner.turns))
    sign = chance.sign()
    thigh, shank, foot = (SEGMENT[f"{side} {limb}"] for limb in ("thigh", "shank", "foot"))
    third = turned(stage.figure, side, sign * angle)
    if not inside(third, side, stage.canvas):
        third = turned(stage.figure, side, -sign * angle)
    draw_leg(stage.altered({thigh: 0, shank: 0, foot: EXTRA_FOOT}), third, side)
    draw(stage.canvas, stage.figure)
    return finished(stage, [*FOOT.values(), EXTRA_FOOT])


def turned(figure: Figure, side: str, degrees: float) -> Figure:
    """The figure with the leg of a side turned in the picture about its hip."""
    (hx, hy), c, s = figure.at[f"{side} hip"], cos(radians(degrees)), sin(radians(degrees))

    def turn(point: Point) -> Point:
        x, y = point[0] - hx, point[1] - hy
        return hx + c * x - s * y, hy + s * x + c * y

    return replace(figure, at=figure.at | {name: turn(figure.at[name]) for name in leg_names(figure, side)})


def leg_names(figure: Figure, side: str) -> list[str]:
    return [f"{side} knee", f"{side} ankle", *foot_names(side)]


def foot_names(side: str) -> list[str]:
    ends = ("big toe", "small toe", "heel", "sole heel", "sole toe", "ball", "instep", "outer", "inner")
    return [f"{side} {end}" for end in ends]


def inside(figure: Figure, side: str, canvas: Canvas) -> bool:
    height, width = canvas.material.shape
    spots = [figure.at[name] for name in foot_names(side)]
    return all(2 <= x < width - 2 and 2 <= y < height - 2 for x, y in spots)


def spoiled_sides(chance: Chance) -> list[str]:
    """Mostly both sides, else one."""
    return list(FOOT) if chance.happens(0.6) else [chance.choice(list(FOOT))]


def blurred_feet(stage: Stage, chance: Chance, manner: Manner) -> Planted:
    """Feet blurred until nobody could say what they are; both, where they lie too close to blur one."""
    sides = spoiled_sides(chance)
    draw(stage.canvas, stage.figure)
    if any(touches(stage, side, other) for side in sides for other in FOOT if other not in sides):
        sides = list(FOOT)
    for side in sides:
        blur_foot(stage, side, chance.uniform(*manner.blurs) * stage.figure.stature)
    return finished(stage, [FOOT[side] for side in FOOT if side not in sides], sides)


def surroundings(stage: Stage, side: str) -> tuple[slice, slice]:
    """Rows and columns around a foot, from the ankle on."""
    figure = stage.figure
    spots = np.array([figure.at[name] for name in (*foot_names(side), f"{side} ankle")])
    reach = 0.045 * figure.stature
    left, top = np.maximum(np.floor(spots.min(0) - reach), 0).astype(int)
    right, bottom = np.ceil(spots.max(0) + reach).astype(int)
    return slice(top, bottom), slice(left, right)


def touches(stage: Stage, side: str, other: str) -> bool:
    """Whether a tenth of the other side's foot lies in the surroundings of this side's."""
    foot = stage.canvas.segment == FOOT[other]
    return foot[surroundings(stage, side)].sum() > 0.1 * foot.sum()


def blur_foot(stage: Stage, side: str, sigma: float) -> None:
    """Blur the surroundings of a foot by a Gaussian of `sigma` pixels, softly towards their rim."""
    window = surroundings(stage, side)
    soft = blurred(stage.canvas.image, sigma)[window]
    rows, columns = (ramp(length) for length in soft.shape[:2])
    part = stage.canvas.image[window]
    part += (rows[:, None] * columns[None, :])[..., None] * (soft - part)


def ramp(length: int, rim: int = 3) -> np.ndarray:
    """Weights from near 0 at both ends to 1 inside."""
    steps = np.arange(length) + 0.5
    return np.clip(np.minimum(steps, length - steps) / rim, 0, 1).astype(np.float32)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """A picture (H,W,C float32) convolved with a Gaussian."""
    reach = ceil(3 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for axis in (0, 1):
        pads = [(reach, reach) if k == axis else (0, 0) for k in range(3)]
        padded = np.pad(image, pads, "edge")
        views = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis)
        image = views @ kernel
    return image


def detached_feet(stage: Stage, chance: Chance, manner: Manner) -> Planted:
    """Feet that lie somewhere beside or below the ends of their legs."""
    sides = spoiled_sides(chance)
    draw(stage.altered({FOOT[side]: None for side in sides}), stage.figure)
    good = [FOOT[side] for side in FOOT if side not in sides]
    for side in sides:
        draw_foot(stage.altered({FOOT[side]: 0}), moved(stage, side, chance, manner), side)
    return finished(stage, good, sides)


def moved(stage: Stage, side: str, chance: Chance, manner: Manner) -> Figure:
    """The figure with a foot moved away from its leg, if possible within the picture, off the other leg."""
    figure = stage.figure
    other = next(name for name, _ in SIDES if name != side)
    names = [*foot_names(side), f"{side} ankle"]
    tries = []
    for _ in range(12):
        far, angle = chance.uniform(*manner.moves) * figure.stature, radians(chance.uniform(-20, 200))
        dx, dy = far * cos(angle), max(far * sin(angle) * 0.5, -0.02 * figure.stature)
        at = figure.at | {name: (figure.at[name][0] + dx, figure.at[name][1] + dy) for name in names}
        tries.append(replace(figure, at=at))
        x, y = at[f"{side} ankle"]
        ox, oy = figure.at[f"{other} ankle"]
        away = hypot(dx, dy) >= manner.moves[0] * figure.stature
        if away and inside(tries[-1], side, stage.canvas) and hypot(x - ox, y - oy) > 0.12 * figure.stature:
            return tries[-1]
    return tries[-1]


KINDS: dict[str, Callable[[Stage, Chance, Manner], Planted]] = {
    "true": true,
    "nobody": nobody,
    "no feet": no_feet,
    "one foot": one_foot,
    "three legs": three_legs,
    "blurred feet": blurred_feet,
    "detached feet": detached_feet,
}


def planted(kind: str, seed: int, part: str, manner: Manner = EXAM) -> Planted:
    """The picture of a seed of a part with one kind of fault."""
    return KINDS[kind](staged(seed, part), Chance(part, seed, TOPIC), manner)
