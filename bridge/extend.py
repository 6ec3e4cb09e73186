"""Extend Canvas on ComfyUI's pictures, masks, poses and dictionaries."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..core.batch import broadcast, common_batch
from ..core.canvas import fill as filling
from ..core.canvas import padding as canvas
from ..core.pose.extension import extension_needed
from ..core.pose.person import Pose
from ..core.shapes import Padding, Size, padded, region_of
from .canvas import pose_of, pose_on
from .layouts import (
    image_from_comfy,
    image_to_comfy,
    mask_from_comfy,
    mask_to_comfy,
    notice_coverage,
    size_of,
)
from .notices import notice


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
    if given is not None:
        notice_coverage(given, "Extend Canvas")
    people = pose_of(pose, size, image=picture, mask=given)
    asked = _padding(mode, size, people)
    padding = canvas.pad_to_multiple(size, asked, multiple_of)
    if mode["mode"] == "size" and padding != asked:
        notice(
            f"Extend Canvas: the canvas is {padded(size, padding)} instead of {padded(size, asked)} because "
            f"multiple_of is {multiple_of}; set it to 1 for exactly that size."
        )
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
        pose_on(people, (1, 1), padding[:2], padded(size, padding), "Extend Canvas"),
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
