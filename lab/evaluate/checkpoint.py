"""The text-to-image demo models as ComfyUI loads them, in this process."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..setup import models
from ..setup.environment import cache_folder
from ..toy import table


class Checkpoint:
    """MODEL, CLIP and VAE, and the `folder` of all demo models."""

    def __init__(self, weights: Path) -> None:
        importlib.import_module("comfy.utils").set_progress_bar_enabled(False)
        supported = importlib.import_module("comfy.supported_models")
        demo = importlib.import_module("recompose.lab.toy.model_pack.registration").DemoSD15
        if demo not in supported.models:
            supported.models.append(demo)
        self.folder = models.assembled(cache_folder(), weights)
        load = importlib.import_module("comfy.sd").load_checkpoint_guess_config
        self.model, self.clip, self.vae, *_ = load(str(self.folder / table.TEXT_TO_IMAGE))

    def encoded(self, image: np.ndarray) -> Tensor:
        """The latent of a picture H,W,3 uint8."""
        with torch.inference_mode():
            return self.vae.encode(torch.from_numpy(np.array(image))[None].float() / 255)

    def pixels(self, latents: Tensor) -> np.ndarray:
        """Pictures N,H,W,3 uint8 of latents."""
        with torch.inference_mode():
            return (self.vae.decode(latents).clamp(0, 1) * 255).round().byte().numpy()
