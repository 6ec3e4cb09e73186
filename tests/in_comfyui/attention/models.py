"""Small networks of ComfyUI's own classes with random weights, one for each kind that can be patched."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

UNET = {
    "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 32,
    "num_res_blocks": [2, 2, 2, 2], "channel_mult": [1, 2, 2, 2],
    "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0], "transformer_depth_middle": 1,
    "transformer_depth_output": [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0], "context_dim": 16, "num_heads": 2,
    "num_head_channels": -1, "use_spatial_transformer": True, "use_linear_in_transformer": False,
    "adm_in_channels": None, "legacy": False,
}  # fmt: skip
SDXL = UNET | {
    "num_res_blocks": [2, 2, 2], "channel_mult": [1, 2, 2], "transformer_depth": [0, 0, 2, 2, 10, 10],
    "transformer_depth_middle": 10, "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10],
    "use_linear_in_transformer": True, "num_classes": "sequential", "adm_in_channels": 2816,
}  # fmt: skip

HALVES = (torch.zeros(1, 128, 128), torch.zeros(1, 128, 128))
HALVES[0][..., :64] = 1
HALVES[1][..., 40:, :] = 1
# What Mutual Attention is given for each of its modes.
MODES: dict[str, dict[str, Any]] = {
    "replace": {"mode": "replace"},
    "union": {"mode": "union"},
    "masked": {"mode": "masked", "mask_source": HALVES[0], "mask_target": HALVES[1]},
}


def randomised(network: nn.Module, seed: int = 3) -> nn.Module:
    """Give every weight a value: ComfyUI's layers come without, and some of a UNet's start at zero."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        values = torch.randn(parameter.shape, generator=generator)
        scale = 0.4 * parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.1
        # Self-attention counts for more than in a network that was just made.
        strong = ("attn1.to_v", "attn1.to_out", "attn.to_v", "attn.to_out", "qkv", "attention.out")
        scale *= 4 if any(part in name for part in strong) else 1
        parameter.data.copy_(values * scale + (parameter.ndim == 1 and name.endswith("weight")))
        parameter.requires_grad_(False)
    for _, values in network.named_buffers():  # of positions
        values.copy_(0.1 * torch.randn(values.shape, generator=generator))
    return network.eval()


@dataclass
class World:
    """A MODEL, a latent batch of equal rows, and how to sample it."""

    model: Any
    channels: int
    words: int  # width of the conditioning
    size: tuple[int, ...] = (16, 16)
    pooled: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)  # of every conditioning
    cfg: float = 4.0
    name: str = ""

    def prompt(self, seed: int, length: int = 77, rows: int = 1) -> list:
        """A conditioning of random words; more rows are different words."""
        generator = torch.Generator().manual_seed(seed)
        words = torch.randn(rows, length, self.words, generator=generator)
        more = dict(self.extra)
        if self.pooled is not None:
            more["pooled_output"] = torch.randn(rows, self.pooled, generator=generator)
        return [[words, more]]

    def latent(self, rows: int = 2) -> Tensor:
        return torch.zeros(rows, self.channels, *self.size)

    def sigmas(self, steps: int, scheduler: str = "normal") -> Tensor:
        sampling = self.model.get_model_object("model_sampling")
        return importlib.import_module("comfy.samplers").calculate_sigmas(sampling, scheduler, steps)

    def run(
        self, model: Any = None, positive: Any = None, negative: Any = None, rows: int = 2, steps: int = 4,
        sampler: str = "euler", cfg: float | None = None, **more: Any,
    ) -> Tensor:  # fmt: skip
        """What SamplerCustom makes of `rows` rows of equal noise."""
        sample = importlib.import_module("comfy.sample")
        latent = self.latent(rows)
        noise = sample.prepare_noise(latent, 5, [0] * rows)
        positive = positive if positive is not None else self.prompt(1, rows=rows)
        with torch.inference_mode():
            return sample.sample_custom(
                model or self.model, noise, self.cfg if cfg is None else cfg,
                importlib.import_module("comfy.samplers").sampler_object(sampler),
                more.get("sigmas", self.sigmas(steps)), positive,
                negative if negative is not None else self.prompt(2), latent,
                noise_mask=None, disable_pbar=True, seed=5,
            )  # fmt: skip


