"""Record Attention: what each word of the prompt gets of the attention of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any

import comfy.model_management as management
import torch
from comfy.ldm.modules.attention import optimized_attention
from torch import Tensor

from ...core.attention import ranges
from ...core.attention.joint import joint_probabilities
from ...core.attention.maps import folded, probabilities, resized
from ...core.attention.record import Part, Prompt, Record, Records
from ...core.shapes import Size
from ..notices import notice, show_status
from .blocks import UNET, Network, network_of
from .install import Call, Options, Run, Words, install, paused
from .self_attention import layout, looked_on
from .watching import Heads

WHO = "Record Attention"
KEY = "recompose_record_attention"
TOGETHER, LAYERS, STEPS, BOTH = "all together", "each layer", "each step", "each layer and step"
# Sums up to this many bytes are where the model computes until the run ends, which saves a wait a layer.
MOST_ON_DEVICE = 2**26
# Why nothing is recorded of an attention call.
ORDER = "another patch changes the order of the picture's tokens"
LAYERED = "its latent has several frames or layers"
FEWER = "another patch takes away columns of the prompt"
# A record may take at most this share of the free memory.
SHARE = 0.5


def record(model: Any, detail: str, steps: str, layers: str, who: str = WHO) -> tuple[Any, Records]:
    """MODEL that leaves the maps of its attention in the records; ValueError by a sentence of `who`."""
    network = network_of(model, who)
    numbers = chosen_layers(network, layers, who)
    if steps.strip():
        ranges.split(steps, f"{who}: steps")
    plan = Plan(network, numbers, steps, detail, cell_of(model), who)
    records, running = Records(), dict[int, Taking]()

    def start(run: Run, latent: Any) -> None:
        running[id(run)] = Taking(plan, run)

    def change(options: Options, call: Call) -> Options:
        taking = running.get(id(call.run))
        return options if taking is None else taking.patched(options, call)

    def end(run: Run, result: Tensor | None) -> None:
        taking = running.pop(id(run), None)
        if taking is not None and result is not None:
            records.add(taking.record(result))

    return install(model, KEY, start, change, end), records


def chosen_layers(network: Network, text: str, who: str) -> list[int]:
    """The numbers of the layers that a text names, all if it is empty; ValueError if it names none."""
    count = len(network.layers)
    found = ranges.chosen(text if text.strip() else "all", count, f"{who}: layers", network.words)
    if not found:
        shown = ranges.shown(text)
        raise ValueError(f'{who}: layers "{shown}" names none of the model\'s layers 0 to {count - 1}.')
    return found


def cell_of(model: Any) -> int:
    """How many pixels a cell of the model's latents has along a side."""
    return int(getattr(model.get_model_object("latent_format"), "spacial_downscale_ratio", 8))


def free_memory() -> int:
    """The bytes that are free where results are kept."""
    found: Any = management.get_free_memory(torch.device("cpu"))
    return int(found)


