"""Masks around limbs against areas known by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from recompose.core.pose import limb_mask as limbs
from recompose.core.pose.estimate import complete
from recompose.core.pose.limb_mask import Parts, limb_mask
from recompose.core.pose.pairing import paired
from recompose.core.pose.person import Frame, Person, from_rows
from recompose.core.pose.template import template_person
from recompose.core.shapes import Size

SIZE = Size(301, 403)
# Shank .213 of the stature: q = 400.
SHANK = 85.2
LEG = {9: (100.0, 150.0), 10: (100.0, 150.0 + SHANK)}


def person(points: dict[int, tuple[float, float]], estimated: tuple[int, ...] = ()) -> Person:
    rows = np.zeros((24, 3))
    for index, at in points.items():
        rows[index] = (*at, 1)
    return from_rows(rows, np.isin(np.arange(24), estimated))


def pose(*frames: list[Person]) -> list[Frame]:
    return [Frame(SIZE, tuple(people)) for people in frames]


def test_a_limb_is_a_capsule_of_the_width_asked_for() -> None:
    mask = limb_mask(pose([person(LEG)]), Parts.RIGHT_LEG, 5.0)
    assert mask.shape == (1, 1, 403, 301) and mask.dtype == torch.float32
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    radius = 400 * 0.05 / 2
    assert mask.sum() == pytest.approx(SHANK * 2 * radius + math.pi * radius**2, rel=0.01)
    rows, columns = mask[0, 0].nonzero(as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (140, 244, 90, 109)
    assert not limb_mask(pose([person(LEG)]), Parts.LEFT_LEG, 5.0).any()


def test_every_part_covers_its_points_and_not_the_far_ones(figure, person, pose) -> None:
    points = figure(q=300.0, hips=(150.0, 190.0), splay=12, arms=(0, 0))
    given = pose([person(points)], SIZE)
    own = {
        Parts.LEGS: [9, 10, 12, 13, 18, 22],
        Parts.FEET: [10, 13, 18, 20, 21, 23],
        Parts.LEFT_LEG: [12, 13, 18],
        Parts.RIGHT_LEG: [9, 10, 21],
        Parts.ARMS: [3, 4, 6, 7],
        Parts.LEFT_ARM: [6, 7],
        Parts.RIGHT_ARM: [3, 4],
        Parts.HEAD: [0, 14, 15, 16, 17],
        Parts.TORSO: [1, 2, 5, 8, 11],
        Parts.WHOLE_BODY: list(range(24)),
    }
    far = {
        Parts.LEGS: [0, 1, 2, 3, 6],
        Parts.FEET: [9, 12, 4],
        Parts.LEFT_LEG: [9, 10, 0],
        Parts.RIGHT_LEG: [12, 13, 0],
        Parts.ARMS: [0, 9, 12],
        Parts.LEFT_ARM: [3, 4, 12],
        Parts.RIGHT_ARM: [6, 7, 9],
        Parts.HEAD: [8, 11, 3, 6],
        Parts.TORSO: [0, 9, 12, 10],
        Parts.WHOLE_BODY: [],
    }
    assert set(own) | {Parts.ESTIMATED, Parts.MOVED} == set(Parts)
    for part, inside in own.items():
        mask = limb_mask(given, part, 8.0)[0, 0]
        covers = [bool(mask[int(y), int(x)]) for x, y, _ in points]
        assert all(covers[index] for index in inside), part
        assert not any(covers[index] for index in far[part]), part
    torso = limb_mask(given, Parts.TORSO, 1.0)[0, 0]
    assert torso[150, 150] == 1
    arm = limb_mask(given, Parts.LEFT_ARM, 8.0)[0, 0]
    x, y = points[7, :2]
    assert arm[int(y + 0.1 * 300), int(x)] == 1


def test_only_limbs_with_a_guessed_end_are_masked(figure, person, pose, hide) -> None:
    points = figure(q=300.0, hips=(150.0, 190.0))
    completed = complete.complete(pose([person(hide(points, [10, 21, 22, 23]))], SIZE))
    mask = limb_mask(completed, Parts.ESTIMATED, 6.0)[0, 0]
    inside = [bool(mask[int(y), int(x)]) for x, y, _ in points]
    assert [index for index in range(24) if inside[index]] == [9, 10, 21, 22, 23]
    assert not limb_mask(pose([person(points)], SIZE), Parts.ESTIMATED, 6.0).any()


def test_what_moved_is_masked_where_it_was_and_where_it_is() -> None:
    straight = person({**LEG, 12: (200.0, 150.0), 13: (200.0, 248.4)})
    bent = person({**LEG, 12: (200.0, 150.0), 13: (260.0, 228.0)})
    mask = limb_mask(pose([bent]), Parts.MOVED, 5.0, other_pose=pose([straight]))[0, 0]
    for x, y in ((200, 248), (260, 228), (200, 150), (230, 189)):
        assert mask[y, x] == 1, (x, y)
    assert not mask[:, :150].any()
    same = person({**LEG, 12: (200.0, 150.0), 13: (260.4, 228.0)})
    assert not limb_mask(pose([bent]), Parts.MOVED, 5.0, other_pose=pose([same])).any()
    back = limb_mask(pose([straight]), Parts.MOVED, 5.0, other_pose=pose([bent]))[0, 0]
    assert torch.equal(back, mask)
    newcomer = limb_mask(pose([bent, straight]), Parts.MOVED, 5.0, other_pose=pose([bent]))[0, 0]
    assert newcomer[248, 200] == 1 and newcomer[228, 260] == 0


def test_within_limits_and_batches_broadcast() -> None:
    two = pose([person(LEG)], [person({9: (200.0, 150.0), 10: (200.0, 248.4)})])
    area = torch.zeros(1, 1, 403, 301)
    area[:, :, 200:] = 1
    free = limb_mask(two, Parts.LEGS, 5.0)
    mask = limb_mask(two, Parts.LEGS, 5.0, area)
    assert torch.equal(mask, free * area)
    assert mask[0, 0, 220, 100] == 1 and mask[1, 0, 220, 200] == 1 and mask[0, 0, 220, 200] == 0
    three = limb_mask(two[:1], Parts.LEGS, 5.0, area.repeat(3, 1, 1, 1))
    assert three.shape == (3, 1, 403, 301)
    moved = limb_mask(two, Parts.MOVED, 5.0, other_pose=two[:1])
    assert not moved[0].any() and moved[1, 0, 220, 100] == 1 and moved[1, 0, 220, 200] == 1


def test_widths_follow_each_person() -> None:
    small = person({9: (200.0, 150.0), 10: (200.0, 150.0 + SHANK / 4)})
    mask = limb_mask(pose([person(LEG), small]), Parts.LEGS, 10.0)[0, 0]
    assert mask[160].nonzero().flatten().tolist() == [*range(80, 120), *range(195, 205)]


def test_a_doubtful_guess_gets_a_broader_mask() -> None:
    # q = 400: half the width is 10 px.
    guessed = person({**LEG, 23: (100.0, 260.0)}, (23,))
    plain = limb_mask(pose([guessed]), Parts.ESTIMATED, 5.0)
    sure, doubtful = (
        replace(guessed, uncertainty=np.where(np.arange(24) == 23, sigma, 0.0)) for sigma in (9.0, 30.0)
    )
    assert torch.equal(limb_mask(pose([sure]), Parts.ESTIMATED, 5.0), plain)
    mask = limb_mask(pose([doubtful]), Parts.ESTIMATED, 5.0)[0, 0]
    rows, columns = mask.nonzero(as_tuple=True)
    assert (int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1) == (290, 70, 130)
    # Around the ankle it is as broad as asked for.
    assert mask[227].nonzero().flatten().tolist() == plain[0, 0, 227].nonzero().flatten().tolist()


def test_edge_cases_and_refusals() -> None:
    assert not limb_mask(pose([]), Parts.WHOLE_BODY, 5.0).any()
    alone = limb_mask(pose([person({0: (50.0, 60.0)})]), Parts.HEAD, 5.0)
    assert alone.shape == (1, 1, 403, 301)
    outside = limb_mask(pose([person({9: (-500.0, 150.0), 10: (-500.0, 248.4)})]), Parts.LEGS, 5.0)
    assert not outside.any()
    with pytest.raises(ValueError, match="connect other_pose"):
        limb_mask(pose([person(LEG)]), Parts.MOVED, 5.0)
    other = [Frame(Size(403, 301))]
    with pytest.raises(ValueError, match="301×403 but the other pose to 403×301"):
        limb_mask(pose([person(LEG)]), Parts.MOVED, 5.0, other_pose=other)
    with pytest.raises(ValueError, match="pose 2, other pose 3"):
        limb_mask(pose([], []), Parts.MOVED, 5.0, other_pose=pose([], [], []))
    with pytest.raises(ValueError, match="pose 2, mask 3"):
        limb_mask(pose([], []), Parts.LEGS, 5.0, torch.ones(3, 1, 403, 301))


def by_the_definition(corners: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Which pixels of SIZE have their centre in the polygon or within its rim of these radii."""
    y, x = np.mgrid[: SIZE.height, : SIZE.width] + 0.5
    covered, inside = np.zeros(x.shape, bool), np.zeros(x.shape, bool)
    for a, b, begin, end in zip(
        corners, np.roll(corners, -1, axis=0), radii, np.roll(radii, -1), strict=True
    ):
        along = np.clip(
            ((x - a[0]) * (b - a)[0] + (y - a[1]) * (b - a)[1]) / max((b - a) @ (b - a), 1e-9), 0, 1
        )
        far = np.hypot(x - a[0] - along * (b - a)[0], y - a[1] - along * (b - a)[1])
        covered |= far <= begin + along * (end - begin)
        if a[1] != b[1]:
            crosses = x >= a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
            inside ^= (y >= min(a[1], b[1])) & (y < max(a[1], b[1])) & crosses
    return covered | inside


