"""Extend Canvas, Crop to Region and Stitch Back on ComfyUI's pictures, masks, poses and dictionaries."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ..core.batch import broadcast, common_batch
from ..core.canvas import crop as cropping
from ..core.canvas import fill as filling
from ..core.canvas import padding as canvas
from ..core.canvas import seam
from ..core.canvas import stitch as stitching
from ..core.canvas.crop import Context, Fit
from ..core.mask.bounds import bounds_of_mask
from ..core.memory import empty_picture
from ..core.pose.extension import extension_needed
from ..core.pose.person import Frame, Pose, bounding_box, common_size, moved
from ..core.shapes import Box, Padding, Region, Size, padded, region_of
from . import pose_record
from .layouts import image_from_comfy, image_to_comfy, is_no_mask, mask_from_comfy, mask_to_comfy, size_of

log = logging.getLogger("recompose")
Patches = Sequence[stitching.Patch | None] | None


class CropPlan(NamedTuple):
    """The settings of Crop to Region."""

    crop_to: str
    width: int
    height: int
    fit: str
    margin: float
    multiple_of: int
    rescale_tolerance: float


def extend(
    image: Tensor,
    mode: dict[str, Any],
    multiple_of: int,
    fill: dict[str, Any],
    feather: int,
    mask: Tensor | None,
    pose: Any | None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """IMAGE, MASK, region and pose on the extended canvas, and the report for clients.

    Raises ValueError for a mask or pose of another size, a missing pose and a canvas smaller than the
    picture.
    """
    picture = image_from_comfy(image)
    size = size_of(picture)
    given = mask_from_comfy(mask, size)
    people = _pose_of(pose, size)
    padding = canvas.pad_to_multiple(size, _padding(mode, size, people), multiple_of)
    batch = common_batch({"image": picture, "mask": given})
    extended = filling.extend(
        broadcast(picture, batch, "image"), padding, fill["fill"], fill.get("color", ""), fill.get("seed", 0)
    )
    area = canvas.new_area(size, padding, given, batch, feather, picture.device)
    region = region_of(size, padding)._asdict()
    outputs = (
        image_to_comfy(extended),
        mask_to_comfy(area),
        region,
        _pose_on(people, (1, 1), padding[:2], padded(size, padding), "Extend Canvas"),
    )
    return outputs, {"padding": list(padding), "region": region}


def _padding(mode: dict[str, Any], size: Size, pose: Pose | None) -> Padding:
    kind, anchor = mode["mode"], mode.get("anchor", "center")
    if kind == "sides":
        return Padding(mode["left"], mode["top"], mode["right"], mode["bottom"])
    if kind == "size":
        return canvas.pad_to_size(size, Size(mode["width"], mode["height"]), anchor)
    if kind == "aspect":
        return canvas.pad_to_aspect(size, mode["aspect_width"], mode["aspect_height"], anchor)
    if kind != "body":
        raise ValueError(f"The mode must be body, sides, size or aspect but is {kind!r}.")
    if pose is None:
        raise ValueError("The mode body needs a pose; connect Complete Pose, or choose the mode sides.")
    needed = extension_needed(pose, size, mode["max_extension"])
    return canvas.pad_for_body(needed[:4], needed.body, mode["margin"])


def _pose_of(record: Any | None, size: Size) -> Pose | None:
    """The pose of a picture of `size`; ValueError for another picture's."""
    if record is None:
        return None
    pose = pose_record.read(record)
    if (got := common_size(pose)) != size:
        raise ValueError(
            f"The pose belongs to a picture of {got} but the picture is {size}; connect its own pose."
        )
    return pose


def _pose_on(
    pose: Pose | None, scale: tuple[float, float], offset: tuple[float, float], size: Size, node: str
) -> Any:
    """The POSE_KEYPOINT of the pose on another canvas."""
    record = None if pose is None else pose_record.write(moved(pose, scale, offset, size))
    return _or_blocked(record, "pose", node)


def _or_blocked(value: Any | None, name: str, node: str) -> Any:
    """The value, or what stops the nodes behind this output with a sentence that says why."""
    if value is not None:
        return value
    return ExecutionBlocker(f"{node} has nothing to give at {name}; connect its input {name}.")


def crop(
    image: Tensor,
    settings: CropPlan,
    mask: Tensor | None,
    control_image: Tensor | None,
    pose: Any | None,
    context: Context | None,
) -> tuple[Any, ...]:
    """IMAGE, MASK, control IMAGE, pose and context of one crop, the given context's or a new one.

    Raises ValueError for inputs of different sizes and where there is nothing to crop around.
    """
    picture = image_from_comfy(image)
    size = size_of(picture)
    given = mask_from_comfy(mask, size)
    people = _pose_of(pose, size)
    if context is None:
        fit_size = Size(settings.width, settings.height)
        fit = Fit(fit_size, settings.fit == "exact", *settings[4:])
        context = cropping.plan(_wanted(settings.crop_to, given, people), size, fit)
    elif context.canvas != size:
        raise ValueError(
            f"The context belongs to a canvas of {context.canvas} but the picture is {size}; "
            "connect the canvas that was cropped."
        )
    return _cropped(picture, given, control_image, people, context)


