"""From a picture to what a captioner sees, and from its word pieces to a clean caption."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

# The published BLIP values, used where a folder's preprocessor_config.json leaves one out.
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
SIZE = 384
SEEDS = 2**64


class Preprocessing(NamedTuple):
    """How a picture becomes the captioner's input: size in pixels, PIL's filter, factor, mean, deviation."""

    height: int = SIZE
    width: int = SIZE
    resample: int = int(Image.Resampling.BICUBIC)
    scale: float = 1 / 255
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD


@dataclass(frozen=True)
class Nucleus:
    """Draw each word among the likeliest with the joint probability `top_p` (Holtzman et al. 2020, §3.1)."""

    top_p: float
    temperature: float
    seed: int


@dataclass(frozen=True)
class Wording:
    """What is asked of the captioner: the beginning, the length in word pieces, how words are chosen."""

    prompt: str
    num_beams: int
    nucleus: Nucleus | None
    min_new_tokens: int
    max_new_tokens: int
    repetition_penalty: float


def preprocessing(config: Mapping[str, Any], image_size: int = SIZE) -> Preprocessing:
    """Read a preprocessor_config.json; ValueError if its size is not the model's `image_size` (pixels)."""
    size = config.get("size", image_size)
    height, width = (size.get("height"), size.get("width")) if isinstance(size, Mapping) else (size, size)
    if (height, width) != (image_size, image_size):
        raise ValueError(
            f"preprocessor_config.json resizes to {width}×{height} but config.json's model takes "
            f"{image_size}×{image_size} pixels; take both files from the same published folder."
        )
    scaled, normal = config.get("do_rescale", True), config.get("do_normalize", True)
    return Preprocessing(
        image_size,
        image_size,
        int(config.get("resample", Image.Resampling.BICUBIC)),
        float(config.get("rescale_factor", 1 / 255)) if scaled else 1.0,
        tuple(config.get("image_mean", MEAN)) if normal else (0.0, 0.0, 0.0),
        tuple(config.get("image_std", STD)) if normal else (1.0, 1.0, 1.0),
    )


def prepare(images: Tensor, how: Preprocessing) -> Tensor:
    """Bring pictures B,C,H,W (0…1, alpha is dropped) to the captioner's B,3,height,width float32.

    The picture is rounded to 8 bits and resized by PIL with antialiasing, without keeping the aspect, as
    BLIP's published processor does; resizing with torch gives other values.
    """
    pixels = images[:, :3].clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    filter_ = Image.Resampling(how.resample)
    resized = [Image.fromarray(picture).resize((how.width, how.height), filter_) for picture in pixels]
    values = np.stack([np.asarray(picture) for picture in resized]).astype(np.float64) * how.scale
    mean, deviation = np.array(how.mean, np.float32), np.array(how.std, np.float32)
    values = (values.astype(np.float32) - mean) / deviation
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))


def normalize_prompt(prompt: str) -> str:
    """The prompt in lower case with single spaces, the form BLIP was trained with."""
    return " ".join(prompt.lower().split())


def wording(
    prompt: str,
    search: Mapping[str, Any],
    min_new_tokens: int,
    max_new_tokens: int,
    repetition_penalty: float,
) -> Wording:
    """Check what a user asks for; `search` is {"search": "beams", "num_beams"} or {"search": "nucleus", …}.

    Lengths count word pieces without the prompt. Raises ValueError when the lengths contradict each other or
    the search is unknown.
    """
    if not 0 <= min_new_tokens <= max_new_tokens or max_new_tokens < 1:
        raise ValueError(
            f"A caption of at least {min_new_tokens} and at most {max_new_tokens} tokens is impossible; "
            "set min_new_tokens to at most max_new_tokens."
        )
    kind = search["search"]
    if kind == "beams":
        beams, nucleus = int(search["num_beams"]), None
    elif kind == "nucleus":
        beams, nucleus = 1, Nucleus(float(search["top_p"]), float(search["temperature"]), int(search["seed"]))
    else:
        raise ValueError(f"The search must be beams or nucleus but is {kind}; choose one of the two.")
    return Wording(
        normalize_prompt(prompt), beams, nucleus, min_new_tokens, max_new_tokens, float(repetition_penalty)
    )


def prompt_layout(prompt: Sequence[int], bos: int, sep: int) -> list[int]:
    """The ids BLIP's generate() expects around the prompt's own: it cuts off the last one."""
    return [bos, *prompt, sep]


def new_ids(ids: Sequence[int], prompt_length: int, sep: int) -> list[int]:
    """What was generated after the first `prompt_length` ids and before the first `sep`."""
    rest = list(ids[prompt_length:])
    return rest[: rest.index(sep)] if sep in rest else rest


def gumbel(count: int, generator: torch.Generator) -> Tensor:
    """`count` standard Gumbel draws (float64); the argmax of logits + draws is a sample of softmax(logits).

    Gumbel 1954; the draws come from the generator's uniform numbers, so they are the same on every device.
    """
    uniform = torch.rand(count, generator=generator, dtype=torch.float64)
    return -torch.log(-torch.log(uniform.clamp_min(torch.finfo(torch.float64).tiny)))


def generators(seed: int, count: int, first: int = 0) -> list[torch.Generator]:
    """One generator per picture (seed + its number), so that no caption depends on the rest of the batch."""
    return [torch.Generator().manual_seed((seed + first + index) % SEEDS) for index in range(count)]


def join_pieces(pieces: Sequence[str]) -> str:
    """Words from BERT's word pieces: "##" continues the word before it."""
    return " ".join(pieces).replace(" ##", "").removeprefix("##")


def tidy(text: str) -> str:
    """A caption as one writes it: single spaces, no space before punctuation or inside t-shirt and man's."""
    text = " ".join(text.split())
    text = re.sub(r"(\w) - (?=\w)", r"\1-", text)
    text = re.sub(r"(\w) ?' ?(?=(?:s|t|re|ve|ll|d|m)\b)", r"\1'", text)
    text = re.sub(r" ([.,;:!?%)])", r"\1", text)
    text = re.sub(r"([(#$]) ", r"\1", text)
    return text.strip(" ,;:-")


def clean_caption(pieces: Sequence[str]) -> str:
    """The caption of one picture from the generated word pieces (special ones already left out)."""
    return tidy(join_pieces(pieces))
