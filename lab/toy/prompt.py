"""The committed main-job workflow with the toy models and the settings that suit them."""

from __future__ import annotations

import argparse

from ...cli import demo

# The workflow is made for models of 512 pixels; the demo models are four times smaller.
MODELS = {
    "checkpoint": "recompose_demo_inpaint.safetensors",
    "controlnet": "recompose_demo_openpose.safetensors",
    "caption_model": "recompose_demo",
}
# Small networks leave part of the noise in: they need steps that draw it anew, and little guidance.
SAMPLING = {"sampler_name": "dpmpp_2m_sde", "scheduler": "karras", "cfg": 2.0, "steps": 30}
DETECTOR = "recompose_demo_detector.safetensors"
SHRINK = 4
STICK_WIDTH = 2  # as in the training of the demo's ControlNet


def compose(options: argparse.Namespace, pose: str | None) -> dict:
    """The workflow with this pose, else found by Detect Pose; models that are named stay.

    The toy detector knows drawings alone: it looks at the demo's own photo, and never at the user's.
    """
    named = {name: getattr(options, name) or model for name, model in MODELS.items()}
    prompt = demo.compose(
        argparse.Namespace(**{**vars(options), **named}), pose, None if options.image else DETECTOR
    )
    demo.put(prompt, "Draw Pose.stick_width", STICK_WIDTH)
    for name, value in SAMPLING.items():
        demo.put(prompt, f"Outpaint.{name}", value)
        demo.put(prompt, f"ControlNet pass.{name}", value)
    for node in prompt.values():
        if node["class_type"] == "RecomposeCropToRegion":
            node["inputs"]["width"] //= SHRINK
            node["inputs"]["height"] //= SHRINK
    return prompt
