"""What a picture is trained to be the answer to: captions as they are, of a crop, or no help at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

BEGINNING = "full body photo of "
# Words the world does not know; what follows them must be what follows no words.
FOREIGN = "cropped, out of frame, extra legs, missing feet, deformed, text, watermark, border, blurry, bad"
WORD_IDS = 49406
LENGTH = 77


class Tokenizer:
    """The stock SD 1.x tokenizer, as ComfyUI fills its 77 places."""

    def __init__(self) -> None:
        from comfy.sd1_clip import SDTokenizer

        self._stock = SDTokenizer()

    def ids(self, text: str) -> list[int]:
        """77 word ids; what does not fit is cut off."""
        return [token for token, _ in self._stock.tokenize_with_weights(text)[0]]


def prompt(entry: dict[str, Any], random: Generator) -> str:
    """One way of asking for a picture: its caption or that of a crop, now and then with a beginning."""
    crops = [caption for _, caption in entry["crops"]]
    text = entry["whole"] if random.random() < 0.6 else crops[random.integers(len(crops))]
    return (BEGINNING if random.random() < 0.5 else "") + text


def helpless(random: Generator) -> str:
    """What says nothing of a picture: no words, or some of the foreign ones."""
    if random.random() >= 0.5:
        return ""
    words = FOREIGN.split(", ")
    return ", ".join(random.permutation(words)[: random.integers(1, len(words) + 1)])


def tokens(texts: list[str], tokenizer: Tokenizer) -> Tensor:
    """Word ids B,77 of B prompts."""
    return torch.from_numpy(np.array([tokenizer.ids(text) for text in texts], np.int64))
