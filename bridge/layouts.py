"""ComfyUI's layouts (IMAGE B,H,W,C, MASK B,H,W) and the core's (B,C,H,W, B,1,H,W): conversion and checks."""

from __future__ import annotations

import math

import comfy.model_management as management
import torch
from torch import Tensor

from ..core.mask.values import without_traces
from ..core.shapes import Size
from .notices import notice

# LoadImage gives a picture without an alpha channel a black mask of this size.
NO_MASK = Size(64, 64)
NO_ALPHA = (
    "The mask is Load Image's empty one of 64×64 px: its picture has no alpha channel; paint a mask there "
    "(Open in MaskEditor) or connect another."
)
NOT_FINITE = (
    "holds NaN or infinite values, so nothing can be computed from it; check the node that made it (a decode "
    "in half precision is the usual cause)."
)
# How far outside 0…1 values may lie before it is told: a decoder overshoots a little, another unit far.
FAR = 0.5
# A mask is unusual if this share of it is above 0, and odd if at most that share of it reaches one half.
COVERED, STRONG = 0.9, 0.25


def is_no_mask(mask: Tensor, size: Size) -> bool:
    """Whether a mask of any layout is LoadImage's for "no mask", given to a picture of `size`."""
    got = size_of(mask)
    return got == NO_MASK and got != size and not mask.any()


def check_finite(values: Tensor, name: str, trouble: str = NOT_FINITE) -> tuple[float, float]:
    """The lowest and the highest of `values`; ValueError, `name` and `trouble`, for NaN and infinities."""
    low, high = (float(value) for value in torch.aminmax(values))  # NaN is passed on
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name} {trouble}")
    return low, high


def _in_range(values: Tensor, name: str, mask: bool) -> Tensor:
    """The values as float32 within 0…1, 8-bit ones divided by 255; ValueError for other scales."""
    if values.is_complex():
        raise ValueError(f"{name} holds complex numbers but values from 0 to 1 are expected; convert it.")
    if not values.is_floating_point():
        highest = int(values.max())
        if values.dtype == torch.uint8 and not (mask and highest <= 1):
            return values.float() / 255
        if highest > 1 or not mask:
            raise ValueError(
                f"{name} holds whole numbers up to {highest} ({values.dtype}) but values from 0 to 1 are "
                "expected; divide it by its largest possible value."
            )
    low, high = check_finite(values.float(), name)
    if low < -FAR or high > 1 + FAR:
        notice(
            f"{name} holds values from {low:.3g} to {high:.3g}; what lies outside 0…1 was clamped. "
            "Check the node that made it."
        )
    return values.float().clamp(0, 1) if low < 0 or high > 1 else values.float()


def size_of(image: Tensor) -> Size:
    """The size in pixels of a core image or mask (last two axes height, width)."""
    return Size(image.shape[-1], image.shape[-2])


def image_from_comfy(image: Tensor, name: str = "Image") -> Tensor:
    """View an IMAGE (B,H,W,C) as B,C,H,W float32 within 0…1.

    8-bit values are divided by 255, others clamped. Raises ValueError for NaN and another layout.
    """
    if not isinstance(image, Tensor) or image.ndim != 4 or image.shape[-1] not in (3, 4) or 0 in image.shape:
        got = list(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(
            f"{name} must be a batch of RGB or RGBA pictures (batch, height, width, 3 or 4) but is {got}; "
            "connect an IMAGE output."
        )
    return _in_range(image, name, mask=False).permute(0, 3, 1, 2)


def image_to_comfy(image: Tensor) -> Tensor:
    """Turn B,C,H,W into a contiguous IMAGE (B,H,W,C) of the dtype and on the device of results."""
    image = image.permute(0, 2, 3, 1).contiguous()
    return image.to(management.intermediate_device(), management.intermediate_dtype())


def mask_from_comfy(mask: Tensor | None, size: Size | None = None, name: str = "Mask") -> Tensor | None:
    """View a MASK (H,W or B,H,W or B,1,H,W) as B,1,H,W float32 within 0…1, or None for "no mask".

    Values below `core.mask.values.LEAST` are 0, 8-bit values are divided by 255. With `size` (of the picture
    it belongs to) LoadImage's 64×64 zero mask means no mask, and any other size than the picture's raises
    ValueError; so do NaN and another layout.
    """
    if mask is None:
        return None
    check_mask(mask, name)
    if size is not None and not belongs(mask, size, name):
        return None
    return mask_values(mask, name).reshape(-1, 1, *mask.shape[-2:])


def belongs(mask: Tensor, size: Size, name: str = "Mask") -> bool:
    """False for LoadImage's "no mask" beside a picture of `size`; ValueError for a mask of another size."""
    if (got := size_of(mask)) == size:
        return True
    if is_no_mask(mask, size):
        return False
    raise ValueError(f"{name} is {got} but the picture is {size}; connect the mask made for this picture.")


def check_mask(mask: Tensor, name: str = "Mask") -> None:
    """Refuse what has no layout of a MASK, by a sentence."""
    tensor = isinstance(mask, Tensor)
    if not tensor or mask.ndim not in (2, 3, 4) or (mask.ndim == 4 and mask.shape[1] != 1) or 0 in mask.shape:
        got = list(mask.shape) if tensor else type(mask).__name__
        raise ValueError(
            f"{name} must have the shape (batch, height, width) but is {got}; connect a MASK output."
        )


def mask_values(mask: Tensor, name: str = "Mask") -> Tensor:
    """The values of a mask of any shape as every node sees them, float32 0…1; ValueError for NaN."""
    return without_traces(_in_range(mask, name, mask=True))


def notice_coverage(mask: Tensor, who: str, nearly_full: bool = True) -> None:
    """Give notice of a mask (any shape, 0…1) that covers nearly everything, faintly or, if asked, fully."""
    covered = int(torch.count_nonzero(mask)) / mask.numel()
    if covered < COVERED:
        return
    strong = int(torch.count_nonzero(mask >= 0.5)) / mask.numel()
    if strong <= STRONG:
        notice(
            f"{who}: {_percent(covered)} of the mask are above 0 but only {_percent(strong)} reach ½; "
            "if the faint part was not meant, raise the mask's black level (Threshold Mask)."
        )
    elif nearly_full and strong >= COVERED:
        notice(
            f"{who}: the mask covers {_percent(strong)} of the picture; invert it if the rest was to be "
            "repainted."
        )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def mask_to_comfy(mask: Tensor) -> Tensor:
    """Turn B,1,H,W into a contiguous MASK (B,H,W) of the dtype and on the device of results.

    Traces that no node would take as masked are 0.
    """
    return (
        without_traces(mask[:, 0])
        .contiguous()
        .to(management.intermediate_device(), management.intermediate_dtype())
    )
