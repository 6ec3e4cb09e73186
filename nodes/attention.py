"""Mutual Attention, Same Noise, Rows, Control Rows."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .types import Node

CATEGORY = "recompose/attention"


def ranges(name: str, tooltip: str, default: str = "", *, advanced: bool = True) -> io.Input:
    return io.String.Input(name, default=default, advanced=advanced, tooltip=tooltip)


def from_words() -> list[io.Input]:
    """What Mutual Attention's mode "masked, from words" needs."""
    return [
        io.Clip.Input("clip", optional=True, tooltip="masked, from words: the CLIP of the prompts."),
        io.String.Input(
            "text_source", default="", multiline=True, optional=True, advanced=True,
            tooltip="masked, from words: the source's prompt; best one text connected to Rows and to this.",
        ),
        io.String.Input(
            "text_target", default="", multiline=True, optional=True, advanced=True,
            tooltip="masked, from words: the targets' prompts, one a line as in Rows.",
        ),
        io.String.Input(
            "words_source", default="", optional=True, advanced=True,
            tooltip="masked, from words: what the mask is of, in the source's prompt: woman, or shirt, hat.",
        ),
        io.String.Input(
            "words_target", default="", optional=True, advanced=True,
            tooltip="The same in the targets' prompts. Empty: as in the source's.",
        ),
        io.Float.Input(
            "word_threshold", default=0.0, min=0.0, max=1.0, step=0.01, optional=True, advanced=True,
            tooltip="The masks are where a word's map is at least this. 0: found for each map (Otsu); "
            "published: 0.1.",
        ),
    ]  # fmt: skip


class MutualAttention(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeMutualAttention",
            display_name="Mutual Attention",
            category=CATEGORY,
            description="Lets the other rows of a batch take the look of the source row (MasaCtrl).",
            search_aliases=["masactrl", "self-attention", "consistency", "same person", "reference"],
            inputs=[
                io.Model.Input("model"),
                io.Float.Input(
                    "keep",
                    default=0.92,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="Keep less (0) or more (1) of the source: the last share of the steps that takes "
                    "its look; the first steps set pose and layout. 0.92 is from step 4 of 50 on.",
                ),
                io.Combo.Input(
                    "mode",
                    options=["replace", "union", "masked", "masked, from words"],
                    tooltip="replace: targets look at the source only. union: also at themselves. masked: "
                    "inside their mask at the inside of the source's mask, outside at its outside. masked, "
                    "from words: by masks of where words of the prompts are.",
                ),
                ranges(
                    "source_rows",
                    "The rows of the batch to take from, counted from 0: 0 or 0,2; all others are targets.",
                    "0",
                ),
                ranges(
                    "steps",
                    "Steps in place of keep, counted from 0: 4-, 4-40, 4,6,8-12, 8%-50%, -4- (the last "
                    "four). Empty: as keep says.",
                ),
                ranges(
                    "layers",
                    "Self-attention layers in the order they run: 10-15, 4,6,8-12, 50%-, or decoder, "
                    "encoder, middle, double, single, all. Empty: the published (SD1 10-15, SDXL 44-69).",
                ),
                io.Mask.Input(
                    "mask_source",
                    optional=True,
                    tooltip="masked: where the thing is in the source.",
                ),
                io.Mask.Input(
                    "mask_target", optional=True, tooltip="masked: where the thing is to be in the targets."
                ),
                *from_words(),
            ],
            outputs=[io.Model.Output("model", display_name="model")],
        )

    @classmethod
    def execute(
        cls, model, keep, mode, source_rows, steps, layers, mask_source=None, mask_target=None, clip=None,
        text_source="", text_target="", words_source="", words_target="", word_threshold=0.0,
    ) -> io.NodeOutput:  # fmt: skip
        from ..bridge import notices
        from ..bridge.attention import mutual

        asked = mutual.Asked(clip, text_source, text_target, words_source, words_target, word_threshold)
        masks = mask_source, mask_target
        with notices.collect() as found:
            patched = mutual.mutual(model, keep, mode, source_rows, steps, layers, *masks, asked)
        return io.NodeOutput(patched, ui=found.ui())