@pytest.mark.parametrize("band", [1, 7, 64])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_filling_in_bands_is_filling_by_the_definition(
    band: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limbs, "BAND", band)
    random = np.random.default_rng(10 * band + count)
    for _ in range(40):
        corners = random.uniform(-80, 480, (count, 2))
        corners[random.random(count) < 0.3, 1] = corners[0, 1]  # some edges are level
        radii = random.uniform(0.5, 60, count)
        radii[random.random(count) < 0.3] = radii[0]
        mask = np.zeros((SIZE.height, SIZE.width), np.float32)
        limbs._fill(mask, limbs._Outline(corners, radii), slice(0, SIZE.height))
        assert ((mask == 1) == by_the_definition(corners, radii)).all()
        assert set(np.unique(mask)) <= {0.0, 1.0}


def test_an_area_limits_what_is_filled_and_what_comes_out() -> None:
    free = limb_mask(pose([person(LEG)]), Parts.LEGS, 5.0)
    area = torch.zeros(3, 1, SIZE.height, SIZE.width)
    area[0, :, 180:190, 95:300] = 0.25
    area[2, :, 200:203] = 1
    mask = limb_mask(pose([person(LEG)]), Parts.LEGS, 5.0, area)
    assert torch.equal(mask, torch.minimum(free, area)) and mask.any()
    assert not limb_mask(pose([person(LEG)]), Parts.LEGS, 5.0, torch.zeros_like(area)).any()


