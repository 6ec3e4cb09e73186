"""What the nodes' schemas offer: the names of options, models and files.

ComfyUI asks as it starts, so nothing that computes is imported here.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import comfy.samplers
import folder_paths

from .models import folders

NO_FILE = "none"
KEEP, TAKE = "keep my edit", "take the new one"
AUTO, BLAZEPOSE = "auto", "BlazePose"
DWPOSE, OPENPOSE, KEYPOINT_MODEL = "DWPose", "OpenPose", "keypoint model"
LARGEST = "largest"  # of BlazePose's landmarks networks
# Folders under ComfyUI's models/.
BLIP_MODELS, KEYPOINT_MODELS, CONCEPTS = "blip", "keypoint_models", "concepts"
EXEMPLARS, CHECKPOINTS, DIFFUSERS, CLIP_VISION = "exemplar", "checkpoints", "diffusers", "clip_vision"
BRUSHES = "smartbrush"
CHECKPOINT_ENDINGS = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".sft")
INDEX = "model_index.json"  # of a folder in diffusers' layout
CONCEPT_ENDINGS = (".safetensors", ".bin", ".ckpt", ".pt", ".pth")
PUBLISHED_BLIP = "blip-image-captioning-base"
SCHEDULERS = comfy.samplers.SCHEDULER_NAMES
SCHEDULER = "kl_optimal"  # on Gaussian problems closest to the truth, with eps and flow models alike
# How Invert Latent goes up in noise.
O_BELM, FIXED_POINT, MIDPOINT, FIREFLOW, DDIM = "O-BELM", "fixed point", "midpoint", "FireFlow", "DDIM"
PER_ROW, AVERAGED = "one per row", "averaged"  # what Exemplar Conditioning makes of several references
GREY, BLANK = "grey", "blank"  # what is seen in place of a sketch: neither line nor blank, or no line
JUDGES = ("positive", "guided", "blend")  # core.sampling.lagrange.JUDGES
WHITE_LINES, BLACK_LINES = "white on black", "black on white"
# Self Reference: how the part is mirrored, by the axes of a picture; what its object stands on.
FLIPS: dict[str, list[int]] = {"none": [], "horizontal": [-1], "vertical": [-2], "both": [-2, -1]}
AS_PHOTO, ALONE = "photo", "neutral"
INPAINT = "inpaint"  # core.sampling.schedules.inpaint


def pose_files() -> list[str]:
    """ "none" and the .json files in ComfyUI's input folder, without its subfolders.

    ComfyUI asks several times for every prompt, and input folders grow to many thousand files.
    """
    names: list[str] = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder_paths.get_input_directory()) as entries:
        names += (entry.name for entry in entries if entry.name.lower().endswith(".json") and entry.is_file())
    return [NO_FILE, *sorted(names)]


def blip_models() -> list[str]:
    """The folders to choose from, or where there are none the published one's name, to be asked for by it."""
    return list(folders.model_folders(BLIP_MODELS)) or [PUBLISHED_BLIP]


def keypoint_models() -> list[str]:
    """The files by name; where two folders share one the first wins."""
    roots = folders.roots(KEYPOINT_MODELS)
    return sorted({path.name for root in roots for path in root.glob("*.safetensors")})


def concepts() -> list[str]:
    """The files of concepts below models/concepts and below concepts/ of ComfyUI's output folder, by path."""
    return sorted(
        {
            path.relative_to(root).as_posix()
            for root in folders.roots_and_output(CONCEPTS)
            for path in root.rglob("*")
            if path.suffix in CONCEPT_ENDINGS and path.is_file()
        }
    )


def smartbrushes() -> list[str]:
    """The files of SmartBrush below models/smartbrush and below smartbrush/ of ComfyUI's output folder."""
    return sorted(
        {
            path.relative_to(root).as_posix()
            for root in folders.roots_and_output(BRUSHES)
            for path in root.rglob("*.safetensors")
            if path.is_file()
        }
    )


def exemplar_roots() -> list[Path]:
    """The folders of exemplar models: models/exemplar, exemplar/ of ComfyUI's output, and core's own two."""
    named = (*folder_paths.get_folder_paths(CHECKPOINTS), *folder_paths.get_folder_paths(DIFFUSERS))
    return [*folders.roots_and_output(EXEMPLARS), *map(Path, named)]


def exemplar_models() -> list[str]:
    """The checkpoints, and the folders in diffusers' layout, that may be exemplar models, by path."""
    found = set(folder_paths.get_filename_list(CHECKPOINTS))
    for root in exemplar_roots():
        found |= {index.parent.relative_to(root).as_posix() for index in root.glob(f"*/{INDEX}")}
    for root in folders.roots_and_output(EXEMPLARS):
        for path in root.rglob("*"):
            # The files of a folder in diffusers' layout are parts of a model.
            inside = (path.parents[1] / INDEX).is_file()
            if path.suffix in CHECKPOINT_ENDINGS and path.is_file() and not inside:
                found.add(path.relative_to(root).as_posix())
    return sorted(found)


def vision_models() -> list[str]:
    """ "none" and the CLIP vision files."""
    return [NO_FILE, *folder_paths.get_filename_list(CLIP_VISION)]


def require(node: Any, **chosen: object) -> None:
    """Raise ValueError unless each of these dynamic inputs of the node class was given one of its choices.

    For validation, before anything runs; as the node runs, `inputs.checked` sees to it. ComfyUI drops a
    choice that it does not know, and whatever depends on it, without an error.
    """
    schema = node.define_schema()
    for each in schema.inputs:
        if each.id in chosen and chosen[each.id] is None:
            *others, last = (option.key for option in each.options)
            raise ValueError(
                f"{schema.display_name}: expected {each.id} to be {', '.join(others)} or {last}, "
                "got none of these; choose one."
            )
