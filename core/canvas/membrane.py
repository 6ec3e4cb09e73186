"""Membranes: the smoothest surface through given pixels (Laplace's equation), solved by multigrid."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Damping that smooths the upper half of the spectrum best for the five-point stencil (Briggs et al., ch. 2).
DAMPING = 0.8
SWEEPS = 2
TINY = 1e-30
LARGE = 256 * 256
FINEST_LENGTH, FINEST_SWEEPS = 1, 8


def harmonic(values: Tensor, known: Tensor, iterations: int = 8) -> Tensor:
    """Continue `values` (B,C,H,W) from the known pixels (bool B,1,H,W) into the others as a membrane.

    Solves Laplace's equation Δu = 0 on the five-point stencil with u = values where known and no flow across
    the picture's border (Pérez et al. 2003, eq. 4 with a zero guidance field): a cascade of grids gives the
    first guess, then `iterations` conjugate gradients with a multigrid cycle as preconditioner, each of which
    makes the error about three times smaller. Known pixels come back unchanged; a picture without any known
    pixel becomes 0.
    """
    free = (~known).to(values.dtype)
    solution = _first_guess(values, known)
    residual = _residual(solution, None, free)
    direction = preconditioned = _cycle(torch.zeros_like(residual), residual, free)
    energy = _dot(residual, preconditioned)
    for _ in range(iterations):
        image = _residual(direction, None, free)
        step = energy / (-_dot(direction, image)).clamp(min=TINY)
        solution = solution + step * direction
        previous, residual = residual, residual + step * image
        preconditioned = _cycle(torch.zeros_like(residual), residual, free)
        # Polak-Ribière: the cycle is not exactly symmetric, so the plain coefficient would lose conjugacy.
        grown = _dot(residual, preconditioned)
        turn = (grown - _dot(previous, preconditioned)) / energy.clamp(min=TINY)
        direction, energy = preconditioned + turn * direction, grown
    return solution


def membrane(values: Tensor, known: Tensor) -> Tensor:
    """`harmonic`, but on pictures of more than LARGE pixels only its coarser grids are solved that far.

    The finest grids then refine the coarse solution by a few sweeps: full detail at the edge of the known
    pixels, and an error far below the smallest visible step elsewhere.
    """
    if values.shape[-1] * values.shape[-2] <= LARGE:
        return harmonic(values, known, iterations=3)
    coarse = membrane(*_coarsened(torch.where(known, values, 0), known))
    guess = F.interpolate(coarse, scale_factor=2, mode="bilinear")
    solution = torch.where(known, values, guess[..., : values.shape[-2], : values.shape[-1]])
    del values, coarse, guess  # of a large picture's size each
    return _relax(solution, None, (~known).to(solution.dtype), SWEEPS)


def screened(values: Tensor, known: Tensor, length: float) -> Tensor:
    """Continue `values` (B,C,H,W) from known pixels (bool B,1,H,W) into the others, fading in `length` px.

    Solves Δu = u / length² (a screened Poisson equation, Bhat et al. 2008, without guidance): beside a
    straight edge u falls like exp(-distance / length). Coarse to fine with a few sweeps per grid, which is
    good to some percent of the values; what fades cannot be seen to be wrong. Known pixels come back
    unchanged.
    """
    solution, sweeps = values * known, FINEST_SWEEPS
    if length > FINEST_LENGTH and max(values.shape[-2:]) > 2:
        sweeps = SWEEPS
        coarse = screened(*_coarsened(solution, known), length / 2)
        guess = F.interpolate(coarse, scale_factor=2, mode="bilinear")
        solution = torch.where(known, values, guess[..., : values.shape[-2], : values.shape[-1]])
        del coarse, guess
    return _relax(solution, None, (~known).to(values.dtype), sweeps, 1 / length**2)


def _dot(left: Tensor, right: Tensor) -> Tensor:
    return (left * right).sum((-2, -1), keepdim=True)


def _first_guess(values: Tensor, known: Tensor) -> Tensor:
    """Solve every coarser grid roughly and refine its solution on the next."""
    height, width = values.shape[-2:]
    if max(height, width) <= 2:
        mean = (values * known).sum((-2, -1), keepdim=True) / known.sum((-2, -1), keepdim=True).clamp(min=1)
        return torch.where(known, values, mean)
    coarse = _first_guess(*_coarsened(torch.where(known, values, 0), known))
    guess = F.interpolate(coarse, scale_factor=2, mode="bilinear")[..., :height, :width]
    return _cycle(torch.where(known, values, guess), None, (~known).to(values.dtype))


def _coarsened(values: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Average the known pixels of every 2×2 cell (the others 0); it is known if any of its pixels is."""
    share = F.avg_pool2d(known.to(values.dtype), 2, ceil_mode=True)
    return F.avg_pool2d(values, 2, ceil_mode=True) / share.clamp(min=0.25), share > 0


def _cycle(solution: Tensor, load: Tensor | None, free: Tensor) -> Tensor:
    """One V-cycle for (sum of neighbours) - 4u + load = 0 on the free pixels."""
    solution = _relax(solution, load, free, SWEEPS)
    if max(free.shape[-2:]) <= 2:
        return _relax(solution, load, free, 8)
    residual = _residual(solution, load, free)
    # Summing 2×2 residuals is averaging them times (2h)²/h²: the stencil stays the same on every grid.
    coarse_load = F.avg_pool2d(residual, 2, ceil_mode=True, divisor_override=1)
    coarse_free = 1 - F.max_pool2d(1 - free, 2, ceil_mode=True)
    correction = _cycle(torch.zeros_like(coarse_load), coarse_load, coarse_free)
    correction = F.interpolate(correction, scale_factor=2, mode="bilinear")
    solution = solution + correction[..., : free.shape[-2], : free.shape[-1]] * free
    return _relax(solution, load, free, SWEEPS)


def _residual(solution: Tensor, load: Tensor | None, free: Tensor) -> Tensor:
    """(sum of neighbours) - 4u + load on the free pixels; a neighbour outside the picture counts as u."""
    total = torch.zeros_like(solution) if load is None else load.clone()
    down = solution[..., 1:, :] - solution[..., :-1, :]
    total[..., :-1, :] += down
    total[..., 1:, :] -= down
    del down
    across = solution[..., 1:] - solution[..., :-1]
    total[..., :-1] += across
    total[..., 1:] -= across
    return total.mul_(free)


def _relax(solution: Tensor, load: Tensor | None, free: Tensor, sweeps: int, fading: float = 0.0) -> Tensor:
    """Damped Jacobi sweeps for (sum of neighbours) - (4 + fading) u + load = 0 on the free pixels."""
    for _ in range(sweeps):
        change = _residual(solution, load, free)
        if fading:
            change.addcmul_(solution, free, value=-fading)
        solution = torch.add(solution, change, alpha=DAMPING / (4 + fading))
    return solution
