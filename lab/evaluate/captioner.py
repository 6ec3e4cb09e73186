"""The demo captioner, and how likely a picture makes a text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ..toy.models import captioner, folder_of_captioner, parts
from ..train import captioner as train


@torch.inference_mode()
def likelihood(network: nn.Module, images: list[np.ndarray], texts: list[str]) -> list[float]:
    """The mean log-probability of the words of each picture's text, H,W,3 uint8 and words of the world."""
    words, found = train.Words(), []
    for image, text in zip(images, texts, strict=True):
        ids = words.of(text)
        seen = network.vision_model(
            pixel_values=torch.from_numpy(folder_of_captioner.normalised(image))[None]
        )
        scores = captioner.word_scores(network, seen[0], torch.tensor([[train.START, *ids]]), words.known)[0]
        said = torch.tensor([words.place[word] for word in [*ids, train.END]])
        found.append(-float(functional.cross_entropy(scores, said)))
    return found


def load(folder: Path) -> nn.Module:
    """The captioner with the weights of a folder; RuntimeError when they are missing or damaged."""
    network = captioner.captioner().eval()
    parts.load(network, folder, "captioner")
    return network
