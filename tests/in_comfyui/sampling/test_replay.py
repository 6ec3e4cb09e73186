"""Replay Source: a row is the inverted photo for the model and in the result, whatever samples the batch."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

SAMPLERS = [
    "euler", "euler_ancestral", "heun", "dpm_2_ancestral", "dpmpp_2m", "dpmpp_sde", "dpmpp_2m_sde", "ddim",
    "uni_pc", "lcm", "res_multistep", "euler_cfg_pp",
]  # fmt: skip


class Scene:
    """A world whose photo, the first row of its latent, was inverted."""

    def __init__(self, world: Any, **given: Any) -> None:
        nodes = importlib.import_module("recompose.nodes.inversion")
        self.world, self.photo = world, given.pop("photo", world.latent[:1])
        inputs = {
            "model": world.model, "positive": world.positive, "negative": world.negative,
            "latent": {"samples": self.photo}, "method": {"method": "O-BELM"}, "steps": 6,
            "scheduler": "simple", "cfg": 1.0, "denoise": 1.0, **given,
        }  # fmt: skip
        with torch.inference_mode():
            self.noise, self.sampler, self.sigmas, self.inversion, _ = nodes.InvertLatent.execute(
                **inputs
            ).args
        self.node = nodes.ReplaySource
        self.plain = world.model

    def sample(self, row: int | None, sampler: Any = "euler", rows: int = 3, **given: Any) -> Tensor:
        """What a batch of random noise becomes, with the photo in its `row` or with none for None."""
        samplers = importlib.import_module("comfy.samplers")
        model = given.pop("model", self.plain)
        if row is not None:
            (model,) = self.node.execute(model, given.pop("inversion", self.inversion), row).args
        latent = torch.zeros(rows, *self.photo.shape[1:])
        noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(4))
        made = samplers.sampler_object(sampler) if isinstance(sampler, str) else sampler
        self.world.model = model
        sigmas = given.pop("sigmas", self.sigmas)
        given = {"mask": None, "callback": None, "latent": latent, "noise": noise, **given}
        return self.world.run(made, sigmas, **given)


def rounding(found: Tensor, expected: Tensor) -> bool:
    return bool((found - expected).abs().max() <= 2e-6 * expected.abs().max())


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("kind", ["eps", "flow"])
def test_the_row_becomes_the_photo_with_every_sampler(kind: str, sampler: str, world: Callable) -> None:
    scene = Scene(world(kind))
    found, plain = scene.sample(0, sampler), scene.sample(None, sampler)
    assert rounding(found[:1], scene.photo)
    assert not rounding(plain[:1], scene.photo)
    assert rounding(scene.sample(0, scene.sampler)[:1], scene.photo), "after uni_pc too"
    # Nothing joins the rows of this network, so the others are as they were.
    assert (found - plain)[1:].abs().max() <= 1e-5 * plain.abs().max()


@pytest.mark.parametrize("kind", ["v", "video"])
@pytest.mark.parametrize("row", [0, 2])
def test_any_row_may_be_the_photo(kind: str, row: int, world: Callable) -> None:
    scene = Scene(world(kind))
    found = scene.sample(row)
    assert [rounding(found[index : index + 1], scene.photo) for index in range(3)] == [
        index == row for index in range(3)
    ]


def joined(model: Any, seen: list[tuple[float, Tensor]]) -> Any:
    """A model whose rows take something from the first one, as in mutual attention; `seen` is what."""

    def wrapper(apply: Callable, given: dict) -> Tensor:
        seen.append((float(given["timestep"][0]), given["input"][:1].clone()))
        answer = apply(given["input"], given["timestep"], **given["c"])
        return answer + 0.2 * given["input"][:1]

    made = model.clone()
    made.set_model_unet_function_wrapper(wrapper)
    return made


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "heun", "euler_ancestral"])
def test_the_model_sees_the_inversions_states(sampler: str, world: Callable) -> None:
    scene, seen, other = Scene(world("eps")), [], []
    found = scene.sample(0, sampler, model=joined(scene.plain, seen), cfg=1.0)
    plain = scene.sample(None, sampler, model=joined(scene.plain, other), cfg=1.0)
    assert len(seen) == len(other) >= 6
    for sigma, state in seen:
        assert rounding(state, scene.inversion.at(sigma).float())
    assert not rounding(other[0][1], seen[0][1])
    assert rounding(found[:1], scene.photo)
    assert (found - plain)[1:].abs().mean() > 1e-3, "the other rows follow the photo's row"


def test_several_photos_take_the_next_rows(world: Callable) -> None:
    this = world("eps")
    scene = Scene(this, photo=this.latent)
    found = scene.sample(1)
    assert rounding(found[1:], this.latent) and not rounding(found[:1], this.latent[:1])


@pytest.mark.parametrize("kind", ["eps", "flow"])
def test_other_sigmas_and_guidance_end_on_the_photo(kind: str, world: Callable) -> None:
    scene = Scene(world(kind))
    for scheduler, steps in (("karras", 4), ("normal", 11)):
        found = scene.sample(0, "dpmpp_2m", sigmas=scene.world.sigmas(steps, scheduler), cfg=7.5)
        assert rounding(found[:1], scene.photo)


@pytest.mark.parametrize("kind", ["eps", "flow"])
def test_a_run_in_two_parts_hands_on_the_state_between(kind: str, world: Callable) -> None:
    scene = Scene(world(kind))
    first, second = scene.sigmas[:4], scene.sigmas[3:]
    half = scene.sample(0, "euler_ancestral", sigmas=first)
    scaling = scene.plain.get_model_object("model_sampling")
    expected = scaling.inverse_noise_scaling(first[-1], scene.inversion.at(float(first[-1])).float())
    assert rounding(half[:1], expected)
    none = torch.zeros_like(half)
    assert rounding(
        scene.sample(0, "euler_ancestral", sigmas=second, latent=half, noise=none)[:1], scene.photo
    )


def test_it_goes_with_a_mask_and_with_our_samplers(world: Callable, methods: dict) -> None:
    scene = Scene(world("eps"))
    batch = scene.world.latent[[0, 1, 1]]
    for sampler in ("euler", *(method.sampler for method in methods.values())):
        found = scene.sample(0, sampler, latent=batch, mask=scene.world.mask, sigmas=scene.world.sigmas(7))
        known = (scene.world.mask == 0).expand_as(found)
        assert rounding(found[:1], scene.photo)
        assert (found - batch)[known].abs().max() < 1e-5 and (found - batch)[1:].abs().max() > 0.01


def test_with_the_inversions_own_sampler(world: Callable) -> None:
    scene = Scene(world("eps"))
    noise = scene.noise.generate_noise({"samples": torch.zeros(3, *scene.photo.shape[1:])})
    assert rounding(scene.sample(0, scene.sampler, noise=noise, cfg=6.0)[:1], scene.photo)


def test_the_model_itself_and_the_inversion_stay_as_they_were(world: Callable) -> None:
    scene = Scene(world("eps"))
    states = [state.clone() for state in scene.inversion.states]
    plain = scene.sample(None)
    first, second = scene.sample(0), scene.sample(0)
    assert torch.equal(first, second) and torch.equal(plain, scene.sample(None))
    assert scene.plain.wrappers == {}
    assert all(torch.equal(one, other) for one, other in zip(states, scene.inversion.states, strict=True))


WRONG: dict[str, tuple[dict, str]] = {
    "row beyond the batch": ({"row": 3}, "do not fit into a batch of 3"),
    "another size": ({"latent": torch.zeros(3, 4, 6, 8)}, "sample at the size of the photo"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_replayed_is_said_before_the_model_is_asked(
    change: dict, words: str, world: Callable
) -> None:
    scene, seen = Scene(world("eps")), []
    given = {**change, "model": joined(scene.plain, seen)}
    if "latent" in given:
        given["noise"] = torch.zeros_like(given["latent"])
    with pytest.raises(ValueError, match=r"^Replay Source: [^\n]*\.$") as caught:
        scene.sample(given.pop("row", 0), **given)
    assert words in str(caught.value) and seen == []


def test_a_model_of_another_kind_is_refused(world: Callable) -> None:
    scene, flow = Scene(world("eps")), world("flow")
    other = Scene(flow, photo=flow.latent[:1])
    with pytest.raises(ValueError, match=r"^Replay Source: expected a model of the kind .*exploding.*flow"):
        other.sample(0, inversion=scene.inversion)


def test_what_is_no_inversion_is_refused(world: Callable) -> None:
    scene = Scene(world("eps"))
    with pytest.raises(
        ValueError, match=r"inversion cannot be used as it is .* the inversion of Invert Latent\.$"
    ):
        scene.sample(0, inversion={"samples": scene.photo})
