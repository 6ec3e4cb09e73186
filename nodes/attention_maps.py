"""Record Attention, Attention Maps."""

from __future__ import annotations

from comfy_api.latest import io

from .attention import CATEGORY, ranges
from .types import Attention, Node


class RecordAttention(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeRecordAttention",
            display_name="Record Attention",
            category=CATEGORY,
            description="Keeps what each word of the prompt attends to while any sampler runs.",
            search_aliases=["cross attention", "daam", "attention map", "heatmap", "attention store"],
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="An SD1, SD2, SDXL, SD3, Flux, Qwen-Image or Z-Image model; "
                    "the picture stays the same.",
                ),
                io.Combo.Input(
                    "detail",
                    options=["all together", "each layer", "each step", "each layer and step"],
                    advanced=True,
                    tooltip="What is kept apart, for sheets of layers or steps. Takes more memory, which the "
                    "sampler tells as it starts.",
                ),
                ranges("steps", "Steps to record, counted from 0: 4-, 4-40, 4,6,8-12, 8%-50%. Empty: all."),
                ranges(
                    "layers",
                    "Layers to record, in the order they run: 10-15, 50%-, or decoder, encoder, middle of a "
                    "UNet, double, single of Flux, all. Empty: all.",
                ),
            ],
            outputs=[
                io.Model.Output("model", display_name="model", tooltip="For the sampler."),
                Attention.Output("attention", display_name="attention", tooltip="For Attention Maps."),
            ],
        )

    @classmethod
    def execute(cls, model, detail, steps, layers) -> io.NodeOutput:
        from ..bridge.attention import recorder

        return io.NodeOutput(*recorder.record(model, detail, steps, layers))


class AttentionMaps(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeAttentionMaps",
            display_name="Attention Maps",
            category=CATEGORY,
            description="Shows which part of the picture each word of the prompt made, and makes it a mask.",
            search_aliases=["cross attention", "daam", "heatmap", "word mask", "prompt to mask", "segment"],
            # The node shows the words at the place under the pointer, so it is worth running for itself.
            is_output_node=True,
            has_intermediate_output=True,
            inputs=[
                Attention.Input("attention", tooltip="From Record Attention."),
                io.Latent.Input(
                    "latent",
                    tooltip="The output of the sampler that ran with Record Attention's model.",
                ),
                io.Clip.Input("clip", tooltip="The CLIP that encoded the prompt."),
                io.String.Input(
                    "text",
                    default="",
                    multiline=True,
                    tooltip="The positive prompt of the sampler; best one text connected to both.",
                ),
                io.String.Input(
                    "words",
                    default="",
                    tooltip="Words or phrases of the text: red ball, shirt, dog#2 (the second dog). Empty: "
                    "every word.",
                ),
                io.Combo.Input(
                    "show",
                    options=["overlay", "heat map", "sheet of layers", "sheet of steps"],
                    tooltip="overlay: over the image, if one is connected. Sheets: a small map for each "
                    "layer or step that Record Attention kept.",
                ),
                io.Float.Input(
                    "threshold",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="The mask is where the map is at least this. 0: found for each map (Otsu).",
                ),
                io.Boolean.Input("labels", default=True, tooltip="Write each word into its picture."),
                io.Combo.Input(
                    "aggregation",
                    options=["DAAM", "prompt-to-prompt"],
                    advanced=True,
                    tooltip="DAAM: mean of all layers. prompt-to-prompt, for UNets: layers at a quarter of "
                    "the latent's size, spread by a cell.",
                ),
                ranges(
                    "layers",
                    "Only these of the recorded layers: 10-15, or encoder, middle, decoder, double, single, "
                    "all. Empty: as published.",
                ),
                ranges("steps", "Only these of the recorded steps: 4-, 10-20, 50%-. Empty: all."),
                io.Image.Input(
                    "image", optional=True, tooltip="The decoded picture, for the overlay and its size."
                ),
            ],
            outputs=[
                io.Image.Output(
                    "images", display_name="images", tooltip="One for each word, row by row of the latent."
                ),
                io.Mask.Output("masks", display_name="masks", tooltip="1 where the word is, in that order."),
                io.Mask.Output(
                    "maps", display_name="maps", tooltip="The maps themselves from 0 to 1, in that order."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        attention,
        latent,
        clip,
        text,
        words,
        show,
        threshold,
        labels,
        aggregation,
        layers,
        steps,
        image=None,
    ) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.attention import maps

        look = maps.Look(show, aggregation, threshold, labels, layers, steps)
        with notices.collect() as found:
            shown = maps.attention_maps(attention, latent, clip, text, words, look, image)
        return io.NodeOutput(*shown.outputs, ui=found.ui({"overlays": shown.overlays}))


NODES = [RecordAttention, AttentionMaps]
