"""A UNet that learns from another one with another text encoder."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

WEIGHTS = {
    "bfloat16": False, "known_weight": 0.3, "named_weight": 0.1, "padding_weight": 0,
    "attention_map_weight": 0,
}  # fmt: skip
LAYERS = 16 + 7  # of UNet and ControlNet


@pytest.fixture(scope="module")
def found(comfy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Places with a teacher's weights, and a student that begins as the teacher."""
    from recompose.lab.toy.models import networks, parts
    from recompose.lab.train.places import Places
    from recompose.lab.train.teacher import Student

    folder = tmp_path_factory.mktemp("teacher")
    text, unet = networks.text_encoder(seed=1), networks.inpaint_unet(seed=2)
    control = networks.controlnet(unet, seed=3)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():  # a new network's last layers are zero and would hide all others
        for network in (unet, control):
            for value in network.parameters():
                value += 0.02 * torch.randn(value.shape, generator=generator)
    for name, network in (("text", text), ("unet", unet), ("openpose", control)):
        parts.write(folder, name, network.state_dict(), {})
        parts.load(network, folder, name)  # as 8 bits keep it
    student = Student(*(each.eval() for each in (text, unet, control)))
    return Places(folder / "student", folder, teacher=folder), student


def batch(view: int, posed: int = 1) -> Any:
    from recompose.lab.train.latent_cache import Batch

    generator = torch.Generator().manual_seed(7)
    clean, words = torch.randn(2, 4, 16, 16, generator=generator), torch.full((2, 77), 320)
    meant, nothing = torch.full((2, 77), -1), torch.zeros(2, 77, dtype=torch.bool)
    shares, hints = torch.zeros(2, 13, 16, 16), torch.rand(posed, 3, 128, 128, generator=generator)
    return Batch(clean, torch.zeros(2, 5, 16, 16), words, nothing, meant, shares, hints, torch.zeros(view))


def cost(student: Any, teacher: Any, batch: Any, **others: Any) -> Tensor:
    from recompose.lab.train.unet import error

    torch.manual_seed(5)
    return error({**WEIGHTS, "layerwise": False, **others}, student, teacher)(batch)


@pytest.mark.parametrize("posed", [0, 1])
def test_a_student_that_is_the_teacher_has_nothing_to_learn_of_the_whole_view(found: Any, posed: int) -> None:
    from recompose.lab.train.teacher import Teacher

    places, student = found
    teacher = Teacher(places, student)
    with torch.no_grad():
        assert float(cost(student, teacher, batch(0, posed))) < 1e-8
        assert float(cost(student, teacher, batch(0, posed), layerwise=True)) < 1e-8
        true = cost(student, None, batch(0, posed))
        assert float(true) > 0.1
        # The teacher knows nothing of the closer view, whose true velocity counts.
        torch.testing.assert_close(cost(student, teacher, batch(1, posed)), true)


def test_only_the_layers_that_read_words_learn_layer_by_layer(found: Any) -> None:
    from recompose.lab.toy.models import networks
    from recompose.lab.train import teacher as module
    from recompose.lab.train.teacher import Student, Teacher

    places, student = found
    unet, control = networks.inpaint_unet(seed=8), networks.controlnet(seed=9)
    other = Student(student.text, unet, control)
    for network in (unet, control):
        module.only_cross_attention(network)
    teacher = Teacher(places, other)
    before = cost(other, teacher, batch(0), layerwise=True)
    before.backward()
    taught = {
        name
        for network in (unet, control)
        for name, value in network.named_parameters()
        if value.grad is not None
    }
    assert taught and all(".attn2." in name for name in taught)
    assert all(
        value.grad.abs().sum() > 0 for layer in module.cross_attention(unet) for value in layer.parameters()
    )
    with torch.no_grad():
        for theirs, ours in teacher.pairs:
            ours.load_state_dict(theirs.state_dict())
        after = cost(other, teacher, batch(0), layerwise=True)
    assert len(teacher.pairs) == LAYERS
    assert float(after) < 1e-8 < 0.1 < float(before)


def test_a_teacher_that_is_not_named_or_not_there_is_an_error(found: Any, tmp_path: Any) -> None:
    from recompose.lab.train.teacher import Teacher

    places, student = found
    with pytest.raises(ValueError, match="--teacher"):
        Teacher(replace(places, teacher=None), student)
    with pytest.raises(RuntimeError, match=r"text\.safetensors is missing"):
        Teacher(replace(places, teacher=tmp_path), student)


def test_named_things_count_alike_however_small_and_given_cells_count_less() -> None:
    from recompose.lab.toy.world.labels import MATERIAL
    from recompose.lab.train.unet import cell_weights

    one = batch(0)
    one.shares[:, MATERIAL["hair"], 0, :4] = 1
    one.shares[:, MATERIAL["top"], 4, :] = 1
    one.shares[:, MATERIAL["background"], 8:] = 1
    one.meant[0, 1:4] = torch.tensor([MATERIAL["hair"], MATERIAL["top"], MATERIAL["background"]])
    weights = cell_weights(one, {"known_weight": 0.3, "named_weight": 0.02})
    assert weights.shape == (2, 1, 16, 16)
    more = weights[0, 0] - 1
    torch.testing.assert_close(more[0, :4].sum(), torch.tensor(0.02 * 256))
    torch.testing.assert_close(more[4].sum(), torch.tensor(0.02 * 256))
    assert more.sum() == pytest.approx(2 * 0.02 * 256)  # the scene is named and counts as before
    assert (weights[1] == 1).all()  # its words name nothing
    one.inpaint_cond[:, 0, :8], one.inpaint_cond[:, 1:] = 1, 0.5
    held = cell_weights(one, {"known_weight": 0.3, "named_weight": 0.02})
    torch.testing.assert_close(held[:, :, :8], weights[:, :, :8])
    torch.testing.assert_close(held[:, :, 8:], 0.3 * weights[:, :, 8:])
