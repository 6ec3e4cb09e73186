"""RePaint Sampler, RePaint."""

from __future__ import annotations

from comfy_api.latest import io

from ..bridge import sampling
from ..core.repaint import Settings

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
            tooltip="Fresh noise in each step: 0 is DDIM, 1 DDPM, which comes closer to the truth.",
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


def presets() -> list[io.DynamicCombo.Option]:
    steps = io.Int.Input(
        "steps",
        default=26,
        min=1,
        max=10000,
        tooltip="Noise levels, as in any sampler; jumps add model calls.",
    )
    own = io.DynamicCombo.Option("custom", [steps, *settings()])
    return [*(io.DynamicCombo.Option(name, []) for name in ("fast", "better", "best")), own]


class RePaintSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeRePaintSampler",
            display_name="RePaint Sampler",
            category=CATEGORY,
            description="Inpaints with any model by going back up in noise again and again.",
            search_aliases=["inpaint sampler", "resample", "outpaint"],
            inputs=[
                *settings(),
                io.Sigmas.Input(
                    "sigmas",
                    optional=True,
                    tooltip="The sigmas it will be used with: tells the model calls, and errors, beforehand.",
                ),
            ],
            outputs=[
                io.Sampler.Output("sampler", display_name="sampler"),
                io.Int.Output(
                    "model_calls",
                    display_name="model calls",
                    tooltip="How often the model will be asked; needs sigmas.",
                ),
            ],
        )

    @classmethod
    def execute(cls, jump_length, resamplings, eta, start, end, sigmas=None) -> io.NodeOutput:
        settings = Settings(jump_length, resamplings, eta, start, end)
        return io.NodeOutput(*sampling.sampler(settings, sigmas))


class RePaint(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecomposeRePaint",
            display_name="RePaint",
            category=CATEGORY,
            description="Repaints what the noise mask covers so that it fits what is known; any model.",
            search_aliases=["inpaint", "outpaint", "ksampler inpaint", "resample"],
            inputs=[
                io.Model.Input("model"),
                io.Conditioning.Input("positive"),
                io.Conditioning.Input("negative"),
                io.Latent.Input("latent", tooltip="The encoded picture with its noise mask; 1 = repaint."),
                io.DynamicCombo.Input(
                    "preset",
                    options=presets(),
                    tooltip="fast asks the model 50 times, better 100, best 200; custom as you say.",
                ),
                io.Combo.Input(
                    "scheduler",
                    options=sampling.SCHEDULERS,
                    default=sampling.SCHEDULER,
                    tooltip="How the noise levels are spread.",
                ),
                io.Float.Input(
                    "cfg", default=5.0, min=0.0, max=100.0, step=0.1,
                    tooltip="How strongly the prompt guides.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=0xFFFFFFFFFFFFFFFF, control_after_generate=True,
                    tooltip="The same seed gives the same picture, on every device and in any batch.",
                ),
                io.Float.Input(
                    "denoise", default=1.0, min=0.01, max=1.0, step=0.01,
                    tooltip="Below 1 starts from the latent with less noise, keeping some of what is there.",
                ),
            ],
            outputs=[io.Latent.Output("latent", display_name="latent")],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model, positive, negative, latent, preset, scheduler, cfg, seed, denoise
    ) -> io.NodeOutput:
        conditioning = sampling.Conditioning(positive, negative, cfg)
        course = sampling.Course(sampling.preset_of(preset), scheduler, denoise)
        return io.NodeOutput(sampling.paint_again(model, conditioning, latent, course, seed))


NODES = [RePaintSampler, RePaint]
