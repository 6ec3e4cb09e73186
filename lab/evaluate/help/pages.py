"""Which pictures the help page of each node shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from PIL import Image

from ...places import DOCS
from . import attention, brush, inversion, scenes, shape, word_maps
from .sheet import Panel, boxed, chart, gridded, over, sheet, tinted, written

EDITOR = DOCS / "pictures" / "pose_editor.png"
EDITOR_PART, EDITOR_WIDTH = (322, 0, 720, 731), 300  # of the screenshot: the node


def numbers(text: str) -> list[float]:
    """The values of a printed one-dimensional tensor."""
    return [float(value) for value in re.findall(r"\d+\.\d+(?:e[-+]\d+)?", text)]


def editor() -> Image.Image:
    """The screenshot of the pose editor, smaller."""
    part = Image.open(EDITOR).convert("RGB").crop(EDITOR_PART)
    height = round(part.height * EDITOR_WIDTH / part.width)
    return part.resize((EDITOR_WIDTH, height), Image.Resampling.LANCZOS)


def beside(canvas: Image.Image, picture: Image.Image) -> Image.Image:
    """A smaller picture on a black canvas of the other's size, so that both have one scale."""
    page = Image.new("RGB", canvas.size)
    page.paste(picture)
    return page


def box_of(context: str) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the box in a printed context of Crop to Region."""
    place = re.search(r"Box\(x=(-?\d+), y=(-?\d+), width=(\d+), height=(\d+)\)", context)
    if not place:
        raise ValueError(f"Expected a printed context with its box, got {context}.")
    x, y, width, height = map(int, place.groups())
    return x, y, x + width, y + height


def pages(found: dict[str, Any], pose: str) -> dict[str, Image.Image]:
    """The picture of every node's help page, by node id.

    `found` is what the prompt of `scenes` showed, `pose` its OpenPose JSON.
    """
    photo, canvas, crop = found["photo"], found["canvas"], box_of(found["context"])
    return {
        **pose_pages(found, pose),
        **mask_pages(found),
        **sampling_pages(found),
        **inversion.pages(found),
        **attention.pages(found),
        **word_maps.pages(found),
        **brush.pages(found),
        **shape.pages(found),
        "RecomposeExtendCanvas": sheet(
            ("image", beside(canvas, photo)), ("canvas", canvas), ("mask", found["new area"])
        ),
        "RecomposeCropToRegion": sheet(("canvas", boxed(canvas, crop)), ("crop", found["crop"])),
        "RecomposeStitchBack": sheet(
            ("original", canvas), ("generated", found["generated"]), ("image", found["result"])
        ),
        "RecomposePatch": sheet(
            ("image", found["result"]),
            ("masks", tinted(tinted(found["result"], found["trousers"]), found["cloud"])),
            ("result", found["patched"]),
        ),
        "RecomposeBlipCaption": sheet(("image", found["captioned"]), ("caption", written(found["caption"]))),
    }


def pose_pages(found: dict[str, Any], pose: str) -> dict[str, Image.Image]:
    """The pages of the pose nodes."""
    photo, canvas = found["photo"], found["canvas"]
    shown = over(photo, found["pose"])
    return {
        "RecomposeLoadPose": sheet(("text", written(pose[:160] + " …", 20)), ("pose", shown)),
        "RecomposeDetectPose": sheet(("image", photo), ("preview", found["detected"])),
        "RecomposeCompletePose": sheet(
            ("pose of the photo", beside(canvas, shown)), ("completed", over(canvas, found["whole pose"]))
        ),
        "RecomposeDrawPose": sheet(("pose", shown), ("image", found["pose"])),
        "RecomposeEditPose": editor(),
        "RecomposeLimbMask": sheet(
            ("pose", over(canvas, found["whole pose"])),
            ("estimated", tinted(canvas, found["limbs"])),
            ("left arm", tinted(canvas, found["arm"])),
        ),
    }


def mask_pages(found: dict[str, Any]) -> dict[str, Image.Image]:
    """The pages of the mask nodes."""
    names = (("mask", "disc"), ("grow 12", "grown"), ("feather 24", "feathered"))
    return {
        "RecomposeFeatherMask": sheet(*((label, found[name]) for label, name in names)),
        "RecomposeSnapMaskToLatent": sheet(
            ("mask", gridded(found["stroke"], 8)), ("whole cells", gridded(found["snapped"], 8))
        ),
    }


def sampling_pages(found: dict[str, Any]) -> dict[str, Image.Image]:
    """The pages of the sampling nodes."""

    def given(mask: str) -> Panel:
        return "image and mask", tinted(found["result"], found[mask])

    def compared(setting: str, values: Sequence[float]) -> Image.Image:
        names = [f"{setting} {value:g}" for value in values]
        return sheet(given("shirt"), *((name, found[name]) for name in names))

    levels = {name: numbers(found[f"sigmas {name}"]) for name in scenes.SCHEDULES}
    return {
        "RecomposeLagrangeInpaint": sheet(given("trousers"), ("50 model calls", found["lagrange"])),
        "RecomposeRePaint": sheet(given("cloud"), ("100 model calls", found["repaint"])),
        "RecomposeLagrangeSampler": compared("gain", scenes.GAINS),
        "RecomposeRePaintSampler": compared("resamplings", scenes.RESAMPLINGS),
        "RecomposeInpaintScheduler": sheet(("sigmas of 50 steps", chart(levels))),
    }
