"""RePaint Sampler, RePaint, Lagrange Sampler, Lagrange Inpaint, Inpaint Scheduler."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..bridge import choices
from .types import Node

CATEGORY = "recompose/sampling"


def settings() -> list[io.Input]:
    return [
        io.Int.Input(
            "jump_length",
            default=4,
            min=1,
            max=1000,
            tooltip="How many steps a jump goes back up in noise; must be fewer than there are steps.",
        ),
        io.Int.Input(
            "resamplings",
            default=2,
            min=1,
            max=100,
            tooltip="How often each stretch between two jumps is sampled; 1 never jumps.",
        ),
        io.Float.Input(
            "eta",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="Fresh noise in each step: 0 is DDIM, 1 is DDPM. 1 is more accurate.",
        ),
        *(
            io.Float.Input(
                name,
                default=default,
                min=0.0,
                max=1.0,
                step=0.01,
                tooltip=f"Jumps lie {where} this share of the steps; 0 is the first step, 1 the last.",
            )
            for name, default, where in (("start", 0.0, "after"), ("end", 1.0, "before"))
        ),
    ]


def steps(default: int, tooltip: str) -> io.Input:
    return io.Int.Input("steps", default=default, min=1, max=10000, tooltip=tooltip)


def denoise(least: float, tooltip: str) -> io.Input:
    return io.Float.Input("denoise", default=1.0, min=least, max=1.0, step=0.01, tooltip=tooltip)


def presets() -> list[io.DynamicCombo.Option]:
    levels = steps(26, "Noise levels, as in any sampler; jumps add model calls.")
    own = io.DynamicCombo.Option("custom", [levels, *settings()])
    return [*(io.DynamicCombo.Option(name, []) for name in ("fast", "better", "best")), own]


def model_inputs() -> list[io.Input]:
    return [
        io.Model.Input("model"),
        io.Conditioning.Input("positive"),
        io.Conditioning.Input("negative"),
        io.Latent.Input("latent", tooltip="The encoded picture with its noise mask; 1 = repaint."),
    ]


def schedule_inputs(schedulers: list[str], scheduler: str, tooltip: str) -> list[io.Input]:
    return [
        io.Combo.Input("scheduler", options=schedulers, default=scheduler, tooltip=tooltip),
        io.Float.Input(
            "cfg", default=5.0, min=0.0, max=100.0, step=0.1,
            tooltip="How strongly the prompt guides.",
        ),
        io.Int.Input(
            "seed", default=0, min=0, max=0xFFFFFFFFFFFFFFFF, control_after_generate=True,
            tooltip="The same seed gives the same picture, on every device and in any batch.",
        ),
        denoise(0.01, "Below 1: starts from the noised latent and keeps part of it."),
    ]  # fmt: skip


def judged_by() -> io.Input:
    return io.Combo.Input(
        "judged_by",
        options=list(choices.JUDGES),
        default=choices.JUDGES[0],
        optional=True,
        tooltip="The prediction that must agree with what is known: positive is the prompt's own, guided "
        "that after cfg, blend the mean of both.",
    )


class RePaintSampler(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeRePaintSampler",
            display_name="RePaint Sampler",
            category=CATEGORY,
            description="Inpaints with any model by adding noise again and resampling.",
            search_aliases=["inpaint sampler", "resample", "outpaint"],
            inputs=[
                *settings(),
                io.Sigmas.Input(
                    "sigmas",
                    optional=True,
                    tooltip="The sigmas it will be used with, for model calls and for errors before the run.",
                ),
            ],
            outputs=[
                io.Sampler.Output("sampler", display_name="sampler"),
                io.Int.Output(
                    "model_calls",
                    display_name="model calls",
                    tooltip="Number of model calls of the run; needs sigmas.",
                ),
            ],
        )

    @classmethod
    def execute(cls, jump_length, resamplings, eta, start, end, sigmas=None) -> io.NodeOutput:
        from ..bridge import sampling
        from ..core.sampling import repaint

        settings = repaint.Settings(jump_length, resamplings, eta, start, end)
        return io.NodeOutput(*sampling.sampler(settings, sigmas))


class RePaint(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeRePaint",
            display_name="RePaint",
            category=CATEGORY,
            description="Repaints what the noise mask covers so that it fits the rest, with any model.",
            search_aliases=["inpaint", "outpaint", "ksampler inpaint", "resample"],
            inputs=[
                *model_inputs(),
                io.DynamicCombo.Input(
                    "preset",
                    options=presets(),
                    tooltip="fast: 50 model calls. better: 100. best: 200. custom: your own settings.",
                ),
                *schedule_inputs(
                    choices.SCHEDULERS, choices.SCHEDULER, "How the noise levels are distributed."
                ),
            ],
            outputs=[io.Latent.Output("latent", display_name="latent")],
        )

    @classmethod
    def validate_inputs(cls, *, preset: dict | None = None) -> bool:
        choices.require(cls, preset=preset)
        return True

    @classmethod
    def execute(
        cls, model, positive, negative, latent, preset: Any = None, scheduler=choices.SCHEDULER, cfg=5.0,
        seed=0, denoise=1.0,
    ) -> io.NodeOutput:  # fmt: skip
        from ..bridge import inpaint, notices, sampling, sigmas

        steps, settings = inpaint.preset_of(preset)
        conditioning = inpaint.Conditioning(positive, negative, cfg)
        schedule, sampler = sigmas.SigmaSettings(steps, scheduler, denoise), sampling.RePaint(settings)
        with notices.collect() as found:
            painted = inpaint.sample_inpaint(model, conditioning, latent, sampler, schedule, seed)
        return io.NodeOutput(painted, ui=found.ui())


class LagrangeSampler(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeLagrangeSampler",
            display_name="Lagrange Sampler",
            category=CATEGORY,
            description="Inpaints with any model, one model call per step, by a Lagrange multiplier.",
            search_aliases=["inpaint sampler", "outpaint", "multiplier", "momentum"],
            inputs=[
                io.Float.Input(
                    "gain",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Step size of the multiplier, as a share of the largest stable one. 0: none.",
                ),
                io.Float.Input(
                    "momentum",
                    default=0.9,
                    min=0.0,
                    max=0.99,
                    step=0.01,
                    tooltip="Share of the multiplier's last step that is repeated; 0: gradient descent.",
                ),
                io.Float.Input(
                    "eta",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="Fresh noise in each step: 0 none, 1 as much as the reverse diffusion.",
                ),
                io.Float.Input(
                    "known_noise",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="The share of the level's noise that the model sees on known cells.",
                ),
                judged_by(),
            ],
            outputs=[io.Sampler.Output("sampler", display_name="sampler")],
        )

    @classmethod
    def execute(cls, gain, momentum, eta, known_noise, judged_by=choices.JUDGES[0]) -> io.NodeOutput:
        from ..bridge import sampling
        from ..core.sampling import lagrange

        settings = lagrange.Settings(gain, momentum, eta, known_noise, judged_by)
        return io.NodeOutput(sampling.Lagrange(settings))


class LagrangeInpaint(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeLagrangeInpaint",
            display_name="Lagrange Inpaint",
            category=CATEGORY,
            description="Repaints what the noise mask covers to fit the rest; one model call per step.",
            search_aliases=["inpaint", "outpaint", "ksampler inpaint", "multiplier"],
            inputs=[
                *model_inputs(),
                steps(50, "Noise levels, with one model call at each."),
                *schedule_inputs(
                    [choices.INPAINT, *choices.SCHEDULERS],
                    choices.INPAINT,
                    "How the noise levels are distributed; inpaint is made for this sampler.",
                ),
                judged_by(),
            ],
            outputs=[io.Latent.Output("latent", display_name="latent")],
        )

    @classmethod
    def execute(
        cls, model, positive, negative, latent, steps, scheduler, cfg, seed, denoise,
        judged_by=choices.JUDGES[0],
    ) -> io.NodeOutput:  # fmt: skip
        from ..bridge import inpaint, notices, sampling, sigmas

        conditioning = inpaint.Conditioning(positive, negative, cfg)
        schedule = sigmas.SigmaSettings(steps, scheduler, denoise)
        sampler = sampling.Lagrange.judged(judged_by)
        with notices.collect() as found:
            painted = inpaint.sample_inpaint(model, conditioning, latent, sampler, schedule, seed)
        return io.NodeOutput(painted, ui=found.ui())


class InpaintScheduler(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeInpaintScheduler",
            display_name="Inpaint Scheduler",
            category=CATEGORY,
            description="Sigmas for Lagrange Sampler, within the range of the model.",
            search_aliases=["sigmas", "karras", "flow", "lagrange"],
            inputs=[
                io.Model.Input("model"),
                steps(50, "Noise levels; Lagrange Sampler makes one model call at each."),
                denoise(0.0, "Below 1: only the last levels of a longer schedule. 0: no sigmas."),
            ],
            outputs=[io.Sigmas.Output("sigmas", display_name="sigmas")],
        )

    @classmethod
    def execute(cls, model, steps, denoise) -> io.NodeOutput:
        from ..bridge import sigmas

        schedule = sigmas.SigmaSettings(steps, choices.INPAINT, denoise)
        return io.NodeOutput(sigmas.sigmas_of(model, schedule).cpu())


NODES = [RePaintSampler, RePaint, LagrangeSampler, LagrangeInpaint, InpaintScheduler]
