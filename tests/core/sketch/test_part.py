"""Parts of a photo as reference pictures."""

from __future__ import annotations

import pytest
import torch
from recompose.core.exemplar.reference import MEAN
from recompose.core.shapes import Box
from recompose.core.sketch import part

PHOTO = torch.rand(3, 30, 40, generator=torch.Generator().manual_seed(2))
MASK = torch.zeros(1, 30, 40)
MASK[:, 10:20, 5:25] = 1
NEUTRAL = torch.tensor(MEAN).view(3, 1, 1)


def test_a_part_is_the_photos_own_pixels() -> None:
    found = part.cut(PHOTO, MASK, Box(5, 10, 20, 10), alone=False)
    assert torch.equal(found.picture, PHOTO[:, 10:20, 5:25]) and found.mask.min() == 1


def test_beyond_the_photo_and_beside_the_mask_is_the_neutral_colour() -> None:
    box = part.grown(Box(5, 10, 20, 10), 8)
    found, alone = (part.cut(PHOTO, MASK, box, each) for each in (False, True))
    assert box == Box(-3, 2, 36, 26)
    torch.testing.assert_close(found.picture[:, :, :3], NEUTRAL.expand(-1, 26, 3))
    assert torch.equal(found.picture[:, :, 3:], PHOTO[:, 2:28, 0:33])
    assert torch.equal(alone.picture[:, 8:18, 8:28], PHOTO[:, 10:20, 5:25])
    torch.testing.assert_close(alone.picture[:, :8], NEUTRAL.expand(-1, 8, 36))


def test_flips_are_exact_and_a_scale_resizes() -> None:
    whole = part.cut(PHOTO, MASK, Box(0, 0, 40, 30), alone=False)
    assert torch.equal(part.turned(whole, [-1], 1.0).picture, PHOTO.flip(-1))
    assert torch.equal(part.turned(whole, [-2, -1], 1.0).mask, MASK.flip(-2, -1))
    assert part.turned(whole, [], 0.5).picture.shape == (3, 15, 20)


def test_parts_of_several_sizes_lie_in_the_middle_of_the_largest() -> None:
    one, other = (part.cut(PHOTO, MASK, box, False) for box in (Box(0, 0, 8, 20), Box(0, 0, 12, 10)))
    found = part.joined([one, other])
    assert found.picture.shape == (2, 3, 20, 12) and found.mask.shape == (2, 1, 20, 12)
    assert torch.equal(found.picture[0, :, :, 2:10], one.picture)
    assert torch.equal(found.picture[1, :, 5:15], other.picture)
    torch.testing.assert_close(found.picture[1, :, :5], NEUTRAL.expand(-1, 5, 12))


def test_a_part_too_small_to_be_seen_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the part is 7×9 px; choose one of at least 8 px"):
        part.cut(PHOTO, MASK, Box(0, 0, 7, 9), False)
