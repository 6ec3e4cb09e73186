"""Core's samplers as SAMPLER for any of ComfyUI's models, and all in one."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import comfy.model_management as management
import comfy.model_patcher
import comfy.model_sampling
import comfy.sample
import comfy.sampler_helpers
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from comfy_execution.graph_utils import ExecutionBlocker
from comfy_execution.progress import WebUIProgressHandler, get_progress_state
from comfy_execution.utils import get_executing_context
from torch import Tensor

from ..core.mask.latent_cells import check_aspect
from ..core.sampling import lagrange, repaint, schedules
from ..core.sampling.checks import check_descent
from ..core.sampling.known import Known
from ..core.sampling.noise_sampler import FreshNoise
from ..core.sampling.noise_schedule import Kind, NoisePath
from .choices import INPAINT
from .layouts import check_finite, size_of

LOG = logging.getLogger("recompose")
NO_SIGMAS = (
    "RePaint Sampler cannot tell the model calls without its input sigmas; connect the scheduler to it."
)
NO_MASK = (
    "needs to know what to repaint, but the latent has no noise mask; connect it through "
    "Snap Mask to Latent or Set Latent Noise Mask, a mask of 1 for everything."
)
# Noise per signal between which a flow is asked; beyond, hardly anything is left to see, or to decide.
FLOW_LOWEST, FLOW_HIGHEST = 0.03, 15.0


class Conditioning(NamedTuple):
    """What guides the model, and how strongly."""

    positive: list
    negative: list
    cfg: float


class Course(NamedTuple):
    """Which noise levels are gone through."""

    steps: int
    scheduler: str
    denoise: float


class Inpainter(comfy.samplers.Sampler, ABC):
    """One of core's samplers as ComfyUI's sampler object, told of by the true number of model calls."""

    name: str
    run: Callable[..., Tensor]  # core's sample

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    @abstractmethod
    def calls(self, sigmas: Tensor) -> int:
        """How often the model will be asked; ValueError for sigmas that cannot be sampled."""

    def asking(self, model_wrap: Any, options: dict[str, Any], seed: int | None) -> dict[str, Callable]:
        """What core's sample may ask: `model`, and whatever else it takes."""
        return {"model": lambda x, sigma: model_wrap(x, sigma, model_options=options, seed=seed)}

    def sample(
        self, model_wrap, sigmas, extra_args, callback, noise, latent_image=None, denoise_mask=None,
        disable_pbar=False,
    ) -> Tensor:  # fmt: skip
        """Sample as ComfyUI asks any sampler to (B,C,…); ValueError without a mask and as `core` does."""
        if denoise_mask is None or latent_image is None:
            raise ValueError(f"{self.name} {NO_MASK}")
        total = self.calls(sigmas)
        announce(f"{self.name}: {total} model calls in {len(sigmas) - 1} steps")
        inner, options = model_wrap.inner_model, extra_args["model_options"]
        known = known_of(model_wrap, sigmas, options, latent_image, denoise_mask)
        start = inner.model_sampling.noise_scaling(
            sigmas[0], noise, latent_image, self.max_denoise(model_wrap, sigmas)
        )
        path, seed = path_of(inner.model_sampling), extra_args.get("seed")
        with comfy.utils.model_trange(total, disable=disable_pbar, desc=self.name) as bar:

            def report(call: int, denoised: Tensor, x: Tensor) -> None:
                bar.update()
                if callback is not None:
                    callback(call, denoised, x, total)
                management.throw_exception_if_processing_interrupted()

            x = self.run(
                x=start, sigmas=sigmas, noise=FreshNoise(seed or 0, start), report=report, known=known,
                path=path, settings=self.settings, **self.asking(model_wrap, options, seed),
            )  # fmt: skip
        x = inner.model_sampling.inverse_noise_scaling(sigmas[-1], x)
        return known.leave(x, sigmas[-1] * x.new_ones(len(x)), path.level(float(sigmas[-1])))


class RePaint(Inpainter):
    """`core.sampling.repaint.sample`, with the `Settings` of that file."""

    name, run = "RePaint", staticmethod(repaint.sample)

    def calls(self, sigmas: Tensor) -> int:
        return repaint.model_calls(repaint.plan(sigmas.tolist(), self.settings))


class Lagrange(Inpainter):
    """`core.sampling.lagrange.sample`, one model call a step, with the `Settings` of that file."""

    name, run = "Lagrange", staticmethod(lagrange.sample)

    def calls(self, sigmas: Tensor) -> int:
        check_descent(sigmas.tolist(), self.name)
        return len(sigmas) - 1

    def asking(self, model_wrap: Any, options: dict[str, Any], seed: int | None) -> dict[str, Callable]:
        """The model, and the positive's own clean latent of its latest call, which guidance starts from."""
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


def known_of(model_wrap: Any, sigmas: Tensor, options: dict[str, Any], latent: Tensor, mask: Tensor) -> Known:
    """What the latent and its mask (both B,C,…) say, with the model's own way to noise and patch them."""
    change = options.get("denoise_mask_function")

    def mask_at(sigma: Tensor) -> Tensor:
        return change(sigma, mask, extra_options={"model": model_wrap, "sigmas": sigmas}) if change else mask

    def noised(sigma: Tensor, normal: Tensor) -> Tensor:
        return model_wrap.inner_model.scale_latent_inpaint(
            x=latent, sigma=sigma, noise=normal, latent_image=latent
        )

    return Known(latent, mask_at, noised)