class Plan:
    """What is recorded of a model: which layers and steps, and what is added up."""

    def __init__(
        self, network: Network, layers: list[int], steps: str, detail: str, cell: int, who: str = WHO
    ) -> None:
        self.network, self.layers, self.text, self.detail, self.cell = network, layers, steps, detail, cell
        self.who = who  # the node, for its sentences

    def steps(self, run: Run) -> list[int]:
        """The numbers of the steps that are recorded."""
        return ranges.chosen(self.text if self.text.strip() else "0-", run.steps, f"{self.who}: steps")

    def groups(self) -> list[tuple[int, ...]]:
        """The layers that are added up: each alone, or those of one size in encoder, middle or decoder."""
        if self.detail in (LAYERS, BOTH):
            return [(layer,) for layer in self.layers]
        found: dict[tuple[str, int], list[int]] = {}
        for layer in self.layers:
            found.setdefault((self.where(layer), self.cells(layer)), []).append(layer)
        return [tuple(each) for each in found.values()]

    def where(self, layer: int) -> str:
        """Encoder, middle or decoder; double or single where a transformer has both, else all."""
        return next(name for name, some in self.network.words.items() if layer in some)

    def cells(self, layer: int) -> int:
        """How many of the latent's cells along a side are one of a layer's tokens."""
        return 2 ** self.network.halvings[layer] if self.network.kind == UNET else self.network.patch

    def size(self, layer: int, run: Run) -> Size:
        """The size of a layer's maps; a side is rounded up to whole tokens."""
        cells = self.cells(layer)
        height, width = (-(-side // cells) for side in run.shape[-2:])
        return Size(width, height)


class Taking:
    """The maps of one run as it goes on."""

    def __init__(self, plan: Plan, run: Run) -> None:
        self.plan, self.run, self.lock = plan, run, Lock()
        self.steps = plan.steps(run)
        self.prompts: dict[Any, Prompt] = {}
        self.references = {words.uuid: words.references for words in run.positive}
        self.parts: dict[tuple[Any, int, int | None], Part] = {}
        self.missed = ""
        size = self.bytes()
        self.check(size)
        device = run.device if size <= MOST_ON_DEVICE else torch.device("cpu")
        for words in run.positive:
            self.prompts[words.uuid] = prompt = Prompt(words.embedding.detach().cpu())
            self.allocate(words, prompt, device)

    @property
    def times(self) -> list[int] | list[None]:
        """The steps that are kept apart; None for all in one."""
        return self.steps if self.plan.detail in (STEPS, BOTH) else [None]

    def bytes(self) -> int:
        """The memory that the sums take."""
        columns = sum(words.embedding.shape[1] for words in self.run.positive)
        cells = sum(self.plan.size(group[0], self.run).area for group in self.plan.groups())
        return 4 * self.run.rows * columns * cells * len(self.times)

    def check_memory(self, size: int) -> None:
        """ValueError if the maps need more memory than there is."""
        free, who = free_memory(), self.plan.who
        if size > SHARE * free:
            raise ValueError(
                f"{who} would take {size / 1e9:.1f} GB for the maps but only {free / 1e9:.1f} GB are free; "
                f"{self.less()}."
            )

    def check(self, size: int) -> None:
        """Show how much memory is taken; ValueError if that is more than there is, notice if nothing is."""
        self.check_memory(size)
        who = self.plan.who
        if not self.run.positive:
            notice(f"{who}: the sampler has no prompt with words, so there is nothing to record.")
        elif not self.steps:
            notice(f"{who}: none of this run's {self.run.steps} steps is chosen; choose others by steps.")
        else:
            show_status(f"{who}: {size / 1e6:.1f} MB for the maps of {self.run.rows} rows")

    def less(self) -> str:
        """What takes less memory, for a sentence."""
        if self.plan.detail == TOGETHER:
            return "choose fewer layers, or smaller or fewer pictures"
        return f"keep {TOGETHER}, or choose fewer steps or layers"

    def allocate(self, words: Words, prompt: Prompt, device: Any) -> None:
        """Make the sums: before the run, as nothing that outlives a call may be made within it."""
        columns = words.embedding.shape[1]
        for time in self.times:
            for group in self.plan.groups():
                size = self.plan.size(group[0], self.run)
                sums = torch.zeros(self.run.rows, size.height, size.width, columns, device=device)
                part = Part(self.plan.where(group[0]), group, time, size, sums)
                prompt.parts.append(part)
                self.parts.update({(words.uuid, layer, time): part for layer in group})

    def patched(self, options: Options, call: Call) -> Options:
        """The transformer options with patches that look on, or as they are where nothing is recorded."""
        if call.step not in self.steps:
            return options
        chunks = {at: each for at, each in enumerate(options.get("uuids", ())) if each in self.prompts}
        if chunks and not call.whole:
            self.missed = "its prompts are for areas of the picture"
        if not chunks or not call.whole:
            return options
        if self.plan.network.kind != UNET:
            return looked_on(
                options, self.plan.network, self.plan.layers, partial(self.take_joint, call, chunks)
            )
        replace = dict(options.get("patches_replace", {}))
        found = dict(replace.get("attn2", {}))
        for layer in self.plan.layers:
            place = self.plan.network.layers[layer]
            # ComfyUI looks for a patch of the very layer first, then for one of its block.
            found[place] = self.watching(found.get(place, found.get(place[:2])), call, layer, chunks)
        return {**options, "patches_replace": {**replace, "attn2": found}}

    def watching(
        self, previous: Callable[..., Tensor] | None, call: Call, layer: int, chunks: Mapping[int, Any]
    ) -> Callable[..., Tensor]:
        """The attention that was there, other nodes' patches included, with its probabilities added up."""

        def patch(q: Tensor, k: Tensor, v: Tensor, extra: Options, **more: Any) -> Tensor:
            with paused():
                self.take(q, k, extra, call, layer, chunks)
            if previous is not None:
                return previous(q, k, v, extra, **more)
            return optimized_attention(
                q, k, v, extra["n_heads"], attn_precision=extra["attn_precision"], transformer_options=extra
            )

        return patch

    def take(
        self, q: Tensor, k: Tensor, extra: Options, call: Call, layer: int, chunks: Mapping[int, Any]
    ) -> None:
        """Add a layer's maps of the prompts' chunks."""
        rows, (height, width) = call.run.rows, extra.get("activations_shape", (0, 0))[-2:]
        if len(q) != call.chunks * rows or len(k) != len(q) or q.shape[1] != height * width:
            self.missed = ORDER
            return
        for at, uuid in chunks.items():
            some = slice(at * rows, (at + 1) * rows)
            part = self.part(uuid, layer, call.step)
            found = folded(probabilities(q[some], k[some], extra["n_heads"]), part.sums.shape[-1])
            if found is None:
                self.missed = FEWER
                continue
            self.add(part, resized(found.unflatten(1, (height, width)), part.size))

    def take_joint(
        self, call: Call, chunks: Mapping[int, Any], layer: int, given: Heads, here: Options
    ) -> None:
        """Add a layer's maps of the prompts' chunks, in a network whose words and picture attend jointly."""
        rows, at = call.run.rows, layout(here, call, self.plan.network, given.k.shape[-2])
        if at is not None and at.start == 0:  # the picture alone, in some blocks of SD3
            return
        same = given.q.shape[2] == given.k.shape[2] and len(given.q) == call.chunks * rows
        if at is None or not same:
            self.missed = ORDER
            return
        if at.size is None:
            self.missed = LAYERED
            return
        for chunk, uuid in chunks.items():
            part = self.part(uuid, layer, call.step)
            count = part.sums.shape[-1]
            first = self.plan.network.words_at(at.start, count, self.references[uuid])
            if first < 0 or first + count > at.start:
                self.missed = FEWER
                continue
            some = given.of_rows(
                slice(chunk * rows, (chunk + 1) * rows), slice(at.start, at.start + at.count)
            )
            found = joint_probabilities(some.q, some.k, slice(first, first + count), some.bias, some.scale)
            self.add(part, found.unflatten(1, at.size))

    def part(self, uuid: Any, layer: int, step: int) -> Part:
        """Where the maps of a prompt, layer and step are added up."""
        return self.parts[uuid, layer, None if (uuid, layer, None) in self.parts else step]

    def add(self, part: Part, found: Tensor) -> None:
        """Add maps to a part; several GPUs may do so at once."""
        found = found.to(part.sums.device)
        with self.lock:
            part.sums += found
            part.count += 1

    def record(self, result: Tensor) -> Record:
        """What was recorded, on the CPU, with the latent that the run made."""
        for part in self.parts.values():
            part.sums = part.sums.cpu()
        size = Size(self.run.shape[-1], self.run.shape[-2])
        prompts = [each for each in self.prompts.values() if each.filled]
        if self.missed and not prompts:
            notice(f"{self.plan.who}: nothing was recorded of this run, as {self.missed}.")
        kept = result.detach().float().cpu()
        return Record(size, self.plan.cell, self.run.steps, prompts, kept, self.missed)
