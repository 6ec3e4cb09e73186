"""What the canvas needs beyond the picture, by hand-checkable numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from recompose.core.pose.extension import extension_needed
from recompose.core.pose.person import Frame, Person, from_rows
from recompose.core.shapes import Size

SIZE = Size(500, 700)


def person_with(points: dict[int, tuple[float, float]], estimated: tuple[int, ...] = ()) -> Person:
    """Shoulders and hips 233.6 apart (q = 800 by trunk and shoulders) in the middle, and the given points."""
    rows = np.zeros((24, 3))
    trunk = {2: (178, 100), 5: (322, 100), 8: (210, 333.6), 11: (290, 333.6)}
    for index, at in {**trunk, **points}.items():
        rows[index] = (*at, 1)
    return from_rows(rows, np.isin(np.arange(24), estimated))


def needed(*people: Person, max_extension: float = 1.2) -> tuple:
    return extension_needed([Frame(SIZE, people)], SIZE, max_extension)


@pytest.mark.parametrize(
    ("points", "estimated", "expected"),
    [
        pytest.param({}, (), (0, 0, 0, 0), id="nothing outside"),
        pytest.param({4: (3, 200)}, (), (0, 0, 0, 0), id="a measured point near the edge needs nothing"),
        pytest.param({4: (-11, 200)}, (), (11 + 24, 0, 0, 0), id="half a limb beyond a point at the left"),
        pytest.param({7: (250, -5)}, (), (0, 5 + 24, 0, 0), id="above"),
        pytest.param({12: (523, 500)}, (12,), (0, 0, 23 + 24, 0), id="at the right"),
        pytest.param({13: (280, 690)}, (), (0, 0, 0, 690 + 48 - 700), id="the sole of a visible ankle"),
        pytest.param(
            {13: (280, 690), 20: (280, 695)}, (), (0, 0, 0, 0), id="a visible foot has no sole to guess"
        ),
        pytest.param({13: (280, 760)}, (13,), (0, 0, 0, 60 + 48), id="the sole of a guessed ankle"),
        pytest.param(
            {18: (490, 731)}, (18,), (0, 0, 490 + 22 - 500, 31), id="half a foot beside, none below"
        ),
    ],
)
def test_sides(points, estimated, expected) -> None:
    assert needed(person_with(points, estimated)) == pytest.approx((*expected, 800))


def test_people_and_frames_are_united() -> None:
    left, below = person_with({4: (-11, 200)}), person_with({13: (280, 760)}, (13,))
    assert needed(left, below) == pytest.approx((35, 0, 0, 108, 800))
    frames = [Frame(SIZE, (one,)) for one in (left, below)]
    assert extension_needed(frames, SIZE) == pytest.approx((35, 0, 0, 108, 800))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="no person"):
        needed()
    far = person_with({13: (280, 1600)}, (13,))
    with pytest.raises(ValueError, match=r"948 px more at the bottom, over 1\.2 times"):
        needed(far)
    assert needed(far, max_extension=1.36).bottom == pytest.approx(948)


def test_a_guess_that_is_not_sure_reaches_further_on_the_sides_that_it_needs() -> None:
    person = person_with({13: (280, 760)}, (13,))
    unsure = np.where(np.arange(24) == 13, 82.0, 0.0)
    # Up to .04 of the stature, 32 px, the margin covers; beyond that a standard deviation is added.
    doubtful = replace(person, uncertainty=unsure)
    assert needed(doubtful) == pytest.approx((0, 0, 0, 108 + 50, 800))
    assert needed(replace(person, uncertainty=unsure / 82 * 32)) == pytest.approx((0, 0, 0, 108, 800))
    inside = replace(person_with({13: (280, 600)}, (13,)), uncertainty=unsure)
    assert needed(inside) == pytest.approx((0, 0, 0, 0, 800))
