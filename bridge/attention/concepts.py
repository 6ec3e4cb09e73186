"""Concept maps of a photo: where words are in it, by the double blocks of a FLUX.1 model (ConceptAttention).

Each word is encoded alone and goes through the blocks beside the picture and its prompt. It attends to the
picture and the other words; the picture attends to neither, so its own result stays as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from threading import Lock
from typing import Any

import comfy.sample
import comfy.samplers
import comfy.utils
import torch
from comfy.ldm.flux.layers import timestep_embedding
from comfy.ldm.flux.math import apply_rope1
from comfy.ldm.flux.model import Flux
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...core.attention import maps, ranges
from ...core.attention.concepts import concept_scores, concept_shares, stretched_together, with_background
from ...core.shapes import Size
from ..inputs import check_conditioning
from ..latent import check_model, check_numbers
from ..notices import notice
from .blocks import diffusion_network
from .install import Options, paused
from .self_attention import OVERRIDE

KEY = "recompose_concepts"
# Share of the way down at which the photo is looked at, and how many of the last double blocks are.
LEVEL, LAST = 0.5, 4
NUMBER = re.compile(r"\s*#\s*\d{1,4}$")


def has_concepts(model: Any) -> bool:
    """Whether a MODEL is one whose blocks concepts can go through."""
    net = diffusion_network(model)
    return isinstance(net, Flux) and net.vector_in is not None


def concept_masks(
    model: Any, clip: Any, samples: Tensor, words: Sequence[str], text: str, size: Size,
    threshold: float, layers: str, seed: int, who: str,
) -> list[tuple[Tensor, Tensor]]:  # fmt: skip
    """The mask and the map (height, width of `size`; 0…1) of each word in each photo, row by row.

    `samples` are the photos' latents, `text` says what they show. `threshold` 0 is Otsu's. ValueError by a
    sentence.
    """
    found = []
    for row, some in enumerate(concept_maps(model, clip, samples, words, text, layers, seed, who)):
        for word, values in zip(words, some, strict=True):
            level = threshold or maps.otsu(values)
            if level is None:
                notice(
                    f'{who}: nothing in picture {row} stands out for "{ranges.shown(word)}", so its mask is '
                    "empty; set a threshold."
                )
            found.append((maps.mask_of(values, size, level), maps.scaled(values[None], size)[0]))
    return found


def concept_maps(
    model: Any, clip: Any, samples: Tensor, words: Sequence[str], text: str, layers: str, seed: int, who: str
) -> Tensor:
    """Where each word is in each photo: rows, words, height, width in latent cells, 0…1; one model call.

    The words and those of the background share each place among them. 0 and 1 are the least and most of all.
    """
    check_model(samples, model, who)
    check_numbers(samples, f"{who}: the encoded picture")
    named = [NUMBER.sub("", word) for word in words]
    concepts = with_background(named)
    passing = Concepts(chosen_layers(model, layers, who), states_of(model, clip, concepts, who))
    patched = model.clone()
    patched.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, KEY, passing.run)
    prompt = clip.encode_from_tokens_scheduled(clip.tokenize(text))
    check_conditioning(prompt, f"{who}: the encoded text")
    sigma = float(model.get_model_object("model_sampling").percent_to_sigma(LEVEL))
    comfy.sample.sample_custom(
        patched, comfy.sample.prepare_noise(samples, seed, [0] * len(samples)), 1.0,
        comfy.samplers.sampler_object("euler"), torch.tensor([sigma, 0.0]), prompt, prompt, samples,
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED, seed=seed,
    )  # fmt: skip
    found = stretched_together(passing.shares(who))[:, [concepts.index(word) for word in named]]
    return torch.stack([maps.scaled(row, Size(samples.shape[-1], samples.shape[-2])) for row in found])


def chosen_layers(model: Any, text: str, who: str) -> list[int]:
    """The numbers of the double blocks that a text names, the last ones if it is empty."""
    count = len(diffusion_network(model).double_blocks)
    words = {"double": range(count), "all": range(count)}
    found = ranges.chosen(text if text.strip() else f"-{LAST}-", count, f"{who}: layers", words)
    if not found:
        raise ValueError(
            f'{who}: layers "{ranges.shown(text)}" names none of the model\'s double blocks 0 to {count - 1}.'
        )
    return found


def states_of(model: Any, clip: Any, concepts: Sequence[str], who: str) -> Tensor:
    """The state of the first token of each concept, encoded alone: 1, concepts, width."""
    states = [clip.encode_from_tokens_scheduled(clip.tokenize(each))[0][0][:, :1] for each in concepts]
    width, needed = states[0].shape[-1], diffusion_network(model).params.context_in_dim
    if width != needed:
        raise ValueError(
            f"{who}: the CLIP's states are {width} wide but the model's are {needed}; connect Flux's."
        )
    return torch.cat(states, 1)


class Concepts:
    """Takes concepts through the double blocks beside the picture, and keeps their scores in some."""

    def __init__(self, layers: Collection[int], states: Tensor) -> None:
        self.layers, self.states, self.lock = layers, states, Lock()
        self.scores: list[Tensor] = []  # rows, concepts, tokens of the picture
        self.grid = (0, 0)
        self.is_cut = False  # some block was left out by another patch

    def run(
        self, executor: Any, x: Tensor, timestep: Tensor, context: Tensor, y: Tensor | None = None,
        guidance: Tensor | None = None, ref_latents: Any = None, control: Any = None,
        transformer_options: Options | None = None, **more: Any,
    ) -> Tensor:  # fmt: skip
        """Call the network, with patches after those of all other nodes."""
        net, options = executor.class_obj, transformer_options or {}
        self.grid = tuple(math.ceil(side / net.patch_size) for side in x.shape[-2:])
        with paused():
            stream = Stream(net, self.states.to(x), modulation(net, x, timestep, guidance))
        replace = dict(options.get("patches_replace", {}))
        found = dict(replace.get("dit", {}))
        for number in range(max(self.layers) + 1):
            key = ("double_block", number)
            found[key] = partial(self.block, stream, found.get(key), number)
        options = {**options, "patches_replace": {**replace, "dit": found}}
        return executor(x, timestep, context, y, guidance, ref_latents, control, options, **more)

    def block(
        self, stream: Stream, previous: Callable[..., Any] | None, number: int, given: dict[str, Any],
        extra: dict[str, Any],
    ) -> Any:  # fmt: skip
        """The block that was there, and after it the same block for the concepts."""
        looked = stream.look(given)
        out = extra["original_block"](looked) if previous is None else previous(looked, extra)
        self.is_cut |= not stream.seen
        if self.is_cut:
            return out
        with paused():
            outputs = stream.step(given, extra["original_block"])
            if number in self.layers:
                scores = concept_scores(outputs, stream.picture(math.prod(self.grid))).cpu()
                with self.lock:
                    self.scores.append(scores)
        return out

    def shares(self, who: str) -> Tensor:
        """Each concept's share of each token, rows, concepts, height, width; ValueError if there are none."""
        if self.is_cut or not self.scores:
            raise ValueError(
                f"{who}: another patch of the model skips double blocks, so words cannot go through them; "
                "connect the model without it."
            )
        found = concept_shares(self.scores)
        if not bool(found.isfinite().all()):
            raise ValueError(
                f"{who}: the model's attention holds NaN or infinite values, so nothing can be found in it; "
                "check the model (a LoRA that does not fit and half precision are the usual causes)."
            )
        return found.unflatten(-1, self.grid)


