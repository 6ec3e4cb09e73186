"""A training as a whole: what learns from what, averaged weights, and a state to go on from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor, nn

from . import checkpoints
from .ema import EMA
from .loop import Report, TrainConfig, Trainer
from .networks import learned, learning, leave_inference

RECENT = 100


@dataclass
class Task:
    """Networks by name (also parts of a loaded model), what is minimised, and on which batches.

    `auxiliary` networks are trained along and never kept. Batches that have `state_dict` and
    `load_state_dict` go on exactly where they were. `around` gives the context of each batch's loss and
    gradients; `average` makes tensors the mean of those of all processes.
    """

    networks: dict[str, nn.Module]
    loss: Callable[[Any], Tensor]
    batches: Iterable[Any]
    auxiliary: list[nn.Module] = field(default_factory=list)
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    average: Callable[[Sequence[Tensor]], None] = lambda _: None

    def all_networks(self) -> list[nn.Module]:
        """Everything that learns."""
        return [*self.networks.values(), *self.auxiliary]


class Progress(NamedTuple):
    """Steps, seconds and the mean of the last losses so far."""

    steps: int
    seconds: float
    loss: float


# Gets a network's name, its averaged weights (without frozen ones) and how far it is.
Save = Callable[[str, Mapping[str, Tensor], Progress], None]


class Run:
    """A task on its way."""

    def __init__(self, task: Task, config: TrainConfig, ema_decay: float, graphed: bool) -> None:
        self.task = task
        self.losses: list[float] = []
        for network in task.all_networks():
            leave_inference(network)
        self.trainer = Trainer(task.all_networks(), task.loss, config, graphed, task.around, task.average)
        self.averages = {name: EMA(network, ema_decay) for name, network in task.networks.items()}

    def follow(self) -> None:
        """Let the averages take in the step."""
        for name, network in self.task.networks.items():
            self.averages[name].update(network)

    def progress(self) -> Progress:
        """How far it is."""
        mean = sum(self.losses) / max(len(self.losses), 1)
        return Progress(self.trainer.step, self.trainer.seconds, mean)

    def keep(self, save: Save, state: Path | None) -> None:
        """Save the averaged weights, and all that is needed to go on."""
        for name, average in self.averages.items():
            save(name, average.weights(), self.progress())
        if state:
            checkpoints.save_state(state, self.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """All that the same run needs to go on."""
        batches = getattr(self.task.batches, "state_dict", dict)
        return {
            "trainer": self.trainer.state_dict(),
            "networks": [learned(network) for network in self.task.all_networks()],
            "averages": {name: average.state_dict() for name, average in self.averages.items()},
            "losses": self.losses,
            "random": checkpoints.random_state(),
            "batches": batches(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state of the same task; RuntimeError for that of another."""
        try:
            for network, weights in zip(self.task.all_networks(), state["networks"], strict=True):
                if learned(network).keys() != weights.keys():
                    raise KeyError("other weights")
                network.load_state_dict(weights, strict=False)
            self.trainer.load_state_dict(state["trainer"])
            for name, average in self.averages.items():
                average.load_state_dict(state["averages"][name])
        except (KeyError, ValueError, RuntimeError) as error:
            raise RuntimeError(
                "Expected the saved state of this training but it is of another; remove it to begin anew."
            ) from error
        self.losses = list(state["losses"])
        load_batches = getattr(self.task.batches, "load_state_dict", None)
        if load_batches:
            load_batches(state["batches"])
        checkpoints.set_random_state(state["random"])


def train(
    task: Task,
    config: TrainConfig,
    save: Save,
    ema_decay: float = 0.999,
    save_seconds: float = 180,
    state: Path | None = None,
    graphed: bool = False,
    pause_seconds: float | None = None,
    save_steps: int | None = None,
    writes: bool = True,
) -> Iterator[Report]:
    """Train, saving now and then and at the end: after so many seconds, or else after so many steps.

    With a `state` file the same call goes on from the last saving, as if nothing had stopped it. A finished
    training's state stays, so that the same call does nothing more. After `pause_seconds` of this call it
    saves and ends before it is finished. Of several processes only one `writes`.
    """
    with learning():
        run = Run(task, config, ema_decay, graphed)
        before = checkpoints.load_state(state) if state else None
        if before is not None:
            run.load_state_dict(before)
    keep: Callable[[], None] = partial(run.keep, save, state) if writes else lambda: None
    begun = saved = time.monotonic()
    kept, report = None, None
    for report in run.trainer.run(task.batches, run.follow):
        run.losses = [*run.losses[1 - RECENT :], report.loss]
        if time.monotonic() - saved > save_seconds if save_steps is None else not report.step % save_steps:
            keep()
            saved, kept = time.monotonic(), report.step
        yield report
        if pause_seconds is not None and time.monotonic() - begun > pause_seconds:
            break
    if report is not None and report.step != kept:
        keep()