def _cropped(
    picture: Tensor, mask: Tensor | None, control_image: Tensor | None, pose: Pose | None, context: Context
) -> tuple[Any, ...]:
    cut = guide = None
    if mask is not None:
        cut = mask_to_comfy(cropping.crop_mask(mask, context))
    if control_image is not None:
        control = image_from_comfy(control_image, "Control image")
        if size_of(control) != context.canvas:
            raise ValueError(
                f"The control image is {size_of(control)} but the picture {context.canvas}; "
                "connect one drawn on the same canvas."
            )
        guide = image_to_comfy(cropping.crop_image(control, context))
    return (
        image_to_comfy(cropping.crop_image(picture, context)),
        _or_blocked(cut, "mask", "Crop to Region"),
        _or_blocked(guide, "control_image", "Crop to Region"),
        _pose_on(pose, context.scale, context.offset, context.working, "Crop to Region"),
        context,
    )


def _wanted(crop_to: str, mask: Tensor | None, pose: Pose | None) -> Box:
    """What must be inside the crop; ValueError if nothing of what `crop_to` names is there."""
    boxes = []
    if "mask" in crop_to and mask is not None:
        boxes.append(bounds_of_mask(mask))
    if "person" in crop_to and pose is not None:
        boxes += [_person_box(frame) for frame in pose]
    found = [box for box in boxes if box is not None]
    if not found:
        raise ValueError(
            f"There is nothing to crop around: crop_to is {crop_to!r}, but no such input holds anything; "
            "connect a mask that is not empty or a pose with a person."
        )
    return cropping.union(found)


def _person_box(frame: Frame) -> Box | None:
    found = bounding_box(frame)
    if found is None:
        return None
    left, top = math.floor(found[0]), math.floor(found[1])
    return Box(left, top, math.ceil(found[2]) - left + 1, math.ceil(found[3]) - top + 1)


def _job(
    original: Tensor, mask: Tensor | None, region: dict[str, int] | None, context: Context | None
) -> tuple[Tensor, stitching.Plan, Tensor]:
    """The original in the core's layout, the canvas, and the mask of what is repainted on it."""
    picture = image_from_comfy(original, "Original")
    job = stitching.plan(size_of(picture), _region(region), context)
    own = job.canvas
    # A mask of both sizes is taken as the canvas's.
    if mask is not None and context is not None and size_of(mask) != own and not is_no_mask(mask, own):
        own = context.working
    given = mask_from_comfy(mask, own)
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
        target, _ = stitching.overlap(patch.context.box, patch.context.canvas)
        ratios.append(seam.measure(result[target], repainted).ratio)
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
    result = stitching.stitch(picture, image_from_comfy(generated, "Generated"), repainted, job, blend)
    report["seam_ratio"] = seam.measure(result, repainted).ratio
    return result, report


def patch_needs_generated(mask: Tensor) -> bool:
    """Is there anything to repaint? Only then the patch's picture has to be computed."""
    return bool(mask.amax() > 0)


def patch(generated: Tensor | None, mask: Tensor, context: Context) -> stitching.Patch | None:
    """One part of a picture for Stitch Back, or None where its mask is empty; ValueError for other sizes."""
    if not patch_needs_generated(mask):
        return None
    if generated is None:
        raise ValueError("Patch has something to repaint but no generated picture; connect one.")
    picture, asked = image_from_comfy(generated, "Generated"), mask_from_comfy(mask)
    assert asked is not None
    if size_of(picture) != context.working:
        raise ValueError(
            f"The generated picture is {size_of(picture)} but its crop {context.working}; "
            "connect what was made of this crop."
        )
    if size_of(asked) not in (context.working, context.canvas):
        raise ValueError(
            f"The mask is {size_of(asked)} but its crop {context.working} and the canvas {context.canvas}; "
            "connect the mask of one of them."
        )
    common_batch({"generated": picture, "mask": asked})
    return stitching.Patch(picture, asked, context)


def _warn(mask: Tensor, job: stitching.Plan) -> None:
    """Say in the log what is allowed but seldom meant; without an extension nothing is unusual."""
    box = job.region.box
    if box.size == job.canvas:
        return
    known = mask[..., box.y : box.bottom, box.x : box.right]
    covered = int(torch.count_nonzero(known))
    if int(torch.count_nonzero(mask)) == covered:
        log.warning("Stitch Back: the mask covers none of the new area; it stays as it is.")
    if covered > known.numel() / 2:
        log.warning("Stitch Back: the mask covers most of the photo; little of it stays.")
