"""Draws the dressed person: limbs in the order of their nearness, garments over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .labels import MATERIAL, SEGMENT
from .raster import Canvas, Colour, Point, Shape, capsule, disc, ellipse, rounded

SKIN, HAIR, TOP, BOTTOM, SHOES = (MATERIAL[name] for name in ("skin", "hair", "top", "bottom", "shoes"))
# How far down the leg each bottom reaches, and down the arm each top: 1 is the knee or elbow, 2 the end.
LEG_REACH = {"trousers": 1.93, "shorts": 0.74, "skirt": 0.0}
SLEEVE_REACH = {"shirt": 0.62, "sweater": 1.92, "coat": 1.92, "vest": 0.0}
LEG_RADII, ARM_RADII = (0.050, 0.038, 0.027), (0.034, 0.028, 0.022)
COAT_TAIL, SKIRT_HEM = 0.50, 0.88
THINNEST = 2.6


@dataclass(frozen=True)
class Wardrobe:
    """What the person looks like; colours are sRGB 0…255."""

    sex: str
    hair: str
    top: str
    bottom: str
    shoes: str
    skin_colour: Colour
    hair_colour: Colour
    top_colour: Colour
    bottom_colour: Colour
    shoes_colour: Colour


@dataclass(frozen=True)
class Figure:
    """The projected person: `at` gives pixels, `near` the nearness in statures, `stature` pixels."""

    at: dict[str, Point]
    near: dict[str, float]
    stature: float
    wardrobe: Wardrobe

    def r(self, fraction: float) -> float:
        return max(fraction * self.stature, THINNEST)

    def between(self, a: str, b: str, t: float) -> Point:
        (ax, ay), (bx, by) = self.at[a], self.at[b]
        return ax + t * (bx - ax), ay + t * (by - ay)

    def chain(
        self, names: tuple[str, str, str], radii: tuple[float, float, float], reach: float, wider: float
    ) -> list[Shape]:
        """One or two capsules along a limb as far as `reach` segments."""
        shapes = []
        for k in (0, 1):
            part = min(max(reach - k, 0.0), 1.0)
            if part > 0:
                far = radii[k] + part * (radii[k + 1] - radii[k])
                end = self.between(names[k], names[k + 1], part)
                shapes.append(capsule(self.at[names[k]], end, self.r(radii[k] + wider), self.r(far + wider)))
        return shapes


def draw(canvas: Canvas, figure: Figure) -> None:
    """Draw the person onto the canvas, farthest part first."""
    jobs: list[tuple[float, Callable[[], None]]] = []
    near = figure.near
    for side in ("left", "right"):
        leg = sum(near[f"{side} {joint}"] for joint in ("hip", "knee", "ankle")) / 3 - 0.08
        arm = sum(near[f"{side} {joint}"] for joint in ("shoulder", "elbow", "wrist")) / 3 + 0.02
        jobs.append((leg, lambda side=side: draw_leg(canvas, figure, side)))
        jobs.append((arm, lambda side=side: draw_arm(canvas, figure, side)))
    legs = max(job[0] for job in jobs[::2])
    torso = max(-0.005, legs + 2e-4) if figure.wardrobe.top == "coat" else -0.005
    jobs.append((min(legs + 1e-4, -0.006), lambda: draw_pelvis(canvas, figure)))
    jobs.append((torso, lambda: draw_torso(canvas, figure)))
    if figure.wardrobe.bottom == "skirt":
        jobs.append((legs + 1e-4, lambda: draw_skirt(canvas, figure)))
    jobs.append((-0.01, lambda: draw_hair_behind(canvas, figure)))
    jobs.append((0.005, lambda: draw_head(canvas, figure)))
    for _, job in sorted(jobs, key=lambda job: job[0]):
        job()


def draw_leg(canvas: Canvas, figure: Figure, side: str) -> None:
    wear, names = figure.wardrobe, (f"{side} hip", f"{side} knee", f"{side} ankle")
    limbs = [SEGMENT[f"{side} thigh"], SEGMENT[f"{side} shank"]]
    reach = LEG_REACH[wear.bottom]
    if reach < 1.9:
        canvas.paint(figure.chain(names, LEG_RADII, 2, 0), wear.skin_colour, SKIN, limbs)
    draw_foot(canvas, figure, side)
    if reach > 0:
        wider = 0.007 if wear.bottom == "trousers" else 0.013
        canvas.paint(figure.chain(names, LEG_RADII, reach, wider), wear.bottom_colour, BOTTOM, limbs)
    if wear.shoes == "boots":
        top = figure.between(names[1], names[2], 0.50)
        shaft = capsule(top, figure.at[names[2]], figure.r(0.043), figure.r(0.036))
        canvas.paint(shaft, wear.shoes_colour, SHOES, [limbs[1]], edge=0.15)


def draw_foot(canvas: Canvas, figure: Figure, side: str) -> None:
    wear, at, r, limb = figure.wardrobe, figure.at, figure.r, [SEGMENT[f"{side} foot"]]
    toes = [(*at[f"{side} big toe"], r(0.021)), (*at[f"{side} small toe"], r(0.019))]
    body = [
        (*at[f"{side} heel"], r(0.024)),
        (*at[f"{side} ball"], r(0.028)),
        (*at[f"{side} ankle"], r(0.028)),
        *toes,
    ]
    if wear.shoes != "sandals":
        canvas.paint(rounded(body), wear.shoes_colour, SHOES, limb, edge=0.15)
        if wear.shoes == "sneakers":
            pale = (246, 246, 246) if sum(wear.shoes_colour) < 640 else (120, 120, 128)
            sole = capsule(
                lowered(at[f"{side} sole heel"], -1),
                lowered(figure.between(f"{side} sole heel", f"{side} sole toe", 0.92), -1),
                1.1,
                1.1,
            )
            canvas.paint(sole, pale, SHOES, limb, relief=0, edge=0)
        return
    sole = [(*at[f"{side} sole {end}"], r(0.020)) for end in ("heel", "toe")] + [
        (*at[f"{side} {end}"], r(0.014)) for end in ("outer", "inner")
    ]
    canvas.paint(rounded(sole, 8), wear.shoes_colour, SHOES, limb, edge=0.1)
    skin = [(x, y - 0.006 * figure.stature, 0.8 * radius) for x, y, radius in body]
    canvas.paint(rounded(skin), wear.skin_colour, SKIN, limb)
    strap = [(*at[f"{side} {end}"], r(0.016)) for end in ("outer", "inner", "ball")]
    canvas.paint(rounded(strap, 8), wear.shoes_colour, SHOES, limb, edge=0.1)
    band = [(*at[f"{side} {end}"], r(0.014)) for end in ("heel", "instep")]
    canvas.paint(rounded(band, 8), wear.shoes_colour, SHOES, limb, edge=0.1)


def lowered(point: Point, by: float) -> Point:
    return point[0], point[1] + by


def draw_arm(canvas: Canvas, figure: Figure, side: str) -> None:
    wear, names = figure.wardrobe, (f"{side} shoulder", f"{side} elbow", f"{side} wrist")
    limbs = [SEGMENT[f"{side} upper arm"], SEGMENT[f"{side} forearm"]]
    hand = capsule(figure.at[names[2]], figure.at[f"{side} hand"], figure.r(0.024), figure.r(0.028))
    bare = figure.chain(names, ARM_RADII, 2, 0)
    canvas.paint([*bare, hand], wear.skin_colour, SKIN, [*limbs, SEGMENT[f"{side} hand"]])
    reach = SLEEVE_REACH[wear.top]
    if reach > 0:
        wider = 0.012 if wear.top == "coat" else 0.007
        canvas.paint(figure.chain(names, ARM_RADII, reach, wider), wear.top_colour, TOP, limbs)


def draw_pelvis(canvas: Canvas, figure: Figure) -> None:
    waist = (*figure.between("pelvis", "neck", 0.22), figure.r(0.062))
    shape = rounded([*hips(figure, 0.057), waist])
    canvas.paint(shape, figure.wardrobe.bottom_colour, BOTTOM, [SEGMENT["torso"]], edge=0)


def draw_skirt(canvas: Canvas, figure: Figure) -> None:
    knees = (figure.between(f"{side} hip", f"{side} knee", SKIRT_HEM) for side in ("left", "right"))
    hem = [(*point, figure.r(0.062)) for point in knees]
    canvas.paint(
        rounded([*hips(figure, 0.057), *hem]), figure.wardrobe.bottom_colour, BOTTOM, [SEGMENT["torso"]]
    )


def hips(figure: Figure, radius: float) -> list[tuple[float, float, float]]:
    return [(*figure.at[f"{side} hip"], figure.r(radius)) for side in ("left", "right")]


def draw_torso(canvas: Canvas, figure: Figure) -> None:
    wear, r, torso = figure.wardrobe, figure.r, [SEGMENT["torso"]]
    narrow = 0.040 if wear.sex == "man" else 0.028
    bulk = 0.016 if wear.top == "coat" else 0.0
    shoulders = [
        (*figure.between("neck", f"{side} shoulder", 0.92), r(0.038 + bulk / 2)) for side in ("left", "right")
    ]
    chest = (*figure.between("pelvis", "neck", 0.72), r(0.085 + bulk))
    waist = [
        (
            *mixed(
                figure.between("pelvis", "neck", 0.34),
                figure.between(f"{side} hip", f"{side} shoulder", 0.34),
                narrow * 22,
            ),
            r(0.055 + bulk),
        )
        for side in ("left", "right")
    ]
    hips = [
        (*figure.between(f"{side} hip", f"{side} shoulder", 0.08), r(0.058 + bulk))
        for side in ("left", "right")
    ]
    upper, lower = rounded([*shoulders, chest, *waist]), rounded([*waist, *hips])
    shapes = [upper, lower]
    if wear.top == "coat":
        tail = [(*figure.between(f"{s} hip", f"{s} knee", COAT_TAIL), r(0.066)) for s in ("left", "right")]
        shapes.append(rounded([*hips, *tail]))
    canvas.paint(shapes, wear.top_colour, TOP, torso)
    draw_details(canvas, figure)


def mixed(a: Point, b: Point, t: float) -> Point:
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])


def draw_details(canvas: Canvas, figure: Figure) -> None:
    """What tells the tops apart: the coat's opening, the sweater's hem, the vest's bare neckline."""
    wear, r, torso = figure.wardrobe, figure.r, [SEGMENT["torso"]]
    dark = tuple(0.55 * c if sum(wear.top_colour) > 200 else c + 70 for c in wear.top_colour)
    ahead = figure.at["face"][0] - figure.at["skull"][0]
    neck, pelvis = figure.at["neck"], figure.at["pelvis"]
    if wear.top == "coat":
        front = 1.6 * ahead
        line = capsule(
            (neck[0] + front, neck[1] + 4), (pelvis[0] + front, pelvis[1] + 0.09 * figure.stature), 0.9, 0.9
        )
        canvas.paint(line, dark, TOP, torso, relief=0, edge=0)
    if wear.top == "vest":
        canvas.paint(
            disc((neck[0] + ahead, neck[1] + 0.005 * figure.stature), r(0.045)),
            wear.skin_colour,
            SKIN,
            torso,
            edge=0,
        )


