"""What the judge and the detector are taught is true: points and planes follow every window of a picture."""

from __future__ import annotations

from collections import Counter
from types import ModuleType

import numpy as np
import pytest
import torch
from recompose.core.pose import eye as networks

RED = 9


@pytest.fixture
def eye(comfy: ModuleType) -> ModuleType:
    from recompose.lab.train import keypoints as eye

    return eye


def marked(eye: ModuleType) -> object:
    """A 60×70 picture with 3×3 red pixels of material 9 around (41, 22), the right big toe."""
    image, planes = np.zeros((60, 70, 3), np.uint8), np.zeros((60, 70, 2), np.uint8)
    image[21:24, 40:43], planes[21:24, 40:43] = (255, 0, 0), (RED, 1)
    points = np.zeros((24, 3), np.float32)
    points[21] = 41.5, 22.5, 1
    return eye.View(image, planes, points)


def test_a_window_takes_its_points_along(eye: ModuleType) -> None:
    view = marked(eye).window((20, 50), (10, 60))
    x, y, there = view.points[21]
    assert there == 1 and view.image[int(y), int(x), 0] == 255 and view.planes[int(y), int(x), 0] == RED
    assert (view.points[0] == 0).all()
    assert not marked(eye).window((23, 50), (10, 60)).points.any()
    assert not marked(eye).window((20, 50), (10, 41)).points.any()


def test_a_mirrored_picture_has_its_sides_swapped(eye: ModuleType) -> None:
    view = marked(eye).mirrored()
    assert not view.points[21].any()
    x, y, there = view.points[18]  # the left big toe
    assert there == 1 and view.image[int(y), int(x), 0] == 255
    assert [eye.NAMES[index] for index in eye.MIRRORED[:5]] == [
        "nose",
        "neck",
        "left shoulder",
        "left elbow",
        "left wrist",
    ]


@pytest.mark.parametrize("scale", [0.8, 1.3])
def test_points_and_planes_follow_the_scale(eye: ModuleType, scale: float) -> None:
    view = marked(eye).scaled(scale)
    x, y, _ = view.points[21]
    rows, columns = np.nonzero(view.planes[..., 0] == RED)
    assert abs(columns.mean() + 0.5 - x) < 1 and abs(rows.mean() + 0.5 - y) < 1
    assert view.image[int(y), int(x), 0] == view.image[..., 0].max()


def test_a_bump_stands_on_its_point(eye: ModuleType) -> None:
    points = torch.tensor([[[14.0, 6.0, 1.0], [10.0, 10.0, 0.0]]])
    found = eye.bumps(points, 5, 8)
    assert found.shape == (1, 2, 5, 8) and not found[0, 1].any()
    assert float(found[0, 0, 1, 3]) == 1  # the cell whose middle is (14, 6)
    assert float(found[0, 0, 1, 4]) == pytest.approx(np.exp(-0.5))


def test_saying_the_truth_costs_least(eye: ModuleType) -> None:
    generator = torch.Generator().manual_seed(5)
    points = torch.rand(2, 24, 3, generator=generator) * torch.tensor([100.0, 150.0, 0]) + torch.tensor(
        [10.0, 10.0, 1.0]
    )
    points[1, 3:] = 0
    middles = points[:, :3].clone()
    materials = torch.randint(0, 6, (2, 192, 128), generator=generator)
    batch = eye.Batch(torch.zeros(2, 3, 192, 128), materials, points, middles, torch.tensor([2, -100]))
    shares = torch.nn.functional.avg_pool2d(
        torch.nn.functional.one_hot(materials, 6).permute(0, 3, 1, 2).float(), 2
    )
    truth = networks.Views(
        eye.bumps(points, 48, 32).clamp_min(1e-12).log(),
        (2 * points[..., 2] - 1) * 9,
        (eye.bumps(middles, 48, 32).amax(1).clamp(1e-6, 1 - 1e-6)).logit(),
        torch.tensor([[0.0, 0, 9, 0], [9.0, 0, 0, 0]]),
        shares.clamp_min(1e-9).log(),
        torch.zeros(2, networks.DIMENSIONS),
    )
    best = float(eye.total_loss(truth, batch))
    worse = {
        "places": truth.places.roll(1, 3),
        "presence": -truth.presence,
        "middles": truth.middles.roll(2, 2),
        "feet": truth.feet.roll(1, 1),
        "materials": truth.materials.roll(1, 1),
    }
    for name, value in worse.items():
        assert float(eye.total_loss(truth._replace(**{name: value}), batch)) > best + 0.1, name
    assert float(eye.place_loss(truth.places, points)) == pytest.approx(0, abs=1e-4)
    # The second picture's number of feet is unclear, so what is said of it costs nothing.
    unsure = truth._replace(feet=truth.feet * torch.tensor([[1.0], [-1.0]]))
    assert float(eye.total_loss(unsure, batch)) == pytest.approx(best)


def test_kinds_come_as_often_as_their_shares_say(comfy: ModuleType) -> None:
    from recompose.lab.train import keypoint_data

    shares = {"true": 0.5, "no feet": 0.3, "nobody": 0.2}
    found = Counter(keypoint_data.kind_of(seed, "judge", shares) for seed in range(2000))
    for kind, share in shares.items():
        assert found[kind] / 2000 == pytest.approx(share, abs=0.04)
