"""The networks that look at pictures: Inception, CLIP and AlexNet from local files, and our evaluator."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ....cli.ending import Failure, Misuse
from ....cli.words import line
from ...toy.models import parts
from .. import evaluator
from .store import content
from .weights import Weights

INCEPTION_SIDE = 299
LEAST_SIDE = 64  # px of a picture's shorter side below which AlexNet's maps have no cell left


class Extractor(Protocol):
    """Turns pictures into the features that two sets of pictures are compared by."""

    name: str
    version: list[str]

    def features(self, image: np.ndarray) -> np.ndarray:
        """The features D (float32) of a picture H,W,3 uint8."""
        ...


class Inception:
    """Inception-v3 as FID is defined on: the 2048 features of its last pooling (Heusel et al. 2017)."""

    name = "Inception"

    def __init__(self, weights: Weights, device: torch.device) -> None:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        try:
            # It unpickles whatever the file holds: only one whose checksum is right comes here.
            network = FeatureExtractorInceptionV3("inception", ["2048"], str(weights.path))
        except (RuntimeError, OSError, ValueError) as error:
            raise unfit(weights, error) from error
        self.network, self.device = network.to(device), device
        self.version = ["Inception", weights.sha256]

    @torch.inference_mode()
    def features(self, image: np.ndarray) -> np.ndarray:
        whole = torch.from_numpy(resized(image)).permute(2, 0, 1)[None].to(self.device)
        return self.network(whole)[0][0].cpu().numpy()


def resized(image: np.ndarray) -> np.ndarray:
    """The picture at 299 × 299 by a bicubic filter as wide as the reduction (Parmar et al. 2022)."""
    if image.shape[:2] == (INCEPTION_SIDE, INCEPTION_SIDE):
        return image
    sides = (INCEPTION_SIDE, INCEPTION_SIDE)
    planes = [
        np.asarray(
            Image.fromarray(image[..., each].astype(np.float32)).resize(sides, Image.Resampling.BICUBIC)
        )
        for each in range(3)
    ]
    return np.stack(planes, -1).round().clip(0, 255).astype(np.uint8)


class Evaluator:
    """The features of the network that evaluates the drawn world's pictures. They make no FID."""

    name = "evaluator"

    def __init__(self, folder: Path = parts.FOLDER) -> None:
        try:
            self.network = evaluator.Evaluator.load(folder)
            self.version = ["evaluator", content(parts.existing(folder, "evaluator"))]
        except RuntimeError as error:
            raise Failure(str(error)) from error

    def features(self, image: np.ndarray) -> np.ndarray:
        return self.network.features([image])[0]


class Perceptual:
    """LPIPS 0.1 on AlexNet (Zhang et al. 2018), by torchmetrics, which brings its linear layers."""

    def __init__(self, weights: Weights, device: torch.device) -> None:
        from torchmetrics.functional.image import lpips

        # The class that loads its backbone from a file of ours; the public one downloads it.
        network = lpips._LPIPS(net="alex", pnet_rand=True)
        try:
            known = torch.load(weights.path, map_location="cpu", weights_only=True)
            # torchvision counts the layers through; here each lies in one of five slices under its number.
            own = {name: known[f"features.{name.partition('.')[2]}"] for name in network.net.state_dict()}
            network.net.load_state_dict(own)
        except Exception as error:  # pickle's own errors are of many kinds
            raise unfit(weights, error) from error
        self.network, self.device = network.to(device), device
        self.version = ["LPIPS", weights.sha256]

    @torch.inference_mode()
    def distance(self, first: np.ndarray, second: np.ndarray) -> float | None:
        """The distance of two pictures H,W,3 uint8 of one size; None below 64 px."""
        if min(first.shape[:2]) < LEAST_SIDE:
            return None
        a, b = (
            torch.from_numpy(each.copy()).permute(2, 0, 1)[None].to(self.device) for each in (first, second)
        )
        return float(self.network(a.float() / 127.5 - 1, b.float() / 127.5 - 1))


class Clip:
    """CLIP (Radford et al. 2021) by transformers, from a folder."""

    def __init__(self, weights: Weights, device: torch.device) -> None:
        from transformers import CLIPModel, CLIPProcessor
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            self.network = CLIPModel.from_pretrained(weights.path, local_files_only=True).eval().to(device)
            self.processor = CLIPProcessor.from_pretrained(weights.path, local_files_only=True)
        except Exception as error:  # transformers raises errors of many kinds for files that do not fit
            raise unfit(weights, error) from error
        self.device, self.name = device, weights.name
        self.version = ["CLIP", weights.sha256]

    @torch.inference_mode()
    def score(self, image: np.ndarray, caption: str) -> float:
        """100 max(cos, 0) of a picture H,W,3 uint8 and a caption, which is cut after CLIP's 77 tokens."""
        inputs = self.processor(
            text=[caption], images=Image.fromarray(image), return_tensors="pt", padding=True, truncation=True
        ).to(self.device)
        found = self.network(**inputs)
        return 100 * max(cosine(found.image_embeds, found.text_embeds), 0.0)


def cosine(first: Tensor, second: Tensor) -> float:
    return float(functional.cosine_similarity(first, second))


def unfit(weights: Weights, error: Exception) -> Misuse:
    """The sentence on a file that holds another network."""
    return Misuse(
        f"Expected the weights of {weights.name} in {line(weights.path)}, got: {line(str(error), 200)}; "
        "download them again."
    )
