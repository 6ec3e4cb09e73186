"""What every sampler of the pack keeps to as ComfyUI runs it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

KINDS = ["eps", "v", "inpaint", "flow", "video"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_stays_and_the_rest_is_painted(kind: str, world: Callable, method: Any) -> None:
    this = world(kind)
    out = this.run(method.sampler, this.sigmas(7))
    known = (this.mask == 0).expand_as(out)
    assert (out - this.latent)[known].abs().max() < 1e-6
    assert (out - this.latent)[~known].abs().min() > 0 and torch.isfinite(out).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_latent_known_everywhere_returns(kind: str, world: Callable, method: Any) -> None:
    this = world(kind)
    out = this.run(method.sampler, this.sigmas(7), mask=torch.zeros_like(this.mask))
    assert (out - this.latent).abs().max() < 1e-6


def test_the_number_is_shown_below_the_node_before_the_first_call(
    world: Callable, method: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = importlib.import_module("comfy_execution.progress")
    context = importlib.import_module("comfy_execution.utils")
    this, said = world("eps"), []

    class Page:
        client_id, sockets_metadata = None, {}

        def send_progress_text(self, text: str, node: str) -> None:
            said.append((text, node, len(this.seen)))

        def send_sync(self, *_message: object) -> None:
            pass

    registry = progress.ProgressRegistry("prompt", None)
    registry.register_handler(progress.WebUIProgressHandler(Page()))
    monkeypatch.setattr(progress, "global_progress_registry", registry)
    with context.CurrentNodeContext("prompt", "12"):
        this.run(method.sampler, this.sigmas(7))
    # A notice of the schedule may follow, and nothing else.
    others = [text for text, *_ in said[1:] if "neighbouring sigmas" not in text]
    assert (said[:1], others) == ([(f"{method.name}: {method.calls} model calls in 7 steps", "12", 0)], [])


def test_it_stops_between_any_two_calls(world: Callable, method: Any) -> None:
    this, management = world("eps"), importlib.import_module("comfy.model_management")
    heard: list[int] = []

    def stop(call: int, *_more: object) -> None:
        heard.append(call)
        management.interrupt_current_processing(call == 4)

    with pytest.raises(management.InterruptProcessingException):
        this.run(method.sampler, this.sigmas(7), callback=stop)
    assert heard == list(range(5))
    management.interrupt_current_processing(False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_again_whatever_lies_beside_it(kind: str, world: Callable, method: Any) -> None:
    this, sampler = world(kind), method.sampler
    sigmas, noise = this.sigmas(7), this.noise()
    both = this.run(sampler, sigmas)
    assert torch.equal(both, this.run(sampler, sigmas))
    alone = this.run(sampler, sigmas, latent=this.latent[:1], noise=noise[:1])
    assert (alone - both[:1]).abs().max() < 1e-5
    other = this.run(sampler, sigmas, seed=6, noise=noise)
    assert (other - both)[this.mask.expand_as(both) == 1].abs().mean() > 0.01


@pytest.mark.parametrize("place", ["node", "sampler"])
@pytest.mark.parametrize("kind", ["eps", "flow"])
def test_a_row_taken_out_of_its_batch_gives_what_it_gave_there(
    kind: str, place: str, world: Callable, method: Any
) -> None:
    """As Latent From Batch hands it on: with its number in the batch, from which ComfyUI draws its noise."""
    this, latents = world(kind), importlib.import_module("nodes").LatentFromBatch()
    this.latent = this.latent[:1].repeat(3, 1, 2, 2)[..., :8] + torch.arange(3).reshape(3, 1, 1, 1) / 10
    this.mask = this.mask.repeat(1, 1, 2, 2)[..., :8]
    batch = {"samples": this.latent, "noise_mask": this.mask}
    (row,) = latents.frombatch(batch, 2, 1)
    sample = importlib.import_module("comfy.sample")

    def paint(latent: dict) -> Tensor:
        if place == "node":
            return method.paint(this, latent=latent)["samples"]
        noise = sample.prepare_noise(latent["samples"], 5, latent.get("batch_index"))
        given = {"mask": latent["noise_mask"], "latent": latent["samples"], "noise": noise}
        return this.run(method.sampler, this.sigmas(7), **given)

    assert row["batch_index"] == [2]
    assert (paint(row) - paint(batch)[2:]).abs().max() < 1e-4


def test_rows_that_start_from_the_same_noise_go_on_with_the_same(world: Callable, method: Any) -> None:
    this = world("eps")
    this.latent = this.latent[:1].repeat(2, 1, 1, 1)
    out = method.paint(this, latent={"batch_index": [3, 3]})["samples"]
    assert (out[0] - out[1]).abs().max() < 1e-5


def test_noise_that_no_seed_made_goes_by_its_place(comfy: Any) -> None:
    rows = importlib.import_module("recompose.bridge.rows")
    noise = torch.randn(3, 4, 6, 5, generator=torch.Generator().manual_seed(9))
    assert rows.batch_rows(noise, 5) == rows.batch_rows(torch.zeros_like(noise), 5) == [0, 1, 2]
    own = torch.randn(4, 4, 8, 6, generator=torch.Generator().manual_seed(5))
    assert rows.batch_rows(own[[3, 0, 3]].half(), 5) == [3, 0, 3]


def test_the_global_random_state_is_left_alone(world: Callable, method: Any) -> None:
    this, noise = world("eps"), torch.zeros(2, 4, 6, 5)
    sampler, sigmas = method.sampler, this.sigmas(7)
    before = torch.get_rng_state()
    this.run(sampler, sigmas, noise=noise)
    assert torch.equal(before, torch.get_rng_state())


def test_a_soft_mask_is_strength(world: Callable, method: Any) -> None:
    this, moved = world("eps"), []
    for value in (0.0, 0.05, 0.3, 0.7, 1.0):
        out = this.run(method.sampler, this.sigmas(25, "karras"), mask=torch.full_like(this.mask, value))
        moved.append(float((out - this.latent).abs().mean()))
    assert moved == sorted(moved) and moved[0] < 1e-6 < moved[1]


def test_differential_diffusion_changes_the_mask_at_each_level(world: Callable, method: Any) -> None:
    this = world("eps")
    levels: list[float] = []

    def change(sigma: Tensor, mask: Tensor, extra_options: dict) -> Tensor:
        levels.append(float(sigma[0]))
        assert extra_options["sigmas"].shape == (10,)
        return (mask >= 0.5).float()

    this.model.set_model_denoise_mask_function(change)
    out = this.run(method.sampler, this.sigmas(9), mask=0.4 * torch.ones_like(this.mask))
    assert (out - this.latent).abs().max() < 1e-6
    assert len(set(levels)) == 10


WRONG = {
    "no mask": ({"mask": None}, None, ("mask", "Snap Mask to Latent")),
    "no step": ({}, [14.0], ("no step",)),
    "sigmas that ascend": ({}, [1.0, 2.0, 0.0], ("descend", "2 follows 1")),
    "sigmas that stand still": ({}, [2.0, 2.0, 0.0], ("descend",)),
    "sigmas that are no numbers": ({}, [2.0, float("nan"), 0.0], ("no numbers", "more steps")),
}


@pytest.mark.parametrize(("given", "sigmas", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_sampled_is_said_before_the_model_is_asked(
    given: dict, sigmas: list | None, words: tuple, world: Callable, method: Any
) -> None:
    this = world("eps")
    levels = this.sigmas(7) if sigmas is None else torch.tensor(sigmas)
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]*\.$") as caught:
        this.run(method.sampler, levels, **given)
    assert all(word in str(caught.value) for word in words)
    assert this.seen == []


def test_one_step_of_a_scheduler_that_needs_two_is_told_of(world: Callable, methods: dict) -> None:
    this = world("eps")
    with pytest.raises(ValueError, match=r"^Lagrange .*kl_optimal.*take more steps\.$"):
        methods["Lagrange"].paint(this, steps=1, scheduler="kl_optimal")
    assert this.seen == []


def test_each_call_is_told_with_their_number(world: Callable, method: Any) -> None:
    this = world("eps")
    this.run(method.sampler, this.sigmas(7))
    assert this.seen == [(call, method.calls) for call in range(method.calls)]


def test_a_latent_that_grows_beyond_any_picture_is_told_of(
    world: Callable, method: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A network whose answers are far too large, as with too much guidance."""
    this = world("eps")
    this.run(method.sampler, this.sigmas(7))
    assert "grew" not in caplog.text

    def far(apply: Callable, given: dict) -> Tensor:
        return apply(given["input"], given["timestep"], **given["c"]) + 300

    this.model.set_model_unet_function_wrapper(far)
    this.run(method.sampler, this.sigmas(7))
    (told,) = (text for text in caplog.messages if "grew to" in text)
    assert told.startswith(method.name) and "lower cfg" in told


def test_nan_from_the_model_is_an_error(world: Callable, method: Any) -> None:
    this = world("eps")
    this.model.model.diffusion_model.broken = True
    with pytest.raises(ValueError, match=r"NaN.*precision"):
        this.run(method.sampler, this.sigmas(7))
    assert this.seen == []  # at the first call
