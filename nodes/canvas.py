"""Extend Canvas, Crop to Region, Stitch Back."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..bridge import choices
from ..core.canvas.choices import ANCHORS, LARGEST_SIDE
from .types import SOCKET_ONLY, Context, Node, Patch, PoseKeypoint, Region

CATEGORY = "recompose/canvas"


def side(name: str) -> io.Int.Input:
    return io.Int.Input(
        name, default=0, min=0, max=LARGEST_SIDE, step=1, tooltip=f"Pixels to add at the {name}."
    )


def anchor() -> io.Combo.Input:
    return io.Combo.Input(
        "anchor", options=list(ANCHORS), default="center", tooltip="Where the picture stands on the canvas."
    )


def modes() -> list[io.DynamicCombo.Option]:
    margin = io.Float.Input(
        "margin",
        default=4.0,
        min=0.0,
        max=100.0,
        step=0.5,
        tooltip="Room beyond the body on the sides that are extended, in % of the body's height.",
    )
    max_extension = io.Float.Input(
        "max_extension",
        default=2.0,
        min=0.0,
        max=8.0,
        step=0.05,
        tooltip="The most that may be added to a side, in picture heights; more is an error.",
    )
    size = [
        io.Int.Input(
            name, default=0, min=0, max=LARGEST_SIDE, tooltip=f"The canvas's {name} in pixels; 0 keeps it."
        )
        for name in ("width", "height")
    ]
    aspect = [
        io.Float.Input(f"aspect_{name}", default=default, min=0.01, max=LARGEST_SIDE, step=0.01)
        for name, default in (("width", 3.0), ("height", 4.0))
    ]
    return [
        io.DynamicCombo.Option("body", [margin, max_extension]),
        io.DynamicCombo.Option("sides", [side("left"), side("top"), side("right"), side("bottom")]),
        io.DynamicCombo.Option("size", [*size, anchor()]),
        io.DynamicCombo.Option("aspect", [*aspect, anchor()]),
    ]


def fills() -> list[io.DynamicCombo.Option]:
    seed = io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=0xFFFFFFFFFFFFFFFF,
        control_after_generate=False,
        tooltip="Seed of the noise fill.",
    )
    return [
        io.DynamicCombo.Option("smooth", []),
        io.DynamicCombo.Option("edge", []),
        io.DynamicCombo.Option("mirror", []),
        io.DynamicCombo.Option("noise", [seed]),
        io.DynamicCombo.Option("color", [io.Color.Input("color", default="#808080")]),
    ]


class ExtendCanvas(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeExtendCanvas",
            display_name="Extend Canvas",
            category=CATEGORY,
            description="Adds room around a picture; every pixel of the picture keeps its value.",
            search_aliases=["outpaint", "pad image", "uncrop", "expand image"],
            has_intermediate_output=True,
            inputs=[
                io.Image.Input("image"),
                io.DynamicCombo.Input(
                    "mode",
                    options=modes(),
                    tooltip="body: as much as the pose needs. sides: pixels per side. size: a canvas of this "
                    "size. aspect: the smallest canvas of this aspect.",
                ),
                io.Int.Input(
                    "multiple_of",
                    default=8,
                    min=1,
                    max=512,
                    tooltip="Extends the chosen sides until the canvas's sides are multiples of this.",
                ),
                io.DynamicCombo.Input(
                    "fill",
                    options=fills(),
                    tooltip="What the new area shows before it is painted. smooth continues the border's "
                    "colours, edge repeats the border, mirror reflects the picture, noise scatters nearby "
                    "colours, color is one plain colour.",
                ),
                io.Int.Input(
                    "feather",
                    default=0,
                    min=0,
                    max=4096,
                    tooltip="Lets the mask fade into the picture over this many pixels; 0 keeps every pixel.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="A mask of the picture; it is placed on the canvas and joined.",
                ),
                PoseKeypoint.Input(
                    "pose", optional=True, tooltip="The picture's pose, moved along; the mode body needs it."
                ),
            ],
            outputs=[
                io.Image.Output("image", display_name="image"),
                io.Mask.Output("mask", display_name="mask", tooltip="1 where the canvas is new."),
                Region.Output(
                    "region", display_name="region", tooltip="Where the picture lies on the canvas."
                ),
                PoseKeypoint.Output("pose", display_name="pose", tooltip="The pose on the new canvas."),
            ],
        )

    @classmethod
    def validate_inputs(cls, *, mode: dict | None = None, fill: dict | None = None) -> bool:
        choices.require(cls, mode=mode, fill=fill)
        return True

    @classmethod
    def execute(
        cls, image, mode: Any = None, multiple_of=8, fill: Any = None, feather=0, mask=None, pose=None
    ) -> io.NodeOutput:
        from ..bridge import extend, notices

        with notices.collect() as found:
            outputs, report = extend.extend(image, mode, multiple_of, fill, feather, mask, pose)
        return io.NodeOutput(*outputs, ui=found.ui(report))


class CropToRegion(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeCropToRegion",
            display_name="Crop to Region",
            category=CATEGORY,
            description="Cuts out what is to be worked on, at the model's size; Stitch Back undoes it.",
            search_aliases=["inpaint crop", "crop and stitch", "context crop"],
            inputs=[
                io.Image.Input("image"),
                io.Combo.Input(
                    "crop_to",
                    options=["mask and person", "mask", "person"],
                    tooltip="What must be inside the crop. mask and person: both, or the one connected.",
                ),
                io.Int.Input(
                    "width", default=512, min=16, max=LARGEST_SIDE, tooltip="The model's width in pixels."
                ),
                io.Int.Input(
                    "height", default=768, min=16, max=LARGEST_SIDE, tooltip="The model's height in pixels."
                ),
                io.Combo.Input(
                    "fit",
                    options=["area", "exact"],
                    tooltip="area: as many pixels as width × height, in the region's own aspect. "
                    "exact: exactly width × height, the crop grows to that aspect.",
                ),
                io.Float.Input(
                    "margin",
                    default=15.0,
                    min=0.0,
                    max=200.0,
                    step=1.0,
                    tooltip="Surroundings to include on every side, in % of the region's longer side.",
                ),
                io.Int.Input(
                    "multiple_of", default=8, min=1, max=512, tooltip="Both sides become multiples of this."
                ),
                io.Float.Input(
                    "rescale_tolerance",
                    default=1.25,
                    min=1.0,
                    max=4.0,
                    step=0.05,
                    tooltip="A crop that needs less scaling than this factor is not scaled at all.",
                ),
                io.Mask.Input("mask", optional=True),
                io.Image.Input(
                    "control_image", optional=True, tooltip="A picture of the canvas's size, cropped alike."
                ),
                PoseKeypoint.Input("pose", optional=True, tooltip="The pose on the canvas, moved along."),
                Context.Input(
                    "context",
                    optional=True,
                    tooltip="The context of another Crop to Region: makes the very same crop again; "
                    "crop_to, sizes and margin are then not used.",
                ),
            ],
            outputs=[
                io.Image.Output("image", display_name="image"),
                io.Mask.Output(
                    "mask", display_name="mask", tooltip="The mask's crop; nothing if none is connected."
                ),
                io.Image.Output("control_image", display_name="control image"),
                PoseKeypoint.Output("pose", display_name="pose"),
                Context.Output("context", display_name="context", tooltip="For Stitch Back."),
            ],
        )

    @classmethod
    def execute(
        cls, image, crop_to, width, height, fit, margin, multiple_of, rescale_tolerance,
        mask=None, control_image=None, pose=None, context=None,
    ) -> io.NodeOutput:  # fmt: skip
        from ..bridge import crop, notices

        settings = crop.CropSettings(crop_to, width, height, fit, margin, multiple_of, rescale_tolerance)
        with notices.collect() as found:
            outputs = crop.crop(image, settings, mask, control_image, pose, context)
        return io.NodeOutput(*outputs, ui=found.ui())


class StitchBack(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        width = io.Int.Input(
            "width", default=16, min=1, max=1024, tooltip="Over how many known pixels the new area fades out."
        )
        return io.Schema(
            node_id="RecomposeStitchBack",
            display_name="Stitch Back",
            category=CATEGORY,
            description="Puts what was generated into the original; every other pixel stays as it was.",
            search_aliases=["composite", "inpaint stitch", "paste back"],
            has_intermediate_output=True,
            inputs=[
                io.Image.Input(
                    "original",
                    tooltip="The extended canvas, or the photo before it was extended (with region).",
                ),
                io.Image.Input(
                    "generated",
                    optional=True,
                    lazy=True,
                    tooltip="The result, of the canvas's size or of the crop's (with context).",
                ),
                io.DynamicCombo.Input(
                    "mode",
                    options=[io.DynamicCombo.Option("strict", []), io.DynamicCombo.Option("blend", [width])],
                    tooltip="strict: pixels outside the mask stay bit for bit; the generated side is "
                    "matched in tone. blend: it fades out over known pixels, which change.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="1 = take the generated pixel. Of the canvas's size or, with context, the "
                    "crop's. Without a mask: everything outside the region.",
                ),
                Region.Input(
                    "region",
                    optional=True,
                    extra_dict=SOCKET_ONLY,
                    tooltip="Where the photo lies, from Extend Canvas.",
                ),
                Context.Input("context", optional=True, tooltip="From Crop to Region, if it was used."),
                io.Autogrow.Input(
                    "patches",
                    template=io.Autogrow.TemplatePrefix(Patch.Input("patch"), "patch", min=0, max=50),
                    optional=True,
                    tooltip="Further parts from Patch, put in one after the other.",
                ),
            ],
            outputs=[
                io.Image.Output("image", display_name="image"),
                io.Float.Output(
                    "seam_ratio",
                    display_name="seam ratio",
                    tooltip="How much stronger the picture changes across the seam than beside it: "
                    "1 = invisible, above 1.5 = visible.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, *, mode: dict | None = None, patches: dict | None = None) -> bool:
        choices.require(cls, mode=mode)
        return True

    @classmethod
    def check_lazy_status(
        cls, original, mode=None, generated=None, mask=None, region=None, context=None, patches=None
    ) -> list[str]:
        from ..bridge import stitch

        # ComfyUI asks with (values, name) where nothing is connected.
        some = isinstance(patches, dict) and bool(patches)
        wanted = generated is None and stitch.needs_generated(original, mask, region, context, some)
        return ["generated"] if wanted else []

    @classmethod
    def execute(
        cls, original, mode: Any = None, generated=None, mask=None, region=None, context=None, patches=None
    ) -> io.NodeOutput:
        from ..bridge import notices, stitch

        parts = list((patches or {}).values())
        with notices.collect() as found:
            image, report = stitch.stitch(original, generated, mode, mask, region, context, parts)
        return io.NodeOutput(image, report["seam_ratio"], ui=found.ui(report))


class MakePatch(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposePatch",
            display_name="Patch",
            category=CATEGORY,
            description="One part of a picture for Stitch Back, which puts in any number of them.",
            search_aliases=["regions", "multiple masks", "inpaint stitch"],
            inputs=[
                io.Image.Input("generated", lazy=True, tooltip="The result, of the crop's size."),
                io.Mask.Input(
                    "mask", tooltip="1 = take the generated pixel; of the crop's size or the whole picture's."
                ),
                Context.Input("context", tooltip="From Crop to Region."),
            ],
            outputs=[Patch.Output("patch", display_name="patch")],
        )

    @classmethod
    def check_lazy_status(cls, mask, context, generated=None) -> list[str]:
        from ..bridge import stitch

        return ["generated"] if generated is None and stitch.patch_needs_generated(mask) else []

    @classmethod
    def execute(cls, mask, context, generated=None) -> io.NodeOutput:
        from ..bridge import notices, stitch

        with notices.collect() as found:
            patch = stitch.patch(generated, mask, context)
        return io.NodeOutput(patch, ui=found.ui())


NODES = [ExtendCanvas, CropToRegion, StitchBack, MakePatch]
