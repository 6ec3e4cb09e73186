"""Invert Latent: the noise and the way from which a model comes back to a given latent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import comfy.sample
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ...core.inversion.trajectory import Inversion
from ...core.sampling.checks import check_descent, check_finite
from ...core.sampling.noise_schedule import Kind
from ..inpaint import Conditioning
from ..latent import check_latent, check_model, check_numbers
from ..notices import notice, show_status
from ..sigmas import SigmaSettings, sigmas_of
from .methods import method_of
from .noise import Gains, InvertedNoise
from .return_sampler import sampler_of
from .slope import ModelSlope, lowest_of, schedule_of, solver_dtype

NAME = "Invert Latent"
NO_LATENT = (
    "Invert Latent: these sigmas begin with noise alone, in which a sampler ignores its latent; connect the "
    "output noise to SamplerCustomAdvanced."
)
UNDONE = 0.01  # relative change of a fixed point's last iteration from which on its noise is not the end
NORMAL = (0.7, 1.4)  # standard deviations of noise that samplers take as they would take fresh one


class Inverted(NamedTuple):
    """The outputs of the node, in their order."""

    noise: InvertedNoise
    sampler: Any
    sigmas: Tensor
    inversion: Inversion
    latent: dict[str, Any] | ExecutionBlocker


class Inverting(comfy.samplers.Sampler):
    """Goes the sigmas backwards, up in noise; afterwards `inversion` and `gains` hold what it found."""

    inversion: Inversion
    gains: Gains

    def __init__(self, choice: dict[str, Any], kind: Kind) -> None:
        self.changes: list[float] = []
        self.method = method_of(choice, kind, self.changes.append)

    def sample(
        self, model_wrap, sigmas, extra_args, callback, noise, latent_image=None, denoise_mask=None,
        disable_pbar=False,
    ) -> Tensor:  # fmt: skip
        """Run as ComfyUI runs any sampler; gives the latent (B,C,…) to start from without noise."""
        inner, levels = model_wrap.inner_model, sigmas.flip(0).tolist()
        scaling, path = inner.model_sampling, schedule_of(inner.model_sampling, NAME)
        start = scaling.noise_scaling(sigmas[-1], torch.zeros_like(noise), latent_image, False)
        options, seed = extra_args["model_options"], extra_args.get("seed")
        slope = ModelSlope(
            lambda x, sigma: model_wrap(x, sigma, model_options=options, seed=seed),
            lowest_of(levels, path.kind is Kind.VE),
        )
        total = self.method.calls(len(levels) - 1)
        show_status(f"{NAME}: {self.method.name}, {total} model calls in {len(levels) - 1} steps")
        with comfy.utils.model_trange(total, disable=disable_pbar, desc=NAME) as bar:

            def report(call: int, denoised: Tensor, x: Tensor) -> None:
                bar.update(call + 1 - bar.n)
                if callback is not None:
                    callback(call, denoised, x, total)

            slope.report = report
            states = self.states(slope, start.to(solver_dtype(start.device)), levels)
        form = type(inner.latent_format).__name__
        self.inversion = Inversion(tuple(levels), tuple(states), path, form)
        self.gains = Gains.at(scaling, sigmas[0], self.max_denoise(model_wrap, sigmas))
        return (states[-1] / (self.gains.latent if self.gains.hold_latent else 1.0)).to(noise)

    def states(self, slope: ModelSlope, start: Tensor, levels: list[float]) -> list[Tensor]:
        """The states of all levels, on the CPU; the last two in the solver's precision."""
        states = [start.cpu()]
        for x in self.method.up(slope, start, levels):
            check_finite(x)
            if len(states) > 1:
                states[-2] = states[-2].float()
            states.append(x.cpu())
            # A fixed point that settles early spares calls; progress counts them as made.
            slope.calls = self.method.calls(len(states) - 1)
        return states


def invert(
    model: Any,
    conditioning: Conditioning,
    latent: Any,
    choice: dict[str, Any],
    schedule: SigmaSettings,
    given: Tensor | None = None,
) -> Inverted:
    """Invert a LATENT along the schedule's sigmas or the `given` ones.

    Raises ValueError for a latent, sigmas or a model that cannot be inverted, each in one sentence.
    """
    samples = checked_samples(model, latent)
    sigmas = sigmas_of(model, schedule) if given is None else given
    check_descent(sigmas.tolist(), NAME)
    inverting = Inverting(choice, schedule_of(model.get_model_object("model_sampling"), NAME).kind)
    calls = inverting.method.calls(len(sigmas) - 1)
    ended = comfy.sample.sample_custom(
        model, torch.zeros_like(samples), conditioning.cfg, inverting, sigmas, conditioning.positive,
        conditioning.negative, samples, callback=latent_preview.prepare_callback(model, calls),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED, seed=0,
    )  # fmt: skip
    inversion, gains = inverting.inversion, inverting.gains
    process: Callable[[Tensor], Tensor] = model.get_model_object("latent_format").process_in
    noise = InvertedNoise(inversion.states[-1], gains, process)
    notice_result(inverting, noise.of(inversion.clean()))
    # The mask would hold cells to this noise; ratios belong to latents that are still empty.
    dropped = ("noise_mask", "downscale_ratio_spacial", "downscale_ratio_temporal")
    rest = {name: value for name, value in latent.items() if name not in dropped}
    back = {**rest, "samples": ended} if gains.hold_latent else ExecutionBlocker(NO_LATENT)
    return Inverted(noise, sampler_of(choice["method"], inversion), sigmas.cpu(), inversion, back)


def checked_samples(model: Any, latent: Any) -> Tensor:
    """The latent's samples with the model's channels; ValueError for what cannot be inverted."""
    samples = check_latent(latent, NAME)["samples"]
    if samples.is_nested:
        raise ValueError(
            f"{NAME} takes a latent of one kind but this one is nested (picture and sound); split it first."
        )
    if latent.get("noise_mask") is not None:
        notice(f"{NAME}: the whole latent was inverted; its noise mask was left out.")
    if not samples.any():
        notice(f"{NAME}: the latent is all zero, as an empty one; connect VAE Encode to invert a picture.")
    samples = comfy.sample.fix_empty_latent_channels(
        model, samples, latent.get("downscale_ratio_spacial"), latent.get("downscale_ratio_temporal")
    )
    check_model(samples, model, NAME)
    check_numbers(samples, f"{NAME}: the latent")
    return samples


def notice_result(inverting: Inverting, noise: Tensor) -> None:
    """Give notices of noise that will probably not lead back, or that is no noise to a model."""
    undone, spread = max(inverting.changes, default=0.0), float(noise.std())
    if undone > UNDONE:
        notice(
            f"{NAME}: the last iteration still changed the latent by {undone:.0%}, so the way back will miss "
            "it; raise iterations or steps, or lower cfg."
        )
    if not NORMAL[0] <= spread <= NORMAL[1]:
        notice(
            f"{NAME}: the noise has a standard deviation of {spread:.2f} instead of about 1, so edits from "
            "it may look wrong; take more steps or another scheduler, or lower cfg."
        )
