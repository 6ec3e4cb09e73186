"""Load Exemplar Model, Exemplar Conditioning, Train Exemplar Model."""

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


class TrainExemplarModel(Node):
    LISTS = ("images", "masks")

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeTrainExemplarModel",
            display_name="Train Exemplar Model",
            category=CATEGORY,
            description="Teaches a model of SD1 to paint the object of a picture into a photo.",
            search_aliases=["paint by example", "fine-tune", "exemplar", "reference inpaint"],
            is_input_list=True,
            inputs=[
                io.Model.Input(
                    "model", tooltip="A text-to-image model of SD1, or an exemplar model; it stays as it is."
                ),
                io.Vae.Input("vae"),
                io.Image.Input("images", tooltip="Pictures with objects: a batch, or a list of any sizes."),
                io.Mask.Input("masks", tooltip="Where the object of each picture is."),
                io.String.Input(
                    "filename_prefix",
                    default="exemplar/exemplar",
                    tooltip="Folder and beginning of the name below ComfyUI's output folder.",
                ),
                io.Int.Input("steps", default=2000, min=1, max=10000000),
                io.Float.Input(
                    "learning_rate",
                    default=1e-5,
                    min=1e-8,
                    max=1.0,
                    step=1e-8,
                    tooltip="As published; it is reached over the steps of the warm-up.",
                ),
                io.Int.Input("warmup", default=500, min=1, max=1000000, tooltip="Published: 10000 steps."),
                io.Int.Input("batch_size", default=4, min=1, max=1024, tooltip="Views in a step."),
                io.Int.Input("size", default=512, min=64, max=4096, step=64, tooltip="Side of a view in px."),
                io.Int.Input(
                    "views",
                    default=16,
                    min=1,
                    max=100000,
                    tooltip="Of each object: squares, masks and changed references.",
                ),
                io.Int.Input(
                    "save_every", default=500, min=1, max=1000000, tooltip="Steps between two savings."
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=io.ControlAfterGenerate.fixed,
                ),
                io.Int.Input(
                    "accumulation", default=1, min=1, max=256, advanced=True, tooltip="Batches of one step."
                ),
                io.Boolean.Input(
                    "gradient_checkpointing",
                    default=False,
                    advanced=True,
                    tooltip="Takes less memory and more time.",
                ),
                ExemplarEncoder.Input(
                    "encoder", optional=True, tooltip="Of the exemplar model that is trained further."
                ),
                io.ClipVision.Input(
                    "clip_vision",
                    optional=True,
                    tooltip="CLIP ViT-L/14, where no encoder is connected: its further blocks begin anew.",
                ),
            ],
            outputs=[
                io.Model.Output("model", display_name="model"),
                ExemplarEncoder.Output(
                    "encoder", display_name="encoder", tooltip="For Exemplar Conditioning."
                ),
                io.Image.Output(
                    "sheet",
                    display_name="sheet",
                    tooltip="References, masked photos, and what is painted at each saving.",
                ),
            ],
            is_output_node=True,
            has_intermediate_output=True,
        )

    @classmethod
    def execute(cls, images, masks, filename_prefix, save_every, **given) -> io.NodeOutput:
        from ..bridge.exemplar import trainer

        files = trainer.Files(images, masks, filename_prefix)
        *made, saved = trainer.train_exemplar(*trainer.read(given), files, save_every)
        return io.NodeOutput(*made, ui={"recompose": [{"files": [saved]}]})


NODES = [LoadExemplarModel, ExemplarConditioning, TrainExemplarModel]
