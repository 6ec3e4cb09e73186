"""RePaint as a SAMPLER for any of ComfyUI's models, and all in one."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import comfy.model_management as management
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

from ..core import repaint
from ..core.fresh_noise import FreshNoise
from ..core.noise_path import Kind, NoisePath
from .layouts import check_finite

LOG = logging.getLogger("recompose")
SCHEDULERS = comfy.samplers.SCHEDULER_NAMES
SCHEDULER = "kl_optimal"  # on Gaussian problems closest to the truth, with eps and flow models alike
NO_SIGMAS = (
    "RePaint Sampler cannot tell the model calls without its input sigmas; connect the scheduler to it."
)
NO_MASK = (
    "RePaint needs to know what to repaint, but the latent has no noise mask; connect it through "
    "Snap Mask to Latent or Set Latent Noise Mask, a mask of 1 for everything."
)


class Conditioning(NamedTuple):
    """What guides the model, and how strongly."""

    positive: list
    negative: list
    cfg: float


class Course(NamedTuple):
    """Which noise levels are gone through, and how."""

    preset: repaint.Preset
    scheduler: str
    denoise: float


class RePaint(comfy.samplers.Sampler):
    """`core.repaint.sample` as a sampler object of ComfyUI's, told of by the true number of model calls."""

    def __init__(self, settings: repaint.Settings) -> None:
        self.settings = settings

    def sample(
        self, model_wrap, sigmas, extra_args, callback, noise, latent_image=None, denoise_mask=None,
        disable_pbar=False,
    ) -> Tensor:  # fmt: skip
        """Sample as ComfyUI asks any sampler to (B,C,…); ValueError without a mask and as `core` does."""
        if denoise_mask is None or latent_image is None:
            raise ValueError(NO_MASK)
        total = repaint.model_calls(repaint.plan(sigmas.tolist(), self.settings))
        announce(f"RePaint: {total} model calls in {len(sigmas) - 1} steps")
        inner, options = model_wrap.inner_model, extra_args["model_options"]
        known = known_of(model_wrap, sigmas, options, latent_image, denoise_mask)
        start = inner.model_sampling.noise_scaling(
            sigmas[0], noise, latent_image, self.max_denoise(model_wrap, sigmas)
        )
        path, seed = path_of(inner.model_sampling), extra_args.get("seed") or 0
        with comfy.utils.model_trange(total, disable=disable_pbar, desc="RePaint") as bar:

            def report(call: int, denoised: Tensor, x: Tensor) -> None:
                bar.update()
                if callback is not None:
                    callback(call, denoised, x, total)
                management.throw_exception_if_processing_interrupted()

            x = repaint.sample(
                lambda x, sigma: model_wrap(x, sigma, model_options=options, seed=extra_args.get("seed")),
                start, sigmas, FreshNoise(seed, start), report,
                known=known, path=path, settings=self.settings,
            )  # fmt: skip
        x = inner.model_sampling.inverse_noise_scaling(sigmas[-1], x)
        return known.leave(x, sigmas[-1] * x.new_ones(len(x)), path.level(float(sigmas[-1])))


def known_of(
    model_wrap: Any, sigmas: Tensor, options: dict[str, Any], latent: Tensor, mask: Tensor
) -> repaint.Known:
    """What the latent and its mask (both B,C,…) say, with the model's own way to noise and patch them."""
    change = options.get("denoise_mask_function")

    def mask_at(sigma: Tensor) -> Tensor:
        return change(sigma, mask, extra_options={"model": model_wrap, "sigmas": sigmas}) if change else mask

    def noised(sigma: Tensor, normal: Tensor) -> Tensor:
        return model_wrap.inner_model.scale_latent_inpaint(
            x=latent, sigma=sigma, noise=normal, latent_image=latent
        )

    return repaint.Known(latent, mask_at, noised)


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
    if sigmas is None:
        return RePaint(settings), ExecutionBlocker(NO_SIGMAS)
    return RePaint(settings), repaint.model_calls(repaint.plan(sigmas.tolist(), settings))


def preset_of(choice: dict[str, Any]) -> repaint.Preset:
    """The preset of that name, or the steps and settings given with the choice custom."""
    if choice["preset"] != "custom":
        return repaint.PRESETS[choice["preset"]]
    names = ("jump_length", "resamplings", "eta", "start", "end")
    return repaint.Preset(choice["steps"], repaint.Settings(*(choice[name] for name in names)))


def paint_again(
    model: Any, conditioning: Conditioning, latent: dict[str, Any], course: Course, seed: int
) -> dict[str, Any]:
    """The LATENT with the masked part painted anew; where the mask is empty the very LATENT that came in.

    Raises ValueError for no mask, one of another batch or aspect, and as `core` does.
    """
    mask = _checked_mask(latent)
    samples = comfy.sample.fix_empty_latent_channels(
        model,
        latent["samples"],
        latent.get("downscale_ratio_spacial"),
        latent.get("downscale_ratio_temporal"),
    )
    steps, settings = course.preset
    # Euler takes the scheduler's sigmas as they are; the name chooses nothing else here.
    sigmas = comfy.samplers.KSampler(
        model, steps, model.load_device, "euler", course.scheduler, course.denoise, model.model_options
    ).sigmas
    calls = repaint.model_calls(repaint.plan(sigmas.tolist(), settings))
    if _is_empty(mask, samples):
        LOG.warning("RePaint: the noise mask is empty, so the latent is passed on as it came.")
        return latent
    noise = comfy.sample.prepare_noise(samples, seed, latent.get("batch_index"))
    painted = comfy.sample.sample_custom(
        model, noise, conditioning.cfg, RePaint(settings), sigmas, conditioning.positive,
        conditioning.negative, samples, noise_mask=mask, seed=seed,
        callback=latent_preview.prepare_callback(model, calls),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
    )  # fmt: skip
    rest = {name: value for name, value in latent.items() if not name.startswith("downscale_ratio_")}
    return {**rest, "samples": painted}


def _checked_mask(latent: dict[str, Any]) -> Any:
    """The noise mask, if there is one and it fits the latent; of nested latents the first is compared."""
    given = latent.get("noise_mask")
    if given is None:
        raise ValueError(NO_MASK)
    samples, mask = (each.unbind()[0] if each.is_nested else each for each in (latent["samples"], given))
    check_finite(mask, "The noise mask")
    if samples.ndim not in (4, 5):  # sound has no aspect
        return given
    (height, width), (rows, columns) = mask.shape[-2:], samples.shape[-2:]
    # A VAE cuts the pixels off that do not fill a cell, so a cell stands for a range of sizes.
    least, most = max(width / (columns + 1), height / (rows + 1)), min(width / columns, height / rows)
    if least >= most:
        raise ValueError(
            f"The noise mask is {width}×{height} and the latent {columns}×{rows} cells, which is another "
            "aspect; connect the mask of the picture that was encoded."
        )
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
