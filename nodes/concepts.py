"""Load Concept, Merge Concepts, Save Concept, Train Concept."""

from __future__ import annotations

from comfy_api.latest import io

from ..bridge import choices
from .types import Concept, Node

CATEGORY = "recompose/concepts"


class LoadConcept(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeLoadConcept",
            display_name="Load Concept",
            category=CATEGORY,
            description="Teaches a model a thing of your own: weights and words of a Custom Diffusion file.",
            search_aliases=["custom diffusion", "subject", "personalization", "embedding", "lora"],
            inputs=[
                io.Model.Input("model", tooltip="Of the kind that the concept was made for."),
                io.Clip.Input("clip", tooltip="Its CLIP; it learns the new word."),
                io.Combo.Input(
                    "file",
                    options=choices.concepts(),
                    tooltip="A file in models/concepts: custom-diffusion's, diffusers' or ours.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=2.0,
                    step=0.05,
                    tooltip="1: the weights of the file. 0: those of the model. Between: a mixture.",
                ),
                io.String.Input(
                    "token",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="Another word in place of the file's, such as <mycat>. Empty: the file's.",
                ),
            ],
            outputs=[
                io.Model.Output("model", display_name="model"),
                io.Clip.Output("clip", display_name="clip", tooltip="For the prompts with the new word."),
                io.String.Output(
                    "token", display_name="token", tooltip="The new word to write in the prompt."
                ),
                Concept.Output("concept", display_name="concept", tooltip="For Merge Concepts."),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        from ..bridge.concepts import files

        return files.problem(file) or True

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, **_others: object) -> list[tuple[str, int, int]]:
        from ..bridge.concepts import files

        return files.fingerprint(file)

    @classmethod
    def execute(cls, model, clip, file, strength, token="") -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.concepts import load

        with notices.collect() as found:
            made = load.load_concept(model, clip, file, strength, token)
        return io.NodeOutput(*made, ui=found.ui())


class MergeConcepts(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeMergeConcepts",
            display_name="Merge Concepts",
            category=CATEGORY,
            description="Joins several concepts in one model, so that one prompt can name them all.",
            search_aliases=["custom diffusion", "compose concepts", "multi subject"],
            inputs=[
                io.Model.Input("model", tooltip="The model without any of the concepts."),
                io.Clip.Input("clip", tooltip="The CLIP without any of the concepts."),
                io.Autogrow.Input(
                    "concepts",
                    template=io.Autogrow.TemplatePrefix(
                        Concept.Input("concept"), prefix="concept", min=1, max=8
                    ),
                    tooltip="From Load Concept or Train Concept; each with a word of its own.",
                ),
                io.String.Input(
                    "classes",
                    default="",
                    tooltip="What each new word is, in the order of the concepts: cat, pot. Prompts then say "
                    "<new1> cat.",
                ),
                io.Combo.Input(
                    "method",
                    options=["closed form", "average"],
                    tooltip="closed form: each word keeps its concept's weights. average: the mean of all.",
                ),
                io.String.Input(
                    "captions",
                    default="",
                    multiline=True,
                    optional=True,
                    advanced=True,
                    tooltip="Prompts, one a line, on which the model is to stay as it is. Empty: our own.",
                ),
            ],
            outputs=[
                io.Model.Output("model", display_name="model"),
                io.Clip.Output("clip", display_name="clip"),
                Concept.Output("concept", display_name="concept", tooltip="All in one, for Save Concept."),
            ],
        )

    @classmethod
    def execute(cls, model, clip, concepts, classes, method, captions="") -> io.NodeOutput:
        from ..bridge.concepts import merge

        given = list(concepts.values())
        return io.NodeOutput(*merge.merge_concepts(model, clip, given, classes, method, captions))


class SaveConcept(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeSaveConcept",
            display_name="Save Concept",
            category=CATEGORY,
            description="Writes a concept into ComfyUI's output folder, where Load Concept finds it.",
            search_aliases=["custom diffusion", "export"],
            inputs=[
                Concept.Input("concept"),
                io.String.Input(
                    "filename_prefix",
                    default="concepts/concept",
                    tooltip="Folder and beginning of the name below ComfyUI's output folder.",
                ),
                io.Combo.Input(
                    "layout",
                    options=["Recompose", "diffusers"],
                    tooltip="Recompose: one file. diffusers: a folder of weights and a file for each word.",
                ),
            ],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, concept, filename_prefix, layout) -> io.NodeOutput:
        from ..bridge.concepts import save

        saved = save.save_concept(concept, filename_prefix, layout)
        return io.NodeOutput(ui={"recompose": [{"files": saved}]})


class TrainConcept(Node):
    LISTS = ("images", "masks", "captions", "prior_images", "prior_captions")

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeTrainConcept",
            display_name="Train Concept",
            category=CATEGORY,
            description="Teaches a model a thing of your own from a few pictures (Custom Diffusion).",
            search_aliases=[
                "custom diffusion",
                "dreambooth",
                "textual inversion",
                "fine-tune",
                "personalization",
            ],
            is_input_list=True,
            inputs=[
                io.Model.Input(
                    "model", tooltip="A text-to-image model of SD1, SD2 or SDXL; it stays as it is."
                ),
                io.Clip.Input("clip"),
                io.Vae.Input("vae"),
                io.Image.Input(
                    "images", tooltip="4 to 20 pictures of the thing: a batch, or a list of any sizes."
                ),
                io.String.Input(
                    "token", default="<new1>", tooltip="The new word that prompts name the thing by."
                ),
                io.String.Input("class_word", default="", tooltip="What the thing is: cat, chair, woman."),
                io.Combo.Input(
                    "train",
                    options=["keys and values", "cross-attention", "embedding alone"],
                    tooltip="keys and values: as published. cross-attention: more, for faces. embedding "
                    "alone: only the new word.",
                ),
                io.Int.Input("steps", default=250, min=1, max=100000),
                io.Float.Input(
                    "learning_rate",
                    default=4e-5,
                    min=1e-8,
                    max=1.0,
                    step=1e-8,
                    tooltip="Published: 0.00001 times the pictures of a step. A lower one needs more steps.",
                ),
                io.Int.Input(
                    "batch_size",
                    default=2,
                    min=1,
                    max=64,
                    tooltip="Pictures of the thing in a step; as many of its class come along.",
                ),
                io.Int.Input(
                    "size", default=512, min=64, max=4096, step=64, tooltip="Side of the pictures in px."
                ),
                io.Boolean.Input(
                    "augmentation",
                    default=True,
                    tooltip="Show the thing at other sizes and places, with fitting words. Off for faces.",
                ),
                io.Int.Input(
                    "prior_pictures",
                    default=50,
                    min=0,
                    max=1000,
                    tooltip="Pictures of the class that the model makes, once, and is held to. 0: none. "
                    "Not used where prior_images is connected.",
                ),
                io.Int.Input(
                    "save_every", default=100, min=1, max=100000, tooltip="Steps between two savings."
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
                io.Mask.Input("masks", optional=True, tooltip="Where the thing is: one for each picture."),
                io.String.Input(
                    "captions",
                    default="",
                    multiline=True,
                    optional=True,
                    tooltip="A line for each picture, or a list from BLIP Caption or a data set. "
                    "Empty: photo of a <new1> cat.",
                ),
                io.Image.Input(
                    "prior_images", optional=True, tooltip="Pictures of other things of the class."
                ),
                io.String.Input("prior_captions", default="", multiline=True, optional=True),
            ],
            outputs=[
                io.Model.Output("model", display_name="model"),
                io.Clip.Output("clip", display_name="clip"),
                Concept.Output("concept", display_name="concept", tooltip="For Save Concept."),
                io.Image.Output(
                    "sheet", display_name="sheet", tooltip="Pictures before the training and at each saving."
                ),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def execute(cls, model, clip, vae, save_every, **given) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.concepts import trainer

        with notices.collect() as found:
            made = trainer.train_concept(model, clip, vae, *trainer.read(given), save_every)
        return io.NodeOutput(*made, ui=found.ui())


NODES = [LoadConcept, MergeConcepts, SaveConcept, TrainConcept]
