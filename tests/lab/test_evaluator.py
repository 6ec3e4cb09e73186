"""The evaluator's interface: pictures of any size, points at the maps' peaks, things by their masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recompose.core.pose import eye
from recompose.lab.evaluate import evaluator
from recompose.lab.toy.models import evaluator as models
from recompose.lab.toy.world.labels import MATERIAL, MATERIALS, OBJECTS
from recompose.lab.toy.world.palette import COLOURS, HAIR
from recompose.lab.toy.world.scenes import SCENES
from recompose.lab.toy.world.things import KINDS, TINTS, kinds_of

SIZES = [(128, 128), (192, 128), (77, 53), (600, 400), (9, 130), (1, 1)]


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_it_looks_at_pictures_of_any_size() -> None:
    looker = evaluator.Evaluator(models.network(3))
    images = [picture(*size) for size in SIZES]
    seen = looker.look(images)
    for what, image in zip(seen, images, strict=True):
        assert what.points.shape == (24, 3) and np.isfinite(what.points).all()
        assert (what.points[:, :2] >= 0).all() and 0 <= what.feet <= 3
        # A point lies in a cell, and the last cell may reach over the border by less than itself.
        assert (what.points[:, 0] < image.shape[1] + 4).all()
        assert list(what.garments) == ["hair", "top", "bottom", "shoes"]
        masks = [*what.garments.values(), *(thing.mask for thing in what.things.values())]
        assert all(mask.shape == image.shape[:2] and mask.dtype == bool for mask in masks)
        assert what.pose in models.POSES and what.scene in SCENES
        for name, thing in what.things.items():
            assert thing.kind in kinds_of(name) and thing.colour in (HAIR if name == "hair" else COLOURS)
    assert looker.features(images).shape == (len(images), eye.DIMENSIONS)
    assert looker.look([]) == [] and looker.features([]).shape == (0, eye.DIMENSIONS)


def test_company_changes_nothing() -> None:
    looker = evaluator.Evaluator(models.network(3))
    images = [picture(160, 128), picture(160, 128)[:, ::-1]]
    alone, beside = looker.look(images[:1])[0], looker.look(images)[0]
    assert np.allclose(alone.points, beside.points, atol=1e-3) and alone.feet == beside.feet
    assert alone.things.keys() == beside.things.keys() and alone.scene == beside.scene


@pytest.mark.parametrize(("x", "y"), [(4.0, 7.0), (3.3, 6.8), (5.5, 3.1)])
def test_a_peaks_middle_is_found_between_cells(x: float, y: float) -> None:
    rows, columns = torch.arange(14)[:, None], torch.arange(11)[None]
    peak = -((columns - x) ** 2 + (rows - y) ** 2) / 2
    other = -((columns - 10.0) ** 2 + (rows - 13.0) ** 2) / 2 - 1  # a smaller peak elsewhere must not pull
    found = eye.points(torch.logaddexp(peak, other)[None])[0]
    assert found.tolist() == pytest.approx([(x + 0.5) * 4, (y + 0.5) * 4], abs=0.4)


def test_three_certain_points_are_somebody() -> None:
    points = np.zeros((24, 3), np.float32)
    points[:2, 2] = 0.9
    assert not evaluator.Seen(points, 0, {}).somebody
    points[7, 2] = 0.5
    assert evaluator.Seen(points, 0, {}).somebody


def test_the_chances_of_a_number_of_things_are_those_of_independent_ones() -> None:
    def score(chance: float) -> float:
        return (np.log(chance / (1 - chance)) - evaluator.BIAS) / evaluator.GAIN

    found = evaluator.chances(np.array([score(0.5), score(0.9), score(0.2), score(0.6)]))
    assert found.sum() == pytest.approx(1)
    assert found[0] == pytest.approx(0.5 * 0.1 * 0.8 * 0.4)
    assert found[1] == pytest.approx(0.016 + 0.144 + 0.004 + 0.024)  # each alone
    assert evaluator.chances(np.zeros(0)).tolist() == [1, 0, 0, 0]
    with np.errstate(over="raise"):
        unlikely = evaluator.chances(np.array([-300.0, 300.0], np.float32))
    assert unlikely.tolist() == pytest.approx([0, 1, 0, 0], abs=1e-6)
    assert evaluator.chances(np.array([score(1 - 1e-9)] * 5))[3] == pytest.approx(1)


def test_feet_are_counted_where_the_number_and_the_middles_agree_or_one_is_sure() -> None:
    image = picture(64, 64)

    def views(number: int, sureness: float, middles: int) -> eye.Views:
        maps = torch.full((1, 32, 32), -8.0)
        for index in range(middles):
            maps[0, 10, 2 + 4 * index] = 3.0
        maps[0, 20, 20] = 5.0  # beyond the picture's 16 cells
        said = torch.zeros(1, 4)
        said[0, number] = sureness
        empty = torch.zeros(0)
        return eye.Views(empty, empty, maps, said, empty, empty)

    assert evaluator.feet(views(2, 5.0, 2), 0, image) == 2
    assert evaluator.feet(views(2, 1.0, 1), 0, image) == 1
    assert evaluator.feet(views(0, 9.0, 0), 0, image) == 0
    assert evaluator.feet(views(3, 2.0, 4), 0, image) == 3


def test_means_are_taken_of_what_a_mask_covers() -> None:
    maps = torch.arange(2 * 4 * 4, dtype=torch.float32).view(1, 2, 4, 4)
    shares = torch.zeros(1, 3, 4, 4)
    shares[0, 0, 1, 2], shares[0, 1, :2], shares[0, 1, 3, 3] = 1, 1, 0.5
    found = models.pooled(maps, shares)[0]
    assert found[0].tolist() == [6, 22]
    whole = float(maps[0, 0, :2].sum() + 0.5 * 15)
    assert found[1, 0] == pytest.approx(whole / 8.5) and found[1, 1] == pytest.approx(whole / 8.5 + 16)
    assert not found[2].any()


def test_a_materials_numbers_are_read_in_its_own_mask_alone() -> None:
    network = models.network(3).eval()
    pictures = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(4)) - 0.5
    shares = torch.zeros(1, len(MATERIALS), 32, 32)
    shares[0, MATERIAL["dog"], 2:8, 2:8], shares[0, MATERIAL["ball"], 24:28, 24:28] = 1, 1
    with torch.no_grad():
        half, fourth, _ = network.maps(pictures)
        coarse = network.coarse(fourth)
        before = network.read(pictures, half, coarse, shares)
        pictures[..., 48:56, 48:56], half[..., 24:28, 24:28], coarse[..., 12:14, 12:14] = 0.4, 2.0, 5.0
        after = network.read(pictures, half, coarse, shares)
    same, other = MATERIAL["dog"], MATERIAL["ball"]
    assert torch.allclose(before[0, same], after[0, same]) and before[0, same].any()
    assert not torch.allclose(before[0, other], after[0, other])
    assert after[0, other, -3:].tolist() == pytest.approx([0.4] * 3)  # the picture's own colour


def test_what_fills_the_room_around_a_picture_counts_for_no_material() -> None:
    network = models.network(3).eval()
    small = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(4)) - 0.5
    network.materials[1].weight.data.zero_()  # every material has the same share everywhere
    shares = []
    network.read = lambda pictures, half, coarse, own: shares.append(own) or torch.zeros(1, 13, models.OWN)
    with torch.no_grad():
        network.see(torch.nn.functional.pad(small, (0, 32, 0, 96)))
    own = shares[0][0]
    assert not own[:, 32:].any() and not own[:, :, 32:].any() and (own[:, :32, :32] > 0).all()


def test_a_stance_knows_neither_where_the_body_is_nor_how_large() -> None:
    def places(points: list[tuple[int, int]]) -> torch.Tensor:
        maps = torch.full((1, 24, 48, 32), -1e4)
        for index, (x, y) in enumerate(points):
            maps[0, index, y, x] = 0
        return maps

    presence = torch.full((1, 24), -50.0)
    presence[0, :3] = 50
    first, second = [(4, 5), (6, 5), (5, 9)], [(10, 20), (14, 20), (12, 28)]
    there = [models.stance(places([*some, *[(1, 1)] * 21]), presence)[0] for some in (first, second)]
    assert torch.allclose(*there, atol=1e-4)
    assert there[0][48:].tolist() == pytest.approx([1] * 3 + [0] * 21)
    spread = ((2 + 32 / 3) / 3) ** 0.5  # of (-1, -4/3), (1, -4/3) and (0, 8/3)
    by_hand = [value / spread for value in (-1, -4 / 3, 1, -4 / 3, 0, 8 / 3)]
    assert there[0][:6].tolist() == pytest.approx(by_hand, abs=1e-3)


def test_things_have_the_words_of_their_best_scores_and_none_that_they_cannot_have() -> None:
    kinds, tints = models.possible()
    for name in ("hair", *OBJECTS):
        best = kinds[MATERIAL[name]] == 0
        assert [kind for kind, good in zip(KINDS, best, strict=True) if good] == list(kinds_of(name))
    hair = {tint for tint, score in zip(TINTS, tints[MATERIAL["hair"]], strict=True) if score == 0}
    assert hair == set(HAIR) and "blond" not in {
        tint for tint, score in zip(TINTS, tints[MATERIAL["top"]], strict=True) if score == 0
    }
    image = picture(64, 64)
    shown = np.zeros((64, 64), int)
    shown[:4, :4], shown[10:13, 10:15] = MATERIAL["dog"], MATERIAL["seat"]  # 16 and 15 pixels
    empty = torch.zeros(0)
    kinds, tints = kinds[None].clone(), tints[None].clone()
    kinds[0, MATERIAL["dog"], KINDS.index("boots")] += 9
    tints[0, MATERIAL["dog"], TINTS.index("green")] = 2
    views = eye.Views(empty, empty, empty, empty, empty, empty)
    found = evaluator.things(models.Sight(views, kinds, tints, empty, empty), 0, image, shown)
    assert list(found) == ["dog"] and (found["dog"].kind, found["dog"].colour) == ("dog", "green")
    assert (found["dog"].mask == (shown == MATERIAL["dog"])).all()


def test_a_things_colour_is_named_by_its_median_in_its_own_palette() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    image[:4] = COLOURS["orange"]
    image[:4, 0], image[4:] = 0, HAIR["blond"]
    mask = np.zeros((8, 8), bool)
    mask[:4] = True
    assert evaluator.median_colour(image, mask, "dog") == "orange"
    assert evaluator.median_colour(image, ~mask, "hair") == "blond"
