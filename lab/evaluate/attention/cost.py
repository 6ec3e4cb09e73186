"""`bench attention`: what the attention nodes cost; writes its part of docs/performance.md."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import time
from statistics import median
from typing import Any

from ...places import ROOT, WEIGHTS
from ...setup.environment import Environment
from ..sections import replace_part
from .pairs import pairs
from .runs import Run
from .stage import CELL, Stage

REPORT = ROOT / "docs" / "performance.md"
HEADING = "## What the attention nodes cost beside the model"
ROUNDS = {512: 7, 1024: 5}  # pictures' side in px
STEPS = 2
PLAIN, DOUBLED = "no patch", "the targets' keys doubled by hand"
RECORDED, GUARDED = "Record Attention", "Shape Guard"
MODES = ("replace", "masked", "union")
# Each in shares of another's time, and the most that it is to be.
AIMS = {
    "replace": (PLAIN, 1.05),
    "masked": (PLAIN, 1.05),
    "union": (DOUBLED, 1.05),
    RECORDED: (PLAIN, 1.15),
    GUARDED: (PLAIN, 1.2),
}


def doubled(model: Any) -> Any:
    """A MODEL whose target row attends to the source's keys and its own, in the default's layers, bare."""
    torch, attention = (importlib.import_module(name) for name in ("torch", "comfy.ldm.modules.attention"))
    blocks = importlib.import_module("recompose.bridge.attention.blocks")
    ranges = importlib.import_module("recompose.core.attention.ranges")
    network, made = blocks.network_of(model, "bench"), model.clone()

    def patch(q: Any, k: Any, v: Any, extra: dict[str, Any]) -> Any:
        def attend(*given: Any) -> Any:
            return attention.optimized_attention(*given, extra["n_heads"])

        sources = attend(q[::2], k[::2], v[::2])
        keys, values = (torch.cat((each[::2], each[1::2]), 1) for each in (k, v))
        found = torch.empty_like(q)
        found[::2], found[1::2] = sources, attend(q[1::2], keys, values)
        return found

    for number in ranges.chosen(network.default, len(network.layers), "layers", network.words):
        made.set_model_attn1_replace(patch, *network.layers[number])
    return made


def models(stage: Stage, side: int) -> dict[str, Any]:
    """The MODELs by name; the person of the masks takes about a third of the picture."""
    numpy = importlib.import_module("numpy")
    mask = numpy.zeros((side, side), bool)
    mask[side // 8 : -side // 8, side // 3 : -side // 4] = True
    masks = {"masked": (mask, mask[:, ::-1].copy())}
    patched = {mode: stage.patched(Run(mode, mode, "0-"), masks.get(mode)) for mode in MODES}
    recorder = importlib.import_module("recompose.bridge.attention.recorder")
    recorded, _ = recorder.record(stage.model, "all together", "", "")
    others = {RECORDED: recorded, GUARDED: guarded(stage, side)}
    return {PLAIN: stage.model, DOUBLED: doubled(stage.model), **patched, **others}


def guarded(stage: Stage, side: int) -> Any:
    """A MODEL with Shape Guard in half of the picture, from the first step on."""
    torch = importlib.import_module("torch")
    guard = importlib.import_module("recompose.bridge.attention.guard")
    text, mask = next(pairs()).source, torch.zeros(1, side, side)
    mask[..., : side // 2] = 1
    latent = {"samples": torch.zeros(2, 4, side // CELL, side // CELL), "noise_mask": mask}
    words = guard.Words(stage.clip, text, text.split()[1])
    return guard.guard(stage.model, words, latent, None, 0.0, guard.Shaping())[0]


def seconds(stage: Stage, model: Any, side: int) -> float:
    """Processor seconds of one run of two rows with guidance."""
    torch, sample = importlib.import_module("torch"), importlib.import_module("comfy.sample")
    pair = next(pairs())
    positive, negative = stage.rows([pair.source, pair.target])
    latent = torch.zeros(2, 4, side // CELL, side // CELL)
    noise = sample.prepare_noise(latent, 1, [0, 0])
    start = time.process_time()
    sample.sample(
        model, noise, STEPS, 4.0, "euler", "normal", positive, negative, latent, seed=1, disable_pbar=True
    )
    return time.process_time() - start


def measured(stage: Stage, side: int) -> dict[str, list[float]]:
    """The seconds of every model, in turn, round by round; the first round warms up."""
    found: dict[str, list[float]] = {}
    made = models(stage, side)
    for number in range(ROUNDS[side] + 1):
        for name, model in made.items():
            took = seconds(stage, model, side)
            print(f"{side}², {name}: {took:.2f} s", flush=True)
            if number:
                found.setdefault(name, []).append(took)
    return found


def table(found: dict[int, dict[str, list[float]]]) -> str:
    """The report's part, with whether the aim was reached."""
    torch = importlib.import_module("torch")
    lines, missed = [], []
    for side, times in found.items():
        for name, took in times.items():
            cells = [f"{side}²", name, f"{median(took):.2f}", "", ""]
            if name in AIMS:
                of, most = AIMS[name]
                ratio = median(one / other for one, other in zip(took, times[of], strict=True))
                cells[3:] = [f"{ratio:.3f}", of]
                if ratio > most:
                    missed.append(f"- {name}, {side}²: {ratio:.3f} (wanted ≤ {most:g})")
            lines.append("| " + " | ".join(cells) + " |")
    head = "| picture | model | processor seconds | times | of |"
    text = (
        f"{HEADING}\n\nTwo rows with guidance, {STEPS} steps, all patched, Mutual Attention in the default's "
        f"layers; medians "
        f"of {', '.join(f'{count} runs at {side}²' for side, count in ROUNDS.items())}, in turn within one "
        f"process. Demo model on the CPU, {os.cpu_count()} cores of {platform.machine()}, torch "
        f"{torch.__version__} with {torch.get_num_threads()} threads; not measured on a GPU. Measured by "
        "`python3 cli bench attention`.\n\n"
    )
    text += ("\n".join(missed) if missed else "The aim was reached everywhere.") + "\n\n"
    return text + "\n".join([head, "|---" * 5 + "|", *lines]) + "\n"


def main(arguments: list[str], environment: Environment) -> int:
    """Measure and replace this part of the report; there are no options."""
    argparse.ArgumentParser(prog="cli bench attention", description=__doc__).parse_args(arguments)
    from ...toy.models import host

    host.make_importable(environment.comfyui)
    torch = importlib.import_module("torch")
    found: dict[int, dict[str, list[float]]] = {}
    with torch.inference_mode():
        stage = Stage(WEIGHTS)
        for side in ROUNDS:
            found[side] = measured(stage, side)
            replace_part(REPORT, HEADING, table(found))  # now, for the largest takes minutes
    print(table(found))
    return 0
