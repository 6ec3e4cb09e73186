"""The pack's nodes. ComfyUI imports these files and asks for every schema as it starts; what a node computes
with is therefore imported where it computes."""

from comfy_api.latest import ComfyExtension, io

from ..bridge import routes
from . import (
    attention,
    attention_maps,
    canvas,
    caption,
    concepts,
    detect,
    exemplar,
    inversion,
    mask,
    pose,
    pose_edit,
    sampling,
    shape,
    shape_guard,
    sketch,
    smartbrush,
    word_mask,
)


class RecomposeExtension(ComfyExtension):
    async def on_load(self) -> None:
        routes.warn_of_folder()
        routes.register()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            *canvas.NODES,
            *mask.NODES,
            *caption.NODES,
            *detect.NODES,
            *pose.NODES,
            *pose_edit.NODES,
            *sampling.NODES,
            *attention.NODES,
            *inversion.NODES,
            *attention_maps.NODES,
            *word_mask.NODES,
            *shape_guard.NODES,
            *concepts.NODES,
            *exemplar.NODES,
            *shape.NODES,
            *smartbrush.NODES,
            *sketch.NODES,
        ]
