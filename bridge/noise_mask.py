"""The noise mask of a latent: whether it fits, and whether it masks anything."""

from __future__ import annotations

from typing import Any

import comfy.sampler_helpers
import torch
from comfy.nested_tensor import NestedTensor
from torch import Tensor

from ..core.mask.latent_cells import check_aspect
from .latent import parts_of
from .layouts import mask_values, notice_coverage, size_of

NO_MASK = (
    "needs to know what to repaint, but the latent has no noise mask; connect it through "
    "Snap Mask to Latent or Set Latent Noise Mask, a mask of 1 for everything."
)


def checked_mask(latent: dict[str, Any], who: str) -> Any:
    """The noise mask, if there is one and it fits the latent; of nested latents the first is compared.

    Its values are those that every node takes from a MASK.
    """
    given = latent.get("noise_mask")
    if given is None:
        raise ValueError(f"{who} {NO_MASK}")
    given = cleaned(given)
    if given.is_nested and isinstance(latent["samples"], Tensor):
        raise ValueError("The noise mask is nested but the latent is not; connect the mask of this latent.")
    samples, mask = (parts_of(each, "The noise mask")[0] for each in (latent["samples"], given))
    notice_coverage(mask, who, nearly_full=False)
    if samples.ndim not in (4, 5):  # sound has no aspect
        return given
    check_aspect(size_of(mask), size_of(samples), "The noise mask")
    _check_count(mask, samples)
    return given


def cleaned(mask: Any) -> Any:
    """A noise mask of any shape, nested or not, with the values of a MASK; ValueError for NaN."""
    parts = parts_of(mask, "The noise mask")
    for part in parts:
        plain = isinstance(part, Tensor) and not part.is_nested
        if not plain or part.ndim not in (2, 3, 4, 5) or 0 in part.shape:
            got = list(part.shape) if plain else type(part).__name__
            raise ValueError(
                f"The noise mask must have the shape (batch, height, width) but is {got}; connect a MASK "
                "through Snap Mask to Latent or Set Latent Noise Mask."
            )
    values = [mask_values(part, "The noise mask") for part in parts]
    return values[0] if parts[0] is mask else NestedTensor(values)


def _check_count(mask: Tensor, samples: Tensor) -> None:
    """Refuse a mask whose batch ComfyUI would cut or repeat to make it fit."""
    video = samples.ndim == 5
    whole = mask.ndim == 5 or not video
    count = len(mask) if mask.ndim == 5 else mask[..., 0, 0].numel()
    # A MASK with several pictures is one video's frames, which are joined or repeated as the latent's are.
    wanted = len(samples) if whole else samples.shape[2]
    if count not in (1, wanted) and (whole or len(samples) > 1):
        kind = "latent" if whole else "latent frame"
        there, connect = f"there are {wanted} {kind}s", f"1 mask or {wanted}"
        if wanted == 1:
            there, connect = f"there is 1 {kind}", "1 mask"
        raise ValueError(f"The noise mask has a batch of {count} but {there}; connect {connect}.")


def is_empty(mask: Any, samples: Any) -> bool:
    """True if no latent cell is to be repainted."""
    if mask.is_nested or samples.is_nested:
        return False
    return not (comfy.sampler_helpers.prepare_mask(mask, samples.shape, torch.device("cpu")) > 0).any()
