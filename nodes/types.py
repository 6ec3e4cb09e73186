"""The sockets that are ours or carry more than their name says.

POSE_KEYPOINT   core's list of frames, one per picture:
                {"canvas_width", "canvas_height", "people": [{"pose_keypoints_2d": 18 x (x, y, 0|1) flat,
                "foot_keypoints_2d": 6 x 3 (L big toe, L small toe, L heel, R big toe, R small toe, R heel),
                "hand_left_keypoints_2d" / "hand_right_keypoints_2d": 21 x 3, "face_keypoints_2d": 70 x 3,
                "recompose": {"confidence": [...], "estimated": [...]}}]}.
                Pixels of the picture, origin at its top-left corner, y down, never clamped.
BOUNDING_BOX    core's {"x", "y", "width", "height"}; as *region* it says where the original lies on the
                extended canvas and also carries "canvas_width" and "canvas_height". Inputs pass
                extra_dict=SOCKET_ONLY: the frontend draws a widget for this type and would send its
                numbers when nothing is connected.
RECOMPOSE_CONTEXT
                core.crop.Context: which box of which canvas was cropped, and the size it was brought to.
RECOMPOSE_PATCH core.stitch.Patch: a generated crop with its mask and context; None where the mask is empty.
RECOMPOSE_CONCEPT
                core.concepts.concept.Concept: a UNet's weights and the vectors of new words.
RECOMPOSE_BRUSH_OBJECT
                core.smartbrush.thing.BrushObject: a thing to paint, its words, mask and precision.
RECOMPOSE_INVERSION
                core.inversion.trajectory.Inversion: the states of latents on their way up in noise.
ATTENTION       core.attention.record.Records: the cross-attention of the last runs of one patched MODEL, each
                with the latent that it made. A run adds a new record; none is changed.
RECOMPOSE_GUARD bridge.attention.guard.Guards: the masks of the last runs of one guarded MODEL, likewise.
EXEMPLAR_ENCODER
                bridge.exemplar.encoder.ExemplarEncoder: a CLIP tower and what makes one word of a picture.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from comfy_api.latest import io

PoseKeypoint = io.Custom("POSE_KEYPOINT")
Context = io.Custom("RECOMPOSE_CONTEXT")
Patch = io.Custom("RECOMPOSE_PATCH")
Region = io.Custom("BOUNDING_BOX")
Concept = io.Custom("RECOMPOSE_CONCEPT")
BrushObject = io.Custom("RECOMPOSE_BRUSH_OBJECT")
Inversion = io.Custom("RECOMPOSE_INVERSION")
Attention = io.Custom("ATTENTION")
Guard = io.Custom("RECOMPOSE_GUARD")
ExemplarEncoder = io.Custom("EXEMPLAR_ENCODER")
SOCKET_ONLY = {"forceInput": True}


class Node(io.ComfyNode):
    """A node whose inputs are checked against its schema before it runs, whether typed or linked."""

    LISTS: tuple[str, ...] = ()  # inputs that are lists, of a node that takes lists

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        _check(cls, "execute")
        _check(cls, "check_lazy_status")


def _check(node: type[Node], name: str) -> None:
    method = node.__dict__.get(name)
    # ComfyUI runs a copy of the class, which has its checks already.
    if method is not None and not hasattr(method.__func__, "__wrapped__"):
        setattr(node, name, classmethod(_checking(method.__func__)))


def _checking(method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)
    collected = [each.name for each in signature.parameters.values() if each.kind is each.VAR_KEYWORD]
    # ComfyUI asks for lazy inputs before it has put dynamic ones together.
    dynamic = method.__name__ == "execute"

    @functools.wraps(method)
    def run(cls: type[Node], *values: Any, **named: Any) -> Any:
        from ..bridge import inputs

        given = dict(signature.bind(cls, *values, **named).arguments)
        given |= {name: value for rest in collected for name, value in given.pop(rest, {}).items()}
        given.pop("cls")
        if cls.LISTS:
            return method(cls, **inputs.checked_lists(cls.define_schema(), given, cls.LISTS))
        return method(cls, **inputs.checked(cls.define_schema(), given, dynamic))

    return run
