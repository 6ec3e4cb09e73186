"""What the nodes' schemas offer: the names of options, models and files.

ComfyUI asks as it starts, so nothing that computes is imported here.
"""

from __future__ import annotations

from pathlib import Path

import comfy.samplers
import folder_paths

from .models import folders

NO_FILE = "none"
KEEP, TAKE = "keep my edit", "take the new one"
DWPOSE, OPENPOSE, KEYPOINT_MODEL = "DWPose", "OpenPose", "keypoint model"
# Folders under ComfyUI's models/.
BLIP_MODELS, KEYPOINT_MODELS = "blip", "keypoint_networks"
PUBLISHED_BLIP = "blip-image-captioning-base"
SCHEDULERS = comfy.samplers.SCHEDULER_NAMES
SCHEDULER = "kl_optimal"  # on Gaussian problems closest to the truth, with eps and flow models alike
INPAINT = "inpaint"  # even in the 7th root of noise per signal; core.sampling.schedules.karras


def pose_files() -> list[str]:
    """ "none" and every .json file under ComfyUI's input folder, as paths relative to it with forward
    slashes."""
    folder = Path(folder_paths.get_input_directory())
    return [NO_FILE, *sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.json"))]


def blip_models() -> list[str]:
    """The folders to choose from, or where there are none the published one's name, to be asked for by it."""
    return list(folders.model_folders(BLIP_MODELS)) or [PUBLISHED_BLIP]


def keypoint_models() -> list[str]:
    """The files by name; where two folders share one the first wins."""
    roots = folders.roots(KEYPOINT_MODELS)
    return sorted({path.name for root in roots for path in root.glob("*.safetensors")})
