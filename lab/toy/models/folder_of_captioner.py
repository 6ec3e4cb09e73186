"""The captioner's folder in the Hugging Face layout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.torch import save
from torch import Tensor

from . import captioner, parts, vocabulary

WORDS = Path(__file__).with_name("words.txt")
MEAN = [0.48145466, 0.4578275, 0.40821073]
DEVIATION = [0.26862954, 0.26130258, 0.27577711]


def words() -> list[str]:
    """The world's words in the order the captioner learned them."""
    return WORDS.read_text().split()


def normalised(image: np.ndarray) -> np.ndarray:
    """A picture H,W,3 uint8 as BLIP's preprocessing leaves it, 3,120,120."""
    size = (captioner.IMAGE_SIZE, captioner.IMAGE_SIZE)
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC), np.float32) / 255
    mean, deviation = np.array(MEAN), np.array(DEVIATION)
    return ((small - mean) / deviation).transpose(2, 0, 1).astype(np.float32)


def preprocessor() -> dict[str, object]:
    """preprocessor_config.json's content."""
    size = {"height": captioner.IMAGE_SIZE, "width": captioner.IMAGE_SIZE}
    return {
        "image_processor_type": "BlipImageProcessor",
        "processor_class": "BlipProcessor",
        "do_resize": True,
        "size": size,
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": MEAN,
        "image_std": DEVIATION,
        "do_convert_rgb": True,
    }


def tokenizer() -> dict[str, object]:
    """tokenizer_config.json's content."""
    added = {
        str(index): {
            "content": name,
            "special": True,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "single_word": False,
        }
        for index, name in vocabulary.SPECIAL.items()
    }
    return {
        "tokenizer_class": "BertTokenizer",
        "processor_class": "BlipProcessor",
        "do_lower_case": True,
        "model_max_length": 512,
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "mask_token": "[MASK]",
        "additional_special_tokens": ["[DEC]", "[ENC]"],
        "added_tokens_decoder": added,
        "model_input_names": ["input_ids", "attention_mask"],
    }


def files() -> dict[str, str]:
    """The text files by name."""
    generation = {"bos_token_id": 30522, "eos_token_id": 2, "pad_token_id": 0, "_from_model_config": True}
    described = {
        "config.json": captioner.config(),
        "preprocessor_config.json": preprocessor(),
        "tokenizer_config.json": tokenizer(),
        "generation_config.json": generation,
    }
    texts = {name: json.dumps(content, indent=2) + "\n" for name, content in described.items()}
    return texts | {"vocab.txt": "\n".join(vocabulary.lines(words())) + "\n"}


def whole(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The captioner's weights, shared ones twice; fp32, as transformers 5 computes in the file's type."""
    shared = {
        f"{parts.BLIP_HEAD}decoder.weight": weights["text_decoder.bert.embeddings.word_embeddings.weight"],
        f"{parts.BLIP_HEAD}decoder.bias": weights[f"{parts.BLIP_HEAD}bias"],
    }
    return {key: value.float().clone() for key, value in (weights | shared).items()}


def with_weights(weights: Mapping[str, Tensor]) -> dict[str, bytes]:
    """All files by name."""
    texts = {name: content.encode() for name, content in files().items()}
    return texts | {"model.safetensors": save(whole(weights), {"format": "pt"})}
