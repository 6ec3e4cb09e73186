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
    """Read a preprocessor_config.json.

    Raises ValueError if its size is not the model's `image_size` (pixels), or if a value is damaged.
    """
    given = {key: value for key, value in config.items() if value is not None}
    height, width = _sides(given.get("size", image_size))
    if (height, width) != (image_size, image_size):
        raise ValueError(
            f"preprocessor_config.json resizes to {width}×{height} but config.json's model takes "
            f"{image_size}×{image_size} pixels; take both files from the same published folder."
        )
    scaled, normal = given.get("do_rescale", True), given.get("do_normalize", True)
    resample = given.get("resample", int(Image.Resampling.BICUBIC))
    if isinstance(resample, bool) or resample not in [int(kind) for kind in Image.Resampling]:
        raise _damaged("resample", resample)
    (scale,) = _numbers(given, "rescale_factor", (1 / 255,)) if scaled else (1.0,)
    mean = _numbers(given, "image_mean", MEAN) if normal else (0.0, 0.0, 0.0)
    deviation = _numbers(given, "image_std", STD) if normal else (1.0, 1.0, 1.0)
    if min(deviation) <= 0:
        raise _damaged("image_std", deviation)
    return Preprocessing(image_size, image_size, int(resample), scale, mean, deviation)


def _sides(size: Any) -> tuple[Any, Any]:
    """Height and width in any spelling of processors; an edge alone means a square for BLIP."""
    if isinstance(size, Mapping):
        edge = size.get("shortest_edge", size.get("longest_edge"))
        return size.get("height", edge), size.get("width", edge)
    if isinstance(size, Sequence) and not isinstance(size, str) and len(size) == 2:
        return size[0], size[1]
    return size, size


def _numbers(config: Mapping[str, Any], key: str, default: tuple[float, ...]) -> tuple[float, ...]:
    """As many numbers as the default has, a single one for all of them."""
    given = config.get(key, default)
    values = given if isinstance(given, list | tuple) else [given] * len(default)
    numbers = all(isinstance(value, int | float) and abs(value) < 1e6 for value in values)
    if len(values) != len(default) or not numbers:
        raise _damaged(key, given)
    return tuple(float(value) for value in values)


def _damaged(key: str, value: object) -> ValueError:
    return ValueError(f"preprocessor_config.json holds {str(value)[:60]!r} at {key}; download it again.")


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
