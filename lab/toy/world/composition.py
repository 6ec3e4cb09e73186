"""Dresses the person, puts it into the picture, and sets seat, shadows and objects around it."""

from __future__ import annotations

from .body import SIDES, Camera, Joints
from .captions import BOTTOMS, HAIR_STYLES, SHOES, TOPS, Attributes
from .chance import Chance
from .figure import Figure, Wardrobe
from .labels import OBJECTS, SEATS
from .objects import DRAW, SIZES, draw_seat
from .palette import COLOURS, HAIR, SKIN, difference
from .raster import Canvas, Colour, Point
from .scenes import Scene, ground_shadow

WIDTH = 128
# ΔE that clothes keep from what they lie against, and things from the scene.
APART = 24.0
# Half the width a seat may take, in statures.
SEAT_HALF = 0.28


def clear_colour(chance: Chance, against: list[Colour], apart: float = APART) -> str:
    """A palette colour that stands out against all given ones."""
    names = list(COLOURS)
    fit = [name for name in names if all(difference(COLOURS[name], other) >= apart for other in against)]
    return chance.choice(fit or names)


def dress(chance: Chance, scene: Scene) -> tuple[Attributes, Wardrobe]:
    """Hair and clothes whose colours stand out against skin, scene and each other."""
    sex = chance.choice(list(HAIR_STYLES))
    hair, top, shoes = chance.choice(HAIR_STYLES[sex]), chance.choice(TOPS), chance.choice(SHOES)
    bottom = chance.choice(BOTTOMS if sex == "woman" else BOTTOMS[:2])
    skin = chance.choice(SKIN)
    hair_colour = chance.choice([name for name in HAIR if difference(HAIR[name], skin) >= 24])
    top_colour = clear_colour(chance, [scene.backdrop, skin, HAIR[hair_colour]])
    bottom_colour = clear_colour(chance, [scene.ground, scene.backdrop, skin, COLOURS[top_colour]])
    shoes_colour = clear_colour(chance, [scene.ground, skin, COLOURS[bottom_colour]])
    attributes: Attributes = {"subject": sex, "hair": hair, "hair colour": hair_colour}
    attributes |= {"top": top, "top colour": top_colour, "bottom": bottom, "bottom colour": bottom_colour}
    attributes |= {"shoes": shoes, "shoes colour": shoes_colour}
    tints = (COLOURS[top_colour], COLOURS[bottom_colour], COLOURS[shoes_colour])
    return attributes, Wardrobe(sex, hair, top, bottom, shoes, skin, HAIR[hair_colour], *tints)


def place(
    body: Joints, camera: Camera, wardrobe: Wardrobe, chance: Chance, height: int, seated: bool
) -> tuple[Figure, Point]:
    """The figure in pixels, whole inside the picture, and the ground below the pelvis."""
    flat = {name: camera.project(point) for name, point in body.items()}
    ground = camera.project(body["pelvis"] * (1, 0, 1))
    xs, ys = [p[0] for p in flat.values()], [p[1] for p in flat.values()]
    left, right, top, bottom = min(xs) - 0.075, max(xs) + 0.075, min(ys) - 0.06, max(ys) + 0.012
    if seated:
        left, right = min(left, ground[0] - SEAT_HALF - 0.02), max(right, ground[0] + SEAT_HALF + 0.02)
    below, above = chance.uniform(6, 15), 4
    largest = min((height - below - above) / (bottom - top), (WIDTH - 6) / (right - left), 165)
    stature = largest * chance.uniform(0.86 if height < 160 else 0.76, 1)
    # Towards the sides rather than the middle, so that things find room.
    aside = 0.5 + 0.5 * chance.sign() * chance.uniform(0, 1) ** 0.8
    x = 3 - left * stature + aside * (WIDTH - 6 - (right - left) * stature)
    y = height - below - bottom * stature
    at = {name: (x + p[0] * stature, y + p[1] * stature) for name, p in flat.items()}
    figure = Figure(at, {name: p[2] for name, p in flat.items()}, stature, wardrobe)
    return figure, (x + ground[0] * stature, y + ground[1] * stature)


def cast_shadow(canvas: Canvas, figure: Figure, ground: Point) -> float:
    """Shadow of the person and of each foot that touches the ground; returns the lowest row of the soles."""
    feet = []
    for side, _ in SIDES:
        (ax, ay), (bx, by) = figure.at[f"{side} sole heel"], figure.at[f"{side} sole toe"]
        feet.append(((ax + bx) / 2, (ay + by) / 2, max(ay, by)))
    low = max(foot[2] for foot in feet)
    touching = [(x, y) for x, y, sole in feet if sole > low - 0.10 * figure.stature]
    ground_shadow(canvas, touching, ground, figure.stature)
    return low


def set_seat(
    canvas: Canvas, figure: Figure, ground: Point, yaw: float, chance: Chance, scene: Scene
) -> Attributes:
    """Draw the seat below the pelvis."""
    kind = chance.choice(SEATS)
    colour = clear_colour(chance, [scene.ground, scene.backdrop, figure.wardrobe.bottom_colour])
    height = ground[1] - figure.at["pelvis"][1] - 0.055 * figure.stature
    canvas.darken((ground[0], ground[1] + 2), 0.30 * figure.stature, 0.07 * figure.stature, 0.3)
    draw_seat(canvas, kind, ground, height, figure.stature, yaw, COLOURS[colour])
    return {"seat": kind, "seat colour": colour}


def set_objects(
    canvas: Canvas,
    figure: Figure,
    low: float,
    seat: float | None,
    taken: list[str],
    chance: Chance,
    scene: Scene,
) -> tuple[tuple[str, str], ...]:
    """Draw up to one object on each side where it is free; `seat` is the column the seat stands on."""
    things: list[tuple[str, str]] = []
    for side in (-1, 1):
        wanted = chance.happens(0.75)
        room = {
            name: free_width(figure, low, seat, side, SIZES[name][1]) for name in OBJECTS if name not in taken
        }
        fit = [name for name in room if SIZES[name][0] * figure.stature <= room[name]]
        if not (wanted and fit):
            continue
        name = chance.choice(fit + 3 * [name for name in fit if SIZES[name][0] > 0.3])
        wide = SIZES[name][0] * figure.stature
        colour = clear_colour(chance, [scene.ground, scene.backdrop])
        # Columns are counted from the picture's border on that side.
        column = room[name] + 3 - wide / 2 - chance.uniform(0, min(room[name] - wide, 14))
        spot = (column if side < 0 else WIDTH - column, low - chance.uniform(0, 0.09) * figure.stature)
        canvas.darken(spot, 0.6 * wide, 0.028 * figure.stature, 0.32)
        DRAW[name](canvas, spot, figure.stature, COLOURS[colour], chance.sign())
        taken = [*taken, name]
        things.append((name, colour))
    return tuple(things)


def free_width(figure: Figure, low: float, seat: float | None, side: int, tall: float) -> float:
    """Columns free beside the person at the height of a thing `tall` statures high, less 3 px at each end."""
    xs = [x for x, y in figure.at.values() if y > low - (tall + 0.08) * figure.stature]
    if seat is not None:
        xs += [seat - SEAT_HALF * figure.stature, seat + SEAT_HALF * figure.stature]
    border = min(xs) if side < 0 else WIDTH - max(xs)
    return border - 0.03 * figure.stature - 6
