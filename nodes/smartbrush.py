"""Load SmartBrush, SmartBrush Object, SmartBrush Sampler, Train SmartBrush."""

from __future__ import annotations

from comfy_api.latest import io

from ..bridge import choices
from .shape import CATEGORY
from .types import BrushObject, Node


class LoadSmartBrush(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeLoadSmartBrush",
            display_name="Load SmartBrush",
            category=CATEGORY,
            description="Loads a SmartBrush checkpoint, which paints a thing by words and by a mask's shape.",
            search_aliases=["smartbrush", "shape guided inpaint", "object inpaint", "checkpoint"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=choices.smartbrushes(),
                    tooltip="A file of Train SmartBrush in models/smartbrush or output/smartbrush.",
                )
            ],
            outputs=[
                io.Model.Output("model", display_name="model", tooltip="For SmartBrush Sampler."),
                io.Clip.Output("clip", display_name="clip"),
                io.Vae.Output("vae", display_name="vae"),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        from ..bridge.smartbrush import files

        return files.problem(file) or True

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None) -> list[tuple[str, int, int]]:
        from ..bridge.smartbrush import files

        return files.fingerprint(file)

    @classmethod
    def execute(cls, file) -> io.NodeOutput:
        from ..bridge.smartbrush import load

        return io.NodeOutput(*load.load_smartbrush(file))


class SmartBrushObject(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeSmartBrushObject",
            display_name="SmartBrush Object",
            category=CATEGORY,
            description="A thing for SmartBrush Sampler: its words, its mask, and how precise that is.",
            search_aliases=["smartbrush", "regional prompt", "object mask"],
            inputs=[
                io.Conditioning.Input("positive", tooltip="What the thing is: red ball."),
                io.Mask.Input("mask", tooltip="Where it is to be, in pixels of the photo."),
                io.Int.Input(
                    "precision",
                    default=0,
                    min=0,
                    max=5,
                    tooltip="How the mask shows its shape: 0 exactly, 5 its box. Guess Precision gives it.",
                ),
            ],
            outputs=[BrushObject.Output("object", display_name="object", tooltip="For SmartBrush Sampler.")],
        )

    @classmethod
    def execute(cls, positive, mask, precision) -> io.NodeOutput:
        from ..bridge.smartbrush import sample

        return io.NodeOutput(sample.thing_of(positive, mask, precision))


class SmartBrushSampler(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeSmartBrushSampler",
            display_name="SmartBrush Sampler",
            category=CATEGORY,
            description="Paints things into a photo by words and masks; a coarse mask is only where to look.",
            search_aliases=["smartbrush", "inpaint", "object inpaint", "shape guided", "mask prediction"],
            inputs=[
                io.Model.Input("model", tooltip="Of Load SmartBrush."),
                io.Autogrow.Input(
                    "objects",
                    template=io.Autogrow.TemplatePrefix(BrushObject.Input("object"), "object", min=1, max=20),
                    tooltip="What is painted, all in one run; later ones lie over earlier ones.",
                ),
                io.Conditioning.Input("negative", tooltip="What no thing is to be."),
                io.Latent.Input("latent", tooltip="The encoded photo, of VAE Encode."),
                io.Sampler.Input("sampler"),
                io.Sigmas.Input("sigmas", tooltip="Of any scheduler."),
                io.Float.Input(
                    "cfg", default=5.0, min=0.0, max=100.0, step=0.1, tooltip="Guidance, of the noise alone."
                ),
                io.Int.Input("seed", default=0, min=0, max=0xFFFFFFFFFFFFFFFF, control_after_generate=True),
                io.Float.Input(
                    "start",
                    default=0.4,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    advanced=True,
                    tooltip="The first share of the steps, which paints in all of a coarse mask. 1: always.",
                ),
                io.Float.Input(
                    "least",
                    default=0.02,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    advanced=True,
                    tooltip="A predicted shape that is a smaller share of its mask is not used.",
                ),
            ],
            outputs=[
                io.Latent.Output("latent", display_name="latent"),
                io.Mask.Output("mask", display_name="mask", tooltip="What was painted, at the photo's size."),
            ],
        )

    @classmethod
    def execute(
        cls, model, objects, negative, latent, sampler, sigmas, cfg, seed, start, least
    ) -> io.NodeOutput:
        from ..bridge import notices
        from ..bridge.smartbrush import sample as bridge

        with notices.collect() as found:
            made = bridge.sample(
                model, objects, negative, latent, sampler, sigmas, cfg, seed, bridge.Rules(start, least)
            )
        return io.NodeOutput(*made, ui=found.ui())


def training() -> list[io.Input]:
    """How it is trained."""
    counts = (
        ("steps", 10000, "Weight updates."),
        ("warmup", 500, "Steps until the learning rate is reached."),
        ("batch_size", 4, "Rows of a batch: four of five are things, the others pictures from words."),
        ("size", 512, "Pixels a side of the squares that are learned from."),
        ("views", 16, "Squares of each thing, drawn by chance."),
        ("save_every", 500, "Steps between two savings."),
    )
    return [
        io.Float.Input("learning_rate", default=1e-5, min=1e-8, max=1.0, step=1e-6),
        *(
            io.Int.Input(name, default=default, min=1, max=1000000, tooltip=tooltip)
            for name, default, tooltip in counts
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
            "gradient_checkpointing", default=False, advanced=True, tooltip="Takes less memory and more time."
        ),
    ]


class TrainSmartBrush(Node):
    LISTS = ("images", "masks", "labels", "captions")

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeTrainSmartBrush",
            display_name="Train SmartBrush",
            category=CATEGORY,
            description="Teaches a model of SD1 to paint things by words and by masks of any precision.",
            search_aliases=["smartbrush", "fine-tune", "shape guided inpaint", "object inpaint"],
            is_input_list=True,
            inputs=[
                io.Model.Input("model", tooltip="A text-to-image model of SD1, or one of Load SmartBrush."),
                io.Clip.Input("clip"),
                io.Vae.Input("vae"),
                io.Image.Input(
                    "images", tooltip="A picture for each thing: a batch, or a list of any sizes."
                ),
                io.Mask.Input("masks", tooltip="The exact mask of the thing in each picture."),
                io.String.Input(
                    "labels",
                    default="",
                    multiline=True,
                    tooltip="What the things are, a line for each picture or one for all: dog.",
                ),
                io.String.Input(
                    "filename_prefix",
                    default="smartbrush/things",
                    tooltip="Where the checkpoint is written in ComfyUI's output folder.",
                ),
                *training(),
                io.String.Input(
                    "captions",
                    default="",
                    multiline=True,
                    optional=True,
                    tooltip="Captions of the things, as many; they take turns with labels.",
                ),
            ],
            outputs=[
                io.Model.Output("model", display_name="model", tooltip="For SmartBrush Sampler."),
                io.String.Output("file", display_name="file", tooltip="The file that was written."),
            ],
            is_output_node=True,
            has_intermediate_output=True,
        )

    @classmethod
    def execute(cls, model, clip, vae, filename_prefix, save_every, **given) -> io.NodeOutput:
        from ..bridge.smartbrush import trainer

        made, file = trainer.train_smartbrush(
            model, clip, vae, *trainer.read(given), filename_prefix, save_every
        )
        return io.NodeOutput(made, file, ui={"recompose": [{"files": [file]}]})


NODES = [LoadSmartBrush, SmartBrushObject, SmartBrushSampler, TrainSmartBrush]
