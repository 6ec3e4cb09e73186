"""People in a picture by BlazePose: where they may be, their points, and who of them is really there.

The detector sees the whole picture and overlapping squares of it, so that small people in a wide picture are
found, too. The landmarks network looks at each person twice, the second time at the square that its own
points ask for: where there is a person the points stay where they are, elsewhere they move.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from ...shapes import Size
from ..choices import PERSON_SCORE
from ..person import Frame
from . import boxes, landmarks, points, region, tflite
from .boxes import Circle
from .network import Network
from .region import Region

CERTAIN = 0.6  # who has this score is looked for no further
_TRIES = 8  # at one place, until somebody there is certain
_IN_VAIN = 8  # guesses in a row that are nobody end the search
_PARTS = (1.0, 0.6)  # of the shorter side: the squares seen beside the whole picture
_SMALLEST = 96  # pixels: smaller squares show nothing that the larger ones do not
_NEARLY_WHOLE = 0.8  # of the longer side: a square as large as that shows what the whole picture shows
_UNSTEADY = 0.03  # of the square's side: where points move as far on the second look, nobody is there
_ABSENT = 0.3  # of the presence: who has less is looked at no second time
_ONE_PERSON = 0.08  # of the square's side: trunks closer than that are one person's
_PART_OF = 0.6  # of the square's side: smaller ones within a person are parts of that person
_TRUNK = [0, 11, 12, 23, 24]
_ALIKE = 2.0  # squares of one person differ less in size

Run = Callable[[Tensor], tuple[Tensor, ...]]


class Finder(NamedTuple):
    """The two networks: pictures N,H,W,3 in, their outputs out; and where they compute."""

    detector: Run
    landmarks: Run
    device: torch.device


class Found(NamedTuple):
    """One person: points 39,4 (x, y, visibility, presence) in the picture's pixels, square and score."""

    points: np.ndarray
    region: Region
    score: float


def detector(path: Path) -> Network:
    """The network that finds people; ValueError naming the file where it is another."""
    return _open(path, (1, boxes.SIDE, boxes.SIDE, 3), [(1, 2254, 12), (1, 2254, 1)])


def landmarker(path: Path) -> Network:
    """The network that finds a person's points; ValueError naming the file where it is another."""
    return _open(path, (1, landmarks.SIDE, landmarks.SIDE, 3), [(1, 195), (1, 1), (1, 64, 64, 39)])


def _open(path: Path, given: tuple[int, ...], returned: list[tuple[int, ...]]) -> Network:
    graph = tflite.read(path)
    shapes = {graph.shapes[number]: number for number in graph.outputs}
    if [graph.shapes[number] for number in graph.inputs] != [given] or not shapes.keys() >= set(returned):
        raise ValueError(f"{path} holds another network; choose BlazePose's.")
    return _checked(path, tflite.leading_to(graph, tuple(shapes[shape] for shape in returned)))


def _checked(path: Path, graph: tflite.Graph) -> Network:
    """The graph's network, which has run once: its shapes fit each other."""
    shapes = [graph.shapes[number] for number in graph.outputs]
    if not all(np.isfinite(values).all() for values in graph.constants.values()):
        raise ValueError(f"{path} holds NaN or infinite weights; download it again.")
    network = Network(graph).eval()
    try:
        with torch.inference_mode():
            made = network(torch.zeros(graph.shapes[graph.inputs[0]]))
        fits = [tuple(each.shape) for each in made] == shapes
    except Exception as error:  # What torch raises for shapes that do not fit is no promise.
        raise ValueError(f"{path} is damaged ({type(error).__name__}); download it again.") from error
    if not fits:
        raise ValueError(f"{path} is damaged (its outputs have other shapes); download it again.")
    return network


def open_finder(detecting: Path, landmarking: Path) -> Finder:
    """Both networks on the processor, from their files; ValueError for a damaged file or another network."""
    return Finder(detector(detecting), landmarker(landmarking), torch.device("cpu"))


def frame(picture: Tensor, finder: Finder, threshold: float = 0.3, least: float = PERSON_SCORE) -> Frame:
    """The people of a picture (1,3,H,W, 0…1) as a frame, from left to right."""
    height, width = picture.shape[-2:]
    size = Size(width, height)
    found = sorted(people(picture, finder, least), key=lambda one: one.region.x)
    made = [points.person(one.points, size, threshold) for one in found]
    return Frame(size, tuple(one for one in made if one is not None))


@torch.inference_mode()
def people(picture: Tensor, finder: Finder, least: float = PERSON_SCORE) -> list[Found]:
    """Everybody in a picture (1,3,H,W, 0…1) with at least this score, best first."""
    picture = picture.to(finder.device, torch.float32)
    found: list[Found] = []
    for circle in _circles(picture, finder):
        square = region.around(circle.middle, circle.edge)
        # A person who is surely there is found in many squares, once is enough; so are their parts.
        certain = [one for one in found if one.score >= CERTAIN]
        if any(_is_near(square, one.region) or _is_part(square, one) for one in certain):
            continue
        if sum(_is_near(square, one.region) for one in found) >= _TRIES:
            continue
        found.append(_looked_at(picture, square, circle.score, finder))
        # The best guesses come first.
        if len(found) >= _IN_VAIN and all(one.score < least for one in found[-_IN_VAIN:]):
            break
    return each_once([one for one in found if one.score >= least])


