"""Word Mask."""

from __future__ import annotations

from comfy_api.latest import io

from .attention import CATEGORY, ranges
from .types import Node


class WordMask(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeWordMask",
            display_name="Word Mask",
            category=CATEGORY,
            description="Masks what words name in a photo, with any checkpoint and without generating.",
            search_aliases=["segment", "text to mask", "clipseg", "select by text", "find object", "daam"],
            inputs=[
                io.Model.Input("model", tooltip="An SD1, SD2, SDXL or FLUX.1 model, also an inpaint model."),
                io.Clip.Input("clip", tooltip="The model's CLIP."),
                io.Vae.Input("vae", tooltip="The model's VAE."),
                io.Image.Input("image", tooltip="The photo, or a batch of them."),
                io.String.Input(
                    "text",
                    default="",
                    multiline=True,
                    tooltip="What the photo shows; the words must be in it, but for Flux. Empty: the words "
                    "alone. A whole sentence tells things apart better.",
                ),
                io.String.Input(
                    "words",
                    default="",
                    tooltip="Words or phrases to mask: shirt, red ball, dog#2 (the second dog of the text).",
                ),
                io.Float.Input(
                    "threshold",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="The mask is where the map is at least this. 0: found for each map (Otsu).",
                ),
                io.Boolean.Input(
                    "one_piece", default=False, tooltip="Keep only the largest connected piece of each mask."
                ),
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
                    default=0.0,
                    min=0.0,
                    max=4096.0,
                    step=1.0,
                    tooltip="How many pixels wide the soft edge is; 0 leaves it hard.",
                ),
                ranges(
                    "layers",
                    "Cross-attention layers to look at, in the order they run: 10-15, or encoder, middle, "
                    "decoder, all. Empty: the decoder's whose maps are fine enough. Flux: double blocks.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=io.ControlAfterGenerate.fixed,
                    advanced=True,
                    tooltip="Of the noise through which the photo is looked at.",
                ),
            ],
            outputs=[
                io.Mask.Output(
                    "masks",
                    display_name="masks",
                    tooltip="1 where the word is; all words of the first picture, then those of the next.",
                ),
                io.Mask.Output(
                    "maps", display_name="maps", tooltip="The maps themselves from 0 to 1, in that order."
                ),
            ],
        )

    @classmethod
    def execute(
        cls, model, clip, vae, image, text, words, threshold, one_piece, grow, feather, layers="", seed=0
    ) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.attention import word_mask

        finish = word_mask.Finish(threshold, one_piece, grow, feather)
        with notices.collect() as found:
            made = word_mask.word_masks(model, clip, vae, image, text, words, finish, layers, seed)
        return io.NodeOutput(*made, ui=found.ui())


NODES = [WordMask]
