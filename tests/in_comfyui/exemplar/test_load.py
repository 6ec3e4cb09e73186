"""What Load Exemplar Model takes, and what it says of anything else."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.exemplar.conftest import HEADS, STATED, Published, old_layout, original
from safetensors.torch import load_file, save_file
from torch import Tensor

FIRST = "model.diffusion_model.input_blocks.0.0.weight"
TOWER = "cond_stage_model.transformer.vision_model."


@pytest.fixture(scope="module")
def raw(published: Published) -> dict[str, Tensor]:
    return original(published)


@pytest.fixture
def write(models: Path) -> Any:
    """Writes a file into a folder of ComfyUI's models."""

    def written(
        name: str, weights: dict[str, Tensor], stated: Any = STATED, folder: str = "checkpoints"
    ) -> str:
        save_file({key: value.contiguous() for key, value in weights.items()}, models / folder / name, stated)
        return name

    return written


def prediction(model: Any, channels: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    x, words = torch.randn(1, 4, 8, 8, generator=generator), torch.randn(1, 1, 16, generator=generator)
    concat = torch.randn(1, 5, 8, 8, generator=generator)
    more = concat.new_full((1, channels - 5, 8, 8), -1.0)
    sigma = model.get_model_object("model_sampling").sigmas[[300]]
    with torch.inference_mode():
        return model.model.apply_model(x, sigma, c_concat=torch.cat([concat, more], 1), c_crossattn=words)


def test_a_sketch_without_weight_changes_nothing(load: ModuleType, raw: dict, write: Any) -> None:
    wide = torch.cat([raw[FIRST], torch.zeros(32, 3, 3, 3)], 1)
    plain, _, _ = load.load_exemplar(write("nine.safetensors", raw))
    model, _, _ = load.load_exemplar(write("twelve.safetensors", {**raw, FIRST: wide}))
    assert torch.equal(prediction(model, 8), prediction(plain))
    latent = torch.randn(2, 4, 8, 8)
    given = {
        "noise": latent,
        "device": "cpu",
        "concat_latent_image": latent,
        "concat_mask": torch.ones(1, 1, 8, 8),
    }
    found = model.model.concat_cond(**given)
    assert found.shape == (2, 8, 8, 8)
    assert torch.equal(found[:, :5], plain.model.concat_cond(**given)) and bool((found[:, 5:] == -1).all())


def test_a_plain_vision_file_takes_the_place_of_a_missing_tower(
    load: ModuleType, raw: dict, write: Any, published: Published
) -> None:
    blind = {name: value for name, value in raw.items() if not name.startswith(TOWER)}
    name = write("blind.safetensors", blind)
    with pytest.raises(
        ValueError, match=r"blind\.safetensors has no vision tower; choose a CLIP ViT-L vision file"
    ):
        load.load_exemplar(name)
    tower = {f"vision_model.{k.removeprefix(TOWER)}": v for k, v in raw.items() if k.startswith(TOWER)}
    tower |= {"visual_projection.weight": torch.ones(16, 32)}
    _, _, encoder = load.load_exemplar(name, write("clip.safetensors", tower, None, "clip_vision"))
    seen = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(encoder.encode(seen), published.pipe.image_encoder(seen), atol=1e-5)


def test_a_pickled_checkpoint_is_read(load: ModuleType, raw: dict, models: Path) -> None:
    torch.save({"state_dict": raw, "global_step": 5}, models / "checkpoints" / "model.ckpt")
    model, _, _ = load.load_exemplar("model.ckpt")
    # A file that says nothing of its heads has Stable Diffusion's eight.
    assert model.model.model_config.unet_config["num_heads"] == 8


def test_a_folder_says_what_is_predicted(load: ModuleType, published: Published, models: Path) -> None:
    copied = models / "exemplar" / "velocity"
    importlib.import_module("shutil").copytree(published.folder, copied)
    path = copied / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "prediction_type": "v_prediction"}))
    model, _, _ = load.load_exemplar("velocity")
    assert model.model.model_type.name == "V_PREDICTION"
    assert model.model.model_config.unet_config["num_heads"] == HEADS


def test_the_files_are_offered_by_name(published: Published, raw: dict, write: Any, models: Path) -> None:
    choices = importlib.import_module("recompose.bridge.choices")
    write("offered.safetensors", raw)
    write("own.safetensors", raw, folder="exemplar")
    found = choices.exemplar_models()
    assert {"offered.safetensors", "own.safetensors", published.folder.name} <= set(found)
    assert not any("image_encoder" in name or "unet" in name for name in found)


def without(raw: dict[str, Tensor], sign: str) -> dict[str, Tensor]:
    return {name: value for name, value in raw.items() if sign not in name}