def _looked_at(picture: Tensor, square: Region, score: float, finder: Finder) -> Found:
    """Who is in the square, seen twice; the score is 0 where nobody can be."""
    before, presence = _look(picture, square, finder)
    own = _own_region(before)
    if presence < _ABSENT or not 0 < own.side < math.inf:
        return Found(before, square, 0.0)
    after, presence = _look(picture, own, finder)
    if not np.isfinite(after).all():
        return Found(before, square, 0.0)
    apart = float(np.median(np.hypot(*(after - before)[: landmarks.POINTS, :2].T)))
    return Found(after, own, score * presence * max(0.0, 1 - apart / (_UNSTEADY * own.side)))


def squares(size: Size) -> list[tuple[int, int, int, int]]:
    """The parts of a picture (left, top, right, bottom) that the detector sees, the whole picture first."""
    found = [(0, 0, size.width, size.height)]
    for part in _PARTS:
        side = round(min(size) * part)
        if side < _SMALLEST or side > _NEARLY_WHOLE * max(size):
            continue
        columns, rows = (_starts(length, side) for length in size)
        found += [(left, top, left + side, top + side) for top, left in itertools.product(rows, columns)]
    return found


def _starts(length: int, side: int) -> list[int]:
    """Where squares begin that cover a length and overlap by half a side or more."""
    count = math.ceil(2 * (length - side) / side) + 1
    return [round((length - side) * index / max(count - 1, 1)) for index in range(count)]


def _circles(picture: Tensor, finder: Finder) -> list[Circle]:
    """What the detector finds in all squares, in the picture's pixels, best first."""
    height, width = picture.shape[-2:]
    found: list[Circle] = []
    for part in squares(Size(width, height)):
        left, top, right, bottom = part
        seen = _letterboxed(picture[..., top:bottom, left:right])
        # One square at a time: a batch is no faster, and takes memory.
        raw, logits = finder.detector((seen * 2 - 1).permute(0, 2, 3, 1))
        circles = boxes.circles(raw[0].cpu().numpy(), logits[0].cpu().numpy())
        found += [_from_square(one, part) for one in circles]
    return sorted(found, key=lambda one: -one.score)


def _letterboxed(part: Tensor) -> Tensor:
    """The part in the middle of the detector's square, black around it."""
    height, width = part.shape[-2:]
    scale = boxes.SIDE / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    seen = functional.interpolate(part, (rows, columns), mode="bilinear", antialias=True)
    top, left = (boxes.SIDE - rows) // 2, (boxes.SIDE - columns) // 2
    return functional.pad(seen, (left, boxes.SIDE - columns - left, top, boxes.SIDE - rows - top))


def _from_square(circle: Circle, part: tuple[int, int, int, int]) -> Circle:
    """A circle in the picture's pixels, from parts of the square about a part of the picture."""
    left, top, right, bottom = part
    side = max(right - left, bottom - top)
    across, down = (left + right - side) / 2, (top + bottom - side) / 2
    middle, edge = ((x * side + across, y * side + down) for x, y in (circle.middle, circle.edge))
    return Circle(middle, edge, circle.score)


def _is_near(square: Region, other: Region) -> bool:
    """Whether two squares are around one person."""
    near = math.hypot(square.x - other.x, square.y - other.y) < _ONE_PERSON * other.side
    return near and 1 / _ALIKE < square.side / other.side < _ALIKE


def _own_region(seen: np.ndarray) -> Region:
    """The square that a person's own points ask for."""
    (x, y), (across, down) = seen[landmarks.MIDDLE, :2], seen[landmarks.EDGE, :2]
    return region.around((float(x), float(y)), (float(across), float(down)))


def _look(picture: Tensor, square: Region, finder: Finder) -> tuple[np.ndarray, float]:
    """Points 39,4 in the picture's pixels and presence of whoever is in the square."""
    seen = region.cut(picture, square, landmarks.SIDE).permute(0, 2, 3, 1)
    raw, presence, heat = (each.cpu().numpy() for each in finder.landmarks(seen))
    return landmarks.to_picture(landmarks.decode(raw[0], heat[0]), square), float(presence[0, 0])


def each_once(found: list[Found]) -> list[Found]:
    """The people, best first, without second guesses of one person and parts of one taken for a person."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda person: -person.score):
        if not any(_is_repeated(one, other) for other in kept):
            kept.append(one)
    return kept


def _is_repeated(one: Found, other: Found) -> bool:
    apart = np.hypot(*(one.points - other.points)[_TRUNK, :2].T).mean()
    if apart < _ONE_PERSON * max(one.region.side, other.region.side):
        return True
    return _is_part(one.region, other)


def _is_part(square: Region, person: Found) -> bool:
    """Whether a square lies within a person and is too small to be around another one."""
    body = person.points[: landmarks.POINTS, :2]
    middle = np.array([square.x, square.y])
    within = bool((middle > body.min(axis=0)).all() and (middle < body.max(axis=0)).all())
    return within and square.side < _PART_OF * person.region.side
