"""Shape Guard, Shape Guard Mask."""

from __future__ import annotations

from comfy_api.latest import io

from .attention import CATEGORY
from .types import Guard, Node


class ShapeGuard(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeShapeGuard",
            display_name="Shape Guard",
            category=CATEGORY,
            description="Paints only the thing within a coarse mask; the rest of the mask stays the photo.",
            search_aliases=["inpaint", "keep background", "coarse mask", "smartbrush", "object mask"],
            inputs=[
                io.Model.Input("model", tooltip="An SD1, SD2 or SDXL model, best an inpaint checkpoint."),
                io.Clip.Input("clip", tooltip="The CLIP that encodes the prompt."),
                io.Latent.Input(
                    "latent",
                    tooltip="The encoded photo with its noise mask, from InpaintModelConditioning or Snap "
                    "Mask to Latent; not from VAE Encode (for Inpainting), which greys the mask.",
                ),
                io.String.Input(
                    "text",
                    default="",
                    multiline=True,
                    tooltip="The positive prompt of the sampler; best one text connected to both.",
                ),
                io.String.Input(
                    "words",
                    default="",
                    tooltip="Words or phrases of the text that are to be painted: red ball, dog#2.",
                ),
                io.Float.Input(
                    "start",
                    default=0.33,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="The first share of the steps, which paints in all of the mask. 1: no guard.",
                ),
                io.Float.Input(
                    "least",
                    default=0.02,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    advanced=True,
                    tooltip="The share of the mask that is always painted.",
                ),
                io.Float.Input(
                    "threshold",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    advanced=True,
                    tooltip="The thing is where the map of its words, from 0 to 1, is at least this. 0: "
                    "found at each step (Otsu).",
                ),
                io.Float.Input(
                    "grow",
                    default=0.0,
                    min=-256.0,
                    max=256.0,
                    step=1.0,
                    advanced=True,
                    tooltip="Pixels that are painted around the thing.",
                ),
                io.Float.Input(
                    "feather",
                    default=8.0,
                    min=0.0,
                    max=256.0,
                    step=1.0,
                    advanced=True,
                    tooltip="Pixels over which the painting fades into the photo, outside of the thing.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="The coarse mask, if it is another than the latent's noise mask.",
                ),
            ],
            outputs=[
                io.Model.Output("model", display_name="model", tooltip="For the sampler."),
                Guard.Output("guard", display_name="guard", tooltip="For Shape Guard Mask."),
            ],
        )

    @classmethod
    def execute(
        cls, model, clip, latent, text, words, start, least, threshold, grow, feather, mask=None
    ) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.attention import guard

        shaping = guard.Shaping(threshold, least, grow, feather)
        with notices.collect() as found:
            made = guard.guard(model, guard.Words(clip, text, words), latent, mask, start, shaping)
        return io.NodeOutput(*made, ui=found.ui())


class ShapeGuardMask(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeShapeGuardMask",
            display_name="Shape Guard Mask",
            category=CATEGORY,
            description="The mask of the thing that a sampler painted with Shape Guard's model.",
            search_aliases=["object mask", "inpaint mask", "smartbrush"],
            inputs=[
                Guard.Input("guard", tooltip="From Shape Guard."),
                io.Latent.Input(
                    "latent", tooltip="The output of the sampler that ran with Shape Guard's model."
                ),
            ],
            outputs=[
                io.Mask.Output(
                    "mask", display_name="mask", tooltip="1 where the thing was painted; the photo's size."
                )
            ],
        )

    @classmethod
    def execute(cls, guard, latent) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.attention.guard import shape_mask

        with notices.collect() as found:
            mask = shape_mask(guard, latent)
        return io.NodeOutput(mask, ui=found.ui())


NODES = [ShapeGuard, ShapeGuardMask]
