"""Invert Latent in ComfyUI: the way up, what it hands on, and the way back."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

KINDS = ["eps", "v", "flow", "video"]
OWN = ["O-BELM", "midpoint", "FireFlow"]
FIXED = {"method": "fixed point", "iterations": 6, "tolerance": 0.0}
CALLS = {"O-BELM": 9, "fixed point": 9 * 7, "midpoint": 18, "FireFlow": 10, "DDIM": 9}


class Turn:
    """One inversion of a world's latent by the node, and ways back from it."""

    def __init__(self, world: Any, method: str | dict = "O-BELM", **given: Any) -> None:
        self.world, self.cfg = world, given.get("cfg", 3.0)
        named = FIXED if method == "fixed point" else {"method": method}
        choice = method if isinstance(method, dict) else named
        inputs = {
            "model": world.model, "positive": world.positive, "negative": world.negative,
            "latent": {"samples": world.latent}, "method": choice, "steps": 9, "scheduler": "simple",
            "cfg": self.cfg, "denoise": 1.0, **given,
        }  # fmt: skip
        node = importlib.import_module("recompose.nodes.inversion").InvertLatent
        with torch.inference_mode():
            self.out = node.execute(**inputs)
        self.noise, self.sampler, self.sigmas, self.inversion, self.latent = self.out.args

    @property
    def notices(self) -> list[str]:
        left = self.out.ui["recompose"]
        return left[0]["notices"] if left else []

    def back(self, latent: Tensor | None = None, sampler: Any = None, **given: Any) -> Tensor:
        """What SamplerCustomAdvanced makes of its noise beside a latent, an empty one by default."""
        latent = torch.zeros_like(self.world.latent) if latent is None else latent
        noise = self.noise.generate_noise({"samples": latent})
        given = {"mask": None, "cfg": self.cfg, **given}
        return self.world.run(sampler or self.sampler, self.sigmas, latent=latent, noise=noise, **given)

    def missed(self, found: Tensor) -> float:
        return float((found - self.world.latent).abs().mean() / self.world.latent.abs().mean())


