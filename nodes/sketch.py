"""Draw Sketch, Extract Sketch, Self Reference."""

from __future__ import annotations

from comfy_api.latest import io

from ..bridge import choices
from .types import SOCKET_ONLY, Node, Region

CATEGORY = "recompose/sketch"


def polarity() -> io.Combo.Input:
    return io.Combo.Input(
        "lines",
        options=[choices.WHITE_LINES, choices.BLACK_LINES],
        tooltip="white on black: for scribble ControlNets and models of sketches.",
    )


class DrawSketch(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeDrawSketch",
            display_name="Draw Sketch",
            category=CATEGORY,
            search_aliases=["scribble", "paint", "doodle", "draw mask", "colour hints", "brush"],
            description="Draws strokes that lie in the workflow: a sketch, a mask and colour hints.",
            # An output node can be run alone, with only what lies upstream of it.
            is_output_node=True,
            has_intermediate_output=True,
            inputs=[
                io.Int.Input(
                    "width",
                    default=512,
                    min=16,
                    max=16384,
                    tooltip="Width of the drawing, for when neither image nor start is connected.",
                ),
                io.Int.Input(
                    "height",
                    default=512,
                    min=16,
                    max=16384,
                    tooltip="Height of the drawing, for when neither image nor start is connected.",
                ),
                polarity(),
                io.Image.Input("image", optional=True, tooltip="The photo that is drawn on."),
                io.Image.Input(
                    "start",
                    optional=True,
                    tooltip="A sketch to go on from, of the photo's size, as Extract Sketch makes it.",
                ),
                # Last: a widget below the editor would leave a gap on the node.
                io.String.Input(
                    "strokes",
                    default="",
                    optional=True,
                    socketless=True,
                    extra_dict={"widgetType": "RECOMPOSE_SKETCH"},
                    tooltip="The strokes, written by the editor; empty: nothing is drawn.",
                ),
            ],
            outputs=[
                io.Image.Output("sketch", display_name="sketch"),
                io.Mask.Output("mask", display_name="mask", tooltip="1 where the mask layer is drawn."),
                io.Image.Output(
                    "colour_hints", display_name="colour hints", tooltip="The colour strokes on grey."
                ),
                io.Image.Output(
                    "photo_with_hints", display_name="photo with hints", tooltip="The strokes on the photo."
                ),
            ],
        )

    @classmethod
    def execute(cls, width, height, lines, image=None, start=None, strokes="") -> io.NodeOutput:
        from ..bridge import notices, sketch

        with notices.collect() as found:
            made, report = sketch.draw_sketch(width, height, lines, image, start, strokes)
        return io.NodeOutput(*made, ui=found.ui(report))


class ExtractSketch(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeExtractSketch",
            display_name="Extract Sketch",
            category=CATEGORY,
            search_aliases=["canny", "edges", "lineart", "scribble", "hed", "pidinet", "preprocessor"],
            description="Makes a sketch of a picture: its edges as lines of one width.",
            inputs=[
                io.Image.Input("image"),
                io.Float.Input(
                    "blur",
                    default=2.0,
                    min=0.0,
                    max=32.0,
                    step=0.5,
                    tooltip="Pixels over which detail is smoothed away first; more gives fewer lines.",
                ),
                io.Float.Input(
                    "threshold",
                    default=0.4,
                    min=0.01,
                    max=1.0,
                    step=0.01,
                    tooltip="How strong an edge must be, as a share of the picture's strong ones.",
                ),
                io.Int.Input(
                    "line_width",
                    default=3,
                    min=3,
                    max=64,
                    tooltip="Pixels at the model's size. Thinner lines are lost between a latent's cells.",
                ),
                io.Int.Input(
                    "model_size",
                    default=512,
                    min=64,
                    max=16384,
                    tooltip="The longer side of what the model sees; lines on larger pictures are wider.",
                ),
                polarity(),
                io.Mask.Input(
                    "mask", optional=True, tooltip="Only lines within it and along its rim are kept."
                ),
            ],
            outputs=[
                io.Image.Output("sketch", display_name="sketch"),
                io.Mask.Output("mask", display_name="mask", tooltip="1 on the lines, whatever their colour."),
            ],
        )

    @classmethod
    def execute(cls, image, blur, threshold, line_width, model_size, lines, mask=None) -> io.NodeOutput:
        from ..bridge import sketch

        settings = (blur, threshold, line_width, model_size, lines)
        return io.NodeOutput(*sketch.extract_sketch(image, *settings, mask))


class SelfReference(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeSelfReference",
            display_name="Self Reference",
            category=CATEGORY,
            search_aliases=["crop object", "reference", "exemplar", "cutout", "flip"],
            description="Cuts an object out of the photo as the reference for painting it anew.",
            inputs=[
                io.Image.Input("image", tooltip="The photo that holds the object."),
                io.Int.Input(
                    "margin", default=0, min=0, max=1024, tooltip="Pixels of room around the object."
                ),
                io.Combo.Input("flip", options=list(choices.FLIPS), tooltip="Mirrors the reference."),
                io.Float.Input(
                    "scale",
                    default=1.0,
                    min=0.05,
                    max=8.0,
                    step=0.05,
                    tooltip="The reference's size beside the object's in the photo.",
                ),
                io.Combo.Input(
                    "background",
                    options=[choices.AS_PHOTO, choices.ALONE],
                    tooltip="photo: the box as it is. neutral: what is not masked has a neutral colour.",
                ),
                io.Mask.Input("mask", optional=True, tooltip="The object in the photo."),
                Region.Input(
                    "box",
                    optional=True,
                    extra_dict=SOCKET_ONLY,
                    tooltip="A box around the object, in place of a mask or to choose a part of it.",
                ),
            ],
            outputs=[
                io.Image.Output("reference", display_name="reference"),
                io.Mask.Output("mask", display_name="mask", tooltip="Where the object is in the reference."),
            ],
        )

    @classmethod
    def execute(cls, image, margin, flip, scale, background, mask=None, box=None) -> io.NodeOutput:
        from ..bridge import sketch

        return io.NodeOutput(*sketch.self_reference(image, margin, flip, scale, background, mask, box))


NODES = [DrawSketch, ExtractSketch, SelfReference]
