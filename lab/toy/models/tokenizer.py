"""Prompts as the text encoder takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

PLACES = 77  # of a prompt, its begin and end among them


class Tokenizer:
    """The stock SD 1.x tokenizer, as ComfyUI fills its 77 places."""

    def __init__(self) -> None:
        from comfy.sd1_clip import SDTokenizer

        self._stock = SDTokenizer()
        self.begin, self.end = self._stock.start_token, self._stock.end_token

    def ids(self, text: str) -> list[int]:
        """77 word ids; what does not fit is cut off."""
        return [token for token, _ in self._stock.tokenize_with_weights(text)[0]]


def tokens(texts: Sequence[str], tokenizer: Tokenizer) -> Tensor:
    """Word ids B,77 of B prompts."""
    return torch.from_numpy(np.array([tokenizer.ids(text) for text in texts], np.int64))
