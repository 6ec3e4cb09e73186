"""A ControlNet on the target rows only: the source row stays as it is without it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


@pytest.fixture(scope="module")
def network(comfy: ModuleType) -> Any:
    return models.controlnet()


@pytest.fixture
def control_rows(comfy: ModuleType) -> Callable[..., Any]:
    node = importlib.import_module("recompose.nodes.attention").ControlRows
    return lambda positive, negative, rows="1-": node.execute(positive, negative, rows).args


def hints(count: int = 1, seed: int = 4) -> torch.Tensor:
    return torch.rand(count, 128, 128, 3, generator=torch.Generator().manual_seed(seed))


def applied(network: Any, positive: list, negative: list, image: torch.Tensor, strength: float = 1.0) -> Any:
    """What Apply ControlNet makes of both."""
    from nodes import ControlNetApplyAdvanced

    return ControlNetApplyAdvanced().apply_controlnet(positive, negative, network, image, strength, 0.0, 1.0)


@pytest.mark.parametrize("cfg", [1.0, 4.0])
@pytest.mark.parametrize("patch", [False, True], ids=["without the patch", "with Mutual Attention"])
def test_row_0_is_the_same_to_the_bit_and_the_others_are_controlled(
    cfg: float, patch: bool, world: models.World, network: Any, control_rows: Callable, mutual: Callable
) -> None:
    positive, negative = world.prompt(1, rows=3), world.prompt(2)
    model = mutual(world.model) if patch else world.model
    plain = world.run(model, positive, negative, rows=3, cfg=cfg)
    everywhere = applied(network, positive, negative, hints())
    controlled = world.run(model, *everywhere, rows=3, cfg=cfg)
    out = world.run(model, *control_rows(*everywhere), rows=3, cfg=cfg)
    assert torch.equal(out[0], plain[0])
    assert not torch.equal(controlled[0], plain[0])
    assert all((out[row] - plain[row]).abs().max() > 1e-3 * plain.std() for row in (1, 2))
    if not patch:  # with it the targets follow another source row
        assert (out[1:] - controlled[1:]).abs().max() < 1e-4 * plain.std()


def test_each_target_gets_its_own_picture(world: models.World, network: Any, control_rows: Callable) -> None:
    positive, negative, pictures = world.prompt(1, rows=3), world.prompt(2), hints(2)
    out = world.run(None, *control_rows(*applied(network, positive, negative, pictures)), rows=3)
    for row in (1, 2):
        picture = applied(network, positive, negative, pictures[row - 1 : row])
        assert (out[row] - world.run(None, *picture, rows=3)[row]).abs().max() < 1e-4 * out.std()


def test_all_rows_and_none(world: models.World, network: Any, control_rows: Callable) -> None:
    both = applied(network, world.prompt(1, rows=2), world.prompt(2), hints())
    assert torch.equal(world.run(None, *control_rows(*both, "0-")), world.run(None, *both))
    plain = world.run(None, world.prompt(1, rows=2), world.prompt(2))
    assert torch.equal(world.run(None, *control_rows(*both, "7-")), plain)


def test_rows_beyond_the_batch_are_told_once_a_run(
    world: models.World, network: Any, control_rows: Callable
) -> None:
    none = control_rows(*applied(network, world.prompt(1, rows=2), world.prompt(2), hints()), "2-5")
    some = control_rows(*applied(network, world.prompt(1, rows=2), world.prompt(2), hints()), "1-5")
    notices = importlib.import_module("recompose.bridge.notices")
    for both, told in ((none, 1), (none, 1), (some, 0)):
        shown: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(notices, "_show_below_node", shown.append)
            world.run(None, *both)
        assert len(shown) == told
        assert all(
            'Control Rows: rows "2-5" names none of the batch\'s rows 0 to 1' in each for each in shown
        )


def test_another_one_may_be_applied_before_and_after(
    world: models.World, network: Any, control_rows: Callable
) -> None:
    positive, negative = world.prompt(1, rows=2), world.prompt(2)
    first = applied(network, positive, negative, hints(seed=1))
    second = applied(network, *first, hints(seed=2), 0.5)
    plain, both = (world.run(None, *each) for each in ((positive, negative), second))
    limited = world.run(None, *control_rows(*second))
    assert torch.equal(limited[0], plain[0]) and (limited[1] - both[1]).abs().max() < 1e-4 * plain.std()
    mixed = world.run(None, *applied(network, *control_rows(*first), hints(seed=2), 0.5))
    alone = world.run(None, *applied(network, positive, negative, hints(seed=2), 0.5))
    assert torch.equal(mixed[0], alone[0]) and (mixed[1] - both[1]).abs().max() < 1e-4 * plain.std()


def test_without_a_controlnet_and_with_other_texts_it_says_so(
    world: models.World, control_rows: Callable
) -> None:
    with pytest.raises(ValueError, match=r"^Control Rows: neither conditioning has a ControlNet; .*\.$"):
        control_rows(world.prompt(1), world.prompt(2))
    with pytest.raises(ValueError, match=r"^Control Rows: rows cannot be read at .*\.$"):
        control_rows(world.prompt(1), world.prompt(2), "all but one")


def test_a_strength_of_0_is_said(world: models.World, network: Any, control_rows: Callable) -> None:
    """Apply ControlNet then leaves the conditioning as it is."""
    with pytest.raises(ValueError, match=r"^Control Rows: .* with a strength above 0\.$"):
        control_rows(*applied(network, world.prompt(1, rows=2), world.prompt(2), hints(), 0.0))
