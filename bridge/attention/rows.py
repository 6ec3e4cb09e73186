"""Several CONDITIONING as the rows of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from comfy.ldm.qwen_image.model import QwenImageTransformer2DModel
from torch import Tensor
from torch.nn.functional import pad

from ...core.texts import lines
from ..inputs import check_conditioning, shown
from .blocks import UNET, network_of

WHO = "Rows"
CHUNK = 77  # tokens that CLIP encodes at once
T5_WIDTH = 4096  # SD3 joins CLIP's 77 tokens and those of T5, as many as there are
MASK, POOLED, CONTROL = "attention_mask", "pooled_output", "control"
Entry = Sequence[Any]  # words and a dictionary


def rows(
    given: Sequence[Sequence[Entry]], source: str, targets: str, clip: Any = None, model: Any = None
) -> tuple[list[list[Any]], int]:
    """One CONDITIONING whose rows are those of `given` and of the prompts, and their number.

    ValueError, one sentence, for fewer than two rows and for conditionings that cannot be one batch.
    """
    found = [*given, *encoded(prompts(source, targets, bool(given)), clip)]
    counts = [len(each[0][0]) for each in found]
    if sum(counts) < 2:
        raise ValueError(
            f"{WHO} needs at least two rows, a source and a target, but has {sum(counts)}; connect another "
            "conditioning or write a line in target_prompts."
        )
    if len({len(each) for each in found}) > 1:
        raise ValueError(
            f"{WHO}: the conditionings have {', '.join(str(len(each)) for each in found)} regions; connect "
            "those without regions, and combine regions after this node."
        )
    return [merged(entries, counts, model) for entries in zip(*found, strict=True)], sum(counts)


def prompts(source: str, targets: str, connected: bool) -> list[str]:
    """The prompts that are rows; without a connected source the source prompt is one even if it is empty."""
    others = lines(targets)
    first = [source] if source.strip() or (others and not connected) else []
    return [*first, *others]


def encoded(texts: Sequence[str], clip: Any) -> list[list[Any]]:
    """The CONDITIONING of each text; ValueError without a CLIP."""
    if texts and clip is None:
        raise ValueError(
            f"{WHO} needs clip for the prompts typed in it; connect one (some checkpoints hold none) or "
            "clear them."
        )
    made = [clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in texts]
    return [check_conditioning(each, f"{WHO}: the conditioning of a typed prompt") for each in made]


def merged(entries: Sequence[Entry], counts: Sequence[int], model: Any = None) -> list[Any]:
    """The entries of several conditionings, of `counts` rows each, as one entry."""
    words, more = [entry[0] for entry in entries], [dict(entry[1]) for entry in entries]
    check_words(words, counts)
    masks = [each.pop(MASK, None) for each in more]
    words, masks = equal_lengths(words, masks, model)
    found = {key: together(key, [each.get(key) for each in more], counts) for key in ordered_keys(more)}
    if any(mask is not None for mask in masks):
        found[MASK] = together(MASK, masks, counts)
    return [torch.cat(words), found]


def ordered_keys(more: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for each in more for key in each))


def check_words(words: Sequence[Tensor], counts: Sequence[int]) -> None:
    """Refuse words of other text encoders, and regions of other rows than the first region."""
    widths = {tuple(each.shape[2:]) for each in words}
    if any(each.ndim != 3 for each in words) or len(widths) > 1:
        raise ValueError(
            f"{WHO}: the conditionings have the shapes {', '.join(str(list(each.shape)) for each in words)}; "
            "connect those of one text encoder."
        )
    if any(len(each) != count for each, count in zip(words, counts, strict=True)):
        raise ValueError(
            f"{WHO}: the regions of one conditioning have different numbers of rows; combine regions after "
            "this node."
        )


def equal_lengths(
    words: list[Tensor], masks: list[Tensor | None], model: Any
) -> tuple[list[Tensor], list[Tensor | None]]:
    """Words of the same number of tokens, and masks of those that count, where there are any.

    Where words come in by cross-attention alone, repeating all of them changes nothing; networks that join
    them with the picture must be told to leave padding out, which of those known only Qwen-Image can.
    """
    lengths = [each.shape[1] for each in words]
    if len(set(lengths)) == 1 and all(mask is None for mask in masks):
        return words, masks
    if repeatable(words, model) and all(mask is None for mask in masks):
        most = math.lcm(*lengths)
        return [each.repeat(1, most // each.shape[1], 1) for each in words], masks
    if all(mask is None for mask in masks) and not takes_mask(model):
        asked = "connect model, or write" if model is None else "this model cannot skip padding: write"
        raise ValueError(
            f"{WHO}: the prompts have {', '.join(map(str, lengths))} tokens and must be equally long; "
            f"{asked} prompts of as many tokens."
        )
    most = max(lengths)
    whole = [
        torch.ones(len(each), each.shape[1], dtype=torch.long) if mask is None else mask.expand(len(each), -1)
        for each, mask in zip(words, masks, strict=True)
    ]
    padded = [pad(each, (0, 0, 0, most - each.shape[1])) for each in words]
    return padded, [pad(mask, (0, most - mask.shape[1])) for mask in whole]


def repeatable(words: Sequence[Tensor], model: Any) -> bool:
    """Whether the network uses these words by cross-attention alone."""
    if model is not None:
        return network_of(model, WHO).kind == UNET
    return all(each.shape[1] % CHUNK == 0 and each.shape[2] != T5_WIDTH for each in words)


def takes_mask(model: Any) -> bool:
    net = None if model is None else model.get_model_object("diffusion_model")
    return isinstance(net, QwenImageTransformer2DModel)


def together(key: str, values: Sequence[Any], counts: Sequence[int]) -> Any:
    """What several conditionings have under a key, as what one has; ValueError if they cannot be joined."""
    if key == POOLED:
        return pooled(values, counts)
    if all(same(value, values[0]) for value in values):
        return values[0]
    if all(isinstance(value, Tensor) for value in values):
        return joined(key, values, counts)
    if all(isinstance(value, list | tuple) and len(value) == len(values[0]) for value in values) and all(
        isinstance(item, Tensor) for value in values for item in value
    ):
        return [joined(key, items, counts) for items in zip(*values, strict=True)]
    if key == CONTROL:
        raise ValueError(
            f"{WHO}: the conditionings have different ControlNets; connect Apply ControlNet after this node, "
            "and Control Rows after it for some rows only."
        )
    raise ValueError(
        f"{WHO}: the conditionings differ in {key} ({', '.join(shown(value) for value in values[:4])}); set "
        "it after this node, for all rows."
    )


def pooled(values: Sequence[Tensor | None], counts: Sequence[int]) -> Tensor | None:
    """The pooled words of all rows, zeros where a conditioning has none; None if none has any."""
    some = next((value for value in values if value is not None), None)
    if some is None:
        return None
    filled = [torch.zeros_like(some[:1]) if value is None else value for value in values]
    return joined(POOLED, filled, counts)


def joined(key: str, values: Sequence[Tensor], counts: Sequence[int]) -> Tensor:
    """Tensors of one row, or one for each row of their conditioning, as one tensor of all rows."""
    fits = all(
        value.ndim and value.shape[1:] == values[0].shape[1:] and len(value) in (1, count)
        for value, count in zip(values, counts, strict=True)
    )
    if not fits:
        raise ValueError(
            f"{WHO}: {key} has the shapes {', '.join(str(list(v.shape)) for v in values)}; "
            "these are no rows of one batch; make them equal."
        )
    return torch.cat([v.expand(count, *v.shape[1:]) for v, count in zip(values, counts, strict=True)])


def same(one: Any, other: Any) -> bool:
    """Whether two values of a conditioning are the same or equal."""
    if one is other:
        return True
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        both = isinstance(one, Tensor) and isinstance(other, Tensor)
        return both and one.shape == other.shape and torch.equal(one, other)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    plain = str | int | float | bool | None
    return isinstance(one, plain) and isinstance(other, plain) and one == other
