"""One training loop for every network; whoever runs it sees each step and may stop after any."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from .cuda_graphs import EagerStep, GraphedStep
from .networks import learning, normal_batch

Batch = TypeVar("Batch")
_END = object()


@dataclass(frozen=True)
class TrainConfig:
    """At most so many steps and seconds (None: no limit); peak learning rate, warm-up, clipping."""

    steps: int
    learning_rate: float
    seconds: float | None = None
    warmup: int = 50
    min_lr_ratio: float = 0.05
    grad_clip: float = 1.0
    weight_decay: float = 0.0
    accumulation: int = 1  # batches of one step

    def __post_init__(self) -> None:
        for name, good in (
            ("steps", self.steps >= 1),
            ("learning_rate", self.learning_rate > 0),
            ("warmup", self.warmup >= 1),
            ("weight_decay", self.weight_decay >= 0),
            ("accumulation", self.accumulation >= 1),
        ):
            if not good:
                raise ValueError(f"Expected a larger {name}, got {getattr(self, name)}; raise it.")


@dataclass(frozen=True)
class Report:
    """What one step did: its number from 1, its loss, the learning rate and the seconds since the start."""

    step: int
    loss: float
    lr: float
    seconds: float


def lr_at(config: TrainConfig, step: int, seconds: float) -> float:
    """The learning rate: up over `warmup` steps, then a cosine down to `min_lr_ratio` of the peak."""
    done = step / config.steps
    if config.seconds is not None:
        done = max(done, seconds / config.seconds)
    fall = config.min_lr_ratio + (1 - config.min_lr_ratio) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return config.learning_rate * fall * min(1.0, (step + 1) / config.warmup)


def param_groups(networks: Sequence[nn.Module], weight_decay: float) -> list[dict[str, object]]:
    """Matrices with weight decay; biases, norms and word tables without (unused words must not fade)."""
    tables = {
        id(layer.weight)
        for network in networks
        for layer in network.modules()
        if isinstance(layer, nn.Embedding)
    }
    decayed, kept = [], []
    for parameter in (parameter for network in networks for parameter in network.parameters()):
        if parameter.requires_grad:
            (decayed if parameter.ndim > 1 and id(parameter) not in tables else kept).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]


class Trainer:
    """Minimises a loss with AdamW (Loshchilov & Hutter 2019); its state can be saved between two steps.

    `graphed`: replay the gradients as CUDA graphs, one per shape of batch (see `cuda_graphs`). `around`: the
    context of a batch's loss and gradients. `average`: makes tensors the mean of those of all processes.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        loss_of: Callable[[Any], Tensor],
        config: TrainConfig,
        graphed: bool = False,
        around: Callable[[], AbstractContextManager[Any]] = nullcontext,
        average: Callable[[Sequence[Tensor]], None] = lambda _: None,
    ) -> None:
        self.config, self.step, self.seconds, self.average = config, 0, 0.0, average
        with learning():
            self.optimizer = torch.optim.AdamW(
                param_groups(networks, config.weight_decay), config.learning_rate, (0.9, 0.99), fused=True
            )
            self.trained = [value for group in self.optimizer.param_groups for value in group["params"]]
            self.gradients: EagerStep | GraphedStep = (
                GraphedStep(loss_of, self.trained) if graphed else EagerStep(loss_of, self.trained, around)
            )

    @property
    def done(self) -> bool:
        """Whether all steps or all seconds are over."""
        limit = self.config.seconds
        return self.step >= self.config.steps or (limit is not None and self.seconds >= limit)

    def take(self, *batches: Any) -> tuple[Tensor, float]:
        """One step; returns its loss and learning rate. RuntimeError when the loss is not finite."""
        lr = lr_at(self.config, self.step, self.seconds)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        loss = self.gradients(*batches)
        self.average([loss, *(value.grad for value in self.trained if value.grad is not None)])
        if not torch.isfinite(loss):
            raise RuntimeError(
                f"Expected a finite loss but step {self.step + 1} gave {loss.item()}; "
                "lower the learning rate."
            )
        nn.utils.clip_grad_norm_(self.trained, self.config.grad_clip)
        self.optimizer.step()
        self.step += 1
        return loss, lr

    def run(self, batches: Iterable[Any], after_step: Callable[[], None] = lambda: None) -> Iterator[Report]:
        """Go on to the end, a report after each step. Gradients are on during a step and not in between."""
        source, before, start = iter(batches), self.seconds, time.monotonic()
        while True:
            with learning():
                together: list[Any] = [next(source, _END) for _ in range(self.config.accumulation)]
                self.seconds = before + time.monotonic() - start
                if any(each is _END for each in together) or self.done:
                    return
                loss, lr = self.take(*map(normal_batch, together))
                after_step()
                value = float(loss.detach())
                self.seconds = before + time.monotonic() - start
            yield Report(self.step, value, lr, self.seconds)

    def state_dict(self) -> dict[str, Any]:
        """Optimizer, steps and seconds so far."""
        return {"optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state of the same networks."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]


def fit(
    networks: Sequence[nn.Module],
    loss_of: Callable[[Batch], Tensor],
    batches: Iterable[Batch],
    config: TrainConfig,
) -> Iterator[Report]:
    """Minimise `loss_of` over batches; RuntimeError when the loss is not finite."""
    yield from Trainer(networks, loss_of, config).run(batches)