def draw_hair_behind(canvas: Canvas, figure: Figure) -> None:
    if figure.wardrobe.hair == "long":
        skull, neck = figure.at["skull"], figure.at["neck"]
        back = figure.at["skull"][0] - figure.at["face"][0]
        circles = [
            (skull[0] + 0.5 * back, skull[1], figure.r(0.070)),
            (neck[0] + 1.8 * back, neck[1] + 0.05 * figure.stature, figure.r(0.075)),
        ]
        canvas.paint(rounded(circles), figure.wardrobe.hair_colour, HAIR, [SEGMENT["head"]])


def draw_head(canvas: Canvas, figure: Figure) -> None:
    wear, at, r, part = figure.wardrobe, figure.at, figure.r, [SEGMENT["head"]]
    canvas.paint(capsule(at["neck"], at["chin"], r(0.028), r(0.028)), wear.skin_colour, SKIN, part, edge=0.1)
    skull, face = at["skull"], at["face"]
    back = skull[0] - face[0]
    hair = [ellipse(skull, r(0.070), r(0.076))]
    if wear.hair == "tied":
        hair.append(disc(at["bun"], r(0.036)))
    if wear.hair == "curly":
        hair = curls(figure)
    if wear.hair == "spiky":
        hair += spikes(figure)
    canvas.paint(hair, wear.hair_colour, HAIR, part)
    shapes = [
        ellipse((face[0], face[1] + 0.010 * figure.stature), r(0.056), r(0.060)),
        disc(at["nose"], r(0.014)),
    ]
    canvas.paint(shapes, wear.skin_colour, SKIN, part, edge=0.12)
    if wear.hair == "long":
        for side in ("left", "right"):
            if figure.near[f"{side} ear"] < figure.near["skull"] - 0.03:
                continue
            x, y = at[f"{side} ear"]
            strand = capsule(
                (x + 0.35 * back, y - 0.03 * figure.stature),
                (x + 0.9 * back, y + 0.11 * figure.stature),
                r(0.018),
                r(0.02),
            )
            canvas.paint(strand, wear.hair_colour, HAIR, part, edge=0)
    draw_face(canvas, figure)


