"""A training in a model of ComfyUI's: precision, memory, and an interrupt within a step."""

from __future__ import annotations

import importlib
import itertools
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from recompose.tests.in_comfyui.concepts.conftest import WIDTH, Loaded, small_clip
from torch import Tensor


def examples(data: ModuleType, count: int = 3) -> Any:
    latents = torch.randn(count, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    return data.Examples(latents, torch.ones(count, 1, 8, 8), ["photo of a <new1> cat"] * count)


def gradients() -> ExitStack:
    """The contexts of a training's step."""
    stack = ExitStack()
    for each in (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autograd.graph.allow_mutation_on_saved_tensors(),
    ):
        stack.enter_context(each)
    return stack


@pytest.mark.parametrize("kind", ["EPS", "V_PREDICTION"])
def test_a_model_in_bf16_learns(comfy: ModuleType, train: ModuleType, data: ModuleType, kind: str) -> None:
    """What is trained is fp32, and changes as far as bf16 shows."""
    world = models.unet(kind, settings={**models.UNET, "context_dim": WIDTH, "dtype": torch.bfloat16})
    dtypes = {value.dtype for value in world.model.model.diffusion_model.parameters()}
    assert dtypes == {torch.bfloat16}
    settings = train.Settings(class_word="cat", steps=60, learning_rate=0.02, batch=2)
    training = train.ConceptTraining(world.model, small_clip("SD1"), settings)
    assert {delta.dtype for delta in training.hosted.deltas} == {torch.float32}
    own = examples(data, count=1)
    batch = next(data.Batches(own, None, 2, 1000, 1.0, 3))

    def loss() -> float:
        with training.hosted.loaded(), torch.no_grad():
            return float(training.loss(batch))

    first = loss()
    for _ in training.run(own, None, None, save_steps=100):
        pass
    assert loss() < 0.9 * first


def kept(training: Any, batch: Any) -> int:
    """The bytes of activations that a step keeps for its gradients."""
    found: dict[int, int] = {}
    weights = {value.untyped_storage().data_ptr() for value in training.hosted.inner.parameters()}

    def keep(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in weights:
            found[storage.data_ptr()] = storage.nbytes()
        return value

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value)
    with training.hosted.loaded(), gradients(), hooks:
        loss = training.loss(batch)
    assert loss.requires_grad
    return sum(found.values())


def test_checkpointing_keeps_less(sd1: Loaded, train: ModuleType, data: ModuleType, settings: Any) -> None:
    batch = next(data.Batches(examples(data), None, 2, 1000, 1.0, 3))
    plain, less = (
        kept(train.ConceptTraining(sd1.model, sd1.clip, replace(settings, checkpointing=flag)), batch)
        for flag in (False, True)
    )
    assert less < 0.7 * plain


def test_an_interrupt_ends_the_step_and_the_same_training_goes_on(
    sd1: Loaded, train: ModuleType, data: ModuleType, settings: Any, tmp_path: Path
) -> None:
    """Also between the batches of one step."""
    management = importlib.import_module("comfy.model_management")
    settings, own, state = replace(settings, accumulation=2), examples(data), tmp_path / "cat.state"
    whole = train.ConceptTraining(sd1.model, sd1.clip, settings)
    losses = [report.loss for report in whole.run(own, None, None, save_steps=2)]
    stopped = train.ConceptTraining(sd1.model, sd1.clip, settings)
    reports = stopped.run(own, None, state, save_steps=2)
    first = [report.loss for report in itertools.islice(reports, 3)]
    calls, loss = [], stopped.hosted.error

    def error(*given: Any, **named: Any) -> Tensor:
        calls.append(1)
        management.interrupt_current_processing(True)
        return loss(*given, **named)

    stopped.hosted.error = error
    with pytest.raises(management.InterruptProcessingException):
        next(reports)
    assert len(calls) == 1 and not management.in_training
    assert not management.processing_interrupted()
    again = train.ConceptTraining(sd1.model, sd1.clip, settings)
    last = [report.loss for report in again.run(own, None, state, save_steps=2)]
    assert first == losses[:3] and last == losses[2:]
    for name, weight in whole.concept().weights.items():
        assert weight.equal(again.concept().weights[name])


def test_a_model_in_fp16_has_the_gradients_of_fp32(
    comfy: ModuleType, train: ModuleType, data: ModuleType
) -> None:
    """In fp16 itself the gradients of a mean over a picture are too small to be held."""
    found = {}
    for dtype in (torch.float16, torch.float32):
        world = models.unet(settings={**models.UNET, "context_dim": WIDTH, "dtype": dtype})
        network = world.model.model.diffusion_model
        with torch.no_grad():
            for value in network.parameters():
                value.copy_(value.half())  # the same numbers in both
        settings = train.Settings(class_word="cat", batch=2)
        training = train.ConceptTraining(world.model, small_clip("SD1"), settings)
        batch = next(data.Batches(examples(data), None, 2, 1000, 1.0, 3))
        with training.hosted.loaded(), gradients():
            (1e-3 * training.loss(batch)).backward()  # a larger picture's gradients are as small
        found[dtype] = [delta.grad for delta in training.hosted.deltas]
        assert {value.dtype for value in network.parameters()} == {dtype}
    for half, full in zip(found[torch.float16], found[torch.float32], strict=True):
        torch.testing.assert_close(half, full, rtol=1e-2, atol=1e-2 * float(full.abs().max()))
