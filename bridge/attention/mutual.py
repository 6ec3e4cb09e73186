"""Mutual Attention: target rows of a batch attend to the picture of a source row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ...core.attention import ranges
from ...core.attention.mutual import INSIDE, Masks, Mode, Mutual
from ...core.attention.steps import kept_from
from ...core.shapes import Size
from .. import layouts
from ..latent import check_numbers
from ..notices import notice
from .blocks import UNET, Network, network_of
from .from_words import Asked, Texts, Watch, texts_of
from .install import Call, Options, Run, install
from .self_attention import with_change

WHO = "Mutual Attention"
KEY = "recompose_mutual_attention"
FROM_WORDS = "masked, from words"


def mutual(
    model: Any, keep: float, mode: str, source_rows: str, steps: str, layers: str,
    mask_source: Tensor | None = None, mask_target: Tensor | None = None, asked: Asked | None = None,
) -> Any:  # fmt: skip
    """MODEL whose target rows attend to source rows in some steps and layers; ValueError by a sentence.

    `asked` is what the mode FROM_WORDS needs; its masks are made as the run goes on.
    """
    network = network_of(model, WHO)
    check_mode(model, network, mode)
    numbers = chosen_layers(network, layers)
    ranges.split(source_rows, f"{WHO}: source_rows")
    if steps.strip():
        ranges.split(steps, f"{WHO}: steps")
    texts = texts_in(mode, asked or Asked())
    kind, masks = Mode.REPLACE if texts else Mode(mode), masks_of(mode, mask_source, mask_target)
    patch = Patch(network, numbers, keep, steps, source_rows, kind, masks, texts)
    return install(model, KEY, patch.start, patch.change, patch.end)


@dataclass
class Patch:
    """What a patched MODEL does in each of its runs."""

    network: Network
    layers: list[int]
    keep: float
    steps: str
    source_rows: str
    mode: Mode  # of texts, before their first map
    masks: Masks | None
    texts: Texts | None
    watches: dict[int, Watch] = field(default_factory=dict)  # of the runs that go on

    def start(self, run: Run, latent: Any) -> None:
        """Check a run before its first step."""
        check_rows(run, self.source_rows, self.masks)
        if isinstance(latent, Tensor) and not latent.is_nested:
            check_numbers(latent, f"{WHO}: the latent")
        notice_prompts(run)
        if self.texts:
            self.watches[id(run)] = Watch(self.network, self.texts, run, self.sources(run), WHO)
        if not chosen_steps(self.steps, self.keep, run.steps):
            notice(
                f"{WHO}: none of this run's {run.steps} steps is chosen, so it changes nothing; "
                "choose others by keep or steps."
            )

    def change(self, options: Options, call: Call) -> Options:
        """The options of a call of the network."""
        watch = self.watches.get(id(call.run))
        steps = chosen_steps(self.steps, self.keep, call.run.steps)
        if call.step in steps:
            masks = watch.masks_at(call.step) if watch else self.masks
            mode = Mode.MASKED if masks else self.mode
            mutual = Mutual(self.sources(call.run), mode, masks)
            options = with_change(options, call, self.network, self.layers, mutual)
        if watch is None or not any(later > call.step for later in steps):
            return options
        return watch.recorded(options, call)

    def end(self, run: Run, result: Tensor | None) -> None:
        """Let go of a run."""
        watch = self.watches.pop(id(run), None)
        if watch is not None and result is not None:
            watch.notice_missing()

    def sources(self, run: Run) -> tuple[int, ...]:
        """The numbers of the source rows."""
        return tuple(ranges.chosen(self.source_rows, run.rows, f"{WHO}: source_rows"))


def check_mode(model: Any, network: Network, mode: str) -> None:
    """ValueError, one sentence that names the model, if its network has no maps of words."""
    if mode == FROM_WORDS and network.kind != UNET:
        raise ValueError(
            f"{WHO}: the mode {mode} works with SD1, SD2 and SDXL but the model is a "
            f"{type(model.model).__name__}; connect masks (mode masked) or choose another mode."
        )


def texts_in(mode: str, asked: Asked) -> Texts | None:
    """The prompts whose words make the masks, if the mode has any."""
    if mode == FROM_WORDS:
        return texts_of(asked, mode, WHO)
    if asked.words_source.strip() or asked.words_target.strip():
        notice(f"{WHO}: words are used by the mode {FROM_WORDS} only; {mode} does without them.")
    return None


def chosen_layers(network: Network, text: str) -> list[int]:
    """The numbers of the layers that a text names, or of the published ones if it is empty."""
    count, name = len(network.layers), f"{WHO}: layers"
    if not text.strip() and network.default is None:
        raise ValueError(
            f"{name} must be chosen for this model, as none are published for it; write some of its layers "
            f"0 to {count - 1} or {', '.join(network.words)}; the help page says how to find them."
        )
    found = ranges.chosen(text if text.strip() else network.default or "", count, name, network.words)
    if not found:
        raise ValueError(f'{name} "{ranges.shown(text)}" names none of the model\'s layers 0 to {count - 1}.')
    return found


def chosen_steps(text: str, keep: float, count: int) -> list[int]:
    """The numbers of the steps that a text names, or if it is empty the last share `keep` of them."""
    if text.strip():
        return ranges.chosen(text, count, f"{WHO}: steps")
    return [*range(kept_from(keep, count), count)]


def masks_of(mode: str, source: Tensor | None, target: Tensor | None) -> Masks | None:
    """The masks if the mode has any; ValueError if one is missing there."""
    made = [
        layouts.mask_from_comfy(mask, name=f"{WHO}: {name}")
        for name, mask in (("mask_source", source), ("mask_target", target))
    ]
    if mode != Mode.MASKED.value:
        if any(mask is not None for mask in made):
            notice(f"{WHO}: masks are used by the mode masked only; {mode} does without them.")
        return None
    if made[0] is None or made[1] is None:
        raise ValueError(
            f"{WHO}: the mode masked needs mask_source and mask_target; connect both or choose another mode."
        )
    for mask, name in ((made[0], "mask_source"), (made[1], "mask_target")):
        if float(mask.max()) < INSIDE:
            notice(
                f"{WHO}: {name} is empty, so nothing is told apart there; connect a mask in which "
                "the thing is white."
            )
    return Masks(made[0].cpu(), made[1].cpu())


def notice_prompts(run: Run) -> None:
    """Give notice of prompts that are not one for each row: ComfyUI leaves the last out, or repeats them."""
    odd = [count for count in run.prompts if count not in (1, run.rows)]
    if odd:
        what = "the last are left out" if max(odd) > run.rows else "they are repeated"
        notice(
            f"{WHO}: there are {max(odd)} prompts for a latent of {run.rows} rows, so {what}; connect the "
            "output rows of Rows to Same Noise."
        )


def check_rows(run: Run, source_rows: str, masks: Masks | None) -> None:
    """Refuse a latent batch without a source and a target, and masks of other batches and aspects."""
    if run.rows < 2:
        raise ValueError(
            f"{WHO} needs a latent of at least two rows, a source and a target, but it has {run.rows}; "
            "connect Same Noise to the sampler's latent and Rows to its positive."
        )
    ranges.check_within(source_rows, run.rows, f"{WHO}: source_rows")
    sources = len(ranges.chosen(source_rows, run.rows, f"{WHO}: source_rows"))
    if sources in (0, run.rows):
        got = "none" if not sources else "all"
        raise ValueError(
            f"{WHO}: source_rows must leave sources and targets among the {run.rows} rows but names "
            f"{got} of them."
        )
    if masks is not None:
        check_mask(masks.source, f"{WHO}: mask_source", sources, run)
        check_mask(masks.target, f"{WHO}: mask_target", run.rows - sources, run)


def check_mask(mask: Tensor, name: str, count: int, run: Run) -> None:
    """Refuse a mask of another batch than one or `count`, and of another aspect than the latent's."""
    if len(mask) not in (1, count):
        raise ValueError(f"{name} has a batch of {len(mask)} but {count} is needed; connect 1 or {count}.")
    size, latent = layouts.size_of(mask), Size(run.shape[-1], run.shape[-2])
    if abs(size.height / size.width * latent.width - latent.height) > 1:
        raise ValueError(
            f"{name} is {size} but the latent is {latent} cells, of another aspect; connect a mask of the "
            "picture that is sampled."
        )