def curls(figure: Figure) -> list[Shape]:
    (x, y), s = figure.at["skull"], figure.stature
    ring = (
        (-0.074, 0.0),
        (-0.066, -0.045),
        (-0.036, -0.078),
        (0.0, -0.088),
        (0.036, -0.078),
        (0.066, -0.045),
        (0.074, 0.0),
    )
    return [ellipse((x, y), 0.074 * s, 0.078 * s)] + [
        disc((x + dx * s, y + dy * s), 0.026 * s) for dx, dy in ring
    ]


def spikes(figure: Figure) -> list[Shape]:
    (x, y), s = figure.at["skull"], figure.stature
    tips = ((-0.062, -0.085), (-0.030, -0.112), (0.004, -0.120), (0.036, -0.110), (0.066, -0.080))
    return [
        capsule((x + 0.6 * dx * s, y - 0.04 * s), (x + dx * s, y + dy * s), 0.026 * s, 0.007 * s)
        for dx, dy in tips
    ]


def draw_face(canvas: Canvas, figure: Figure) -> None:
    at, part = figure.at, [SEGMENT["head"]]
    dark = tuple(0.45 * c for c in figure.wardrobe.skin_colour)
    for side in ("left", "right"):
        if figure.near[f"{side} eye"] > figure.near["skull"] + 0.004:
            size, eye = figure.stature, at[f"{side} eye"]
            canvas.paint(disc(eye, max(0.016 * size, 1.5)), (246, 244, 240), SKIN, part, relief=0, edge=0)
            canvas.paint(disc(eye, max(0.010 * size, 1.1)), (34, 28, 32), SKIN, part, relief=0, edge=0)
    x, y = at["mouth"]
    half = 0.016 * figure.stature * max(figure.near["face"] - figure.near["skull"], 0.008) / 0.022
    canvas.paint(capsule((x - half, y), (x + half, y), 0.8, 0.8), dark, SKIN, part, relief=0, edge=0)
