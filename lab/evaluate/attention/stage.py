"""The demo models as ComfyUI loads them, with the attention nodes' own code, in this process."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...toy import table
from ...toy.control import skeleton
from ...toy.world.composition import WIDTH
from ..checkpoint import Checkpoint
from .pairs import Pair, person_words
from .runs import CFG, SAMPLER, SCHEDULER, STEPS, Run

CONTROL = "controlnet/recompose_demo_openpose.safetensors"
CELL = 8  # px
Masks = tuple[np.ndarray, np.ndarray]  # bool H,W of the source and the target


class Stage(Checkpoint):
    """Samples batches of rows: the first prompt is the source."""

    def __init__(self, weights: Path) -> None:
        super().__init__(weights)
        self.control = importlib.import_module("comfy.controlnet").load_controlnet(str(self.folder / CONTROL))

    def rows(self, prompts: list[str]) -> tuple[list[Any], list[Any]]:
        """CONDITIONING of the prompts as rows, and of no words."""
        rows = importlib.import_module("recompose.bridge.attention.rows")
        positive, _ = rows.rows([], prompts[0], "\n".join(prompts[1:]), self.clip, self.model)
        return positive, self.clip.encode_from_tokens_scheduled(self.clip.tokenize(""))

    def words(self, pair: Pair, prompts: list[str], run: Run) -> tuple[list[Any], list[Any]]:
        """Both CONDITIONING of a run: the prompts as rows, with a ControlNet if it has one."""
        both = self.rows(prompts)
        return self.posed(*both, pair) if run.posed else both

    def patched(self, run: Run, masks: Masks | None = None, model: Any = None, asked: Any = None) -> Any:
        """The MODEL of a run."""
        model = model or self.model
        if not run.mode:
            return model
        mutual = importlib.import_module("recompose.bridge.attention.mutual").mutual
        given = [None if masks is None else torch.from_numpy(mask)[None].float() for mask in masks or (0, 0)]
        return mutual(model, 1.0, run.mode, "0", run.steps, run.layers, *given, asked)

    def asked(self, pair: Pair, prompts: list[str], run: Run) -> Any:
        """What makes masks of the person in a run's rows, if it has masks from words."""
        if run.threshold is None:
            return None
        asked = importlib.import_module("recompose.bridge.attention.mutual").Asked
        words = person_words(pair)
        return asked(self.clip, prompts[0], "\n".join(prompts[1:]), *words, run.threshold)

    def posed(self, positive: list[Any], negative: list[Any], pair: Pair) -> tuple[list[Any], list[Any]]:
        """Both CONDITIONING with a ControlNet that shows the pair's pose to all rows but the first."""
        hint = torch.from_numpy(skeleton(pair.points, pair.height)).movedim(-1, 0)[None] / 255
        control = self.control.copy().set_cond_hint(hint, 1.0, (0.0, 1.0), vae=self.vae)
        both = [
            [[each[0], {**each[1], "control": control, "control_apply_to_uncond": False}] for each in some]
            for some in (positive, negative)
        ]
        rows = importlib.import_module("recompose.bridge.attention.control")
        return rows.control_rows(*both, "1-")

    def paint(self, pair: Pair, prompts: list[str], run: Run, masks: Masks | None = None) -> np.ndarray:
        """The pictures N,H,W,3 uint8 of prompts that start from the same noise."""
        positive, negative = self.words(pair, prompts, run)
        empty = torch.zeros(1, 4, pair.height // CELL, WIDTH // CELL)
        same = importlib.import_module("recompose.bridge.attention.same_noise").same_noise
        latent = same({"samples": empty}, len(prompts))
        sample = importlib.import_module("comfy.sample")
        noise = sample.prepare_noise(latent["samples"], pair.seed, latent["batch_index"])
        model = self.patched(run, masks, asked=self.asked(pair, prompts, run))
        with torch.inference_mode():
            found = sample.sample(
                model, noise, STEPS, CFG, SAMPLER, SCHEDULER, positive, negative,
                latent["samples"], seed=pair.seed, disable_pbar=True,
            )  # fmt: skip
        return self.pixels(found)

    def inverted(self, image: np.ndarray, method: dict[str, Any]) -> Any:
        """Invert Latent's outputs for a picture H,W,3 uint8, without words."""
        module = importlib.import_module("recompose.bridge.inversion.invert")
        words = importlib.import_module("recompose.bridge.inpaint").Conditioning
        settings = importlib.import_module("recompose.bridge.sigmas").SigmaSettings
        nothing = self.clip.encode_from_tokens_scheduled(self.clip.tokenize(""))
        with torch.inference_mode():
            latent = {"samples": self.encoded(image)}
            return module.invert(
                self.model, words(nothing, nothing, 1.0), latent, method, settings(STEPS, SCHEDULER, 1.0)
            )

    def back(self, inverted: Any) -> Tensor:
        """The latent that the method's own sampler comes back to."""
        nothing = self.clip.encode_from_tokens_scheduled(self.clip.tokenize(""))
        return self.guided(self.model, inverted, (nothing, nothing), 1.0, inverted.sampler, 1)

    def edited(self, inverted: Any, pair: Pair, prompts: list[str], run: Run) -> np.ndarray:
        """Pictures of prompts from a photo's noise; the first row is the photo itself."""
        words = self.words(pair, prompts, run)
        replay = importlib.import_module("recompose.bridge.inversion.replay").replay
        model = self.patched(run, model=replay(self.model, inverted.inversion, 0))
        sampler = importlib.import_module("comfy.samplers").sampler_object(SAMPLER)
        return self.pixels(self.guided(model, inverted, words, CFG, sampler, len(prompts)))

    def guided(
        self, model: Any, inverted: Any, words: tuple[Any, Any], cfg: float, sampler: Any, rows: int
    ) -> Tensor:
        """Rows sampled from an inversion's noise, as SamplerCustomAdvanced does with an empty latent."""
        guider = importlib.import_module("comfy.samplers").CFGGuider(model)
        guider.set_conds(*words)
        guider.set_cfg(cfg)
        empty = torch.zeros(rows, *inverted.inversion.states[0].shape[1:])
        with torch.inference_mode():
            noise = inverted.noise.generate_noise({"samples": empty})
            return guider.sample(noise, empty, sampler, inverted.sigmas, disable_pbar=True, seed=0)


class InpaintStage(Stage):
    """The same with the inpaint checkpoint."""

    def __init__(self, weights: Path) -> None:
        super().__init__(weights)
        load = importlib.import_module("comfy.sd").load_checkpoint_guess_config
        self.inpaint, *_ = load(str(self.folder / table.INPAINT))

    def conditioned(
        self, text: str, photo: Tensor, mask: Tensor
    ) -> tuple[list[Any], list[Any], dict[str, Any]]:
        """CONDITIONING of a text and of no words, and the LATENT, for a photo 1,H,W,3 with a mask 1,H,W."""
        node = importlib.import_module("nodes").InpaintModelConditioning()
        words = [self.clip.encode_from_tokens_scheduled(self.clip.tokenize(each)) for each in (text, "")]
        return node.encode(*words, photo, self.vae, mask)
