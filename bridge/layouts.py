"""ComfyUI's layouts (IMAGE B,H,W,C, MASK B,H,W) and the core's (B,C,H,W, B,1,H,W): conversion and checks."""

from __future__ import annotations

import comfy.model_management as management
import torch
from torch import Tensor

from ..core.shapes import Size

# LoadImage gives a picture without an alpha channel a black mask of this size.
NO_MASK = Size(64, 64)


def is_no_mask(mask: Tensor, size: Size) -> bool:
    """Whether a mask of any layout is LoadImage's for "no mask", given to a picture of `size`."""
    got = size_of(mask)
    return got == NO_MASK and got != size and not mask.any()


def check_finite(values: Tensor, name: str) -> None:
    """Refuse NaN and infinities in `values`; raises ValueError naming the input."""
    # One sum is several times cheaper than a test of every value; only a suspicious sum is looked into.
    if not torch.isfinite(values.sum()) and not torch.isfinite(values).all():
        raise ValueError(
            f"{name} holds NaN or infinite values, so nothing can be computed from it; "
            "check the node that made it (a decode in half precision is the usual cause)."
        )


def size_of(image: Tensor) -> Size:
    """The size in pixels of a core image or mask (last two axes height, width)."""
    return Size(image.shape[-1], image.shape[-2])


def image_from_comfy(image: Tensor, name: str = "Image") -> Tensor:
    """View an IMAGE (B,H,W,C) as B,C,H,W float32; raises ValueError for NaN or another layout."""
    if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[-1] not in (3, 4) or 0 in image.shape:
        got = list(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(
            f"{name} must be a batch of RGB or RGBA pictures (batch, height, width, 3 or 4) but is {got}; "
            "connect an IMAGE output."
        )
    check_finite(image, name)
    return image.permute(0, 3, 1, 2).float()


def image_to_comfy(image: Tensor) -> Tensor:
    """Turn B,C,H,W into a contiguous IMAGE (B,H,W,C) of the dtype and on the device of results."""
    image = image.permute(0, 2, 3, 1).contiguous()
    return image.to(management.intermediate_device(), management.intermediate_dtype())


def mask_from_comfy(mask: Tensor | None, size: Size | None = None, name: str = "Mask") -> Tensor | None:
    """View a MASK (H,W or B,H,W or B,1,H,W) as B,1,H,W float32 within 0…1, or None for "no mask".

    With `size` (of the picture it belongs to) LoadImage's 64×64 zero mask means no mask, and any other
    size than the picture's raises ValueError; so do NaN and another layout.
    """
    if mask is None:
        return None
    if mask.ndim < 2 or mask.ndim > 4 or (mask.ndim == 4 and mask.shape[1] != 1) or 0 in mask.shape:
        raise ValueError(
            f"{name} must have the shape (batch, height, width) but has {list(mask.shape)}; "
            "connect a MASK output."
        )
    mask = mask.reshape(-1, 1, *mask.shape[-2:]).float()
    got = size_of(mask)
    if size is not None and got != size:
        if is_no_mask(mask, size):
            return None
        raise ValueError(
            f"{name} is {got} but the picture is {size}; connect the mask made for this picture."
        )
    check_finite(mask, name)
    low, high = torch.aminmax(mask)
    return mask.clamp(0, 1) if low < 0 or high > 1 else mask


def mask_to_comfy(mask: Tensor) -> Tensor:
    """Turn B,1,H,W into a contiguous MASK (B,H,W) of the dtype and on the device of results."""
    return mask[:, 0].contiguous().to(management.intermediate_device(), management.intermediate_dtype())
