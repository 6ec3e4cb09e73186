"""Feather Mask and Snap Mask to Latent on ComfyUI's masks and latents."""

from __future__ import annotations

from typing import Any, cast

import torch
from comfy.nested_tensor import NestedTensor
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ..core.batch import broadcast
from ..core.mask import feather as mask
from ..core.mask import latent_cells, latent_frames
from ..core.mask.latent_cells import Grid
from .latent import check_latent, parts_of
from .layouts import mask_from_comfy, mask_to_comfy, notice_coverage, size_of
from .noise_mask import cleaned
from .notices import notice

NO_LATENT = "Snap Mask to Latent has no latent to return; connect one to its input samples."


def feather(
    comfy_mask: Tensor, grow: float, width: float, direction: str, profile: str, border_is_edge: bool
) -> Tensor:
    """`core.mask.feather.feather` on a MASK of any size."""
    given = mask_from_comfy(comfy_mask)
    assert given is not None
    highest = given.amax((1, 2, 3))
    faint = highest[(highest > 0) & (highest <= 0.5)]
    if len(faint) and (grow or width):
        notice(
            f"Feather Mask: the mask is nowhere above {float(faint.max()):.2g}; its edge is taken at half of "
            "that, and it becomes 1 inside."
        )
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
    samples = None if samples is None else check_latent(samples, "Snap Mask to Latent")
    notice_coverage(given, "Snap Mask to Latent", nearly_full=False)
    grid = _grid(given, ratio, vae, samples)
    _notice_cut(given, grid)
    cells = latent_cells.to_cells(given, grid, grow_cells)
    latent = None if samples is None else _picture_latent(samples)
    noise_mask = cells.clone()
    if latent is not None:
        noise_mask, cells = _for_latent(cells, latent, vae)
    pixels = mask_to_comfy(latent_cells.to_pixels(cells, grid, size_of(given)))
    if samples is None:
        return pixels, ExecutionBlocker(NO_LATENT)
    former = samples.get("noise_mask")
    if isinstance(former, NestedTensor):
        noise_mask = NestedTensor([noise_mask, *cleaned(former).unbind()[1:]])
    return pixels, {**samples, "noise_mask": noise_mask}


def _grid(given: Tensor, ratio: int, vae: Any | None, samples: dict[str, Any] | None) -> Grid:
    """How the latent's cells lie on the mask: as VAE Encode cuts the picture, if a latent or VAE is there."""
    size = size_of(given)
    if vae is None and samples is None:
        return latent_cells.whole_grid(size, ratio)
    latent = None if samples is None else _picture_latent(samples)
    if vae is not None:
        ratio = int(vae.spacial_compression_encode())
    elif latent is not None:
        ratio = ratio_of(given, latent)
    # A few VAEs take pictures of any size: they fill the last cell instead of cutting.
    whole = not getattr(vae, "crop_input", True)
    grid = latent_cells.whole_grid(size, ratio) if whole else latent_cells.cut_grid(size, ratio)
    if latent is None or size_of(latent) == grid.cells:
        return grid
    if whole and size_of(latent) == (size.width // ratio, size.height // ratio):
        return grid._replace(cells=size_of(latent))
    raise ValueError(
        f"The mask is {size} px, which at {ratio} px per cell does not make the latent's "
        f"{size_of(latent)} cells; connect the mask of the picture that was encoded."
    )


def _notice_cut(given: Tensor, grid: Grid) -> None:
    """Give notice where VAE Encode cuts the picture, before anything is sampled."""
    size, box = size_of(given), grid.box
    if box.width >= size.width and box.height >= size.height:
        return
    held = given[..., box.y : box.bottom, box.x : box.right]
    lost = int(torch.count_nonzero(given)) > int(torch.count_nonzero(held))
    also = "the mask reaches into the rest, which is not repainted" if lost else "the result is smaller"
    notice(
        f"Snap Mask to Latent: VAE Encode cuts the picture from {size} to {box.size} px and {also}; crop it "
        f"to multiples of {grid.ratio} px first (Crop to Region)."
    )


def _for_latent(cells: Tensor, latent: Tensor, vae: Any | None) -> tuple[Tensor, Tensor]:
    """The cells as noise mask of the latent, and what is then repainted in each picture or frame."""
    batch = latent.shape[0]
    if latent.ndim == 4:
        broadcast(cells, batch, "The mask")
        return cells.clone(), cells
    if len(cells) in (1, batch):
        return latent_frames.over_frames(cells, latent.shape[2], batch), cells
    if batch != 1:
        raise ValueError(
            f"There are {len(cells)} masks but {batch} videos; connect one mask, or one per video."
        )
    return latent_frames.join_frames(cells, latent.shape[2], _length(vae))


def _length(vae: Any | None) -> latent_frames.Length | None:
    """How many latent frames the VAE makes of so many frames, if it says so."""
    ratio: Any = getattr(vae, "downscale_ratio", None)
    length: Any = ratio[0] if isinstance(ratio, tuple | list) else None
    return cast(latent_frames.Length, length) if callable(length) else None


def _picture_latent(samples: dict[str, Any]) -> Tensor:
    """The latent of the pictures; of a nested latent (picture and sound) the first."""
    latent = samples["samples"]
    latent = parts_of(latent, "The latent")[0]
    if latent.ndim not in (4, 5):
        raise ValueError(
            f"The latent has {latent.ndim} axes but a picture's has 4 and a video's 5; connect a "
            f"latent of pictures."
        )
    return latent


def ratio_of(given: Tensor, latent: Tensor) -> int:
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