def patcher(inner: Any) -> Any:
    cpu = torch.device("cpu")
    return importlib.import_module("comfy.model_patcher").ModelPatcher(inner, cpu, cpu)


def unet(kind: str = "EPS", config: str = "SD15", settings: dict = UNET) -> World:
    """A UNet with the layers of Stable Diffusion 1 and 2 (UNET) or SDXL (SDXL)."""
    base = importlib.import_module("comfy.model_base")
    found = getattr(importlib.import_module("comfy.supported_models"), config)(dict(settings))
    classes = {"SDXL": base.SDXL}
    inner = classes.get(config, base.BaseModel)(found, base.ModelType[kind])
    randomised(inner.diffusion_model)
    return World(patcher(inner), 4, settings["context_dim"], pooled=1280 if config == "SDXL" else None)


def controlnet(width: int = 16, seed: int = 9) -> Any:
    """A ControlNet for the UNet, as its loader gives it."""
    cldm = importlib.import_module("comfy.cldm.cldm")
    settings = {key: value for key, value in UNET.items() if key not in ("out_channels", "legacy")}
    del settings["transformer_depth_output"]
    network = randomised(
        cldm.ControlNet(
            **{**settings, "context_dim": width}, hint_channels=3,
            operations=importlib.import_module("comfy.ops").disable_weight_init,
        ),
        seed,
    )  # fmt: skip
    network.dtype = torch.float32
    module = importlib.import_module("comfy.controlnet")
    return module.ControlNet(network, load_device=torch.device("cpu"))


JOINT: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "Flux": (
        "Flux",
        {
            "image_model": "flux", "in_channels": 16, "out_channels": 16, "vec_in_dim": 8,
            "context_in_dim": 16,
            "hidden_size": 64, "mlp_ratio": 2.0, "num_heads": 2, "depth": 2, "depth_single_blocks": 3,
            "axes_dim": [8, 12, 12], "theta": 10000, "patch_size": 2, "qkv_bias": True,
            "guidance_embed": True, "txt_ids_dims": [],
        },
        {"pooled": 8},
    ),
    "Qwen-Image": (
        "QwenImage",
        {
            "image_model": "qwen_image", "in_channels": 64, "out_channels": 16, "num_layers": 3,
            "attention_head_dim": 32, "num_attention_heads": 2, "joint_attention_dim": 16,
            "axes_dims_rope": (8, 12, 12),
        },
        {"size": (1, 16, 16)},
    ),
    "Z-Image": (
        "Lumina2",
        {
            "image_model": "lumina2", "patch_size": 2, "in_channels": 16, "dim": 256, "n_layers": 3,
            "n_heads": 8, "n_kv_heads": 4, "n_refiner_layers": 2, "multiple_of": 32, "cap_feat_dim": 16,
            "qk_norm": True, "axes_dims": [8, 12, 12], "axes_lens": [300, 512, 512], "rope_theta": 256.0,
            "time_scale": 1000.0,
            "z_image_modulation": True, "pad_tokens_multiple": 32, "ffn_dim_multiplier": 1.0,
        },
        {},
    ),
    "SD3": (
        "SD3",
        {
            "in_channels": 16, "patch_size": 2, "depth": 2, "input_size": None, "adm_in_channels": 8,
            "context_embedder_config": {
                "target": "torch.nn.Linear", "params": {"in_features": 16, "out_features": 128},
            },
            "pos_embed_max_size": 32, "num_patches": 1024, "qk_norm": "rms", "x_block_self_attn_layers": [0],
        },
        {"pooled": 8},
    ),
}  # fmt: skip


# What says how wide a conditioning is.
WORDS = ("context_in_dim", "joint_attention_dim", "cap_feat_dim")


def joint(name: str, words: int = 16) -> World:
    """One of the transformers that join words and picture, with conditionings of a width."""
    config, settings, more = JOINT[name]
    settings = {key: words if key in WORDS else value for key, value in settings.items()}
    if "context_embedder_config" in settings:
        sizes = {"in_features": words, "out_features": 128}
        settings["context_embedder_config"] = {**settings["context_embedder_config"], "params": sizes}
    found = getattr(importlib.import_module("comfy.supported_models"), config)(dict(settings))
    found.unet_config["dtype"] = torch.float32
    inner = found.get_model({})
    randomised(inner.diffusion_model)
    return World(patcher(inner), 16, words, **{"size": (16, 16), **more})
