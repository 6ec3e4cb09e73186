"""The toy models, one row each; whatever lists, trains, measures or installs them reads this table.

Reading it needs the standard library only: a row names functions as "module:function", and their modules are
imported when the function is used. A new model is a row, its modules, lab/train/configs/NAME.json and a card.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..places import LAB, WEIGHTS

CHECKOUT = __package__.partition(".")[0]
TEXT_TO_IMAGE = "checkpoints/recompose_demo.safetensors"
INPAINT = "checkpoints/recompose_demo_inpaint.safetensors"


@dataclass(frozen=True)
class ToyModel:
    """A trained network; functions are "module:function", the module as it is in the checkout."""

    name: str
    network: str  # () -> the network with fresh weights
    trainer: str  # (config, places) -> the training's Task
    prefix: str = ""  # what its keys begin with in the public format
    needs: tuple[str, ...] = ()  # the models whose weights its training reads
    # What measures it, (folder of weights) -> Figures, by the figures' names.
    figures: dict[str, str] = field(default_factory=dict)
    # Where ComfyUI finds it below models/: a file that may hold several models, or a folder.
    installed: tuple[str, ...] = ()
    writer: str = ""  # of an installed folder: (weights) -> content by file name
    data: tuple[str, ...] = ()  # other committed files inside lab/ that the model is made of

    @property
    def file(self) -> str:
        """The name of its file in lab/weights."""
        return f"{self.name}.safetensors"

    def data_files(self, weights: Path = WEIGHTS) -> list[Path]:
        """The files that the model is made of, the weights first."""
        return [weights / self.file, *(LAB / name for name in self.data)]

    def build(self) -> Any:
        """The network with fresh weights."""
        return function(self.network)()


ROWS = (
    ToyModel(
        "vae",
        "lab.toy.models.networks:autoencoder",
        "lab.train.vae:task",
        prefix="first_stage_model.",
        figures={"vae": "lab.evaluate.models.vae:measure"},
        installed=(TEXT_TO_IMAGE, INPAINT),
    ),
    ToyModel(
        "text",
        "lab.toy.models.networks:text_encoder",
        "lab.train.text:task",
        prefix="cond_stage_model.transformer.",
        figures={"words": "lab.evaluate.models.words:measure"},
        installed=(TEXT_TO_IMAGE, INPAINT),
    ),
    ToyModel(
        "unet",
        "lab.toy.models.networks:inpaint_unet",
        "lab.train.unet:task",
        prefix="model.diffusion_model.",
        needs=("text", "vae"),
        figures={
            "text_to_image": "lab.evaluate.models.text_to_image:measure",
            "objects": "lab.evaluate.models.objects:measure",
        },
        installed=(TEXT_TO_IMAGE, INPAINT),
    ),
    ToyModel(
        "openpose",
        "lab.toy.models.networks:controlnet",
        "lab.train.openpose:task",
        needs=("unet", "text", "vae"),
        figures={"openpose": "lab.evaluate.models.openpose:measure"},
        installed=("controlnet/recompose_demo_openpose.safetensors",),
    ),
    ToyModel(
        "captioner",
        "lab.toy.models.captioner:captioner",
        "lab.train.captioner:task",
        figures={"captioner": "lab.evaluate.models.captioner:measure"},
        installed=("blip/recompose_demo",),
        writer="lab.toy.models.folder_of_captioner:with_weights",
        data=("toy/models/words.txt",),
    ),
    ToyModel(
        "evaluator",
        "lab.toy.models.evaluator:network",
        "lab.train.evaluator:task",
        needs=("vae",),
        figures={"evaluator": "lab.evaluate.models.evaluator:measure"},
    ),
    ToyModel(
        "detector",
        "core.pose.eye:eye",
        "lab.train.keypoints:detector",
        needs=("vae",),
        figures={"detector": "lab.evaluate.models.detector:measure"},
        installed=("keypoint_models/recompose_demo_detector.safetensors",),
    ),
)
# In the order in which each training finds what it needs.
MODELS = {row.name: row for row in ROWS}


def function(path: str) -> Callable[..., Any]:
    """The function of "module:function"."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(f"{CHECKOUT}.{module}"), name)


def installed() -> dict[str, list[ToyModel]]:
    """What each file or folder below ComfyUI's models folder is made of."""
    found: dict[str, list[ToyModel]] = {}
    for model in MODELS.values():
        for place in model.installed:
            found.setdefault(place, []).append(model)
    return found


def figures() -> dict[str, str]:
    """The measurements of all models by name."""
    return {name: path for model in MODELS.values() for name, path in model.figures.items()}
