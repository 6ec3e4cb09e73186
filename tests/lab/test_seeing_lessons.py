"""What the evaluator and the detector are taught is true: all that is known follows every window."""

from __future__ import annotations

from collections import Counter
from types import ModuleType

import numpy as np
import pytest
import torch
from recompose.core.pose import eye as networks
from recompose.lab.toy.world.labels import MATERIAL, MATERIALS, SEGMENT
from recompose.lab.toy.world.poses import FAMILIES
from recompose.lab.toy.world.scenes import SCENES
from recompose.lab.toy.world.things import KINDS, TINTS

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


@pytest.fixture
def lessons(comfy: ModuleType) -> ModuleType:
    from recompose.lab.train import evaluator

    return evaluator


def source(eye: ModuleType, clear: bool = True) -> object:
    """One picture: a green dog in rows 30…39, columns 40…59, and a red coat in the upper left."""
    from recompose.lab.train.keypoint_data import KeypointDataset

    planes = np.zeros((60, 128, 2), np.uint8)
    planes[30:40, 40:60, 0], planes[:20, :20, 0] = MATERIAL["dog"], MATERIAL["top"]
    planes[10:20, 5:11, 1] = 1
    said = np.zeros((1, len(MATERIALS), 2), np.uint8)
    said[0, MATERIAL["dog"]] = KINDS.index("dog"), TINTS.index("green")
    said[0, MATERIAL["top"]] = KINDS.index("coat"), TINTS.index("red")
    told = {"said": said, "pose": np.array([2]), "scene": np.array([3]), "clear": np.array([clear])}
    pixels = planes.repeat(2, 2)[..., :3].copy()
    points = np.zeros((1, 24, 3), np.float32)
    return KeypointDataset(pixels, planes, np.array([60]), np.array([0]), points, told)


CUTS = {
    "whole": (lambda view: view, "dog top", "dog top", 2, 3),
    "mirrored": (lambda view: view.mirrored(), "dog top", "dog top", 2, 3),
    "small": (lambda view: view.scaled(0.5), "dog top", "dog top", 2, 3),
    "large": (lambda view: view.scaled(1.5), "dog top", "dog top", 2, 3),
    "without the person, mirrored, large": (
        lambda view: view.window((0, 60), (20, 128)).mirrored().scaled(1.3),
        "dog",
        "dog",
        "nobody",
        3,
    ),
    "four tenths of the dog": (lambda view: view.window((0, 34), (0, 128)), "top", "dog top", 2, 3),
    "two tenths of the dog": (lambda view: view.window((0, 32), (0, 128)), "top", "top", 2, 3),
    "a person's half": (lambda view: view.window((0, 60), (10, 128)), "dog top", "dog top", None, 3),
    "a small window": (lambda view: view.window((28, 48), (30, 78)), "dog", "dog", "nobody", None),
}


@pytest.mark.parametrize("cut", CUTS)
def test_what_is_told_follows_every_view(eye: ModuleType, lessons: ModuleType, cut: str) -> None:
    some, (change, kinds, tints, pose, scene) = source(eye), CUTS[cut]
    view = change(eye.View(some.image(0), some.plane(0), some.points[0]))
    found = lessons.told(some, 0, view)
    for numbers, words, wanted in zip(
        found[:2],
        (KINDS, TINTS),
        ({"dog": "dog", "top": "coat"}, {"dog": "green", "top": "red"}),
        strict=True,
    ):
        names = (kinds if words is KINDS else tints).split()
        told = {MATERIALS[index]: words[number] for index, number in enumerate(numbers) if number >= 0}
        assert told == {name: wanted[name] for name in names}
    assert found[2] == {"nobody": lessons.NOBODY, None: -100}.get(pose, pose)
    assert found[3] == (-100 if scene is None else scene)


def test_unclear_feet_have_no_number(eye: ModuleType) -> None:
    config, random = {"cropped": 0, "scale": 1.0}, np.random.default_rng(1)
    assert eye.sample_view(source(eye), 0, config, random)[2] == 1
    assert eye.sample_view(source(eye, clear=False), 0, config, random)[2] == -100


def test_only_what_is_told_costs(lessons: ModuleType) -> None:
    scores = torch.tensor([[2.0, 0, 0], [0, 5, 0], [0, 0, 1]], requires_grad=True)
    assert lessons.answer_loss(scores, torch.tensor([-100, 1, -100])).item() == pytest.approx(
        torch.nn.functional.cross_entropy(scores[1:2], torch.tensor([1])).item()
    )
    untold = lessons.answer_loss(scores, torch.full((3,), -100))
    untold.backward()
    assert untold.item() == 0 and not scores.grad.any()


def test_a_closer_lesson_is_the_worlds_picture(comfy: ModuleType) -> None:
    from recompose.lab.toy import world
    from recompose.lab.train import keypoint_data

    poses = []
    for seed in range(40):
        example, found = world.closer(seed, "validation"), keypoint_data.lesson("closer", seed, "validation")
        assert np.array_equal(found.image, example.image)
        for name, mask in example.masks.items():
            if name != "person":
                assert np.array_equal(found.material == MATERIAL[name], mask)
        for name, colour in example.attributes["objects"]:
            assert [KINDS[found.said[MATERIAL[name], 0]], TINTS[found.said[MATERIAL[name], 1]]] == [
                name,
                colour,
            ]
        person = example.masks["person"].any()
        wanted = example.attributes.get("pose") if person else "nobody"
        poses.append(wanted)
        assert found.pose == (-100 if wanted is None else [*FAMILIES, "nobody"].index(wanted))
        assert list(SCENES)[found.scene] == example.scene
        for number, segment in enumerate((SEGMENT["left foot"], SEGMENT["right foot"]), 1):
            whole = (example.drawing.segment == segment).sum()
            shown = (example.window.cut(example.drawing.segment) == segment).sum()
            assert (found.feet == number).sum() in (0, shown)
            if 0.02 * whole < shown < whole / 2:
                assert not (found.feet == number).any() and not found.clear
    assert None in poses and "nobody" in poses and set(poses) & set(FAMILIES)


def test_a_planted_lesson_says_what_was_drawn_and_nothing_of_spoiled_feet(comfy: ModuleType) -> None:
    from recompose.lab.toy import world
    from recompose.lab.train import keypoint_data

    for seed in range(8):
        example = world.example(seed, "validation")
        for kind in ("true", "blurred feet", "no feet", "nobody"):
            found = keypoint_data.lesson(kind, seed, "validation")
            assert list(SCENES)[found.scene] == example.scene
            assert found.pose == (8 if kind == "nobody" else list(FAMILIES).index(example.family))
            top = found.said[MATERIAL["top"]]
            assert [KINDS[top[0]], TINTS[top[1]]] == [
                example.drawing.attributes["top"],
                example.drawing.attributes["top colour"],
            ]
            assert found.said[MATERIAL["shoes"]].all() == bool(np.unique(found.feet)[1:].size)
