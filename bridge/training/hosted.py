"""A MODEL that learns: a copy of it, in which some weights get a part that is trained."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import comfy.model_management as management
import torch
from comfy.ldm.modules.attention import optimized_attention
from comfy.model_base import ModelType
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ...training.networks import leave_inference
from ..attention.blocks import UNET, Place, network_of

VELOCITY, NOISE = (ModelType.V_PREDICTION,), (ModelType.EPS,)


class Added:
    """What is added to a weight, as ComfyUI calls a weight's functions."""

    def __init__(self, delta: nn.Parameter) -> None:
        self.delta = delta

    def __call__(self, weight: Tensor) -> Tensor:
        return (weight.float() + self.delta.to(weight.device)).to(weight.dtype)


class Hosted:
    """A copy of a MODEL whose weights of some names learn; the MODEL that it was made from stays as it is.

    `deltas` are fp32, zero at first and in the order of `names`.
    """

    def __init__(self, model: Any, names: Sequence[str], who: str, checkpointing: bool = False) -> None:
        kind = getattr(model.model, "model_type", None)
        if kind not in (*VELOCITY, *NOISE):
            raise ValueError(
                f"{who} trains models that predict noise or velocity (SD1, SD2, SDXL), got "
                f"{type(model.model).__name__}; connect one of these."
            )
        if model.model.concat_keys:
            raise ValueError(
                f"{who} trains text-to-image models, and this one is for inpainting; train with its "
                "text-to-image model and load the result into both."
            )
        self.who, self.names = who, list(names)
        network = network_of(model, who)
        self.places = network.layers if network.kind == UNET else []
        self.patcher = copied(model)
        self.patcher.model.requires_grad_(False)
        if self.inner.get_dtype_inference() == torch.float16:
            # Gradients of a mean over a whole picture are below what fp16 holds.
            wide = management.should_use_bf16(self.patcher.load_device)
            self.patcher.set_model_compute_dtype(torch.bfloat16 if wide else torch.float32)
        shapes = self.patcher.model.state_dict()
        device = self.patcher.load_device
        self.deltas = nn.ParameterList(
            [nn.Parameter(torch.zeros(shapes[name].shape, device=device)) for name in self.names]
        )
        for name, delta in zip(self.names, self.deltas, strict=True):
            self.patcher.add_weight_wrapper(name, Added(delta))
        self.checkpointing = checkpointing

    @property
    def inner(self) -> Any:
        """ComfyUI's model around the network."""
        return self.patcher.model

    @property
    def sigmas(self) -> Tensor:
        """The levels of noise that it was trained on, ascending."""
        return self.inner.model_sampling.sigmas

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """Within, it is on its device, and ComfyUI's operations can be differentiated."""
        self.load()
        with differentiable(self.inner, self.checkpointing):
            yield

    def load(self) -> None:
        """Bring it to its device, all of it."""
        management.load_models_gpu([self.patcher], force_full_load=True)
        self.check_wrappers()

    def check_wrappers(self) -> None:
        """RuntimeError where ComfyUI has left out what is to learn, as it does for small modules at times."""
        for name in self.names:
            module, _, kind = name.rpartition(".")
            held = getattr(self.inner.get_submodule(module), f"{kind}_function", [])
            if not any(isinstance(each, Added) for each in held):
                raise RuntimeError(
                    f"{self.who}: ComfyUI has not put the trained part into {name}; start ComfyUI with "
                    "--disable-dynamic-vram and train again."
                )

    def error(self, latents: Tensor, noise: Tensor, sigma: Tensor, words: Tensor, **more: Tensor) -> Tensor:
        """The error of the predicted noise or velocity (B,C,h,w) for B clean latents at B sigmas."""
        options = dict(self.patcher.model_options.get("transformer_options", {}))
        options = without_first(options, self.places)
        return error_of(self.inner, latents, noise, sigma, options, c_crossattn=words, **more)

    def extra(self, pooled: Tensor | None, latents: Tensor) -> dict[str, Tensor]:
        """What the network gets beside the words: SDXL's pooled words and sizes."""
        if pooled is None:
            return {}
        height, width = (8 * side for side in latents.shape[-2:])
        given = {"pooled_output": pooled, "height": height, "width": width, "device": latents.device}
        found = self.inner.encode_adm(**given)
        return {} if found is None else {"y": found.to(latents.device)}


