"""Files of exemplar models: those to choose from, and what they hold."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import comfy.clip_vision
import folder_paths
import safetensors
from torch import Tensor

from ...core.exemplar import names
from ...core.exemplar.kinds import what_is
from ..choices import CLIP_VISION, EXEMPLARS, INDEX, NO_FILE, exemplar_roots
from ..inputs import shown
from ..models import folders, weights
from . import diffusers_unet

WHO = "Load Exemplar Model"
FAMILY = "an exemplar model (Paint by Example)"
FOLDERS = ("unet", "vae", "image_encoder")
FILE_NAMES = tuple(
    f"{stem}{half}{ending}"
    for ending in (".safetensors", ".bin")
    for half in ("", ".fp16")
    for stem in ("diffusion_pytorch_model", "model", "pytorch_model")
)
OPENAI = "visual.transformer.resblocks.0.attn.in_proj_weight"
STORED = "recompose.exemplar"  # metadata of our own files


@dataclass(frozen=True)
class Parts:
    """The weights of an exemplar model by their part, and what their names and shapes do not say: the heads
    of attention in the UNet and in the tower, and whether the UNet predicts velocity."""

    unet: Mapping[str, Tensor]
    vae: Mapping[str, Tensor]
    tower: Mapping[str, Tensor]
    head: Mapping[str, Tensor]
    stated: Mapping[str, Any] = field(default_factory=dict)

    def with_tower(self, tower: Mapping[str, Tensor]) -> Parts:
        """The same with another vision tower."""
        return Parts(self.unet, self.vae, tower, self.head, self.stated)


def found(name: str | None) -> Path | None:
    """The file, or the folder in diffusers' layout, of that name in the first place that has it."""
    for root in exemplar_roots():
        path = root / (name or "")
        # Of a name that no file can have, too long for one or with a zero, pathlib raises.
        with contextlib.suppress(OSError, ValueError):
            inside = path.resolve().is_relative_to(root.resolve())
            if inside and (path.is_file() or (path / INDEX).is_file()):
                return path
    return None


def vision_path(name: str | None) -> Path | None:
    """The CLIP vision file of that name; None for "none" and where there is none."""
    if not name or name == NO_FILE:
        return None
    path = folder_paths.get_full_path(CLIP_VISION, name)
    return Path(path) if path else None


def problem(name: str | None, vision: str | None = None) -> str | None:
    """One sentence on why the files cannot be used, or None; names that are not known yet have no problem."""
    if name is not None and not found(name):
        return (
            f"{WHO}: neither models/checkpoints nor models/{EXEMPLARS} nor models/diffusers has "
            f"{shown(name)}; put the model there and choose it."
        )
    if vision not in (None, NO_FILE) and not vision_path(vision):
        return f"{WHO}: models/{CLIP_VISION} has no file {shown(vision)}; put it there and choose it."
    return None


def fingerprint(name: str | None, vision: str | None = None) -> list[tuple[str, int, int]]:
    """Name, size and time of the files that a model is read from."""
    path = found(name)
    some = sorted(path.rglob("*")) if path and path.is_dir() else [path]
    return folders.stamps([*(each for each in some if each and each.is_file()), vision_path(vision)])


def load(name: str, vision: str | None = None) -> Parts:
    """The parts of a model; ValueError, one sentence, for anything else."""
    if trouble := problem(name, vision):
        raise ValueError(trouble)
    path = found(name)
    assert path is not None
    parts = of_folder(path) if path.is_dir() else of_checkpoint(path)
    other = vision_path(vision)
    if other is not None:
        parts = parts.with_tower(tower_of(other))
    if not parts.tower:
        raise ValueError(
            f"{WHO}: {name} has no vision tower; choose a CLIP ViT-L vision file of models/{CLIP_VISION} in "
            "vision."
        )
    if not parts.vae:
        raise ValueError(f"{WHO}: {name} has no autoencoder (VAE); take the whole model.")
    return parts


