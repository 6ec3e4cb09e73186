"""Round trips of Invert Latent on networks: the demo checkpoint, and a small Flux with random weights."""

from __future__ import annotations

import asyncio
import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import torch
from recompose.tests.in_comfyui.sampling.conftest import World
from recompose.tests.in_comfyui.sampling.test_inversion import FIXED, Turn
from torch import Tensor

WORDS = "a man with short black hair in a red shirt, blue trousers and black boots walking on a beach"


class Demo(NamedTuple):
    """The demo checkpoint, words for it, and drawn photos (B,H,W,3) that it never saw."""

    model: Any
    vae: Any
    positive: list
    empty: list
    photos: Tensor

    def world(self, latent: Tensor) -> World:
        return World(self.model, latent, torch.ones(1, 1, 1, 1), self.positive, self.empty)


@pytest.fixture(scope="module")
def demo(comfy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    from recompose.lab.setup.models import assembled
    from recompose.lab.toy.model_pack.registration import HostPack
    from recompose.lab.toy.world import picture

    sd, supported = (importlib.import_module(name) for name in ("comfy.sd", "comfy.supported_models"))
    before = list(supported.models)
    asyncio.run(HostPack().on_load())
    file = Path(assembled(tmp_path_factory.mktemp("demo")), "checkpoints", "recompose_demo.safetensors")
    model, clip, vae = sd.load_checkpoint_guess_config(str(file), output_vae=True, output_clip=True)[:3]
    words = [clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in (WORDS, "")]
    drawn = [torch.from_numpy(picture.example(seed, "test").image[:128, :96].copy()) for seed in (3, 5)]
    yield Demo(model, vae, *words, torch.stack(drawn).float() / 255)
    supported.models[:] = before


def encoded(demo: Demo) -> Tensor:
    with torch.inference_mode():
        return demo.vae.encode(demo.photos)


def decibels(demo: Demo, latent: Tensor) -> float:
    """PSNR of what a latent shows against the photos."""
    with torch.inference_mode():
        error = (demo.vae.decode(latent).clamp(0, 1) - demo.photos).square().mean()
    return -10 * math.log10(float(error))


@pytest.mark.parametrize(("cfg", "steps", "bound"), [(1.0, 50, 1e-6), (4.0, 20, 1e-6)])
def test_drawn_photos_come_back_exactly_with_o_belm(demo: Demo, cfg: float, steps: int, bound: float) -> None:
    turn = Turn(demo.world(encoded(demo)), steps=steps, scheduler="normal", cfg=cfg)
    assert turn.missed(turn.back()) < bound


def test_a_single_precision_state_is_enough_without_guidance(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("invert", "return_sampler"):
        module = importlib.import_module(f"recompose.bridge.inversion.{name}")
        monkeypatch.setattr(module, "solver_dtype", lambda device: torch.float32)
    turn = Turn(demo.world(encoded(demo)), steps=50, scheduler="normal", cfg=1.0)
    assert turn.missed(turn.back()) < 1e-5


def test_photos_come_back_as_near_as_the_vae_can_show_them(demo: Demo) -> None:
    latent = encoded(demo)
    limit = decibels(demo, latent)
    exact = Turn(demo.world(latent), steps=12, scheduler="normal", cfg=1.0)
    assert decibels(demo, exact.back()) == pytest.approx(limit, abs=0.01)
    samplers = importlib.import_module("comfy.samplers")
    found = {}
    for count in (0, 5):
        turn = Turn(
            demo.world(latent), method={**FIXED, "iterations": count}, steps=12, scheduler="normal", cfg=1.0
        )
        found[count] = decibels(demo, turn.back(sampler=samplers.sampler_object("euler")))
    assert limit - 1 < found[5] <= limit + 0.1 and found[0] < found[5] - 3


def test_the_noise_of_a_photo_is_near_normal(demo: Demo) -> None:
    turn = Turn(demo.world(encoded(demo)), steps=30, scheduler="normal", cfg=1.0)
    noise = turn.noise.generate_noise({"samples": encoded(demo)})
    assert 0.8 < float(noise.std()) < 1.25 and abs(float(noise.mean())) < 0.2
    assert turn.notices == []


FLUX = {
    "image_model": "flux", "guidance_embed": True, "in_channels": 16, "out_channels": 16, "patch_size": 2,
    "hidden_size": 128, "num_heads": 1, "axes_dim": [16, 56, 56], "depth": 2, "depth_single_blocks": 2,
    "context_in_dim": 32, "vec_in_dim": 16, "mlp_ratio": 4.0, "qkv_bias": True, "theta": 10000,
    "txt_ids_dims": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def flux(comfy: ModuleType) -> World:
    """ComfyUI's Flux with four small blocks, random weights, and a latent that no patch divides evenly."""
    supported, patcher = (
        importlib.import_module(name) for name in ("comfy.supported_models", "comfy.model_patcher")
    )
    config = supported.Flux(dict(FLUX))
    config.set_inference_dtype(torch.float32, None)
    inner = config.get_model({})
    generator = torch.Generator().manual_seed(11)
    for name, weight in inner.diffusion_model.named_parameters():
        fan = weight.shape[-1] if weight.ndim > 1 else 1
        values = torch.randn(weight.shape, generator=generator) * (0.7 / math.sqrt(fan))
        weight.data.copy_(torch.ones_like(weight) if name.endswith(("norm.weight", "scale")) else values)
    inner.diffusion_model.requires_grad_(False)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    words = [[[normal(1, size, 32), {"pooled_output": normal(1, 16), "guidance": 3.5}]] for size in (6, 4)]
    latent = normal(2, 16, 6, 7)
    cpu = torch.device("cpu")
    return World(patcher.ModelPatcher(inner, cpu, cpu), latent, torch.ones(1, 1, 6, 7), *words)


@pytest.mark.parametrize(("cfg", "bound"), [(1.0, 1e-6), (4.0, 1e-6)])
def test_a_flux_comes_back_exactly_with_o_belm(flux: World, cfg: float, bound: float) -> None:
    turn = Turn(flux, steps=20, cfg=cfg)
    assert float(turn.sigmas[0]) == 1
    assert turn.missed(turn.back()) < bound
    assert turn.missed(turn.back(flux.latent)) < bound


@pytest.mark.parametrize("method", ["midpoint", "FireFlow", "fixed point"])
def test_a_flux_comes_back_nearer_than_by_reversed_sigmas(flux: World, method: str) -> None:
    plain = Turn(flux, method={**FIXED, "iterations": 0}, steps=20, cfg=1.0)
    turn = Turn(flux, method, steps=20, cfg=1.0)
    assert turn.missed(turn.back()) < plain.missed(plain.back()) / 3


def test_a_photo_is_replayed_in_a_flux(flux: World) -> None:
    nodes, samplers = (
        importlib.import_module(name) for name in ("recompose.nodes.inversion", "comfy.samplers")
    )
    photo = flux.latent[:1]
    turn = Turn(flux, latent={"samples": photo}, steps=6, cfg=1.0)
    (model,) = nodes.ReplaySource.execute(turn.world.model, turn.inversion, 0).args
    replayed = World(model, flux.latent, flux.mask, flux.positive, flux.negative)
    found = replayed.run(
        samplers.sampler_object("euler_ancestral"), turn.sigmas, mask=None, cfg=3.0,
        latent=torch.zeros_like(flux.latent), noise=flux.noise(2),
    )  # fmt: skip
    assert (found[:1] - photo).abs().max() < 1e-5
    assert (found[1:] - photo).abs().mean() > 0.1