def error_of(
    inner: Any, latents: Tensor, noise: Tensor, sigma: Tensor, options: dict[str, Any], **more: Tensor
) -> Tensor:
    """The error of the noise or velocity (B,C,h,w) that ComfyUI's model predicts for B clean latents at B
    sigmas."""
    wide = sigma.view(-1, *[1] * (latents.ndim - 1))
    x = inner.model_sampling.noise_scaling(wide, noise, latents, False)
    options = {**options, "cond_or_uncond": [0], "sigmas": sigma, "sample_sigmas": sigma}
    clean = inner.apply_model(x, sigma, transformer_options=options, **more)
    # The clean latent is linear in what the network predicts.
    scale = (wide.square() + 1).sqrt() if inner.model_type in VELOCITY else 1.0
    return (clean.float() - latents) / wide * scale


@contextmanager
def differentiable(inner: Any, checkpointing: bool) -> Iterator[None]:
    """Within, gradients pass ComfyUI's operations; with less memory and more time if asked."""
    before = management.in_training
    management.in_training = True
    blocks = transformer_blocks(inner) if checkpointing else []
    forwards = [block.forward for block in blocks]
    try:
        for block, forward in zip(blocks, forwards, strict=True):
            block.forward = recomputed(forward)
        yield
    finally:
        management.in_training = before
        for block in blocks:
            del block.forward


def copied(model: Any) -> Any:
    """A clone of MODEL with a network of its own, made of tensors that gradients pass, without any patch in
    its weights; the patches come back as it is loaded."""
    with torch.inference_mode(False), torch.no_grad(), model.use_ejected():
        # Its description and its last patcher are no weights, and not all of it can be copied.
        parts = ("_parameters", "_buffers", "_modules")
        shared = {id(value): value for name, value in vars(model.model).items() if name not in parts}
        inner = copy.deepcopy(model.model, shared)
        for name, kept in model.backup.items():
            module, _, kind = name.rpartition(".")
            setattr(inner.get_submodule(module), kind, nn.Parameter(kept.weight.clone(), requires_grad=False))
        leave_inference(inner)
    held = model.get_clone_model_override()[1]
    return model.clone(model_override=(inner, tuple(type(each)() for each in held)))


def without_first(options: dict[str, Any], places: Sequence[Place]) -> dict[str, Any]:
    """Transformer options with which keys and values of the prompt's first place, which all prompts share,
    have no gradient (Kumari et al. 2023, released code); what another patch does instead stays."""

    def attend(q: Tensor, k: Tensor, v: Tensor, extra: dict[str, Any]) -> Tensor:
        k, v = (torch.cat([each[:, :1].detach(), each[:, 1:]], 1) for each in (k, v))
        return optimized_attention(q, k, v, extra["n_heads"], transformer_options=extra)

    given = options.get("patches_replace", {})
    replaced = {**dict.fromkeys(places, attend), **given.get("attn2", {})}
    return {**options, "patches_replace": {**given, "attn2": replaced}}


def transformer_blocks(inner: Any) -> list[nn.Module]:
    """The blocks whose insides can be computed again in the backward pass."""
    blocks = [each for each in inner.modules() if type(each).__name__ == "BasicTransformerBlock"]
    return blocks or list(inner.diffusion_model.children())


def recomputed(forward: Any) -> Any:
    """A block's forward that keeps its inputs alone and runs again for the gradients."""

    def run(*given: Any, **named: Any) -> Any:
        return checkpoint(forward, *given, use_reentrant=False, **named)

    return run
