"""Load Exemplar Model, Exemplar Conditioning."""

from __future__ import annotations

from comfy_api.latest import io

from ..bridge import choices
from .types import ExemplarEncoder, Node

CATEGORY = "recompose/exemplar"


class LoadExemplarModel(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeLoadExemplarModel",
            display_name="Load Exemplar Model",
            category=CATEGORY,
            description="Loads a model of Paint by Example, which paints a picture's object into a photo.",
            search_aliases=["paint by example", "reference inpaint", "exemplar", "put object"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=choices.exemplar_models(),
                    tooltip="A checkpoint of Paint by Example, or its folder in diffusers' layout.",
                ),
                io.Combo.Input(
                    "vision",
                    options=choices.vision_models(),
                    default=choices.NO_FILE,
                    optional=True,
                    advanced=True,
                    tooltip="CLIP ViT-L/14 from models/clip_vision, where the file has no vision tower.",
                ),
            ],
            outputs=[
                io.Model.Output("model", display_name="model", tooltip="For any sampler."),
                io.Vae.Output("vae", display_name="vae"),
                ExemplarEncoder.Output(
                    "encoder", display_name="encoder", tooltip="For Exemplar Conditioning."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None, vision: str | None = None) -> bool | str:
        from ..bridge.exemplar import files

        return files.problem(file, vision) or True

    @classmethod
    def fingerprint_inputs(
        cls, file: str | None = None, vision: str | None = None
    ) -> list[tuple[str, int, int]]:
        from ..bridge.exemplar import files

        return files.fingerprint(file, vision)

    @classmethod
    def execute(cls, file, vision=choices.NO_FILE) -> io.NodeOutput:
        from ..bridge.exemplar import load

        return io.NodeOutput(*load.load_exemplar(file, vision))


class ExemplarConditioning(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeExemplarConditioning",
            display_name="Exemplar Conditioning",
            category=CATEGORY,
            description="Makes reference pictures, a photo and its mask what an exemplar model takes.",
            search_aliases=["paint by example", "reference inpaint", "exemplar", "put object"],
            inputs=[
                ExemplarEncoder.Input("encoder", tooltip="From Load Exemplar Model."),
                io.Image.Input("references", tooltip="Pictures of the object, it alone and large in them."),
                io.Image.Input("photo", tooltip="512 px a side is best: crop it by Crop to Region."),
                io.Mask.Input("mask", tooltip="Where the object is to be."),
                io.Vae.Input("vae", tooltip="From Load Exemplar Model."),
                io.Combo.Input(
                    "several",
                    options=[choices.PER_ROW, choices.AVERAGED],
                    tooltip="one per row: each reference makes a picture. averaged: views of one object.",
                ),
                io.Mask.Input(
                    "reference_mask",
                    optional=True,
                    tooltip="Where the object is in the references: they are cut to it, on a neutral colour.",
                ),
                io.Image.Input(
                    "sketch",
                    optional=True,
                    tooltip="Outlines, white on black, as large as the photo; for models of Paint by Sketch.",
                ),
                io.Float.Input(
                    "sketch_until",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    tooltip="The share of steps that see the sketch: lower where outlines are vague.",
                ),
                io.Combo.Input(
                    "after",
                    options=[choices.GREY, choices.BLANK],
                    optional=True,
                    advanced=True,
                    tooltip="What later steps see. grey: as published. blank: no line, as in training.",
                ),
            ],
            outputs=[
                io.Conditioning.Output("positive", display_name="positive"),
                io.Conditioning.Output(
                    "negative", display_name="negative", tooltip="The learned word of no object."
                ),
                io.Latent.Output("latent", display_name="latent", tooltip="The photo, with its noise mask."),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def execute(
        cls, encoder, references, photo, mask, vae, several, reference_mask=None, sketch=None,
        sketch_until=1.0, after=choices.GREY,
    ) -> io.NodeOutput:  # fmt: skip
        from ..bridge import notices
        from ..bridge.exemplar.condition import Sketch, condition

        drawn = Sketch(sketch, sketch_until, after)
        with notices.collect() as found:
            made = condition(encoder, references, photo, mask, vae, several, reference_mask, drawn)
        return io.NodeOutput(*made, ui=found.ui())


NODES = [LoadExemplarModel, ExemplarConditioning]
