"""One training loop for every network; whoever runs it sees each step and may stop after any."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from .record import Eager, Recorded

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Plan:
    """At most so many steps and seconds (None: no limit); peak learning rate, warm-up, clipping."""

    steps: int
    learning_rate: float
    seconds: float | None = None
    warmup: int = 50
    last_rate: float = 0.05
    clip: float = 1.0
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Report:
    """What one step did: its number from 1, its loss, the learning rate and the seconds since the start."""

    step: int
    loss: float
    rate: float
    seconds: float


def rate_at(plan: Plan, step: int, seconds: float) -> float:
    """The learning rate: up over `warmup` steps, then a cosine down to `last_rate` of the peak at the end."""
    done = step / plan.steps
    if plan.seconds is not None:
        done = max(done, seconds / plan.seconds)
    fall = plan.last_rate + (1 - plan.last_rate) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return plan.learning_rate * fall * min(1.0, (step + 1) / plan.warmup)


def groups(networks: Sequence[nn.Module], weight_decay: float) -> list[dict[str, object]]:
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


def fit(
    networks: Sequence[nn.Module],
    loss_of: Callable[[Batch], Tensor],
    batches: Iterable[Batch],
    plan: Plan,
    after_step: Callable[[], None] = lambda: None,
    recorded: bool = False,
) -> Iterator[Report]:
    """Minimise `loss_of` with AdamW (Loshchilov & Hutter 2019); RuntimeError when the loss is not finite.

    `recorded`: replay the gradients as CUDA graphs, one per shape of batch (see `record`).
    """
    optimizer = torch.optim.AdamW(
        groups(networks, plan.weight_decay), plan.learning_rate, (0.9, 0.99), fused=True
    )
    trained = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    gradients = (Recorded if recorded else Eager)(loss_of, trained)
    start = time.monotonic()
    for step, batch in enumerate(batches):
        seconds = time.monotonic() - start
        if step >= plan.steps or (plan.seconds is not None and seconds >= plan.seconds):
            return
        rate = rate_at(plan, step, seconds)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = gradients(batch)
        if not torch.isfinite(loss):
            raise RuntimeError(
                f"Expected a finite loss but step {step + 1} gave {loss.item()}; lower the learning rate."
            )
        nn.utils.clip_grad_norm_(trained, plan.clip)
        optimizer.step()
        after_step()
        yield Report(step + 1, float(loss.detach()), rate, time.monotonic() - start)