def path_of(model_sampling: Any) -> NoisePath:
    """How the model noises a latent: flows mix, all others add."""
    if isinstance(model_sampling, comfy.model_sampling.CONST):
        return NoisePath(Kind.FLOW, getattr(model_sampling, "noise_scale", 1.0))
    return NoisePath(Kind.EXPLODING)


def announce(text: str) -> None:
    """Say it in the log and below the running node."""
    LOG.info(text)
    where, page = get_executing_context(), get_progress_state().handlers.get("webui")
    if where is not None and isinstance(page, WebUIProgressHandler) and page.server_instance is not None:
        page.server_instance.send_progress_text(text, where.node_id)


def sampler(settings: repaint.Settings, sigmas: Tensor | None) -> tuple[RePaint, int | ExecutionBlocker]:
    """The sampler and, if the sigmas are known, how often it asks the model; ValueError as `core` says."""
    made = RePaint(settings)
    return made, ExecutionBlocker(NO_SIGMAS) if sigmas is None else made.calls(sigmas)


def preset_of(choice: dict[str, Any]) -> repaint.Preset:
    """The preset of that name, or the steps and settings given with the choice custom."""
    if choice["preset"] != "custom":
        return repaint.PRESETS[choice["preset"]]
    names = ("jump_length", "resamplings", "eta", "start", "end")
    return repaint.Preset(choice["steps"], repaint.Settings(*(choice[name] for name in names)))


def paint_again(
    model: Any,
    conditioning: Conditioning,
    latent: dict[str, Any],
    sampler: Inpainter,
    course: Course,
    seed: int,
) -> dict[str, Any]:
    """The LATENT with the masked part painted anew; where the mask is empty the very LATENT that came in.

    Raises ValueError for no mask, one of another batch or aspect, and as `core` does.
    """
    mask = _checked_mask(latent, sampler.name)
    samples = comfy.sample.fix_empty_latent_channels(
        model,
        latent["samples"],
        latent.get("downscale_ratio_spacial"),
        latent.get("downscale_ratio_temporal"),
    )
    sigmas = sigmas_of(model, course)
    calls = sampler.calls(sigmas)
    if _is_empty(mask, samples):
        LOG.warning("%s: the noise mask is empty, so the latent is passed on as it came.", sampler.name)
        return latent
    noise = comfy.sample.prepare_noise(samples, seed, latent.get("batch_index"))
    painted = comfy.sample.sample_custom(
        model, noise, conditioning.cfg, sampler, sigmas, conditioning.positive,
        conditioning.negative, samples, noise_mask=mask, seed=seed,
        callback=latent_preview.prepare_callback(model, calls),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
    )  # fmt: skip
    rest = {name: value for name, value in latent.items() if not name.startswith("downscale_ratio_")}
    return {**rest, "samples": painted}


def sigmas_of(model: Any, course: Course) -> Tensor:
    """The sigmas of the course, on the model's device; denoise below 1 takes a longer one's end."""
    steps, scheduler, denoise = course
    if scheduler != INPAINT:
        # Euler takes the scheduler's sigmas as they are; the name chooses nothing else here.
        return comfy.samplers.KSampler(
            model, steps, model.load_device, "euler", scheduler, denoise, model.model_options
        ).sigmas
    if denoise <= 0:
        return torch.empty(0)
    sampling = model.get_model_object("model_sampling")
    path, lowest = path_of(sampling), float(sampling.sigma_min)
    highest = float(sampling.sigma_max)
    if path.kind is Kind.FLOW:
        lowest, highest = max(FLOW_LOWEST, path.level(lowest).noise_to_signal), FLOW_HIGHEST
    values = schedules.karras(path, steps if denoise > 0.9999 else int(steps / denoise), lowest, highest)
    return torch.tensor(values[-(steps + 1) :], device=model.load_device)


def _checked_mask(latent: dict[str, Any], who: str) -> Any:
    """The noise mask, if there is one and it fits the latent; of nested latents the first is compared."""
    given = latent.get("noise_mask")
    if given is None:
        raise ValueError(f"{who} {NO_MASK}")
    samples, mask = (each.unbind()[0] if each.is_nested else each for each in (latent["samples"], given))
    check_finite(mask, "The noise mask")
    if samples.ndim not in (4, 5):  # sound has no aspect
        return given
    check_aspect(size_of(mask), size_of(samples), "The noise mask")
    _check_count(mask, samples)
    return given


def _check_count(mask: Tensor, samples: Tensor) -> None:
    """Refuse a mask whose batch ComfyUI would cut or repeat to make it fit."""
    video = samples.ndim == 5
    whole = mask.ndim == 5 or not video
    count = len(mask) if mask.ndim == 5 else mask[..., 0, 0].numel()
    # A MASK with several pictures is one video's frames, which are joined or repeated as the latent's are.
    wanted = len(samples) if whole else samples.shape[2]
    if count not in (1, wanted) and (whole or len(samples) > 1):
        kind = "latents" if whole else "latent frames"
        raise ValueError(
            f"The noise mask has a batch of {count} but there are {wanted} {kind}; "
            f"connect 1 mask or {wanted}."
        )


def _is_empty(mask: Any, samples: Any) -> bool:
    """True if no latent cell is to be repainted."""
    if mask.is_nested or samples.is_nested:
        return False
    return not (comfy.sampler_helpers.prepare_mask(mask, samples.shape, torch.device("cpu")) > 0).any()
