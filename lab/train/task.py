"""The trainings of the toy models: their settings, and how their weights are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from ...training import config as settings
from ...training import task as training
from ...training.loop import Report, TrainConfig
from ...training.task import Progress
from ..files import replacing
from ..toy.models import parts
from .places import Places

CONFIGS = Path(__file__).resolve().parent / "configs"


@dataclass
class Task(training.Task):
    """A training of toy models with the notes of each one's trainings before."""

    notes: dict[str, dict[str, Any]] = field(default_factory=dict)


def configuration(name: str) -> dict[str, Any]:
    """The settings of one training; ValueError if there is none of that name."""
    path = CONFIGS / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in CONFIGS.glob("*.json")))
        raise ValueError(f"Expected one of the trainings {known}, got {name!r}; choose one of them.")
    return settings.load(path)


def train(
    task: Task,
    config: dict[str, Any],
    places: Places,
    minutes: float | None = None,
    state: Path | None = None,
    pause: float | None = None,
) -> Iterator[Report]:
    """Train within the configured steps and minutes, saving averaged weights now and then and at the end.

    With a `state` file the same call goes on where it was stopped, or paused after so many minutes.
    """
    if state:
        task.notes = notes_at_start(task.notes, state)
    plan = TrainConfig(
        steps=config["steps"],
        learning_rate=config["learning_rate"],
        seconds=60 * (config["minutes"] if minutes is None else minutes),
        warmup=config["warmup"],
        weight_decay=config["weight_decay"],
    )

    def save(name: str, weights: Mapping[str, Tensor], progress: Progress) -> None:
        keep(task, places, name, weights, progress)

    graphed = config.get("cuda_graphs", False) and places.device.type == "cuda"
    seconds = None if pause is None else 60 * pause
    yield from training.train(
        task, plan, save, config["ema_decay"], 60 * config["save_minutes"], state, graphed, seconds
    )


def notes_at_start(notes: dict[str, dict[str, Any]], state: Path) -> dict[str, dict[str, Any]]:
    """The notes with which a training in slices began; those of its weights grow with it."""
    path = state.with_suffix(".json")
    if state.is_file() and path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(notes), encoding="utf-8")
    return notes


def keep(task: Task, places: Places, name: str, weights: Mapping[str, Tensor], progress: Progress) -> None:
    """Write a network's averaged weights with steps, seconds and the mean of its last losses."""
    before = task.notes.get(name, {})
    notes = {
        "steps": before.get("steps", 0) + progress.steps,
        "seconds": round(before.get("seconds", 0) + progress.seconds),
        "loss": round(progress.loss, 5),
    }
    parts.write(places.weights, name, {**task.networks[name].state_dict(), **weights}, notes)
