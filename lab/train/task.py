"""What every training of the demo is made of, and how its weights are kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...training.average import Average
from ...training.loop import Plan, Report, fit
from ..toy import table
from ..toy.models import parts

CONFIGS = Path(__file__).resolve().parent / "configs"
RECENT = 100
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Places:
    """Where a training leaves weights, where it keeps pictures and latents, and what it runs on."""

    weights: Path
    cache: Path
    device: torch.device = CPU


@dataclass
class Task:
    """The networks being trained by part name, what is minimised, on what, and each part's notes so far.

    `helpers` are trained along and never kept.
    """

    networks: dict[str, nn.Module]
    loss: Callable[[Any], Tensor]
    batches: Iterable[Any]
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    helpers: list[nn.Module] = field(default_factory=list)


def configuration(name: str) -> dict[str, Any]:
    """The settings of one training; ValueError if there is none of that name."""
    path = CONFIGS / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in CONFIGS.glob("*.json")))
        raise ValueError(f"Expected one of the trainings {known}, got {name!r}; choose one of them.")
    return json.loads(path.read_text())


def resume(network: nn.Module, places: Places, name: str) -> dict[str, Any]:
    """Fill a network from its part where there is one; the notes of that part, or none."""
    if not (places.weights / table.MODELS[name].file).is_file():
        return {}
    return parts.load(network, places.weights, name)


def frozen(network: nn.Module, places: Places, name: str) -> nn.Module:
    """A network with its part's weights that training leaves alone."""
    parts.load(network, places.weights, name)
    return network.to(places.device).requires_grad_(False).eval()


def train(
    task: Task, config: dict[str, Any], places: Places, minutes: float | None = None
) -> Iterator[Report]:
    """Train within the configured steps and minutes, saving averaged weights now and then and at the end."""
    minutes = config["minutes"] if minutes is None else minutes
    plan = Plan(
        steps=config["steps"],
        learning_rate=config["learning_rate"],
        seconds=60 * minutes,
        warmup=config["warmup"],
        weight_decay=config["weight_decay"],
    )
    averages = {name: Average(network, config["average"]) for name, network in task.networks.items()}

    def follow() -> None:
        for name, network in task.networks.items():
            averages[name].update(network)

    recorded = config.get("recorded", False) and places.device.type == "cuda"
    losses: list[float] = []
    saved, report = time.monotonic(), None
    for report in fit(
        [*task.networks.values(), *task.helpers], task.loss, task.batches, plan, follow, recorded
    ):
        losses = [*losses[1 - RECENT :], report.loss]
        if time.monotonic() - saved > 60 * config["save_minutes"]:
            keep(task, averages, places, report, losses)
            saved = time.monotonic()
        yield report
    if report is not None:
        keep(task, averages, places, report, losses)


def keep(
    task: Task, averages: dict[str, Average], places: Places, report: Report, losses: list[float]
) -> None:
    """Write every trained network's averaged weights with steps, seconds and the mean of its last losses."""
    for name, average in averages.items():
        before = task.notes.get(name, {})
        notes = {
            "steps": before.get("steps", 0) + report.step,
            "seconds": round(before.get("seconds", 0) + report.seconds),
            "loss": round(sum(losses) / len(losses), 5),
        }
        parts.write(places.weights, name, average.weights(), notes)
