"""Mask Precision, Guess Precision."""

from __future__ import annotations

from comfy_api.latest import io

from .types import Node

CATEGORY = "recompose/shape"


def cells() -> list[io.Input]:
    """How large a latent cell is."""
    return [
        io.Int.Input(
            "ratio",
            default=8,
            min=1,
            max=128,
            advanced=True,
            tooltip="Pixels per latent cell; only used if vae is not connected.",
        ),
        io.Vae.Input("vae", optional=True, tooltip="Gives the number of pixels per latent cell."),
    ]


class MaskPrecision(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeMaskPrecision",
            display_name="Mask Precision",
            category=CATEGORY,
            description="Makes an exact mask coarser, in steps up to its box, as SmartBrush was taught them.",
            search_aliases=["smartbrush", "blur mask", "bounding box mask", "coarse mask"],
            inputs=[
                io.Mask.Input("mask", tooltip="The exact shape of the thing."),
                io.Int.Input(
                    "precision",
                    default=1,
                    min=0,
                    max=5,
                    tooltip="0: the mask as it is. 1 to 4: blurred by 1, 2, 4 or 8 latent cells. 5: its box.",
                ),
                *cells(),
            ],
            outputs=[io.Mask.Output("mask", display_name="mask", tooltip="Holds the exact mask.")],
        )

    @classmethod
    def execute(cls, mask, precision, ratio, vae=None) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.smartbrush import precision as bridge

        with notices.collect() as found:
            made = bridge.mask_precision(mask, precision, ratio, vae)
        return io.NodeOutput(made, ui=found.ui())


class GuessPrecision(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeGuessPrecision",
            display_name="Guess Precision",
            has_intermediate_output=True,
            category=CATEGORY,
            description="Guesses how precisely a mask was painted, for SmartBrush Sampler.",
            search_aliases=["smartbrush", "mask precision", "coarse mask"],
            inputs=[io.Mask.Input("mask", tooltip="The mask as it was painted."), *cells()],
            outputs=[
                io.Int.Output("precision", display_name="precision", tooltip="From 0 (exact) to 5 (a box).")
            ],
        )

    @classmethod
    def execute(cls, mask, ratio, vae=None) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.smartbrush import precision as bridge

        with notices.collect() as found:
            level = bridge.guess_precision(mask, ratio, vae)
        return io.NodeOutput(level, ui=found.ui({"precision": level}))


NODES = [MaskPrecision, GuessPrecision]
