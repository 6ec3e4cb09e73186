"""Feather Mask and Snap Mask to Latent on ComfyUI's masks and latents."""

from __future__ import annotations

from typing import Any

from comfy.nested_tensor import NestedTensor
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ..core.batch import broadcast
from ..core.mask import feather as mask
from ..core.mask import latent_cells
from .layouts import mask_from_comfy, mask_to_comfy, notice_coverage, size_of

NO_LATENT = "Snap Mask to Latent has no latent to return; connect one to its input samples."


def feather(
    comfy_mask: Tensor, grow: float, width: float, direction: str, profile: str, border_is_edge: bool
) -> Tensor:
    """`core.mask.feather.feather` on a MASK of any size."""
    given = mask_from_comfy(comfy_mask)
    assert given is not None
    return mask_to_comfy(
        mask.feather(given, grow, width, mask.Direction(direction), mask.Profile(profile), border_is_edge)
    )


def snap(
    comfy_mask: Tensor, grow_cells: int, ratio: int, vae: Any | None, samples: dict[str, Any] | None
) -> tuple[Tensor, dict[str, Any] | ExecutionBlocker]:
    """The pixels that whole latent cells cover, and the latent with these cells as noise mask.

    The pixels per cell come from the VAE, else from the latent's size, else `ratio` is taken. Raises
    ValueError if the mask does not fit the latent.
    """
    given = mask_from_comfy(comfy_mask)
    assert given is not None
    notice_coverage(given, "Snap Mask to Latent", nearly_full=False)
    if vae is not None:
        ratio = int(vae.spacial_compression_encode())
    elif samples is not None:
        ratio = _ratio_of(given, _picture_latent(samples))
    cells = latent_cells.to_cells(given, ratio, grow_cells)
    pixels = mask_to_comfy(latent_cells.to_pixels(cells, ratio, size_of(given)))
    if samples is None:
        return pixels, ExecutionBlocker(NO_LATENT)
    return pixels, {**samples, "noise_mask": _noise_mask(cells, samples, ratio, given)}


def _picture_latent(samples: dict[str, Any]) -> Tensor:
    """The latent of the pictures; of a nested latent (picture and sound) the first."""
    latent = samples["samples"]
    latent = latent.unbind()[0] if latent.is_nested else latent
    if latent.ndim not in (4, 5):
        raise ValueError(
            f"The latent has {latent.ndim} axes but a picture's has 4 and a video's 5; connect a "
            f"latent of pictures."
        )
    return latent


def _ratio_of(given: Tensor, latent: Tensor) -> int:
    """Pixels per cell, if the mask's and the latent's sizes allow one whole number; else ValueError."""
    size, cells = size_of(given), size_of(latent)
    latent_cells.check_aspect(size, cells, "The mask")
    ratio = round(size.width / cells.width)
    if ratio < 1 or (size.width // ratio, size.height // ratio) != cells:
        raise ValueError(
            f"The mask is {size} px and the latent {cells} cells, which is no whole number of pixels per "
            "cell; connect the mask of the picture that was encoded."
        )
    return ratio


def _noise_mask(cells: Tensor, samples: dict[str, Any], ratio: int, given: Tensor) -> Tensor | NestedTensor:
    latent = _picture_latent(samples)
    height, width = latent.shape[-2:]
    size = size_of(given)
    if (size.width // ratio, size.height // ratio) != (width, height):
        raise ValueError(
            f"The mask is {size} px, which at {ratio} px per cell does not make the latent's "
            f"{width}×{height} cells; connect the mask of the picture that was encoded."
        )
    cells = cells[..., :height, :width]
    if latent.ndim == 5:
        cells = latent_cells.over_frames(cells, latent.shape[2], latent.shape[0])
    else:
        broadcast(cells, latent.shape[0], "The mask")
    former = samples.get("noise_mask")
    if former is not None and former.is_nested:
        return NestedTensor([cells.clone(), *former.unbind()[1:]])
    return cells.clone()
