"""What the captioner's eye is asked while it learns: the truth of the window, and nothing outside it."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
from recompose.lab.toy import world
from recompose.lab.toy.world.labels import MATERIAL
from recompose.lab.train import probes

PART = "validation"


def told(answers: list[int]) -> dict[str, str]:
    """The answers in words, without those that stand for nothing."""
    return {
        name: values[place - 1]
        for (name, values), place in zip(probes.ANSWERS.items(), answers, strict=True)
        if place
    }


def test_the_answers_are_the_attributes_that_are_seen() -> None:
    for seed in range(20):
        whole = world.example(seed, PART)
        for example in (whole, world.crop_between(whole, seed)):
            seen = {name: value for name, value in example.attributes.items() if name != "objects"}
            assert told(probes.answers(example.attributes)) == seen | dict(
                example.attributes.get("objects", ())
            )


def test_a_cell_tells_what_its_pixel_shows() -> None:
    example = world.example(3, PART)
    material, _, kind, tint = probes.planes(example, 24)
    shown = example.drawing.material
    assert material[0, 0] == shown[int(0.5 * len(shown) / 24), int(0.5 * 128 / 24)]
    assert set(np.unique(material)) <= set(np.unique(shown))
    for name in ("hair", "top", "bottom"):
        there = material == MATERIAL[name]
        assert there.any()
        assert {probes.KINDS[place] for place in kind[there]} == {example.attributes[name]}
        assert {probes.TINTS[place] for place in tint[there]} == {example.attributes[f"{name} colour"]}
    empty = material == MATERIAL["background"]
    assert not kind[empty].any() and not tint[empty].any()


def test_what_the_window_does_not_tell_is_no_kind() -> None:
    whole = world.example(3, PART)
    points = whole.drawing.points
    cut = world.crop(whole, 0, int(max(points["left hip"][1], points["right hip"][1]) + 4))
    assert "bottom" not in cut.attributes
    material, _, kind, _ = probes.planes(cut, 24)
    there = material == MATERIAL["bottom"]
    assert there.any() and not kind[there].any()


def test_shares_count_the_cells_of_each_patch() -> None:
    labels = torch.zeros(1, 4, 4, dtype=torch.uint8)
    labels[0, 0, 2:] = 2
    labels[0, 2:, :2] = 1
    found = probes.shares(labels, 3, 4)
    assert found.tolist() == [[[1, 0, 0], [0.5, 0, 0.5], [0, 1, 0], [1, 0, 0]]]


def test_untaught_heads_leave_the_eye_alone_and_can_learn(comfy: ModuleType) -> None:
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(3, 145, 16, generator=generator).requires_grad_()
    some = [world.example(seed, PART) for seed in range(3)]
    truth = probes.Targets(
        torch.from_numpy(np.stack([probes.planes(example, 24) for example in some])),
        torch.tensor([probes.answers(example.attributes) for example in some]),
    )
    heads = probes.ProbeHeads(16)
    first = heads(states, truth)
    first.backward()
    assert states.grad is not None and not states.grad.any()
    optimizer = torch.optim.Adam(heads.parameters(), 0.05)
    for _ in range(60):
        optimizer.zero_grad()
        heads(states.detach(), truth).backward()
        optimizer.step()
    assert float(heads(states, truth).detach()) < 0.5 * float(first.detach())
