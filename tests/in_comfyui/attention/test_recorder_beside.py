"""Record Attention beside compiled models, threads, shrunk networks and patches of other packs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from torch import Tensor


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


@pytest.fixture(scope="module")
def recorder(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.attention.recorder")


def test_maps_are_made_while_the_compiler_pauses_into_sums_from_before_the_run(
    world: models.World, recorder: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a patch allocates otherwise would be replayed in other steps, and what it keeps would be freed."""
    depth, seen, sums = [0], [], []

    @contextmanager
    def pause() -> Iterator[None]:
        depth[0] += 1
        yield
        depth[0] -= 1

    monkeypatch.setitem(
        sys.modules,
        "comfy.model_prefetch",
        SimpleNamespace(pause_malloc_graph=pause),  # type: ignore[arg-type]
    )
    made = recorder.probabilities

    def watched(*given: Any) -> Tensor:
        seen.append(depth[0])
        return made(*given)

    allocate = recorder.Taking.allocate

    def kept(self: Any, *given: Any) -> None:
        allocate(self, *given)
        sums.extend(part.sums for part in self.parts.values())

    monkeypatch.setattr(recorder, "probabilities", watched)
    monkeypatch.setattr(recorder.Taking, "allocate", kept)
    model, records = recorder.record(world.model, "each layer", "", "")
    plain, out = world.run(), world.run(model)
    assert torch.equal(plain, out) and len(seen) == 4 * 16 and set(seen) == {1} and depth == [0]
    assert all(part.sums is each for part, each in zip(records.held[0].prompts[0].parts, sums, strict=True))


def test_threads_of_several_devices_add_to_one_record(world: models.World, recorder: ModuleType) -> None:
    install = importlib.import_module("recompose.bridge.attention.install")
    network = importlib.import_module("recompose.bridge.attention.blocks").network_of(world.model, "x")
    words = install.Words("prompt", torch.zeros(1, 77, 16))
    run = install.Run((1, 4, 16, 16), [1.0, 0.0], (1,), (words,), torch.device("cpu"))
    taking = recorder.Taking(recorder.Plan(network, [0, 1], "", "all together", 8), run)
    call = install.Call(run, 0, 1, (1, 4, 16, 16))
    extra = {"activations_shape": [1, 32, 16, 16], "n_heads": 2}
    q, k = torch.randn(1, 256, 32), torch.randn(1, 77, 32)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: taking.take(q, k, extra, call, n % 2, {0: "prompt"}), range(200)))
    (part,) = taking.prompts["prompt"].parts
    assert part.count == 200
    assert (part.sums.sum(-1) / 200 - 1).abs().max() < 1e-4


@pytest.mark.parametrize("factor", [2.0, 1.5])
def test_a_network_that_is_shrunk_in_some_steps(
    factor: float, world: models.World, recorder: ModuleType
) -> None:
    shrink = importlib.import_module("comfy_extras.nodes_model_downscale").PatchModelAddDownscale
    shrunk = shrink.execute(world.model, 3, factor, 0.0, 0.6, True, "bicubic", "bicubic")[0]
    model, records = recorder.record(shrunk, "each layer", "", "")
    plain, out = world.run(shrunk), world.run(model)
    assert torch.equal(plain, out) and not torch.equal(plain, world.run())
    for part in records.held[0].prompts[0].parts:
        assert part.count == 4 and (part.sums.sum(-1) / 4 - 1).abs().max() < 1e-5


def test_tokens_in_another_order_are_not_taken_for_the_picture(
    world: models.World, recorder: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    """A patch that cuts the rows of a batch into tiles, as another pack's regional prompts do."""

    def tiles(n: Tensor, context: Tensor, value: Tensor, extra: dict) -> tuple:
        return (
            n.reshape(2 * len(n), -1, n.shape[-1]),
            context.repeat_interleave(2, 0),
            value.repeat_interleave(2, 0),
        )

    def whole(n: Tensor, extra: dict) -> Tensor:
        return n.reshape(len(n) // 2, -1, n.shape[-1])

    tiled = world.model.clone()
    tiled.set_model_attn2_patch(tiles)
    tiled.set_model_attn2_output_patch(whole)
    model, records = recorder.record(tiled, "all together", "", "")
    assert torch.equal(world.run(tiled), world.run(model))
    assert not records.held[0].prompts and "changes the order of the picture's tokens" in caplog.text


def test_added_and_repeated_columns(world: models.World, recorder: ModuleType) -> None:
    """Another pack's words after the prompt's own take their share, and no column of the prompt."""

    def more(n: Tensor, context: Tensor, value: Tensor, extra: dict) -> tuple:
        added = torch.cat([context, context[:, :3]], 1)
        return n, added, added

    longer = world.model.clone()
    longer.set_model_attn2_patch(more)
    model, records = recorder.record(longer, "all together", "", "")
    assert torch.equal(world.run(longer), world.run(model))
    for part in records.held[0].prompts[0].parts:
        total = part.sums.sum(-1) / part.count
        assert part.sums.shape[-1] == 77 and total.max() < 1 and total.min() > 0.5
