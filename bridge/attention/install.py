"""Patches that are put in as a model samples, at each call of the network, after those of all other nodes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...core.attention.steps import step_of

RUN = "recompose_run"
# Where a model's call has the options: after the concatenated latent, the words and the control.
POSITION = 3
# What a network leaves in the options of the call before.
LEFT = ("block_type", "block_index", "img_slice", "reference_image_num_tokens")
Options = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """One conditioning of what is to be seen; its chunks of a batch are known by `uuid`."""

    uuid: Any
    embedding: Tensor  # rows or 1, columns, width
    references: tuple[int, ...] = ()  # how many columns the text of each reference picture has


@dataclass(frozen=True)
class Run:
    """One run of a sampler."""

    shape: tuple[int, ...]  # of the latent batch
    sigmas: Sequence[float]
    prompts: tuple[int, ...] = ()  # how many rows each conditioning has
    positive: tuple[Words, ...] = ()
    device: Any = None  # where the model computes

    @property
    def rows(self) -> int:
        return self.shape[0]

    def is_like(self, other: Run) -> bool:
        """Whether another has the same latent, levels and prompts."""
        words = [[each.uuid for each in run.positive] for run in (self, other)]
        return (self.shape, self.sigmas) == (other.shape, other.sigmas) and words[0] == words[1]

    @property
    def steps(self) -> int:
        return max(0, len(self.sigmas) - 1)


@dataclass(frozen=True)
class Call:
    """One call of the network within a run."""

    run: Run
    step: int
    chunks: int  # prompts that are in the batch one after the other, each with all rows
    shape: tuple[int, ...]  # of the batch

    @property
    def whole(self) -> bool:
        """Whether this is the whole picture, not an area of it."""
        return self.shape[2:] == self.run.shape[2:]


def install(
    model: Any,
    key: str,
    start: Callable[[Run, Any], None],
    change: Callable[[Options, Call], Options],
    end: Callable[[Run, Tensor | None], None] = lambda run, result: None,
) -> Any:
    """A clone of MODEL that calls `start` before each run and `change` before each call of the network.

    `start` gets the latent as well and may raise ValueError. `change` gets a copy of the transformer options,
    with the patches of all other nodes, and returns what the network is to have. It is called from several
    threads on several GPUs. `end` gets the latent that the run made, or None if it was broken off.
    """
    clone = model.clone()

    def outer(
        executor: Any, noise: Tensor, latent: Any, sampler: Any, sigmas: Tensor, *more: Any, **named: Any
    ) -> Any:
        # ComfyUI copies these options for each run; another of these patches may have been here before.
        options = executor.class_obj.model_options.setdefault("transformer_options", {})
        run = run_of(executor.class_obj, noise, sigmas, options.get(RUN))
        options[RUN], result = run, None
        try:
            start(run, latent)
            result = executor(noise, latent, sampler, sigmas, *more, **named)
        finally:
            end(run, result)
        return result

    def apply(executor: Any, x: Tensor, t: Tensor, *more: Any, **named: Any) -> Any:
        if len(more) > POSITION:
            options = changed(more[POSITION], x, t, change)
            return executor(x, t, *more[:POSITION], options, *more[POSITION + 1 :], **named)
        options = changed(named.get("transformer_options", {}), x, t, change)
        return executor(x, t, *more, **{**named, "transformer_options": options})

    clone.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, key, outer)
    clone.add_wrapper_with_key(WrappersMP.APPLY_MODEL, key, apply)
    return clone


def run_of(guider: Any, noise: Tensor, sigmas: Tensor, known: Run | None) -> Run:
    """The run that a guider is about to make: the known one, if it is that."""
    words = positive_words(guider)
    device = getattr(getattr(guider, "model_patcher", None), "load_device", None)
    run = Run(tuple(noise.shape), sigmas.tolist(), prompt_rows(guider), words, device)
    return known if known is not None and known.is_like(run) else run


def positive_words(guider: Any) -> tuple[Words, ...]:
    """The conditionings of what is to be seen; none where the guider holds them in a way of its own."""
    held = getattr(guider, "conds", None)
    entries = (held.get("positive") or []) if isinstance(held, Mapping) else []
    known = [each for each in entries if isinstance(each, Mapping) and "uuid" in each]
    words: list[tuple[Any, Any, Any]] = [
        (each["uuid"], each.get("cross_attn"), reference_columns(each)) for each in known
    ]
    return tuple(Words(*each) for each in words if isinstance(each[1], Tensor) and each[1].ndim == 3)


def reference_columns(conditioning: Mapping[str, Any]) -> tuple[int, ...]:
    """How many columns the text of each reference picture has, 0 for one without."""
    texts = [each.shape[1] for each in conditioning.get("reference_latents_text_embeds") or ()]
    count = len(conditioning.get("reference_latents") or ())
    return tuple([*texts, *[0] * count][:count])


def prompt_rows(guider: Any) -> tuple[int, ...]:
    """How many rows each conditioning of a guider has; none where it holds them in a way of its own."""
    held = getattr(guider, "conds", None)
    entries = [each for some in held.values() for each in some] if isinstance(held, Mapping) else []
    words = [each.get("cross_attn") for each in entries if isinstance(each, Mapping)]
    return tuple(len(each) for each in words if isinstance(each, Tensor) and each.ndim)


def changed(given: Options, x: Tensor, t: Tensor, change: Callable[[Options, Call], Options]) -> Options:
    """The options of one call of the network after `change`; those given stay as they are."""
    run = given.get(RUN)
    if run is None:  # the network is called by something that is no sampler
        return given
    sigma = float(given.get("sigmas", t)[0])  # one read a call: the run's sigmas are on the host
    call = Call(run, step_of(sigma, run.sigmas), len(given.get("cond_or_uncond", [0])), tuple(x.shape))
    options = change({name: value for name, value in given.items() if name not in LEFT}, call)
    return options


def paused() -> Any:
    """A context in which newer ComfyUI does not record allocations for its model compiler.

    A patch works in it, or what it allocates in some steps only would not fit the recorded order.
    """
    try:
        module = importlib.import_module("comfy.model_prefetch")
    except ImportError:
        return nullcontext()
    return getattr(module, "pause_malloc_graph", nullcontext)()
