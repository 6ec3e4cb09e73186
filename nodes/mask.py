"""Feather Mask, Snap Mask to Latent."""

from __future__ import annotations

from comfy_api.latest import io

from .types import Node

CATEGORY = "recompose/mask"


class FeatherMask(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeFeatherMask",
            display_name="Feather Mask",
            category=CATEGORY,
            description="Grows or shrinks a mask and softens its edge by exact distance.",
            search_aliases=["grow mask", "shrink mask", "blur mask", "expand mask"],
            inputs=[
                io.Mask.Input("mask"),
                io.Float.Input(
                    "grow",
                    default=0.0,
                    min=-4096.0,
                    max=4096.0,
                    step=1.0,
                    tooltip="Moves the edge outwards by this many pixels; below 0 it moves inwards.",
                ),
                io.Float.Input(
                    "feather",
                    default=16.0,
                    min=0.0,
                    max=4096.0,
                    step=1.0,
                    tooltip="How many pixels wide the soft edge is; 0 leaves it hard.",
                ),
                io.Combo.Input(
                    "direction",
                    options=["both", "inward", "outward"],
                    tooltip="Where the soft edge lies: half on each side, all inside, or all outside.",
                ),
                io.Combo.Input(
                    "shape",
                    options=["linear", "cosine", "gaussian"],
                    tooltip="The profile of the soft edge; gaussian looks as if the edge had been blurred.",
                ),
                io.Boolean.Input(
                    "border_is_edge",
                    default=False,
                    tooltip="On: a mask that touches the picture's border is shrunk and softened there, too.",
                ),
            ],
            outputs=[io.Mask.Output("mask", display_name="mask")],
        )

    @classmethod
    def execute(cls, mask, grow, feather, direction, shape, border_is_edge) -> io.NodeOutput:
        from ..bridge import mask as bridge
        from ..bridge import notices

        with notices.collect() as found:
            feathered = bridge.feather(mask, grow, feather, direction, shape, border_is_edge)
        return io.NodeOutput(feathered, ui=found.ui())


class SnapMaskToLatent(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeSnapMaskToLatent",
            display_name="Snap Mask to Latent",
            category=CATEGORY,
            description="Widens a mask to whole latent cells, so that no thin stroke is lost, and "
            "sets it as noise mask.",
            search_aliases=["set latent noise mask", "inpaint mask"],
            inputs=[
                io.Mask.Input("mask", tooltip="A cell is repainted if any of its pixels is above 0."),
                io.Int.Input(
                    "grow_cells",
                    default=0,
                    min=0,
                    max=64,
                    tooltip="Repaint this many more cells around the mask.",
                ),
                io.Int.Input(
                    "ratio",
                    default=8,
                    min=1,
                    max=128,
                    advanced=True,
                    tooltip="Pixels per latent cell; only used if neither vae nor samples is connected.",
                ),
                io.Vae.Input("vae", optional=True, tooltip="Gives the number of pixels per latent cell."),
                io.Latent.Input("samples", optional=True, tooltip="The latent that gets the noise mask."),
            ],
            outputs=[
                io.Mask.Output(
                    "mask", display_name="mask", tooltip="The pixels that will really be repainted."
                ),
                io.Latent.Output(
                    "samples", display_name="samples", tooltip="The latent with its noise mask."
                ),
            ],
        )

    @classmethod
    def execute(cls, mask, grow_cells, ratio, vae=None, samples=None) -> io.NodeOutput:
        from ..bridge import mask as bridge
        from ..bridge import notices

        with notices.collect() as found:
            outputs = bridge.snap(mask, grow_cells, ratio, vae, samples)
        return io.NodeOutput(*outputs, ui=found.ui())


NODES = [FeatherMask, SnapMaskToLatent]
