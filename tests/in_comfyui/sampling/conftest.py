"""Small networks in ComfyUI's own model classes: noise, velocity and flow, pictures and videos."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.sampling import lagrange
from recompose.core.sampling.repaint import Settings
from torch import Tensor, nn

# kind of model, channels in, channels out, shape of a latent
MODELS = {
    "eps": ("EPS", 4, 4, (2, 4, 6, 5)),
    "v": ("V_PREDICTION", 4, 4, (2, 4, 6, 5)),
    "inpaint": ("EPS", 9, 4, (2, 4, 6, 5)),
    "flow": ("FLOW", 16, 16, (2, 16, 6, 5)),
    "video": ("FLOW", 16, 16, (2, 16, 3, 6, 5)),
}


class Network(nn.Module):
    """Every cell of its answer hangs on its neighbours, the noise level and the words."""

    def __init__(self, channels: int, out: int, axes: int) -> None:
        super().__init__()
        kind = nn.Conv3d if axes == 5 else nn.Conv2d
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(channels)
            self.layer = kind(channels, out, 3, padding=1)
        self.dtype = torch.float32
        self.broken = False

    def forward(
        self, x: Tensor, step: Tensor, context: Tensor | None = None, control: Any = None, **_more: Any
    ) -> Tensor:
        shift = 0 if context is None else context.mean((1, 2))
        at = (torch.cos(step / 100) + shift).reshape(-1, *[1] * (x.ndim - 1))
        # Mostly what it is given, as the noise is, so that no latent grows beyond a picture's.
        answer = 0.9 * x[:, : self.layer.out_channels] + 0.2 * torch.tanh(self.layer(x)) + 0.1 * at
        for added in (control or {}).get("output", []):
            answer = answer + added[:, : answer.shape[1]]
        return answer * torch.nan if self.broken else answer


@dataclass
class World:
    """A model of ComfyUI's, a latent with a mask over its right half, and words for and against."""

    model: Any
    latent: Tensor
    mask: Tensor
    positive: list
    negative: list
    seen: list[tuple[int, int]] = field(default_factory=list)  # what the callback heard: call, total

    def noise(self, seed: int = 5) -> Tensor:
        return importlib.import_module("comfy.sample").prepare_noise(self.latent, seed)

    def sigmas(self, steps: int, scheduler: str = "normal") -> Tensor:
        sampling = self.model.get_model_object("model_sampling")
        return importlib.import_module("comfy.samplers").calculate_sigmas(sampling, scheduler, steps)

    def run(self, sampler: Any, sigmas: Tensor, seed: int = 5, cfg: float = 3.0, **given: Any) -> Tensor:
        """What SamplerCustom makes of it; given may hold latent, mask, noise."""
        latent = given.get("latent", self.latent)
        noise = given["noise"] if "noise" in given else self.noise(seed)
        with torch.inference_mode():
            return importlib.import_module("comfy.sample").sample_custom(
                self.model, noise, cfg, sampler, sigmas, self.positive,
                self.negative, latent, noise_mask=given.get("mask", self.mask), seed=seed,
                callback=given.get("callback", self.hear), disable_pbar=True,
            )  # fmt: skip

    def hear(self, call: int, denoised: Tensor, x: Tensor, total: int) -> None:
        assert denoised.shape == x.shape == self.latent.shape or len(denoised) != len(self.latent)
        self.seen.append((call, total))


@pytest.fixture
def world(comfy: ModuleType) -> Callable[[str], World]:
    """Make a world of one of MODELS."""
    base = importlib.import_module("comfy.model_base")
    config = importlib.import_module("comfy.supported_models_base")
    patcher = importlib.import_module("comfy.model_patcher")
    formats = importlib.import_module("comfy.latent_formats")

    def make(name: str) -> World:
        kind, channels, out, shape = MODELS[name]
        settings = config.BASE({"disable_unet_model_creation": True, "in_channels": channels})
        inner = base.BaseModel(settings, base.ModelType[kind])
        inner.diffusion_model = Network(channels, out, len(shape))
        kind_of_latent = {"latent_channels": out, "latent_dimensions": len(shape) - 2}
        inner.latent_format = type("LatentFormat", (formats.LatentFormat,), kind_of_latent)()
        if channels == 9:
            inner.set_inpaint()
        cpu = torch.device("cpu")
        generator = torch.Generator().manual_seed(7)
        mask = torch.zeros(1, 1, *shape[2:])
        mask[..., 2:] = 1
        words = [[[torch.full((1, 3, 4), tone), {}]] for tone in (0.4, -0.3)]
        latent = torch.randn(shape, generator=generator)
        return World(patcher.ModelPatcher(inner, cpu, cpu), latent, mask, *words)

    return make


@pytest.fixture
def bridge(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.sampling")


@dataclass
class Method:
    """One of the samplers: as an object, and all in one with its inputs for seven steps of the same."""

    name: str
    sampler: Any
    node: Any
    inputs: dict[str, Any]
    calls: int  # of the model in seven steps

    def paint(self, this: World, **given: Any) -> dict:
        """Run the node on a world; given may replace any input or, in latent, what that holds."""
        latent = {"samples": this.latent, "noise_mask": this.mask, **given.pop("latent", {})}
        inputs = {
            "model": this.model, "positive": this.positive, "negative": this.negative, "latent": latent,
            "scheduler": "normal", "cfg": 3.0, "seed": 5, "denoise": 1.0, **self.inputs, **given,
        }  # fmt: skip
        with torch.inference_mode():
            return self.node.execute(**inputs).args[0]


@pytest.fixture
def methods(bridge: ModuleType) -> dict[str, Method]:
    nodes = importlib.import_module("recompose.nodes.sampling")
    own = {"preset": "custom", "steps": 7, "jump_length": 2, "resamplings": 3}
    repaint = {"preset": {**own, "eta": 1.0, "start": 0.0, "end": 1}}
    ours = [
        Method("RePaint", bridge.RePaint(Settings(2, 3)), nodes.RePaint, repaint, 19),
        Method("Lagrange", bridge.Lagrange(lagrange.Settings()), nodes.LagrangeInpaint, {"steps": 7}, 7),
    ]
    return {method.name: method for method in ours}


@pytest.fixture(params=["RePaint", "Lagrange"])
def method(request: pytest.FixtureRequest, methods: dict[str, Method]) -> Method:
    return methods[request.param]