def bad(raw: dict[str, Tensor]) -> dict[str, tuple[dict[str, Tensor], str]]:
    """Weights that are no exemplar model, and the sentence on each."""
    narrow = {FIRST: raw[FIRST][:, :4]}
    plain = {name: value for name, value in raw.items() if name.startswith(("model.", "first_stage"))}
    word = {
        "proj_out.weight": torch.ones(24, 32),
        "proj_out.bias": torch.ones(24),
        "learnable_vector": torch.ones(1, 1, 24),
    }
    family = "a text-to-image model of a family with 16 numbers a word with 4 input channels"
    return {
        "plain": ({**plain, **narrow}, f"is {family} and no image encoder; choose an exemplar model"),
        "four": ({**raw, **narrow}, "has 4 input channels, and an exemplar model has 9, or 12"),
        "vae": (without(raw, "first_stage_model"), "has no autoencoder (VAE); take the whole model"),
        "null": (without(raw, "learnable_vector"), "lacks 1 weights of its image encoder (learnable_"),
        "layer": (without(raw, "layers.3.mlp.fc1.bias"), "the vision tower of layer.safetensors lacks 1 "),
        "block": (without(raw, "middle_block.0.out_layers.3.bias"), "lacks 1 weights of its network"),
        "lora": ({"a.lora_up.weight": torch.ones(2, 2)}, "is a LoRA; choose an exemplar model"),
        "word": ({**raw, **word}, "takes words of 16 numbers (no known kind) and its image encoder gives 24"),
    }


KINDS = ("plain", "four", "vae", "null", "layer", "block", "lora", "word")


@pytest.mark.parametrize("kind", KINDS)
def test_anything_else_is_told_in_one_sentence(load: ModuleType, raw: dict, write: Any, kind: str) -> None:
    weights, words = bad(raw)[kind]
    with pytest.raises(ValueError, match=re.escape(words)) as raised:
        load.load_exemplar(write(f"{kind}.safetensors", weights))
    assert str(raised.value).startswith("Load Exemplar Model: ") and "\n" not in str(raised.value)


def test_another_tower_and_missing_files_are_told(
    load: ModuleType, raw: dict, write: Any, models: Path
) -> None:
    name = write("whole.safetensors", raw)
    wide = {"vision_model.embeddings.class_embedding": torch.ones(40),
            "vision_model.embeddings.patch_embedding.weight": torch.ones(40, 3, 8, 8)}  # fmt: skip
    with pytest.raises(ValueError, match="is 40 wide and its encoder needs 32"):
        load.load_exemplar(name, write("wide.safetensors", wide, None, "clip_vision"))
    other = write("vae.safetensors", {"decoder.conv_in.weight": torch.ones(4, 4, 3, 3)}, None, "clip_vision")
    with pytest.raises(ValueError, match=r"vae\.safetensors is an autoencoder \(VAE\); choose a CLIP ViT-L"):
        load.load_exemplar(name, other)
    with pytest.raises(
        ValueError, match="neither models/checkpoints nor models/exemplar nor models/diffusers has"
    ):
        load.load_exemplar("none.safetensors")
    with pytest.raises(ValueError, match=r"models/clip_vision has no file 'none\.safetensors'"):
        load.load_exemplar(name, "none.safetensors")
    (models / "checkpoints" / "text.safetensors").write_text("no weights")
    with pytest.raises(ValueError, match="is damaged or holds no model weights"):
        load.load_exemplar("text.safetensors")


def test_folders_of_others_and_damaged_ones_are_told(
    load: ModuleType, published: Published, models: Path
) -> None:
    copy = importlib.import_module("shutil").copytree
    for name in ("inpaint", "headless"):
        copy(published.folder, models / "exemplar" / name)
    index = models / "exemplar" / "inpaint" / "model_index.json"
    index.write_text(json.dumps({"_class_name": "StableDiffusionInpaintPipeline"}))
    with pytest.raises(
        ValueError, match="is a folder of diffusers' 'StableDiffusionInpaintPipeline'; choose an"
    ):
        load.load_exemplar("inpaint")
    file = models / "exemplar" / "headless" / "image_encoder" / "model.safetensors"
    save_file(without(old_layout(load_file(file)), "uncond_vector"), file)
    with pytest.raises(
        ValueError, match=r"headless/image_encoder lacks 1 weights of its image encoder \(uncond"
    ):
        load.load_exemplar("headless")
    file.unlink()
    with pytest.raises(ValueError, match=r"has no weights; download diffusion_pytorch_model\.safetensors or"):
        load.load_exemplar("headless")
    index.write_text("{")
    with pytest.raises(ValueError, match="is not a JSON file; download it again"):
        load.load_exemplar("inpaint")
