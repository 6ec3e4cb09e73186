"""The samplers with which an inversion comes back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import comfy.samplers
import comfy.utils
import torch
from torch import Tensor

from ...core.inversion import solvers
from ...core.inversion.trajectory import Inversion, tiled
from ...core.sampling.checks import check_descent, check_finite
from ...core.sampling.noise_schedule import Kind
from ..choices import FIREFLOW, MIDPOINT, O_BELM
from ..notices import notice
from .slope import OVERWRITTEN, ModelSlope, lowest_of, solver_dtype

SAME_START = 0.01  # relative difference up to which a row starts where the inversion ended; half precision's
NAME = "Way Back"


def sampler_of(method: str, inversion: Inversion) -> Any:
    """The SAMPLER that belongs to a method: its own solver downwards, or ComfyUI's Euler."""
    if method not in (O_BELM, MIDPOINT, FIREFLOW):
        return comfy.samplers.sampler_object("euler")
    return comfy.samplers.KSAMPLER(come_back, {"method": method, "inversion": inversion})


def come_back(
    model: Callable[..., Tensor],
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict[str, Any] | None = None,
    callback: Callable[[dict[str, Any]], None] | None = None,
    disable: bool | None = None,
    *,
    method: str,
    inversion: Inversion,
) -> Tensor:
    """Sample `x` (B,C,…) down the sigmas by a method's solver, in the shape of ComfyUI's samplers.

    Raises ValueError for sigmas that do not descend, and for O-BELM unless they are the inversion's.
    """
    levels = sigmas.tolist()
    check_descent(levels, NAME)
    latest: dict[str, Any] = {}
    slope = ModelSlope(
        lambda given, sigma: model(given, sigma, **(extra_args or {})),
        lowest_of(levels, inversion.path.kind is Kind.VE),
    )
    slope.report = lambda call, denoised, given: latest.update(denoised=denoised, x=given)
    wide = x.to(solver_dtype(x.device))
    with comfy.utils.model_trange(len(levels) - 1, disable=disable, desc=method) as bar:
        for step, state in enumerate(solver(method, slope, wide, levels, inversion)):
            wide = state
            bar.update()
            if callback is not None and latest:
                callback({"i": step, "sigma": sigmas[step], "sigma_hat": sigmas[step], **latest})
    check_finite(wide)
    return held(model, wide.to(x), levels[-1], (extra_args or {}).get("denoise_mask"))


def held(model: Any, x: Tensor, sigma: float, mask: Tensor | None) -> Tensor:
    """The clean `x` with the cells that a noise mask keeps as they were, as no last step of ours does."""
    return x if mask is None or sigma else torch.where(mask <= 0, model.latent_image, x)


def solver(
    method: str, slope: ModelSlope, x: Tensor, levels: list[float], inversion: Inversion
) -> Iterator[Tensor]:
    """The states after the first."""
    if method == O_BELM:
        return o_belm_back(slope, x, levels, inversion)
    return (solvers.midpoint if method == MIDPOINT else solvers.firefly)(slope, x, levels)


def o_belm_back(slope: ModelSlope, x: Tensor, levels: list[float], inversion: Inversion) -> Iterator[Tensor]:
    """O-BELM with the inversion's last two states for every row that starts where the inversion ended."""
    known = [*reversed(inversion.sigmas)]
    same = len(known) == len(levels) and all(
        math.isclose(one, other, rel_tol=1e-4, abs_tol=OVERWRITTEN)
        for one, other in zip(known, levels, strict=True)
    )
    if not same:
        raise ValueError(
            f"O-BELM comes back along the {len(known)} sigmas of its inversion, from {known[0]:.4g} to "
            f"{known[-1]:.4g}, but got {len(levels)}, from {levels[0]:.4g} to {levels[-1]:.4g}; connect the "
            "sigmas of Invert Latent."
        )
    if x.shape[1:] != inversion.states[-1].shape[1:]:
        raise ValueError(
            f"O-BELM comes back to latents of shape {list(inversion.states[-1].shape[1:])} but got "
            f"{list(x.shape[1:])}; connect the noise of Invert Latent."
        )
    older, second = start(slope, x, known, inversion)
    yield second
    yield from solvers.leapfrog(slope, older, second, known)


def start(slope: ModelSlope, x: Tensor, levels: list[float], inversion: Inversion) -> tuple[Tensor, Tensor]:
    """The first two states; rows that start elsewhere take a step of Euler's for their second."""
    end, before = (tiled(state, len(x)).to(x) for state in reversed(inversion.states[-2:]))
    axes = tuple(range(1, x.ndim))
    off = (x - end).abs().mean(axes, keepdim=True) > SAME_START * end.abs().mean(axes, keepdim=True)
    if not off.any():
        return end, before
    if off.all():
        notice(
            "O-BELM: nothing starts where the inversion ended, so this samples without its second state; "
            "connect the noise of Invert Latent."
        )
    own = x + (levels[1] - levels[0]) * slope(x, levels[0])
    return torch.where(off, x, end), torch.where(off, own, before)
