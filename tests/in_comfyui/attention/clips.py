"""CLIPs of ComfyUI's own classes, tokenizers and all, whose encoders are tables of random states."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

# The module and class of a model's tokenizer and of what joins the states of its encoders.
KINDS = {
    "SD3": ("sd3_clip", "SD3Tokenizer", "SD3ClipModel", ("clip_l", "clip_g", "t5xxl")),
    "Flux": ("flux", "FluxTokenizer", "FluxClipModel", ("clip_l", "t5xxl")),
    "Qwen-Image": ("qwen_image", "QwenImageTokenizer", "QwenImageTEModel", ("qwen25_7b",)),
    "Z-Image": ("z_image", "ZImageTokenizer", "ZImageTEModel", ("qwen3_4b",)),
}


class Table(nn.Module):
    """An encoder: a state for each token, the same wherever it is; a picture has as many as it has rows."""

    def __init__(self, width: int, seed: int, has_mask: bool) -> None:
        super().__init__()
        self.width, self.seed, self.has_mask, self.states = width, seed, has_mask, dict[int, Tensor]()

    def encode_token_weights(self, chunks: Any) -> tuple[Any, ...]:
        found = torch.cat([self.state(each[0]) for chunk in chunks for each in chunk])[None]
        extra = ({"attention_mask": torch.ones(found.shape[:2])},) if self.has_mask else ()
        return found, found[:, 0], *extra

    def state(self, token: Any) -> Tensor:
        if isinstance(token, dict):
            return torch.full((token["data"].shape[1], self.width), 0.5)
        if token not in self.states:
            generator = torch.Generator().manual_seed(1000000 * self.seed + token)
            self.states[token] = torch.randn(1, self.width, generator=generator)
        return self.states[token]


class Clip:
    """A CLIP as its loader gives it; `without` encoders that were not loaded."""

    def __init__(self, kind: str, width: int, without: tuple[str, ...] = ()) -> None:
        module, tokenizer, model, names = KINDS[kind]
        found = importlib.import_module(f"comfy.text_encoders.{module}")
        self.tokenizer = getattr(found, tokenizer)()
        cls = getattr(found, model)
        self.cond_stage_model = cls.__new__(cls)
        nn.Module.__init__(self.cond_stage_model)
        self.cond_stage_model.t5_attention_mask = False
        self.cond_stage_model.clip = self.cond_stage_model.clip_name = names[0]
        for seed, name in enumerate(names):
            table = None if name in without else Table(self.width_of(name, width), seed, len(names) == 1)
            setattr(self.cond_stage_model, name, table)

    @staticmethod
    def width_of(name: str, width: int) -> int:
        """ComfyUI joins SD3's two CLIPs on channels and widens them to those of T5."""
        return {"clip_l": 768, "clip_g": 1280}.get(name, width)

    def tokenize(self, text: str, **more: Any) -> Any:
        return self.tokenizer.tokenize_with_weights(text, **more)

    def encode_from_tokens_scheduled(self, tokens: Any) -> list:
        found = self.cond_stage_model.encode_token_weights(tokens)
        return [[found[0], {"pooled_output": torch.zeros(1, 8)}]]

    def spelled(self, states: Tensor) -> str:
        """The text of the tokens that have some states (columns, width) of a conditioning."""
        found: dict[str, list[int]] = {}
        for state in states:
            name, token = next((each for each in self.tokens_of(state)), ("", 0))
            found.setdefault(name, []).append(token)
        assert len(found) == 1, f"states of several encoders: {list(found)}"
        ((name, ids),) = found.items()
        tokenizer = getattr(self.tokenizer, name, None) if name else None
        return tokenizer.tokenizer.decode(ids).strip().lower() if tokenizer is not None else "nothing"

    def tokens_of(self, state: Tensor) -> Iterator[tuple[str, int]]:
        """The encoders and tokens that have a state."""
        for name, table in self.cond_stage_model.named_children():
            first = 768 if name == "clip_g" else 0
            part = state[first : first + table.width]
            for token, each in table.states.items():
                if torch.equal(each[0], part):
                    yield name, token