@pytest.fixture
def samplers(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("comfy.samplers")


@pytest.mark.parametrize("scheduler", ["simple", "karras", "normal"])
@pytest.mark.parametrize("kind", KINDS)
def test_o_belm_comes_back_exactly(kind: str, scheduler: str, world: Callable) -> None:
    this = world(kind)
    turn = Turn(this, steps=50, scheduler=scheduler)
    assert turn.missed(turn.back()) < 1e-6
    assert turn.missed(turn.back(this.latent)) < 1e-6, "the noise fits any latent beside it"


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_precision_state_comes_back_too(
    kind: str, world: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("invert", "return_sampler"):
        module = importlib.import_module(f"recompose.bridge.inversion.{name}")
        monkeypatch.setattr(module, "solver_dtype", lambda device: torch.float32)
    turn = Turn(world(kind), steps=50, cfg=1.0)
    assert turn.inversion.states[-1].dtype == torch.float32
    assert turn.missed(turn.back()) < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_a_fixed_point_comes_back_with_comfyuis_euler(kind: str, world: Callable, samplers: Any) -> None:
    this = world(kind)
    missed = [
        turn.missed(turn.back(sampler=samplers.sampler_object("euler")))
        for turn in (Turn(this, method={**FIXED, "iterations": count}, cfg=1.0) for count in (0, 2, 12))
    ]
    assert missed[2] < 1e-3 < missed[0] and missed[2] < missed[1] < missed[0]


@pytest.mark.parametrize("method", ["midpoint", "FireFlow"])
@pytest.mark.parametrize("kind", ["flow", "video"])
def test_the_flow_methods_come_nearer_than_euler(kind: str, method: str, world: Callable) -> None:
    this = world(kind)
    plain = Turn(this, method={**FIXED, "iterations": 0}, cfg=1.0)
    turn = Turn(this, method, cfg=1.0)
    assert turn.missed(turn.back()) < plain.missed(plain.back()) / 2


@pytest.mark.parametrize("kind", ["eps", "v"])
def test_the_latent_goes_through_a_sampler_that_adds_no_noise(
    kind: str, world: Callable, samplers: Any
) -> None:
    this = world(kind)
    turn = Turn(this)
    none = torch.zeros_like(this.latent)
    found = this.run(turn.sampler, turn.sigmas, latent=turn.latent["samples"], noise=none, mask=None)
    assert turn.missed(found) < 1e-5
    assert turn.latent["samples"].dtype == torch.float32 and set(turn.latent) == {"samples"}


def test_the_latent_of_a_flow_from_noise_alone_is_refused_where_it_is_used(world: Callable) -> None:
    turn = Turn(world("flow"))
    assert float(turn.sigmas[0]) == 1
    assert "connect the output noise" in turn.latent.message


def test_a_flow_that_begins_below_noise_alone_has_a_latent(world: Callable) -> None:
    this = world("flow")
    turn = Turn(this, denoise=0.6)
    assert 0.3 < float(turn.sigmas[0]) < 1
    none = torch.zeros_like(this.latent)
    found = this.run(turn.sampler, turn.sigmas, latent=turn.latent["samples"], noise=none, mask=None)
    assert turn.missed(found) < 1e-5
    assert turn.missed(turn.back(this.latent)) < 1e-6


@pytest.mark.parametrize("kind", ["eps", "flow"])
@pytest.mark.parametrize("last", [0.0, 0.2])
def test_given_sigmas_replace_the_schedule(kind: str, last: float, world: Callable) -> None:
    this = world(kind)
    given = torch.tensor([0.9, 0.7, 0.45, 0.3, last])
    turn = Turn(this, sigmas=given, steps=3)
    assert torch.equal(turn.sigmas, given) and turn.inversion.sigmas == tuple(given.flip(0).tolist())
    assert turn.missed(turn.back()) < 1e-6


def test_the_noise_is_near_normal_and_the_same_for_each_row_of_a_copy(world: Callable) -> None:
    this = world("eps")
    one = Turn(this, latent={"samples": this.latent[:1]})
    noise = one.noise.generate_noise({"samples": torch.zeros(3, *this.latent.shape[1:])})
    assert torch.equal(noise[0], noise[1]) and torch.equal(noise[0], noise[2])
    both = Turn(this).noise.generate_noise({"samples": torch.zeros(4, *this.latent.shape[1:])})
    assert torch.equal(both[:2], both[2:]) and not torch.equal(both[0], both[1])
    assert 0.5 < float(both.std()) < 2


@pytest.mark.parametrize("method", ["O-BELM", "fixed point"])
def test_a_row_is_inverted_alike_alone_and_in_a_batch(method: str, world: Callable) -> None:
    this = world("v")
    both, alone = Turn(this, method), Turn(this, method, latent={"samples": this.latent[1:]})
    difference = both.inversion.states[-1][1:] - alone.inversion.states[-1]
    assert float(difference.abs().max()) < 1e-3
    again = Turn(this, method)
    assert torch.equal(both.inversion.states[-1], again.inversion.states[-1])


def test_rows_with_words_of_their_own_leave_the_source_exact(world: Callable) -> None:
    """The source's state is carried; a row that starts elsewhere takes a first step of its own."""
    this = world("eps")
    turn = Turn(this, latent={"samples": this.latent[:1]})
    batch = torch.zeros(2, *this.latent.shape[1:])
    noise = turn.noise.generate_noise({"samples": batch})
    noise[1] = this.noise(8)[1]
    found = this.run(turn.sampler, turn.sigmas, latent=batch, noise=noise, mask=None)
    source = this.latent[:1]
    assert float((found[:1] - source).abs().mean() / source.abs().mean()) < 1e-5
    assert torch.isfinite(found).all() and (found[1] - source[0]).abs().mean() > 0.1


def test_noise_from_elsewhere_is_sampled_with_a_notice(world: Callable) -> None:
    notices = importlib.import_module("recompose.bridge.notices")
    this = world("eps")
    turn = Turn(this)
    with notices.collect() as found:
        made = this.run(turn.sampler, turn.sigmas, mask=None, latent=torch.zeros_like(this.latent))
    assert torch.isfinite(made).all()
    assert len(found) == 1 and "nothing starts where the inversion ended" in found[0]


@pytest.mark.parametrize(("method", "calls"), CALLS.items())
def test_progress_counts_the_model_calls_and_previews_each(
    method: str, calls: int, world: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = importlib.import_module("latent_preview")
    this, seen = world("flow"), []

    def prepare(model: Any, total: int) -> Callable:
        return lambda step, x0, x, given: seen.append((step, given, total, tuple(x0.shape)))

    monkeypatch.setattr(preview, "prepare_callback", prepare)
    Turn(this, method)
    shape = tuple(this.latent.shape)
    assert seen == [(call, calls, calls, shape) for call in range(calls)]


def test_a_fixed_point_that_settles_counts_the_calls_it_spares(
    world: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = importlib.import_module("latent_preview")
    this, seen = world("flow"), []
    monkeypatch.setattr(
        preview, "prepare_callback", lambda *_: lambda step, x0, x, total: seen.append((step, total))
    )
    Turn(this, method={**FIXED, "iterations": 40, "tolerance": 1e-3})
    steps = [step for step, _ in seen]
    assert {total for _, total in seen} == {9 * 41} and len(steps) < 9 * 20
    assert steps == sorted(steps) and steps[-1] >= 8 * 41


@pytest.mark.parametrize("method", CALLS)
def test_it_stops_between_any_two_calls(
    method: str, world: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview, management = (
        importlib.import_module(name) for name in ("latent_preview", "comfy.model_management")
    )
    heard: list[int] = []

    def stop(step: int, *_more: object) -> None:
        heard.append(step)
        management.interrupt_current_processing(step == 4)

    monkeypatch.setattr(preview, "prepare_callback", lambda *_: stop)
    with pytest.raises(management.InterruptProcessingException):
        Turn(world("flow"), method)
    assert heard == list(range(5))
    management.interrupt_current_processing(False)


@pytest.mark.parametrize("method", OWN)
def test_the_way_back_tells_its_steps_and_stops(method: str, world: Callable) -> None:
    management = importlib.import_module("comfy.model_management")
    this = world("flow")
    turn, heard = Turn(this, method), []
    turn.back(callback=lambda step, x0, x, total: heard.append((step, total)))
    # The first step of O-BELM is the state that it carries.
    assert heard == [(step, 9) for step in range(method == "O-BELM", 9)]

    def stop(step: int, *_more: object) -> None:
        management.interrupt_current_processing(step == 3)

    with pytest.raises(management.InterruptProcessingException):
        turn.back(callback=stop)
    management.interrupt_current_processing(False)


def test_the_states_are_kept_on_the_cpu_one_for_each_level(world: Callable) -> None:
    turn = Turn(world("eps"), steps=12)
    states = turn.inversion.states
    assert len(states) == 13 == len(turn.sigmas)
    assert {state.device.type for state in states} == {"cpu"}
    assert [state.dtype for state in states] == [torch.float32] * 11 + [torch.float64] * 2


def test_inputs_and_the_random_state_stay_as_they_were(world: Callable) -> None:
    this = world("eps")
    latent = {"samples": this.latent.clone(), "batch_index": [4, 7], "noise_mask": this.mask}
    before, options = torch.get_rng_state(), dict(this.model.model_options)
    turn = Turn(this, latent=latent)
    turn.back()
    assert torch.equal(before, torch.get_rng_state()) and this.model.model_options == options
    assert torch.equal(latent["samples"], this.latent) and "noise_mask" in latent
    assert turn.latent["batch_index"] == [4, 7] and "noise_mask" not in turn.latent
    assert any("noise mask was left out" in each for each in turn.notices)
    assert turn.missed(turn.back()) < 1e-6, "the mask holds nothing"


def test_a_mask_holds_the_photo_on_the_way_back(world: Callable) -> None:
    this = world("eps")
    turn = Turn(this)
    other = turn.back(this.latent, mask=this.mask, cfg=7.0)
    known = (this.mask == 0).expand_as(other)
    assert (other - this.latent)[known].abs().max() < 1e-5
    assert (other - this.latent)[~known].abs().mean() > 1e-3


def test_what_will_not_come_back_is_told(world: Callable) -> None:
    this = world("eps")
    assert Turn(this, steps=30).notices == []
    few = Turn(this, method={**FIXED, "iterations": 1}, cfg=7.0)
    assert any("raise iterations" in each for each in few.notices)
    empty = Turn(this, latent={"samples": torch.zeros_like(this.latent)})
    assert any("all zero" in each for each in empty.notices)


def nested(tensor: Tensor) -> Any:
    return importlib.import_module("comfy.nested_tensor").NestedTensor([tensor, tensor])


WRONG = {
    "no samples": (lambda this: {"latent": {}}, "needs a LATENT with samples"),
    "NaN": (lambda this: {"latent": {"samples": this.latent * torch.nan}}, "NaN"),
    "picture and sound": (lambda this: {"latent": {"samples": nested(this.latent)}}, "nested"),
    "another model's channels": (
        lambda this: {"latent": {"samples": torch.ones(2, 16, 6, 5)}},
        "a picture's with 16 channels but the model takes a picture's with 4",
    ),
    "a video": (
        lambda this: {"latent": {"samples": torch.ones(2, 4, 3, 6, 5)}},
        "a video's with 4 channels but the model takes a picture's with 4",
    ),
    "an empty video": (lambda this: {"latent": {"samples": torch.zeros(2, 4, 3, 6, 5)}}, "a video's with 4"),
    "no step": (lambda this: {"sigmas": torch.tensor([3.0])}, "no step"),
    "sigmas that ascend": (lambda this: {"sigmas": torch.tensor([0.0, 1.0, 3.0])}, "1 follows 0"),
    "sigmas that are no numbers": (
        lambda this: {"sigmas": torch.tensor([3.0, torch.nan])},
        "that are no numbers, which",
    ),
    "an unknown method": (lambda this: {"method": {"method": "EDICT"}}, "'EDICT'; choose one"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_inverted_is_said_before_the_model_is_asked(
    change: Callable, words: str, world: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    this = world("eps")
    monkeypatch.setattr(type(this.model.model.diffusion_model), "forward", None)
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]*\.$") as caught:
        Turn(this, **change(this))
    assert words in str(caught.value)


def test_a_model_without_noise_is_refused(world: Callable, comfy: ModuleType) -> None:
    this, sampling = world("flow"), importlib.import_module("comfy.model_sampling")
    bases = (sampling.ModelSamplingDiscreteFlow, sampling.IMG_TO_IMG_FLOW)
    this.model.add_object_patch("model_sampling", type("Sampling", bases, {})())
    with pytest.raises(ValueError, match=r"^Invert Latent needs a model that adds noise .*\.$"):
        Turn(this, sigmas=torch.tensor([0.5, 0.0]))


@pytest.mark.parametrize("method", CALLS)
def test_nan_from_the_model_is_an_error(method: str, world: Callable) -> None:
    this = world("eps")
    this.model.model.diffusion_model.broken = True
    with pytest.raises(ValueError, match=r"NaN.*precision"):
        Turn(this, method)


def test_other_sigmas_and_sizes_on_the_way_back_are_refused(world: Callable) -> None:
    this = world("eps")
    turn = Turn(this)
    with pytest.raises(ValueError, match=r"^O-BELM comes back along the 10 sigmas .* got 8, .*\.$"):
        this.run(turn.sampler, this.sigmas(7), mask=None)
    with pytest.raises(ValueError, match=r"^The inverted noise has the shape \[4, 6, 5\] but .* \[4, 6, 8\]"):
        turn.noise.generate_noise({"samples": torch.zeros(2, 4, 6, 8)})
    with pytest.raises(ValueError, match=r"^2 latents were inverted but the batch has 3 rows"):
        turn.noise.generate_noise({"samples": torch.zeros(3, 4, 6, 5)})
    wide = torch.zeros(2, 4, 6, 8)
    with pytest.raises(ValueError, match=r"^O-BELM comes back to latents of shape \[4, 6, 5\] but got"):
        this.run(turn.sampler, turn.sigmas, latent=wide, noise=wide, mask=None)
