"""Small exemplar models with random weights, as diffusers' own pipeline saves them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

WORD, WIDTH, SIDE, HEADS = 16, 32, 32, 2
LEVELS = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
NAME = "tiny_exemplar"


@dataclass
class Published:
    """diffusers' pipeline and the folder that it was saved to."""

    pipe: Any
    folder: Path
    module: ModuleType


def randomised(network: nn.Module, seed: int) -> nn.Module:
    """Weights that let every part count: some of them are zero at first."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        values = torch.randn(parameter.shape, generator=generator)
        scale = 0.7 * parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.1
        parameter.data.copy_(values * scale + (parameter.ndim == 1 and name.endswith("weight")))
    return network.eval().requires_grad_(False)


def encoder(module: ModuleType) -> Any:
    transformers = importlib.import_module("transformers")
    config = transformers.CLIPVisionConfig(
        hidden_size=WIDTH, num_hidden_layers=9, num_attention_heads=4, intermediate_size=64, image_size=SIDE,
        patch_size=8, projection_dim=WORD,
    )  # fmt: skip
    return module.PaintByExampleImageEncoder(config, proj_size=WORD)


def pipeline(diffusers: ModuleType, channels: int = 9) -> tuple[Any, ModuleType]:
    module = importlib.import_module(
        "diffusers.pipelines.deprecated.paint_by_example.pipeline_paint_by_example"
    )
    unet = diffusers.UNet2DConditionModel(
        sample_size=16, in_channels=channels, block_out_channels=(32, 64, 64, 64), cross_attention_dim=WORD,
        attention_head_dim=HEADS, down_block_types=LEVELS,
        up_block_types=[each.replace("Down", "Up") for each in reversed(LEVELS)],
    )  # fmt: skip
    vae = diffusers.AutoencoderKL(
        block_out_channels=(32, 32, 64, 64), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, layers_per_block=2,
    )  # fmt: skip
    schedule = diffusers.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
        set_alpha_to_one=True, steps_offset=1,
    )  # fmt: skip
    transformers = importlib.import_module("transformers")
    size = {"height": SIDE, "width": SIDE}
    extractor = transformers.CLIPImageProcessor(size=size, crop_size=size)
    parts = [randomised(each, seed) for seed, each in enumerate((vae, encoder(module), unet))]
    pipe = module.PaintByExamplePipeline(
        vae=parts[0], image_encoder=parts[1], unet=parts[2], scheduler=schedule, safety_checker=None,
        feature_extractor=extractor,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe, module


@pytest.fixture(scope="module")
def published(comfy: ModuleType, diffusers: ModuleType, models: Path) -> Published:
    pipe, module = pipeline(diffusers)
    folder = models / "diffusers" / NAME
    pipe.save_pretrained(folder)
    return Published(pipe, folder, module)


@pytest.fixture(scope="module")
def models(comfy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """ComfyUI's models folder, empty."""
    paths = importlib.import_module("folder_paths")
    folder = tmp_path_factory.mktemp("models")
    names = ("checkpoints", "diffusers", "clip_vision", "exemplar")
    before = {name: paths.folder_names_and_paths.get(name) for name in names}
    root = paths.models_dir
    paths.models_dir = str(folder)
    for name in names:
        (folder / name).mkdir()
        extensions = ["folder"] if name == "diffusers" else set(paths.supported_pt_extensions)
        paths.folder_names_and_paths[name] = ([str(folder / name)], extensions)
    yield folder
    paths.models_dir = root
    for name, value in before.items():
        if value is None:
            del paths.folder_names_and_paths[name]
        else:
            paths.folder_names_and_paths[name] = value


def old_layout(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The image encoder's weights as transformers 4 names them."""
    parts = ("embeddings", "encoder", "pre_layrnorm", "post_layernorm")
    for part in parts:
        weights = {
            name.replace(f"model.{part}.", f"model.vision_model.{part}.", 1)
            if name.startswith(f"model.{part}.")
            else name: value
            for name, value in weights.items()
        }
    return weights


def original(published: Published) -> dict[str, Tensor]:
    """The same weights as the authors' checkpoint has them."""
    found: dict[str, Tensor] = {}
    files = importlib.import_module("recompose.bridge.exemplar.diffusers_unet")
    unet = files.renamed(load_file(published.folder / "unet" / "diffusion_pytorch_model.safetensors"), "")
    found |= {f"model.diffusion_model.{name}": value for name, value in unet.items()}
    convert = importlib.import_module("comfy.diffusers_convert").convert_vae_state_dict
    vae = convert(load_file(published.folder / "vae" / "diffusion_pytorch_model.safetensors"))
    found |= {f"first_stage_model.{name}": value for name, value in vae.items()}
    held = published.pipe.image_encoder.state_dict()
    for name, value in old_layout(held).items():
        if name.startswith("model.vision_model."):
            found[f"cond_stage_model.transformer.{name.removeprefix('model.')}"] = value
    found["cond_stage_model.transformer.vision_model.embeddings.position_ids"] = torch.arange(17)[None]
    for number in range(2):
        theirs, ours = f"mapper.blocks.{number}", f"cond_stage_model.mapper.resblocks.{number}"
        for kind in ("weight", "bias"):
            fused = [held[f"{theirs}.attn1.to_{part}.{kind}"] for part in "qkv"]
            found[f"{ours}.attn.c_qkv.{kind}"] = torch.cat(fused)
            for a, b in (
                ("ln_1", "norm1"), ("ln_2", "norm3"), ("attn.c_proj", "attn1.to_out.0"),
                ("mlp.c_fc", "ff.net.0.proj"), ("mlp.c_proj", "ff.net.2"),
            ):  # fmt: skip
                found[f"{ours}.{a}.{kind}"] = held[f"{theirs}.{b}.{kind}"]
    for kind in ("weight", "bias"):
        found[f"cond_stage_model.final_ln.{kind}"] = held[f"final_layer_norm.{kind}"]
        found[f"proj_out.{kind}"] = held[f"proj_out.{kind}"]
    found["learnable_vector"] = held["uncond_vector"]
    return {name: value.contiguous() for name, value in found.items()}


STATED = {"recompose.exemplar": f'{{"heads": {HEADS}, "tower_heads": 4}}'}


def layouts_of(published: Published) -> dict[str, str]:
    """The same model in every layout, by what Load Exemplar Model calls it."""
    root = published.folder.parents[1]
    old = root / "exemplar" / "old"
    if not old.exists():
        importlib.import_module("shutil").copytree(published.folder, old)
        file = old / "image_encoder" / "model.safetensors"
        save_file(old_layout(load_file(file)), file)
        save_file(original(published), root / "checkpoints" / "original.safetensors", STATED)
    return {"transformers 5": NAME, "transformers 4": "old", "original": "original.safetensors"}


@pytest.fixture(scope="module")
def load(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.exemplar.load")


@pytest.fixture(scope="module")
def conditioning(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.exemplar.condition")
