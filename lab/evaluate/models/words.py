"""Which words the text-to-image model looks at, and how well a word's attention map shows its thing.

True pictures are noised to a few levels and looked at once each, with their captions. A map is the attention
on the thing's phrase, averaged over heads and levels; Otsu's threshold makes it a mask. The ceiling is the
best mask that the latent's cells can give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...toy import world
from ...toy.world.labels import GARMENTS, OBJECTS
from ..cells import ceiling, large, overlap
from ..rows import Figures, mean

PART = "test"
SEEDS = {"closer": range(0, 100), "whole": range(0, 100)}
LEVELS = (200, 400, 600)
BINS = 64
LAYERS = 16
# Layers by their share of the picture's size, and some together.
GROUPS = {
    "all": range(LAYERS),
    "eighth": (0, 1, 13, 14, 15),
    "sixteenth": (2, 3, 10, 11, 12),
    "decoder": range(7, 16),
}


class Thing(NamedTuple):
    """What is looked for: its name, its mask (bool H,W) and the places of its phrase in the prompt."""

    name: str
    mask: np.ndarray
    places: range


def otsu(values: np.ndarray) -> float:
    """The threshold that best separates values into two classes (Otsu 1979)."""
    counts, edges = np.histogram(values, BINS)
    middles = (edges[1:] + edges[:-1]) / 2
    below, total = np.cumsum(counts), counts.sum()
    weighted = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (weighted[-1] * below / total - weighted) ** 2 / (below * (total - below))
    return float(edges[1 + int(np.nanargmax(between[:-1]))])


def things(example: world.Example, text: str, tokenizer: Any) -> list[Thing]:
    """The garments and objects that the caption names and that are at least three cells wide and high."""
    from ...train import phrases

    found = []
    for places, said in phrases.tokens(text, tokenizer).phrases:
        names = [name for name in GARMENTS if f"{name} colour" in said]
        names += [name for name, _ in said.get("objects", ())]
        for name in names:
            mask = example.masks[name]
            if mask.any() and large(mask):
                found.append(Thing(name, mask, places))
    return found


def drawn(seeds: dict[str, Sequence[int]]) -> Iterator[tuple[str, int, world.Example]]:
    """The pictures: view, seed, picture."""
    for view, some in seeds.items():
        for seed in some:
            yield view, seed, (world.closer if view == "closer" else world.example)(seed, PART)


class Looker:
    """The text-to-image model of a folder, asked where it looks."""

    def __init__(self, folder: Path) -> None:
        from ...toy.pipeline import Painter

        self.painter = Painter(folder)

    @torch.inference_mode()
    def maps(self, image: np.ndarray, text: str, seed: int) -> list[Tensor]:
        """The probabilities N,77 of every cross-attention, averaged over heads and levels."""
        from ...toy.models import attention, diffusion, networks
        from ...toy.models.tokenizer import PLACES, tokens
        from ...toy.pipeline import normal, nothing_around
        from ...toy.tensors import stacked

        latents = networks.encode(self.painter.vae, stacked([image]))
        states = networks.text_states(self.painter.text, tokens([text], self.painter.tokenizer))
        rows, columns = latents.shape[2:]
        noise, around = normal(seed, rows, columns)[None], nothing_around(1, rows, columns)
        total: list[Tensor] = []
        for level in LEVELS:
            recorder, step = attention.AttentionRecorder(PLACES), torch.tensor([level])
            x = torch.cat([diffusion.noised(latents, noise, step), around], 1)
            self.painter.unet(
                x,
                step.float(),
                states,
                transformer_options={"optimized_attention_override": recorder.override},
            )
            seen = [found[0] for found in recorder.maps]
            total = seen if not total else [a + b for a, b in zip(total, seen, strict=True)]
        return [layer / len(LEVELS) for layer in total]


def picture(maps: Sequence[Tensor], places: range, height: int, width: int) -> np.ndarray:
    """The map H,W of some places of the prompt, averaged over layers N,77, each stretched to 0…1."""
    total = np.zeros((height, width))
    for layer in maps:
        seen = layer[:, list(places)].sum(1)
        columns = round((len(seen) * width / height) ** 0.5)
        grid = functional.interpolate(
            seen.view(1, 1, -1, columns), (height, width), mode="bilinear", align_corners=False
        )[0, 0].numpy()
        total += (grid - grid.min()) / max(float(np.ptp(grid)), 1e-9)
    return total / len(maps)


def row(view: str, seed: int, example: world.Example, looker: Looker) -> dict[str, Any]:
    """One picture's row: the share of attention on words by layer, and each thing's overlaps."""
    from ...train import phrases

    text, (height, width) = example.caption, example.image.shape[:2]
    maps = looker.maps(example.image, text, seed)
    nothing = torch.tensor(phrases.tokens(text, looker.painter.tokenizer).nothing)
    found: dict[str, Any] = {"view": view, "seed": seed, "things": []}
    found["words"] = [round(float(layer[:, ~nothing].sum(1).mean()), 4) for layer in maps]
    for thing in things(example, text, looker.painter.tokenizer):
        seen = {
            name: [maps[number] for number in group if len(maps[number]) > 8]
            for name, group in GROUPS.items()
        }
        shown = {name: picture(some, thing.places, height, width) for name, some in seen.items()}
        overlaps = {
            name: round(overlap(values > otsu(values), thing.mask), 4) for name, values in shown.items()
        }
        found["things"].append({"name": thing.name, "ceiling": round(ceiling(thing.mask), 4), **overlaps})
    return found


def measure(folder: Path) -> Figures:
    """Look at all pictures with the committed text-to-image model."""
    looker = Looker(folder)
    rows = [row(*one, looker) for one in drawn(SEEDS)]
    return Figures(rows, summary(rows))


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares of attention on words, and overlaps beside the cells' ceiling."""
    found: dict[str, Any] = {
        f"attention on words, layer {layer}": mean(row["words"][layer] for row in rows)
        for layer in range(LAYERS)
    }
    for view in SEEDS:
        for label, names in (("objects", OBJECTS), ("garments", GARMENTS)):
            some = [t for r in rows if r["view"] == view for t in r["things"] if t["name"] in names]
            if not some:
                continue
            best = mean(thing["ceiling"] for thing in some)
            for group in GROUPS:
                value = mean(thing[group] for thing in some)
                share = value / best if value is not None and best else 0
                found[f"overlap of {label}, {view}, {group}"] = (
                    f"{value} of {best} ({share:.3f}), {len(some)} things"
                )
    return found