def test_the_area_stays_as_it_was() -> None:
    area = torch.ones(1, 1, 403, 301)
    mask = limb_mask(pose([person(LEG)]), Parts.LEGS, 5.0, area)
    mask += 1
    assert (area == 1).all()


def standing_at(x: float) -> Person:
    template = template_person(Size(200, 300))
    return replace(template, points=template.points * 0.5 + np.array([x, 60.0]))


def test_what_moved_pairs_people_by_their_points_whatever_their_order() -> None:
    first, second, third = standing_at(0), standing_at(150), standing_at(300)
    then = Frame(Size(500, 300), (first, second, third))

    def moved(*people: Person) -> torch.Tensor:
        return limb_mask([Frame(then.size, people)], Parts.MOVED, 12.0, None, [then])

    assert not moved(third, first, second).any()
    # Somebody deleted is masked where they stood, and nobody else.
    alone = limb_mask([Frame(then.size, (first,))], Parts.WHOLE_BODY, 12.0)
    assert torch.equal(moved(second, third), alone)
    assert torch.equal(moved(third, second), alone)
    # Somebody who walked past another one is masked at both places.
    gone = replace(first, points=first.points + np.array([230.0, 0.0]))
    both = limb_mask([Frame(then.size, (first, gone))], Parts.WHOLE_BODY, 12.0)
    assert torch.equal(moved(second, third, gone), both)


def test_two_of_the_same_points_are_paired_in_their_order() -> None:
    one, other = standing_at(10), standing_at(10)
    assert paired([one, other], [other, one]) == [(one, other), (other, one)]
    assert paired([], [one]) == [(None, one)] and paired([one], []) == [(one, None)]
    nobody = from_rows(np.zeros((24, 3)))
    assert paired([nobody, one], [other]) == [(one, other), (nobody, None)]
