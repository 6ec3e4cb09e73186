"""The demo captioner: BLIP's own architecture, small, with the published layout of word ids."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .beginning import begin

IMAGE_SIZE = 120
VISION = {
    "hidden_size": 160,
    "intermediate_size": 480,
    "num_hidden_layers": 6,
    "num_attention_heads": 5,
    "image_size": IMAGE_SIZE,
    "patch_size": 10,
    "hidden_act": "gelu",
    "projection_dim": 64,
}
TEXT = {
    "vocab_size": 30524,
    "hidden_size": 64,
    "encoder_hidden_size": 160,
    "intermediate_size": 256,
    "projection_dim": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "bos_token_id": 30522,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "sep_token_id": 102,
    "is_decoder": True,
}
UNSEEN = -20.0  # bias of word ids no caption holds, which training leaves out of its sum


def config() -> dict[str, Any]:
    """config.json's content."""
    return {
        "architectures": ["BlipForConditionalGeneration"],
        "model_type": "blip",
        "projection_dim": 64,
        "image_text_hidden_size": 64,
        "tie_word_embeddings": True,
        "text_config": {"model_type": "blip_text_model", **TEXT},
        "vision_config": {"model_type": "blip_vision_model", **VISION},
    }


def captioner(seed: int = 0) -> nn.Module:
    """A fresh transformers BlipForConditionalGeneration."""
    from transformers import BlipConfig, BlipForConditionalGeneration

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        settings = {
            name: value for name, value in config().items() if name not in ("architectures", "model_type")
        }
        network = BlipForConditionalGeneration(BlipConfig(**settings))
        begin(network)
    with torch.no_grad():
        network.text_decoder.cls.predictions.bias.fill_(UNSEEN)
    return network


def word_scores(network: nn.Module, seen: Tensor, tokens: Tensor, known: Tensor) -> Tensor:
    """Scores B,L,K of the K `known` word ids after each of tokens B,L, given B,N,C from `vision_model`."""
    decoder = network.text_decoder
    states = decoder.bert(
        input_ids=tokens,
        attention_mask=torch.ones_like(tokens),
        encoder_hidden_states=seen,
        encoder_attention_mask=torch.ones(seen.shape[:2], dtype=torch.long, device=seen.device),
        is_decoder=True,
    )[0]
    head = decoder.cls.predictions
    table = decoder.bert.embeddings.word_embeddings.weight
    return head.transform(states) @ table[known].T + head.bias[known]
