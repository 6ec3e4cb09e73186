"""The methods of Invert Latent by name: core's solver on the way up, and the sampler of the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from torch import Tensor

from ...core.inversion import solvers
from ...core.sampling.noise_schedule import Kind
from ..choices import DDIM, FIREFLOW, FIXED_POINT, MIDPOINT, O_BELM

Up = Callable[[solvers.Slope, Tensor, list[float]], Iterator[Tensor]]


class Method(NamedTuple):
    """One way to invert."""

    name: str
    up: Up  # slope, clean latent and ascending sigmas to the states after the first
    calls: Callable[[int], int]  # of the model, for a number of steps


def method_of(
    choice: dict[str, Any], kind: Kind, hear: Callable[[float], None] = lambda change: None
) -> Method:
    """The method of that name with its settings; `hear` gets what a fixed point's steps left undone."""
    name = choice["method"]
    if name == O_BELM:
        return Method(name, solvers.o_belm, lambda steps: steps)
    if name == FIXED_POINT:
        count, tolerance = choice["iterations"], choice["tolerance"]

        def iterated(slope: solvers.Slope, x: Tensor, levels: list[float]) -> Iterator[Tensor]:
            return solvers.fixed_point(slope, x, levels, count, tolerance, hear)

        return Method(name, iterated, lambda steps: steps * (1 + count))
    if name == MIDPOINT:
        return Method(name, solvers.midpoint, lambda steps: 2 * steps)
    if name == FIREFLOW:
        return Method(name, solvers.firefly, lambda steps: steps + 1)
    if name != DDIM:
        raise ValueError(f"Expected a method of Invert Latent, got {name!r}; choose one.")

    def published(slope: solvers.Slope, x: Tensor, levels: list[float]) -> Iterator[Tensor]:
        return solvers.ddim(slope, x, levels, kind is Kind.VE)

    return Method(name, published, lambda steps: steps)