def of_checkpoint(path: Path) -> Parts:
    """The parts of a checkpoint of one file; ValueError by a sentence that says what another file is."""
    raw = weights.read(path)
    unet, layout = names.below(raw, names.UNET), names.CHECKPOINT
    head = names.head(raw, layout)
    if not unet or len(head) < 2:
        raise ValueError(
            f"{WHO}: {path.name} is {what_is({name: value.shape for name, value in raw.items()})}; choose "
            f"{FAMILY}."
        )
    check_whole(path.name, names.missing(head, layout))
    return Parts(unet, names.below(raw, names.VAE), names.tower(raw), head, stated_of(path))


def of_folder(path: Path) -> Parts:
    """The parts of a folder in diffusers' layout; ValueError by a sentence for another one's."""
    kind = read_json(path / INDEX).get("_class_name")
    if kind != "PaintByExamplePipeline":
        raise ValueError(
            f"{WHO}: {path.name} is a folder of diffusers' {shown(kind)}; choose {FAMILY} "
            "(PaintByExamplePipeline)."
        )
    raw = {folder: weights.read(weight_file(path / folder)) for folder in FOLDERS}
    head = names.head(raw["image_encoder"], names.DIFFUSERS)
    check_whole(f"{path.name}/image_encoder", names.missing(head, names.DIFFUSERS))
    unet, encoder = (read_json(path / folder / "config.json") for folder in ("unet", "image_encoder"))
    schedule = read_json(path / "scheduler" / "scheduler_config.json")
    stated = {
        "heads": unet.get("num_attention_heads") or unet.get("attention_head_dim"),
        "tower_heads": encoder.get("num_attention_heads"),
        "activation": encoder.get("hidden_act"),
        "velocity": schedule.get("prediction_type") == "v_prediction",
    }
    network = diffusers_unet.renamed(raw["unet"], f"{WHO}: {path.name}/unet")
    return Parts(network, raw["vae"], names.tower(raw["image_encoder"]), head, stated)


def check_whole(name: str, missing: list[str]) -> None:
    """ValueError where weights of the encoder are missing."""
    if missing:
        raise ValueError(
            f"{WHO}: {name} lacks {len(missing)} weights of its image encoder ({missing[0]}, …); take it "
            "from its source again."
        )


def weight_file(folder: Path) -> Path:
    """The file of weights in a folder; ValueError where there is none."""
    path = next((folder / name for name in FILE_NAMES if (folder / name).is_file()), None)
    if path is None:
        raise ValueError(
            f"{WHO}: {folder} has no weights; download {FILE_NAMES[0]} or {FILE_NAMES[1]} into it."
        )
    return path


def tower_of(path: Path) -> dict[str, Tensor]:
    """The vision tower of a CLIP vision file; ValueError by a sentence that says what another file is."""
    raw = weights.read(path)
    if OPENAI in raw:
        raw = comfy.clip_vision.convert_to_transformers(dict(raw), "visual.")
    tower = names.tower(raw)
    if not tower:
        kind = what_is({name: value.shape for name, value in raw.items()})
        raise ValueError(f"{WHO}: {path.name} is {kind}; choose a CLIP ViT-L vision file in vision.")
    return tower


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, {} where there is no file; ValueError for anything else."""
    if not path.is_file():
        return {}
    try:
        return json_of(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{WHO}: {path} is not a JSON file; download it again.") from error


def json_of(text: str) -> dict[str, Any]:
    """The object of a JSON text, {} for anything else in it."""
    held = json.loads(text)
    return held if isinstance(held, dict) else {}


def stated_of(path: Path) -> dict[str, Any]:
    """What a .safetensors file of ours says of its networks."""
    if path.suffix != ".safetensors":
        return {}
    with safetensors.safe_open(path, framework="pt") as file, contextlib.suppress(ValueError):
        return json_of((file.metadata() or {}).get(STORED, "{}"))
    return {}
