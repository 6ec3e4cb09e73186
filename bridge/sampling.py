"""Core's samplers as SAMPLER for any of ComfyUI's models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

import comfy.model_management as management
import comfy.model_patcher
import comfy.samplers
import comfy.utils
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ..core.sampling import lagrange, repaint
from ..core.sampling.checks import check_descent, check_finite
from ..core.sampling.known import Observation
from ..core.sampling.noise_sampler import NoiseSampler
from .latent import check_numbers
from .noise_mask import NO_MASK, cleaned
from .notices import show_status
from .rewind import rewind
from .rows import batch_rows
from .sigmas import noise_schedule_of

NO_SIGMAS = (
    "RePaint Sampler cannot tell the model calls without its input sigmas; connect the scheduler to it."
)


class Inpainter(comfy.samplers.Sampler, ABC):
    """One of core's samplers as ComfyUI's sampler object; progress counts its model calls."""

    name: str
    run: Callable[..., Tensor]  # core's sample

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    @abstractmethod
    def calls(self, sigmas: Tensor) -> int:
        """The number of model calls; ValueError for sigmas that cannot be sampled."""

    def model_functions(
        self, model_wrap: Any, options: dict[str, Any], seed: int | None
    ) -> dict[str, Callable]:
        """The functions that core's sample takes: `model`, and others by sampler."""
        return {"model": lambda x, sigma: model_wrap(x, sigma, model_options=options, seed=seed)}

    def more(self, model_wrap: Any, options: dict[str, Any], sigmas: Tensor, noise: Tensor) -> dict[str, Any]:
        """What else core's sample takes, by sampler."""
        return {}

    def sample(
        self, model_wrap, sigmas, extra_args, callback, noise, latent_image=None, denoise_mask=None,
        disable_pbar=False,
    ) -> Tensor:  # fmt: skip
        """Sample as ComfyUI asks any sampler to (B,C,…); ValueError without a mask and as `core` does."""
        if denoise_mask is None or latent_image is None:
            raise ValueError(f"{self.name} {NO_MASK}")
        check_numbers(latent_image, f"{self.name}: the latent")
        total = self.calls(sigmas)
        show_status(f"{self.name}: {total} model calls in {len(sigmas) - 1} steps")
        inner, options = model_wrap.inner_model, extra_args["model_options"]
        path, seed = noise_schedule_of(inner.model_sampling), extra_args.get("seed")
        known = observation_of(model_wrap, sigmas, options, latent_image, cleaned(denoise_mask))
        rows = batch_rows(noise, seed or 0)
        start = inner.model_sampling.noise_scaling(
            sigmas[0], noise, latent_image, self.max_denoise(model_wrap, sigmas)
        )
        with comfy.utils.model_trange(total, disable=disable_pbar, desc=self.name) as bar:

            def report(call: int, denoised: Tensor, x: Tensor) -> None:
                if not call:  # before half an hour of steps is spent on it; read only once
                    check_finite(denoised)
                bar.update()
                if callback is not None:
                    callback(call, denoised, x, total)
                management.throw_exception_if_processing_interrupted()

            x = self.run(
                x=start, sigmas=sigmas, noise=NoiseSampler(seed or 0, start, rows), report=report, known=known,
                path=path, settings=self.settings, **self.model_functions(model_wrap, options, seed),
                **self.more(model_wrap, options, sigmas, noise),
            )  # fmt: skip
        x = inner.model_sampling.inverse_noise_scaling(sigmas[-1], x)
        return known.restore_known(x, sigmas[-1] * x.new_ones(len(x)), path.level(float(sigmas[-1])))


class RePaint(Inpainter):
    """`core.sampling.repaint.sample`, with the `Settings` of that file."""

    name, run = "RePaint", staticmethod(repaint.sample)

    def calls(self, sigmas: Tensor) -> int:
        return repaint.model_calls(repaint.plan(sigmas.tolist(), self.settings))

    def more(self, model_wrap: Any, options: dict[str, Any], sigmas: Tensor, noise: Tensor) -> dict[str, Any]:
        """What is to be set back after a jump, and whether it starts from a picture with noise."""
        # Without noise of its own a run goes on from another's state, to which no jump need come back.
        keep = bool(noise.any()) and not self.max_denoise(model_wrap, sigmas)
        return {"keep": keep, "jumped": partial(rewind, model_wrap, options, sigmas)}


class Lagrange(Inpainter):
    """`core.sampling.lagrange.sample`, one model call a step, with the `Settings` of that file."""

    name, run = "Lagrange", staticmethod(lagrange.sample)

    def calls(self, sigmas: Tensor) -> int:
        check_descent(sigmas.tolist(), self.name)
        return len(sigmas) - 1

    def model_functions(
        self, model_wrap: Any, options: dict[str, Any], seed: int | None
    ) -> dict[str, Callable]:
        """The model, and the conditional prediction of its latest call, before guidance."""
        latest: dict[str, Tensor] = {}

        def listen(told: dict[str, Any]) -> Tensor:
            latest["positive"] = told["cond_denoised"]
            return told["denoised"]

        listening = comfy.model_patcher.set_model_options_post_cfg_function(dict(options), listen)

        def model(x: Tensor, sigma: Tensor) -> Tensor:
            latest.clear()
            latest["guided"] = model_wrap(x, sigma, model_options=listening, seed=seed)
            return latest["guided"]

        def unguided() -> Tensor:
            # A guider of another pack may never come by the listener; its own answer is then all there is.
            guided = latest.pop("guided")
            return latest.pop("positive", guided)

        return {"model": model, "unguided": unguided}


def observation_of(
    model_wrap: Any, sigmas: Tensor, options: dict[str, Any], latent: Tensor, mask: Tensor
) -> Observation:
    """The known part of a latent by its mask (both B,C,…), noised and masked as the model does it."""
    change = options.get("denoise_mask_function")

    def mask_at(sigma: Tensor) -> Tensor:
        return change(sigma, mask, extra_options={"model": model_wrap, "sigmas": sigmas}) if change else mask

    def noised(sigma: Tensor, normal: Tensor) -> Tensor:
        return model_wrap.inner_model.scale_latent_inpaint(
            x=latent, sigma=sigma, noise=normal, latent_image=latent, denoise_mask=mask_at(sigma)
        )

    return Observation(latent, mask_at, noised)


def sampler(settings: repaint.Settings, sigmas: Tensor | None) -> tuple[RePaint, int | ExecutionBlocker]:
    """The sampler and, if the sigmas are known, its number of model calls; ValueError as in `core`."""
    made = RePaint(settings)
    return made, ExecutionBlocker(NO_SIGMAS) if sigmas is None else made.calls(sigmas)
