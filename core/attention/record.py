"""What is kept of a run's attention to its prompts: sums of maps, by prompt, group of layers and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from torch import Tensor

from ..shapes import Size

ENCODER, MIDDLE, DECODER = "encoder", "middle", "decoder"
# Runs whose maps are kept: those of one workflow, or of a few seeds that another cache still holds.
MOST_RUNS, MOST_BYTES = 4, 2**28
# How far a latent may be from a run's result, as a share of it, to be taken as made from it.
NEAR = 0.3


@dataclass
class Part:
    """The maps of some layers of one size, added up, each the mean over the layer's heads."""

    where: str  # encoder, middle or decoder of a UNet; double, single or all layers of a transformer
    layers: tuple[int, ...]
    step: int | None  # None: all steps that were recorded
    size: Size
    sums: Tensor  # rows, height, width, columns of the prompt
    count: int = 0  # how many maps were added


@dataclass
class Prompt:
    """One conditioning of a run and the maps of its columns."""

    embedding: Tensor  # rows or 1, columns, width
    parts: list[Part] = field(default_factory=list)

    @property
    def filled(self) -> list[Part]:
        """The parts to which anything was added."""
        return [part for part in self.parts if part.count]


@dataclass(frozen=True)
class Record:
    """The attention of one run of a sampler to its prompts, and the latent that the run ended with."""

    size: Size  # of the latent, in cells
    cell: int  # pixels of the picture along a side of a cell
    steps: int
    prompts: Sequence[Prompt]
    result: Tensor  # rows, channels, height, width
    missed: str = ""  # why something of it is missing

    @property
    def bytes(self) -> int:
        """The memory that the maps take."""
        return sum(4 * part.sums.numel() for prompt in self.prompts for part in prompt.parts)


def together(parts: Sequence[Part]) -> list[Part]:
    """The parts of one size in one place of the network as one, whatever their layers and steps."""
    found: dict[tuple[str, Size], list[Part]] = {}
    for part in parts:
        found.setdefault((part.where, part.size), []).append(part)
    return [added(some) if len(some) > 1 else some[0] for some in found.values()]


def added(parts: Sequence[Part]) -> Part:
    """The sum of parts of one size."""
    layers = tuple(sorted({layer for part in parts for layer in part.layers}))
    sums = parts[0].sums.clone()
    for part in parts[1:]:
        sums += part.sums
    return replace(parts[0], layers=layers, step=None, sums=sums, count=sum(part.count for part in parts))


def rows_of(record: Record, latent: Tensor) -> list[int] | None:
    """Which rows of the run a latent (rows, channels, height, width) consists of; None if it is another."""
    if latent.shape[1:] != record.result.shape[1:]:
        return None
    result = record.result.to(latent.dtype)
    found = []
    for number, row in enumerate(latent.to(result.device)):
        # A batch keeps its order, so that equal rows are not taken for each other.
        order = sorted(range(len(result)), key=lambda each: each != number)
        same = [each for each in order if bool((result[each] == row).all())]
        if not same:
            return None
        found.append(same[0])
    return found


def nearest(records: Sequence[Record], latent: Tensor) -> Record | None:
    """The record of the run whose result a latent was made from by small changes; None if there is none.

    A sampler's estimate of the clean latent, or a latent in which a part was replaced, is nearer to its own
    run than to that of another seed.
    """
    found = [
        (float((latent.to(each.result) - each.result).norm() / each.result.norm().clamp(min=1e-12)), number)
        for number, each in enumerate(records)
        if each.result.shape == latent.shape
    ]
    distance, number = min(found, default=(NEAR, 0))
    return records[number] if distance < NEAR else None


class Records:
    """The records of the last runs of one patched model, the newest last; each run adds a new one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: tuple[Record, ...] = ()

    @property
    def held(self) -> tuple[Record, ...]:
        return self._held

    def add(self, record: Record) -> None:
        """Keep a run's record, in place of one with the same result, and leave out the oldest."""
        with self._lock:
            others = [each for each in self._held if rows_of(each, record.result) is None]
            kept = [*others, record][-MOST_RUNS:]
            while len(kept) > 1 and sum(each.bytes for each in kept) > MOST_BYTES:
                del kept[0]
            self._held = tuple(kept)
