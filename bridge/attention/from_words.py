"""Masks of Mutual Attention from words: where the rows' own words are, by the steps of the run so far."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...core.attention import maps, ranges
from ...core.attention.mutual import Masks
from ...core.attention.record import Prompt
from ...core.attention.words import Word
from ...core.shapes import Size
from ...core.texts import lines
from ..inputs import check_conditioning
from ..notices import notice
from .blocks import LEAST_CELLS, Network
from .columns import words_in
from .install import Call, Options, Run
from .maps import chosen_of
from .places import Place, of_row, offsets
from .recorder import TOGETHER, Plan, Taking

NEEDED = ("text_source", "text_target", "words_source")


class Asked(NamedTuple):
    """What the node is given for the mode."""

    clip: Any = None
    text_source: str = ""
    text_target: str = ""  # one line for all targets, or one for each
    words_source: str = ""
    words_target: str = ""  # empty: those of the source
    threshold: float = 0.0  # 0: Otsu's


class Text(NamedTuple):
    """A prompt as it is encoded, and its words that are masked."""

    encoded: Tensor  # columns, width
    words: Sequence[Word]


class Texts(NamedTuple):
    """The prompts of the rows."""

    source: Text
    targets: Sequence[Text]
    threshold: float


def texts_of(asked: Asked, mode: str, who: str) -> Texts:
    """The prompts with the columns of their words; ValueError, one sentence, where something is missing."""
    missing = [name for name in NEEDED if not getattr(asked, name).strip()]
    missing = [*["clip"][asked.clip is not None :], *missing]
    if missing:
        raise ValueError(
            f"{who}: the mode {mode} needs {', '.join(missing)}; connect the CLIP and the texts of the "
            "prompts, and name words of them."
        )
    words = asked.words_target if asked.words_target.strip() else asked.words_source
    source = text_of(asked.clip, asked.text_source, asked.words_source, f"{who}: words_source")
    targets = [text_of(asked.clip, line, words, f"{who}: words_target") for line in lines(asked.text_target)]
    return Texts(source, targets, asked.threshold)


def text_of(clip: Any, text: str, words: str, name: str) -> Text:
    """A prompt and the columns of the words; ValueError by a sentence that begins with `name`."""
    found = words_in(clip, text, words, name)
    conditioning = clip.encode_from_tokens_scheduled(clip.tokenize(text))
    check_conditioning(conditioning, f"{name}: the encoded text")
    return Text(conditioning[0][0][0].float().cpu(), found)


class Watch:
    """The maps of the words in one run as it goes on, and the masks that they give for the next step."""

    def __init__(self, network: Network, texts: Texts, run: Run, sources: Sequence[int], who: str) -> None:
        plan = Plan(network, layers_of(network, run), "", TOGETHER, 0, who)
        self.taking, self.threshold, self.who = Taking(plan, run), texts.threshold, who
        self.sources = list(sources)
        self.targets = [row for row in range(run.rows) if row not in self.sources]
        prompts = list(self.taking.prompts.values())
        self.places = {
            **places_of(prompts, [texts.source], self.sources, f"{who}: text_source"),
            **places_of(prompts, texts.targets, self.targets, f"{who}: text_target"),
        }
        self.lock, self.step, self.masks = Lock(), -1, None
        self.empty: set[tuple[int, str]] = set()

    def recorded(self, options: Options, call: Call) -> Options:
        """The transformer options with patches that look on, after those that are there."""
        return self.taking.patched(options, call)

    def masks_at(self, step: int) -> Masks | None:
        """The masks by the maps of the steps before this one; None before the first map."""
        with self.lock:
            if step != self.step:
                self.step, self.masks = step, self.made()
            return self.masks

    def made(self) -> Masks | None:
        """The masks by all maps so far; None where a row has none yet."""
        self.empty.clear()
        source, target = ([self.mask(row) for row in rows] for rows in (self.sources, self.targets))
        known = [[each for each in some if each is not None] for some in (source, target)]
        if len(known[0]) < len(source) or len(known[1]) < len(target):
            return None
        return Masks(*(torch.stack(some)[:, None] for some in known))

    def mask(self, row: int) -> Tensor | None:
        """Where any of a row's words is, height and width of the maps; None where it has no map."""
        if row not in self.places:
            return None
        (text, places), total = self.places[row], None
        parts = {id(prompt): prompt.filled for prompt in self.taking.prompts.values()}
        for word in text.words:
            some = chosen_of(parts, word, places, row)
            if not some:
                return None
            values = maps.stretched(maps.of_one_size(some))[0].cpu()
            threshold = self.threshold or maps.otsu(values)
            if threshold is None or not values.any():
                self.empty.add((row, word.text))
            found = torch.zeros_like(values) if threshold is None else (values >= threshold).float()
            total = found if total is None else total.maximum(found)
        return total

    def notice_missing(self) -> None:
        """Give notice of what made the mode another than was asked for."""
        if self.taking.missed and self.masks is None:
            notice(
                f"{self.who}: no masks were made of the words, as {self.taking.missed}; the mode was replace."
            )
        for row, word in sorted(self.empty):
            notice(
                f'{self.who}: nothing in row {row} stood out for "{ranges.shown(word)}", so nothing was told '
                "apart there; set word_threshold or name another word."
            )


def layers_of(network: Network, run: Run) -> list[int]:
    """The decoder's layers of one size: at a quarter of the latent's sides, and not too coarse.

    Its maps are the sharpest. Where a network has none there, all its layers of that size.
    """
    plan = Plan(network, [], "", TOGETHER, 0)
    numbers = range(len(network.layers))
    usual = network.words.get("decoder") or numbers
    sizes = {each: plan.size(each, run) for each in usual}
    latent = Size(run.shape[-1], run.shape[-2])
    fine = [each for each in sizes.values() if min(each) >= min(LEAST_CELLS, *latent)]
    size = maps.quarter_of(fine or [*sizes.values()], latent)
    return [each for each in usual if sizes[each] == size]


def places_of(
    prompts: Sequence[Prompt], texts: Sequence[Text], rows: Sequence[int], name: str
) -> dict[int, tuple[Text, list[Place]]]:
    """Each row's text among `texts`, and where it is among the prompts that are sampled.

    Where it is none of them, the only prompt is taken to be the text in the row's order, by a notice;
    ValueError by a sentence where there are several.
    """
    found: dict[int, tuple[Text, list[Place]]] = {}
    odd = []
    for number, row in enumerate(rows if prompts else ()):
        by_text = [
            (
                text,
                [
                    Place(prompt, at)
                    for prompt in prompts
                    for at in offsets(text.encoded, of_row(prompt, row))
                ],
            )
            for text in texts
        ]
        known = [each for each in by_text if each[1]]
        if not known and len(prompts) > 1:
            raise ValueError(
                f"{name} is none of the {len(prompts)} prompts that row {row} is sampled with; connect the "
                "text of one of them."
            )
        if not known:
            odd.append(row)
        found[row] = known[0] if known else (texts[min(number, len(texts) - 1)], [Place(prompts[0], 0)])
    if odd:
        notice(
            f"{name} is not what rows {', '.join(map(str, odd))} are sampled with, or was encoded by another "
            "CLIP; the masks are of the words at its places. Connect one text to Rows and to it."
        )
    return found
