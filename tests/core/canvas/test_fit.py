from __future__ import annotations

import pytest
from recompose.core.canvas.fit import placed
from recompose.core.shapes import Box, Size

CROP = Size(516, 771)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (CROP, Box(0, 0, 516, 771)),
        (Size(512, 768), Box(2, 1, 512, 768)),  # cut to cells of 8 and of 16 px
        (Size(1032, 1542), Box(0, 0, 516, 771)),
        (Size(774, 1157), Box(0, 0, 516, 771)),  # times 1.5, rounded up
        (Size(258, 385), Box(0, 0, 516, 771)),
        (Size(2064, 3084), Box(0, 0, 516, 771)),
        (Size(516, 768), None),
        (Size(514, 770), None),
        (Size(771, 516), None),
        (Size(1032, 1500), None),
        (Size(516, 1542), None),
    ],
)
def test_what_was_scaled_or_cut_still_belongs(size: Size, expected: Box | None) -> None:
    assert placed(size, CROP) == expected


def test_a_cut_of_the_same_aspect_is_a_cut() -> None:
    assert placed(Size(1024, 1024), Size(1031, 1031)) == Box(3, 3, 1024, 1024)
    assert placed(Size(1024, 1024), Size(512, 512)) == Box(0, 0, 512, 512)
