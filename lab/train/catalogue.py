"""The trainings by name, in the order in which each finds what it needs."""

from __future__ import annotations

from typing import Any

from . import captioner, keypoints, openpose, text, unet, vae
from .task import Places, Task

TASKS = {
    "vae": vae.task,
    "text": text.task,
    "unet": unet.task,
    "openpose": openpose.task,
    "captioner": captioner.task,
    "judge": keypoints.judge,
    "detector": keypoints.detector,
}


def task(name: str, config: dict[str, Any], places: Places) -> Task:
    """What is trained under a name; RuntimeError when the weights it builds on are missing or damaged."""
    places.cache.mkdir(parents=True, exist_ok=True)
    return TASKS[name](config, places)
