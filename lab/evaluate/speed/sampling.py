"""`bench sampling`: what samplers cost beside the model's calls; writes its part of docs/performance.md."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ...places import ROOT
from ...setup import models
from ...setup.environment import Environment
from ..sections import replace_part

REPORT = ROOT / "docs" / "performance.md"
HEADING = "## What a sampler costs beside the model"
CASES = [(512, 1), (1024, 1), (512, 8), (1024, 8)]  # pictures' side in px, batch
ROUNDS = {(512, 1): 9, (1024, 1): 5, (512, 8): 3, (1024, 8): 1}
POINTS = 2.0  # at most above core's Euler
CORE = "core's euler"


@dataclass
class Clock:
    """Seconds of one run, in the sampler and, of these, inside the model's calls."""

    whole: float = 0.0
    inside: float = 0.0
    calls: int = 0

    @property
    def overhead(self) -> float:
        """In percent of the time inside the model."""
        return 100 * (self.whole - self.inside) / self.inside

    def around_sampler(self, execute: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        result = execute(*arguments, **named)
        self.whole += time.perf_counter() - start
        return result

    def around_call(self, execute: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        result = execute(*arguments, **named)
        self.inside += time.perf_counter() - start
        self.calls += 1
        return result


@dataclass
class Stage:
    """The demo model with words for it, and the samplers by name: what to sample with and how many steps."""

    model: Any
    words: Any
    samplers: dict[str, tuple[Any, int]]
    found: dict[tuple[int, int, str], list[Clock]] = field(default_factory=dict)

    def run(self, name: str, side: int, batch: int) -> Clock:
        """One run on a latent whose right half is masked."""
        torch, sample = importlib.import_module("torch"), importlib.import_module("comfy.sample")
        extension = importlib.import_module("comfy.patcher_extension")
        clock, model = Clock(), self.model.clone()
        kinds = extension.WrappersMP
        model.add_wrapper_with_key(kinds.SAMPLER_SAMPLE, "clock", clock.around_sampler)
        model.add_wrapper_with_key(kinds.PREDICT_NOISE, "clock", clock.around_call)
        generator = torch.Generator().manual_seed(1)
        latent = torch.randn(batch, 4, side // 8, side // 8, generator=generator)
        mask = torch.zeros(1, 1, side // 8, side // 8)
        mask[..., side // 16 :] = 1
        sampler, steps = self.samplers[name]
        sigmas = importlib.import_module("comfy.samplers").calculate_sigmas(
            model.get_model_object("model_sampling"), "normal", steps
        )
        sample.sample_custom(
            model, sample.prepare_noise(latent, 1), 1.0, sampler, sigmas, self.words, self.words, latent,
            noise_mask=mask, seed=1, callback=lambda *_: None, disable_pbar=True,
        )  # fmt: skip
        return clock

    def measure(self, side: int, batch: int) -> None:
        """All samplers in turn, round by round."""
        for _ in range(ROUNDS[side, batch]):
            for name in self.samplers:
                clock = self.run(name, side, batch)
                print(
                    f"{side}² × {batch}, {name}: {clock.overhead:.2f} % of {clock.inside:.1f} s", flush=True
                )
                self.found.setdefault((side, batch, name), []).append(clock)


def samplers() -> dict[str, tuple[Any, int]]:
    """By name the sampler objects and their steps; all ask the model equally often."""
    bridge = importlib.import_module("recompose.bridge.sampling")
    repaint = importlib.import_module("recompose.core.sampling.repaint")
    lagrange = importlib.import_module("recompose.core.sampling.lagrange")
    euler = importlib.import_module("comfy.samplers").sampler_object("euler")
    # A jump in three calls: the presets have one in eight.
    return {
        CORE: (euler, 3),
        "RePaint": (bridge.RePaint(repaint.Settings(1, 2)), 2),
        "Lagrange": (bridge.Lagrange(lagrange.Settings()), 3),
    }


def stage(environment: Environment) -> Stage:
    """Load the demo's text-to-image model as a server does."""
    from ...toy.models import host

    host.make_importable(environment.comfyui)
    supported = importlib.import_module("comfy.supported_models")
    registration = importlib.import_module("recompose.lab.toy.model_pack.registration")
    supported.models.append(registration.DemoSD15)
    checkpoint = models.assembled(environment.cache) / "checkpoints" / "recompose_demo.safetensors"
    model, clip, *_ = importlib.import_module("comfy.sd").load_checkpoint_guess_config(str(checkpoint))
    words = clip.encode_from_tokens_scheduled(clip.tokenize("a person standing on a meadow"))
    return Stage(model, words, samplers())


def table(stage: Stage) -> str:
    """The report's part, with whether the aim was reached."""
    torch = importlib.import_module("torch")
    lines, missed = [], []
    for side, batch in CASES:
        if (side, batch, CORE) not in stage.found:
            missed.append(f"- {side}² × {batch}: not measured")
            continue
        core = median(clock.overhead for clock in stage.found[side, batch, CORE])
        for name in stage.samplers:
            clocks = stage.found[side, batch, name]
            overhead = median(clock.overhead for clock in clocks)
            best = min(clock.overhead for clock in clocks)
            each = median(1000 * clock.inside / clock.calls for clock in clocks)
            above = "" if name == CORE else f"{overhead - core:+.2f}"
            cells = [f"{side}²", batch, name, f"{each:.0f}", f"{best:.2f} / {overhead:.2f}", above]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
            if overhead - core > POINTS:
                missed.append(
                    f"- {name}, {side}² × {batch}: {overhead - core:.2f} points (wanted ≤ {POINTS:g})"
                )
    text = (
        f"{HEADING}\n\nOverhead = (time in the sampler - time inside model calls) / time inside model calls, "
        "in percent: half of the latent masked, cfg 1 (more guidance makes a model call dearer and the share "
        "smaller), three calls per run, the samplers in turn within one process. Aim: at most "
        f"{POINTS:g} points above core's Euler. Demo model on the CPU, {os.cpu_count()} cores of "
        f"{platform.machine()}, torch {torch.__version__} with {torch.get_num_threads()} threads; not "
        "measured on a GPU. A model call's time grows with whatever else the machine does. Measured by "
        "`python3 cli bench sampling`.\n\n"
    )
    text += ("\n".join(missed) if missed else "The aim was reached everywhere.") + "\n\n"
    head = (
        "| picture | batch | sampler | model call, ms | overhead, % (best / median) | points above core's |"
    )
    return text + "\n".join([head, "|---" * 6 + "|", *lines]) + "\n"


def main(arguments: list[str], environment: Environment) -> int:
    """Measure and replace this part of the report; there are no options."""
    argparse.ArgumentParser(prog="cli bench sampling", description=__doc__).parse_args(arguments)
    torch = importlib.import_module("torch")
    with torch.inference_mode():
        measured = stage(environment)
        for name in measured.samplers:  # warm up
            measured.run(name, *CASES[0])
        for side, batch in CASES:
            measured.measure(side, batch)
            replace_part(REPORT, HEADING, table(measured))  # now, for the largest takes minutes
    print(table(measured))
    return 0
