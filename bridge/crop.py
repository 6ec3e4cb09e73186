"""Crop to Region on ComfyUI's pictures, masks, poses and contexts."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from torch import Tensor

from ..core.canvas import crop as cropping
from ..core.canvas.crop import Context, Fit
from ..core.mask.bounds import bounds_of_mask
from ..core.pose.near import without_far_points
from ..core.pose.person import Frame, Pose, bounding_box
from ..core.shapes import Box, Size
from .canvas import or_blocked, pose_of, pose_on
from .layouts import (
    NO_ALPHA,
    image_from_comfy,
    image_to_comfy,
    mask_from_comfy,
    mask_to_comfy,
    notice_coverage,
    size_of,
)
from .notices import notice

# From this enlargement, and this share beyond the picture, on a notice is given.
ENLARGED, BEYOND = 7.5, 0.05


class CropSettings(NamedTuple):
    """The settings of Crop to Region."""

    crop_to: str
    width: int
    height: int
    fit: str
    margin: float
    multiple_of: int
    rescale_tolerance: float


def crop(
    image: Tensor,
    settings: CropSettings,
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
    if given is not None:
        notice_coverage(given, "Crop to Region")
    people = pose_of(pose, size, image=picture, mask=given)
    if context is None:
        fit_size = Size(settings.width, settings.height)
        fit = Fit(fit_size, settings.fit == "exact", *settings[4:])
        if "mask" in settings.crop_to and mask is not None and given is None and people is None:
            raise ValueError(NO_ALPHA)
        context = cropping.plan(_wanted(settings.crop_to, given, people), size, fit)
        _notice_crop(context, mask is not None)
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
        context = cropping.with_mask(context, mask)
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
        or_blocked(cut, "mask", "Crop to Region"),
        or_blocked(guide, "control_image", "Crop to Region"),
        pose_on(pose, context.scale, context.offset, context.working, "Crop to Region"),
        context,
    )


def _notice_crop(context: Context, masked: bool) -> None:
    """Give notice of a crop that shows little, or much that is not there."""
    box, shown = context.box, context.shown
    beyond = 1 - shown.width * shown.height / (box.width * box.height)
    if min(context.scale) > ENLARGED:
        notice(
            f"Crop to Region: the crop of {box.size} px is enlarged {min(context.scale):.3g} times; raise "
            "the margin, or lower width and height, to show more of the surroundings."
        )
    if beyond > BEYOND:
        also = "the mask is 1 there" if masked else "its edge is repeated there"
        notice(
            f"Crop to Region: {100 * beyond:.0f} % of the crop lie beyond the picture ({also}); choose the "
            "fit area, or a width and height nearer to the picture's aspect."
        )


def _wanted(crop_to: str, mask: Tensor | None, pose: Pose | None) -> Box:
    """What must be inside the crop; ValueError if nothing of what `crop_to` names is there."""
    boxes = []
    if "mask" in crop_to and mask is not None:
        boxes.append(bounds_of_mask(mask))
    if "person" in crop_to and pose is not None:
        boxes += [_person_box(frame) for frame in _near(pose)]
    found = [box for box in boxes if box is not None]
    if not found:
        raise ValueError(
            f"There is nothing to crop around: crop_to is {crop_to!r}, but no such input holds anything; "
            "paint a mask, or connect one that is not empty or a pose with a person."
        )
    return cropping.union(found)


def _near(pose: Pose) -> list[Frame]:
    """The frames without points far outside, of which it gives notice."""
    found = [without_far_points(frame) for frame in pose]
    if left_out := sum(count for _, count in found):
        notice(
            f"Crop to Region: {left_out} points of the pose lie far outside the picture and are left out of "
            "the crop; check the pose."
        )
    return [frame for frame, _ in found]


def _person_box(frame: Frame) -> Box | None:
    """The box around the people, as far as the picture shows it: beyond, there is nothing to crop."""
    found = bounding_box(frame)
    if found is None:
        return None
    left, top = max(math.floor(found[0]), 0), max(math.floor(found[1]), 0)
    right = min(math.ceil(found[2]) + 1, frame.size.width)
    bottom = min(math.ceil(found[3]) + 1, frame.size.height)
    return Box(left, top, right - left, bottom - top) if left < right and top < bottom else None
