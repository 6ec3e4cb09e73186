"""Invert Latent, Replay Source."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..bridge import choices
from .types import Inversion, Node

CATEGORY = "recompose/attention"


def methods() -> list[io.DynamicCombo.Option]:
    iterated = [
        io.Int.Input(
            "iterations",
            default=5,
            min=0,
            max=50,
            tooltip="Each adds a model call per step and makes the way back closer; 0: reversed sigmas.",
        ),
        io.Float.Input(
            "tolerance",
            default=0.0001,
            min=0.0,
            max=0.1,
            step=0.0001,
            tooltip="A step ends when an iteration changes the latent by less than this share; 0: never.",
        ),
    ]
    names = (choices.O_BELM, choices.FIXED_POINT, choices.MIDPOINT, choices.FIREFLOW, choices.DDIM)
    return [io.DynamicCombo.Option(name, iterated if name == choices.FIXED_POINT else []) for name in names]


class InvertLatent(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeInvertLatent",
            display_name="Invert Latent",
            category=CATEGORY,
            description="Finds the noise from which the model comes back to a given picture.",
            search_aliases=["ddim inversion", "unsampler", "rf inversion", "belm", "fireflow", "renoise"],
            inputs=[
                io.Model.Input("model"),
                io.Conditioning.Input("positive", tooltip="What the picture shows, or the empty prompt."),
                io.Conditioning.Input("negative", tooltip="Not used at cfg 1."),
                io.Latent.Input("latent", tooltip="The encoded picture; a noise mask is left out."),
                io.DynamicCombo.Input(
                    "method",
                    options=methods(),
                    tooltip="O-BELM: exact with its own sampler. fixed point: for any sampler. midpoint, "
                    "FireFlow: for flow models. DDIM: as published.",
                ),
                io.Int.Input(
                    "steps", default=50, min=1, max=10000, tooltip="More steps give better noise."
                ),
                io.Combo.Input(
                    "scheduler",
                    options=choices.SCHEDULERS,
                    default="normal",
                    tooltip="How the noise levels are distributed; sample with the same.",
                ),
                io.Float.Input(
                    "cfg", default=1.0, min=0.0, max=100.0, step=0.1,
                    tooltip="1 is the most faithful; other values must be sampled with as well.",
                ),
                io.Float.Input(
                    "denoise", default=1.0, min=0.01, max=1.0, step=0.01,
                    tooltip="Below 1: only part of the way up, as a sampler with this denoise comes down.",
                ),
                io.Sigmas.Input(
                    "sigmas", optional=True, tooltip="In place of steps, scheduler and denoise."
                ),
            ],
            outputs=[
                io.Noise.Output(
                    "noise", display_name="noise",
                    tooltip="For SamplerCustomAdvanced, with an empty latent or the picture's.",
                ),
                io.Sampler.Output("sampler", display_name="sampler", tooltip="Comes back to the picture."),
                io.Sigmas.Output("sigmas", display_name="sigmas", tooltip="The levels, for the way back."),
                Inversion.Output("inversion", display_name="inversion", tooltip="For Replay Source."),
                io.Latent.Output(
                    "latent", display_name="latent",
                    tooltip="The noised picture for samplers whose add_noise is disabled.",
                ),
            ],
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, *, method: dict | None = None) -> bool:
        choices.require(cls, method=method)
        return True

    @classmethod
    def execute(
        cls, model, positive, negative, latent, method: Any = None, steps=50, scheduler="normal", cfg=1.0,
        denoise=1.0, sigmas=None,
    ) -> io.NodeOutput:  # fmt: skip
        from ..bridge import inpaint, notices
        from ..bridge import sigmas as levels
        from ..bridge.inversion import invert

        words, schedule = inpaint.Conditioning(positive, negative, cfg), (steps, scheduler, denoise)
        with notices.collect() as found:
            made = invert.invert(model, words, latent, method, levels.SigmaSettings(*schedule), sigmas)
        return io.NodeOutput(*made, ui=found.ui())


class ReplaySource(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeReplaySource",
            display_name="Replay Source",
            category=CATEGORY,
            description="Makes a row of the batch the inverted photo, at every step and in the result.",
            search_aliases=["masactrl", "direct inversion", "pnp inversion", "source row"],
            inputs=[
                io.Model.Input("model"),
                Inversion.Input("inversion", tooltip="From Invert Latent, made with the same model."),
                io.Int.Input(
                    "row", default=0, min=0, max=4095,
                    tooltip="The row of the batch that is the photo; more inverted rows take the next ones.",
                ),
            ],
            outputs=[io.Model.Output("model", display_name="model")],
        )  # fmt: skip

    @classmethod
    def execute(cls, model, inversion, row) -> io.NodeOutput:
        from ..bridge.inversion import replay

        return io.NodeOutput(replay.replay(model, inversion, row))


NODES = [InvertLatent, ReplaySource]
