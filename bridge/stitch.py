"""Stitch Back and Patch on ComfyUI's pictures, masks, regions and contexts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..core.batch import broadcast, common_batch
from ..core.canvas import seam
from ..core.canvas import stitch as stitching
from ..core.canvas.crop import Context
from ..core.memory import empty_picture
from ..core.shapes import Padding, Region, region_of
from .layouts import (
    NO_ALPHA,
    check_mask,
    image_from_comfy,
    image_to_comfy,
    is_no_mask,
    mask_from_comfy,
    notice_coverage,
    size_of,
)
from .notices import notice

Patches = Sequence[stitching.Patch | None] | None


def needs_generated(
    original: Tensor,
    mask: Tensor | None,
    region: dict[str, int] | None,
    context: Context | None,
    patched: bool,
) -> bool:
    """Is there anything to repaint but patches? Only then the generated picture has to be computed."""
    if patched and mask is None and region is None:
        return False
    picture, job, asked = _job(original, mask, region, context)
    return bool(_with_unseen(asked, picture, job).amax() > 0)


def stitch(
    original: Tensor,
    generated: Tensor | None,
    mode: dict[str, Any],
    mask: Tensor | None,
    region: dict[str, int] | None,
    context: Context | None,
    patches: Patches,
) -> tuple[Tensor, dict[str, Any]]:
    """The IMAGE on the canvas with the generated part, then the patches, put in, and the report."""
    blend = mode["width"] if mode["mode"] == "blend" else None
    given = [patch for patch in patches or () if patch is not None]
    only_patches = bool(patches) and mask is None and region is None and generated is None
    if only_patches:
        result = image_from_comfy(original, "Original")
        whole = region_of(size_of(result), Padding(0, 0, 0, 0))
        report = {"seam_ratio": 1.0, "scale": 1.0, "region": whole._asdict()}
    else:
        result, report = _stitched(original, generated, blend, mask, region, context)
    shared = {f"patch {number}": patch.generated for number, patch in enumerate(given)}
    batch = common_batch({"original": result, **shared})
    if len(result) != batch or result.data_ptr() == original.data_ptr():
        copy = empty_picture(batch, result.shape[1], size_of(result), result.device)
        result = copy.copy_(broadcast(result, batch, "original"))
    ratios = [] if only_patches and given else [report["seam_ratio"]]
    for patch, repainted in zip(given, stitching.stitch_patches(result, given, blend), strict=True):
        job = stitching.plan(size_of(result), None, patch.context)
        ratios += _ratios(result, repainted, job, blend)
    report["seam_ratio"] = max(ratios)
    return image_to_comfy(result), report


def _stitched(
    original: Tensor,
    generated: Tensor | None,
    blend: int | None,
    mask: Tensor | None,
    region: dict[str, int] | None,
    context: Context | None,
) -> tuple[Tensor, dict[str, Any]]:
    """What `generated` makes of the original, in the core's layout, and the report."""
    picture, job, asked = _job(original, mask, region, context)
    _warn(asked, job)
    repainted = _with_unseen(asked, picture, job)
    scale = job.box.width / job.context.working.width if job.context else 1.0
    report = {"seam_ratio": 1.0, "scale": scale, "region": job.region._asdict()}
    if repainted.amax() == 0:
        return picture, report
    if generated is None:
        raise ValueError("Stitch Back has something to repaint but no generated picture; connect one.")
    new = image_from_comfy(generated, "Generated")
    _notice_cut(new, job)
    result, alpha = stitching.stitch_and_tell(picture, new, repainted, job, blend)
    report["seam_ratio"] = max(_ratios(result, alpha, job, blend))
    return result, report


def _ratios(result: Tensor, alpha: Tensor, job: stitching.Plan, blend: int | None) -> list[float]:
    """How visible the edge of what was put in is and, with *blend*, also the inner edge of the band."""
    masks = [alpha] if blend is None else [alpha, (alpha >= 1).to(alpha)]
    box = job.context.shown if job.context else job.box
    return [seam.measure_part(result, mask, box).ratio for mask in masks]