def modulation(net: Any, x: Tensor, timestep: Tensor, guidance: Tensor | None) -> Tensor:
    """What modulates the blocks for concepts: time and guidance as for the picture, a pooled state of 0."""
    vec = net.time_in(timestep_embedding(timestep, 256).to(x.dtype))
    if net.params.guidance_embed and guidance is not None:
        vec = vec + net.guidance_in(timestep_embedding(guidance, 256).to(x.dtype))
    return vec + net.vector_in(x.new_zeros(len(x), net.params.vec_in_dim))


class Stream:
    """The concepts of one call of a network, and what the picture had in the block before theirs.

    Between blocks they are on the CPU: what outlives a block may not be memory of newer ComfyUI's compiler.
    """

    def __init__(self, net: Any, states: Tensor, vec: Tensor) -> None:
        states = states if net.txt_norm is None else net.txt_norm(states)
        self.states, self.vec = net.txt_in(states).repeat(len(vec), 1, 1).cpu(), vec
        self.seen: dict[str, Tensor] = {}

    def look(self, given: dict[str, Any]) -> dict[str, Any]:
        """A block's arguments with patches that keep the picture's keys, values and attention outputs."""
        words, self.seen = given["txt"].shape[1], {}

        def keep(q: Tensor, k: Tensor, v: Tensor, **_more: Any) -> dict[str, Tensor]:
            self.seen.update(k=k[:, :, words:], v=v[:, :, words:])
            return {}

        def output(attention: Tensor, extra: Options) -> Tensor:
            self.seen["output"] = attention[:, words:]
            return attention

        return self.patched(given, keep, output, given["transformer_options"].get("patches", {}))

    def step(self, given: dict[str, Any], block: Callable[..., Any]) -> Tensor:
        """Take the concepts through a block; gives their attention outputs: rows, concepts, channels.

        One token stands for the picture, as only its keys and values count for concepts.
        """
        txt, words = self.states.to(given["img"]), given["txt"].shape[1]
        count, pe = txt.shape[1], given["pe"]
        # Words have the position 0, which is that of a prompt's first token.
        places = torch.cat([pe[:, :, :1].expand(-1, -1, count, -1, -1, -1), pe[:, :, words:]], 2)
        found: list[Tensor] = []

        def put(q: Tensor, k: Tensor, v: Tensor, **_more: Any) -> dict[str, Any]:
            k, v = (
                torch.cat([each[:, :, :count], self.seen[name]], 2) for name, each in (("k", k), ("v", v))
            )
            return {
                "q": apply_rope1(q, places[:, :, : count + 1]),
                "k": apply_rope1(k, places),
                "v": v,
                "pe": None,
            }

        def output(attention: Tensor, extra: Options) -> Tensor:
            found.append(attention[:, :count])
            return attention

        options = {name: each for name, each in given["transformer_options"].items() if name != OVERRIDE}
        one = {**given, "img": given["img"][:, :1].clone(), "txt": txt, "vec": self.vec, "attn_mask": None}
        one = self.patched({**one, "transformer_options": options}, put, output, {})
        self.states = block(one)["txt"].cpu()
        return found[0]

    @staticmethod
    def patched(
        given: dict[str, Any], attention: Any, output: Any, patches: dict[str, list[Any]]
    ) -> dict[str, Any]:
        """A block's arguments with two patches more of its attention."""
        added = {"attn1_patch": attention, "attn1_output_patch": output}
        found = {**patches, **{name: [*patches.get(name, []), each] for name, each in added.items()}}
        return {**given, "transformer_options": {**given["transformer_options"], "patches": found}}

    def picture(self, count: int) -> Tensor:
        """The attention outputs of the picture's own tokens, without those of reference pictures."""
        return self.seen["output"][:, :count]
