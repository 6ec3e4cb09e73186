"""The one door for LATENT: every node that takes one checks it here, before any model is called."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .layouts import check_finite

# ComfyUI draws noise for every index up to the highest one.
MOST_INDICES = 2**20
NAN = (
    "holds NaN or infinite values, so nothing can be sampled from it; check the node that made it "
    "(VAE Encode in half precision is the usual cause)."
)


def check_latent(latent: Any, who: str) -> Any:
    """The very LATENT that came, if a node can use it; ValueError naming what is wrong, in one sentence.

    Nested samples (picture and sound) are checked part by part. The noise mask is `noise_mask`'s to check.
    """
    if not isinstance(latent, Mapping) or latent.get("samples") is None:
        got = f"is a {type(latent).__name__}"
        if isinstance(latent, Mapping):
            got = f"holds {', '.join(map(str, list(latent)[:5])) or 'nothing'}"
        raise ValueError(
            f"{who} needs a LATENT with samples but it {got}; connect VAE Encode or Empty Latent."
        )
    for part in parts_of(latent["samples"], f"{who}: the latent"):
        check_part(part, f"{who}: the latent")
    _check_batch_index(latent, who)
    for name in ("downscale_ratio_spacial", "downscale_ratio_temporal"):
        ratio = latent.get(name)
        if ratio is not None and not (_is_number(ratio) and 0 < ratio < math.inf):
            raise ValueError(
                f"{who}: {name} of the latent must be above 0 but is {ratio!r}; encode it again."
            )
    return latent


def parts_of(samples: Any, name: str) -> list[Any]:
    """The tensors of nested samples or masks, else the one; ValueError where nothing is in them."""
    if not getattr(samples, "is_nested", False) or isinstance(samples, Tensor):
        return [samples]
    parts = list(samples.unbind())
    if not parts:
        raise ValueError(f"{name} is nested but holds nothing; connect VAE Encode or Empty Latent.")
    return parts


def check_part(samples: Any, name: str) -> None:
    """Refuse what is no batch of latents: other types and axes, an empty batch, NaN; by a sentence."""
    if not isinstance(samples, Tensor):
        raise ValueError(f"{name} holds a {type(samples).__name__} instead of a tensor; connect VAE Encode.")
    if samples.is_nested or samples.ndim not in (3, 4, 5) or 0 in samples.shape:
        got = "nested" if samples.is_nested else list(samples.shape)
        raise ValueError(
            f"{name} must have the shape (batch, channels, height, width), with frames before the height for "
            f"a video, but is {got}; connect VAE Encode or Empty Latent."
        )
    if not samples.is_floating_point() or samples.layout != torch.strided:
        kind = samples.dtype if samples.layout == torch.strided else samples.layout
        raise ValueError(f"{name} must hold plain fractional numbers but is {kind}; connect VAE Encode.")
    check_numbers(samples, name)


def check_numbers(samples: Tensor, name: str) -> None:
    """Refuse NaN and infinite values in latents, by a sentence that names VAE Encode."""
    check_finite(samples.float(), name, NAN)


def check_model(samples: Any, model: Any, who: str) -> None:
    """Refuse a latent of another model's VAE: of other channels, or with frames where there are none.

    Nested samples belong to models of several kinds of latents and are theirs to check.
    """
    form = model.get_model_object("latent_format")
    axes = form.latent_dimensions + 2
    if getattr(samples, "is_nested", False) or (
        samples.ndim == axes and samples.shape[1] == form.latent_channels
    ):
        return
    kinds = {3: "a sound's", 4: "a picture's", 5: "a video's"}
    raise ValueError(
        f"{who}: the latent is {kinds.get(samples.ndim, 'one')} with {samples.shape[1]} channels but the "
        f"model takes {kinds.get(axes, 'one')} with {form.latent_channels}; encode it with the model's "
        "own VAE."
    )


def _check_batch_index(latent: Mapping[str, Any], who: str) -> None:
    """The rows' numbers of a batch that was taken apart, from which their noise is drawn."""
    indices = latent.get("batch_index")
    if indices is None:
        return
    samples = latent["samples"]
    count = len(samples) if isinstance(samples, Tensor) else len(samples.unbind()[0])
    known = isinstance(indices, list | tuple) and len(indices) == count
    if not known or not all(_is_number(each) and each == int(each) for each in indices):
        raise ValueError(
            f"{who}: batch_index of the latent must hold one whole number for each of its {count} rows but "
            f"is {' '.join(str(indices).split())[:60]}; connect the latent as it was made."
        )
    if not all(0 <= each < MOST_INDICES for each in indices):
        raise ValueError(
            f"{who}: batch_index of the latent must lie between 0 and {MOST_INDICES} but is "
            f"{' '.join(str(indices).split())[:60]}; connect the latent as it was made."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