def _job(
    original: Tensor, mask: Tensor | None, region: dict[str, int] | None, context: Context | None
) -> tuple[Tensor, stitching.Plan, Tensor]:
    """The original in the core's layout, the canvas, and the mask of what is repainted on it."""
    picture = image_from_comfy(original, "Original")
    job = stitching.plan(size_of(picture), _region(region), context)
    own = job.canvas
    # A mask of both sizes is taken as the canvas's.
    if mask is not None and context is not None:
        check_mask(mask)
        own = own if size_of(mask) == own or is_no_mask(mask, own) else context.working
    given = mask_from_comfy(mask, own)
    if mask is not None and given is None and region is None:
        raise ValueError(NO_ALPHA)
    return picture, job, stitching.repaint_mask(given, job, region is not None)


def _with_unseen(mask: Tensor, picture: Tensor, job: stitching.Plan) -> Tensor:
    """What is repainted: the mask, and everything that a photo before its extension does not show."""
    if size_of(picture) == job.canvas:
        return mask
    return torch.maximum(mask, stitching.outside_photo(job).to(mask))


def _region(region: dict[str, int] | None) -> Region | None:
    if region is None:
        return None
    missing = [key for key in Region._fields if key not in region]
    if missing:
        raise ValueError(f"The region lacks {', '.join(missing)}; connect the region of Extend Canvas.")
    return Region(*(int(region[key]) for key in Region._fields))


def patch_needs_generated(mask: Tensor) -> bool:
    """Is there anything to repaint? Only then the patch's picture has to be computed."""
    asked = mask_from_comfy(mask)
    return asked is not None and bool(asked.amax() > 0)


def patch(generated: Tensor | None, mask: Tensor, context: Context) -> stitching.Patch | None:
    """One part of a picture for Stitch Back, or None where its mask is empty; ValueError for other sizes."""
    if not patch_needs_generated(mask):
        return None
    if generated is None:
        raise ValueError("Patch has something to repaint but no generated picture; connect one.")
    picture, asked = image_from_comfy(generated, "Generated"), mask_from_comfy(mask)
    assert asked is not None
    notice_coverage(asked, "Patch", nearly_full=False)
    _notice_cut(picture, stitching.plan(context.canvas, None, context))
    if size_of(asked) not in (context.working, context.canvas):
        raise ValueError(
            f"The mask is {size_of(asked)} but its crop {context.working} and the canvas {context.canvas}; "
            "connect the mask of one of them."
        )
    common_batch({"generated": picture, "mask": asked})
    return stitching.Patch(picture, asked, context)


def _notice_cut(generated: Tensor, job: stitching.Plan) -> None:
    """Give notice of a generated picture that VAE Encode cut; ValueError for one that does not fit."""
    place = stitching.place_of(generated, job)
    expected = job.context.working if job.context else job.canvas
    if place.size != expected:
        notice(
            f"The generated picture is {place.size} instead of {expected}, as VAE Encode cuts it, so nothing "
            "was generated on its rim; crop to multiples of the VAE's cell (Crop to Region)."
        )


def _warn(mask: Tensor, job: stitching.Plan) -> None:
    """Give notice of masks that are allowed but unusual on an extended canvas."""
    box = job.region.box
    notice_coverage(mask, "Stitch Back", nearly_full=box.size == job.canvas and job.context is None)
    if box.size == job.canvas:
        return
    photo, _ = stitching.overlap(box, job.canvas)
    if not any(torch.count_nonzero(part) for part in stitching.around(mask, photo)):
        notice("Stitch Back: the mask covers none of the new area; it stays as it is.")
    known = mask[photo]
    if int(torch.count_nonzero(known)) > known.numel() / 2:
        notice("Stitch Back: the mask covers most of the photo; little of it stays.")