class SameNoise(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeSameNoise",
            display_name="Same Noise",
            category=CATEGORY,
            description="Makes a latent a batch whose rows all start from the same noise.",
            search_aliases=["repeat latent", "batch index", "same seed", "masactrl"],
            inputs=[
                io.Latent.Input("latent", tooltip="One row, which is repeated, or as many as asked for."),
                io.Int.Input(
                    "rows",
                    default=2,
                    min=1,
                    max=64,
                    tooltip="How many rows; connect the output of Rows.",
                ),
            ],
            outputs=[io.Latent.Output("latent", display_name="latent")],
        )

    @classmethod
    def execute(cls, latent, rows) -> io.NodeOutput:
        from ..bridge.attention import same_noise

        return io.NodeOutput(same_noise.same_noise(latent, rows))


class Rows(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeRows",
            display_name="Rows",
            category=CATEGORY,
            description="Makes several prompts one conditioning, with one prompt for each row of the latent.",
            search_aliases=["batch conditioning", "batch prompt", "masactrl", "source and target prompt"],
            inputs=[
                io.String.Input(
                    "source_prompt",
                    default="",
                    multiline=True,
                    tooltip="The first row's prompt. Empty: only the connected conditionings are rows.",
                ),
                io.String.Input(
                    "target_prompts",
                    default="",
                    multiline=True,
                    tooltip="The prompts of the rows after it, one a line; empty lines are left out.",
                ),
                io.Clip.Input("clip", optional=True, tooltip="Encodes the prompts typed here."),
                io.Model.Input(
                    "model",
                    optional=True,
                    tooltip="Only for prompts of different lengths: tells how they can be made equal.",
                ),
                io.Autogrow.Input(
                    "conditionings",
                    template=io.Autogrow.TemplatePrefix(
                        io.Conditioning.Input("conditioning"), "conditioning", min=0, max=50
                    ),
                    optional=True,
                    tooltip="Rows in this order, before those of the prompts typed here.",
                ),
            ],
            outputs=[
                io.Conditioning.Output("conditioning", display_name="conditioning"),
                io.Int.Output("rows", display_name="rows", tooltip="How many rows; for Same Noise."),
            ],
        )

    @classmethod
    def execute(
        cls, source_prompt, target_prompts, clip=None, model=None, conditionings: Any = None
    ) -> io.NodeOutput:
        from ..bridge.attention import rows

        given = [each for each in (conditionings or {}).values() if each is not None]
        return io.NodeOutput(*rows.rows(given, source_prompt, target_prompts, clip, model))


class ControlRows(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeControlRows",
            display_name="Control Rows",
            category=CATEGORY,
            description="Lets the ControlNets of a conditioning act on some rows of the batch only.",
            search_aliases=["controlnet batch", "controlnet per row", "mask controlnet", "masactrl"],
            inputs=[
                io.Conditioning.Input("positive", tooltip="From Apply ControlNet, after Rows."),
                io.Conditioning.Input("negative", tooltip="From the same Apply ControlNet."),
                ranges(
                    "rows",
                    "The rows that the ControlNets act on, counted from 0: 1- is all but the first.",
                    "1-",
                    advanced=False,
                ),
            ],
            outputs=[
                io.Conditioning.Output("positive", display_name="positive"),
                io.Conditioning.Output("negative", display_name="negative"),
            ],
        )

    @classmethod
    def execute(cls, positive, negative, rows) -> io.NodeOutput:
        from ..bridge.attention import control

        return io.NodeOutput(*control.control_rows(positive, negative, rows))


NODES = [MutualAttention, SameNoise, Rows, ControlRows]
