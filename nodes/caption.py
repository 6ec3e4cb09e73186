from typing import Any

from comfy_api.latest import io

from ..bridge import choices
from .types import Node


class BlipCaption(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeBlipCaption",
            display_name="BLIP Caption",
            category="recompose/caption",
            description="Describes each picture in a sentence with a BLIP model from models/blip.",
            search_aliases=["caption", "describe image", "image to text", "interrogate"],
            inputs=[
                io.Image.Input("image"),
                io.Combo.Input(
                    "model",
                    options=choices.blip_models(),
                    tooltip="A folder in models/blip, such as Salesforce/blip-image-captioning-base.",
                ),
                io.String.Input(
                    "prompt",
                    default="",
                    tooltip="How the caption begins, such as: a photo of. It is left out of the result.",
                ),
                io.DynamicCombo.Input(
                    "search",
                    options=[
                        io.DynamicCombo.Option("beams", [num_beams()]),
                        io.DynamicCombo.Option("nucleus", nucleus()),
                    ],
                    tooltip="beams: one likely caption, always the same. nucleus: a new one for every seed.",
                ),
                io.Int.Input(
                    "min_new_tokens",
                    default=5,
                    min=0,
                    max=256,
                    tooltip="Least length in word pieces, without the prompt.",
                ),
                io.Int.Input(
                    "max_new_tokens",
                    default=30,
                    min=1,
                    max=256,
                    tooltip="Greatest length in word pieces, without the prompt.",
                ),
                io.Float.Input(
                    "repetition_penalty",
                    default=1.0,
                    min=1.0,
                    max=2.0,
                    step=0.05,
                    tooltip="Above 1, repeated words become less likely; at most 1.2 with beams.",
                ),
            ],
            outputs=[
                io.String.Output(
                    display_name="caption", is_output_list=True, tooltip="One caption per picture."
                )
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def validate_inputs(cls, model: str | None = None, *, search: dict | None = None) -> bool | str:
        from ..bridge.models import blip

        choices.require(cls, search=search)
        # A dynamic combo is passed in any case; behind the star its own checks stay on.
        return blip.problem(model) or True

    @classmethod
    def fingerprint_inputs(cls, model: str | None = None, **_others: object) -> list[tuple[str, int, int]]:
        from ..bridge.models import blip

        return blip.fingerprint(model)

    @classmethod
    def execute(cls, image, model, prompt, search: Any = None, **limits) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.models import blip
        from ..core import caption

        with notices.collect() as found:
            captions = blip.caption(image, model, caption.wording(prompt, search, **limits))
        return io.NodeOutput(captions, ui=found.ui({"captions": captions}))


def num_beams() -> io.Int.Input:
    return io.Int.Input(
        "num_beams", default=3, min=1, max=16, tooltip="Captions followed at once; 1 is fastest."
    )


def nucleus() -> list[io.Input]:
    return [
        io.Float.Input(
            "top_p",
            default=0.9,
            min=0.05,
            max=1.0,
            step=0.05,
            tooltip="Only the likeliest words that together have this probability are drawn from.",
        ),
        io.Float.Input(
            "temperature",
            default=1.0,
            min=0.1,
            max=2.0,
            step=0.05,
            tooltip="Below 1 the likely words become likelier, above 1 less so.",
        ),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=0xFFFFFFFFFFFFFFFF,
            control_after_generate=True,
            tooltip="The first picture is drawn with this seed, the next with seed + 1, and so on.",
        ),
    ]


NODES = [BlipCaption]
