"""Mutual self-attention (MasaCtrl): rows of a batch attend to the picture of a source row.

Tensors have the rows on the first axis and the tokens on the last but one: (rows, tokens, channels) or
(rows, heads, tokens, channels). Rows come in chunks, one after the other, such as a negative and a positive
prompt: the rows of one latent batch each. A target takes keys and values of its own chunk's sources.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor
from torch.nn.functional import interpolate

INSIDE = 0.5  # mask values from which a token is inside
# Attention of queries to keys and values, with what is added to its scores or None.
Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


class Mode(Enum):
    """What the targets attend to."""

    REPLACE = "replace"  # the sources' picture instead of their own
    UNION = "union"  # the sources' and their own
    MASKED = "masked"  # inside the target's mask what lies inside the source's, and outside what lies outside


@dataclass(frozen=True)
class Layout:
    """How one attention call is laid out."""

    chunks: int
    start: int  # of the picture's tokens within the keys
    size: (
        tuple[int, int] | None
    )  # height and width of the picture in tokens; None if they are not such a grid
    count: int  # of the picture's tokens


@dataclass(frozen=True)
class Masks:
    """Where the thing is: 1,1,H,W or one a source or target, on the CPU; INSIDE and more is inside."""

    source: Tensor
    target: Tensor

    def at(self, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Both as flat booleans (rows, tokens) of a picture of `size`, height and width in tokens."""
        source, target = (
            interpolate(mask, size, mode="nearest-exact") for mask in (self.source, self.target)
        )
        return source.flatten(1) >= INSIDE, target.flatten(1) >= INSIDE


@dataclass(frozen=True)
class Mutual:
    """Which rows of each chunk are sources, and what the other rows, the targets, attend to."""

    sources: tuple[int, ...]
    mode: Mode = Mode.REPLACE
    masks: Masks | None = None  # of MASKED

    def __call__(
        self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, at: Layout, attend: Attend
    ) -> Tensor:
        """The attention of all rows; that of the sources is their own.

        Where an attention call has its queries elsewhere than its keys (tiled or merged tokens), there is no
        telling which of them lie within a mask, and MASKED is REPLACE.
        """
        rows = len(k) // at.chunks
        if rows <= max(self.sources) or rows == len(self.sources):
            return attend(q, k, v, bias)
        if self.mode is Mode.REPLACE and len(self.sources) == 1:
            k, v = (replaced(each, at, rows, self.sources[0]) for each in (k, v))
            return attend(q, k, v, bias)
        # HyperTile cuts the queries of a row into several; its keys are then cut alike, as stretches.
        tiles = len(q) // len(k)
        k, v = (
            each.unflatten(-2, (tiles, -1)).movedim(-3, 1).flatten(0, 1) if tiles > 1 else each
            for each in (k, v)
        )
        split = Split(at.chunks, rows, tiles, self.sources, q.device)
        own = attend(split.sources(q), split.sources(k), split.sources(v), split.sources_of(bias))
        masked = (
            self.mode is Mode.MASKED and tiles == 1 and at.size is not None and q.shape[-2] == k.shape[-2]
        )
        target = self._masked if masked and self.masks is not None else self._joined
        others = target(split, q, k, v, bias, at, attend)
        return split.merged(own, others)

    def _joined(
        self, split: Split, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, at: Layout, attend: Attend
    ) -> Tensor:
        """The targets' attention to all sources' pictures and, in UNION, to their own."""
        whole = at if split.tiles == 1 else Layout(at.chunks, 0, None, k.shape[-2])
        keep = None if self.mode is Mode.UNION else _outside(whole, k.shape[-2], k.device)
        keys, values = (
            torch.cat((_picked(split.targets(each), keep), split.pictures(each, whole)), -2)
            for each in (k, v)
        )
        bias = split.targets_of(bias)
        if bias is not None:
            old = bias if keep is None else bias.index_select(-1, keep)
            bias = torch.nn.functional.pad(old, (0, keys.shape[-2] - old.shape[-1]))
        return attend(split.targets(q), keys, values, bias)

    def _masked(
        self, split: Split, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, at: Layout, attend: Attend
    ) -> Tensor:
        """Each query of a target's picture attends to the keys on its own side of the source's mask."""
        assert self.masks is not None and at.size is not None
        source, target = self.masks.at(at.size)
        source = source.expand(len(self.sources), -1).flatten()
        outside = _outside(at, k.shape[-2], torch.device("cpu"))
        q, bias = split.targets(q), split.targets_of(bias)
        keys, values = (
            torch.cat(
                (split.targets(each).index_select(-2, outside.to(k.device)), split.pictures(each, at)), -2
            )
            for each in (k, v)
        )
        every = torch.arange(len(outside))
        sides = [torch.cat((every, len(outside) + _some(side))) for side in (source, ~source)]
        if bias is not None:
            kept = bias.index_select(-1, outside.to(bias.device))
            bias = torch.nn.functional.pad(kept, (0, keys.shape[-2] - len(outside)))
        out: Tensor | None = None
        for numbers, inside in split.alike(target):
            queries = [at.start + side.nonzero()[:, 0] for side in (inside, ~inside)]
            for query, key in zip((*queries, outside), (*sides, None), strict=True):
                if not len(query):
                    continue
                part = _attended(attend, q, keys, values, bias, numbers, query, key)
                if out is None:
                    out = part.new_empty((len(q), *part.shape[1:-2], q.shape[-2], part.shape[-1]))
                where = (numbers.to(out.device)[:, None], query.to(out.device)[None])
                out.movedim(-2, 1)[where] = part.movedim(-2, 1)
        assert out is not None
        return out


@dataclass(frozen=True)
class Split:
    """Takes a batch of chunks of rows, each in equally many tiles, apart into sources and targets."""

    chunks: int
    rows: int
    tiles: int
    numbers: tuple[int, ...]  # of the sources
    device: torch.device

    def _folded(self, each: Tensor) -> Tensor:
        return each.unflatten(0, (self.chunks, self.rows, self.tiles))

    def _others(self) -> list[int]:
        return [row for row in range(self.rows) if row not in self.numbers]

    def sources(self, each: Tensor) -> Tensor:
        """The rows of the sources, chunk by chunk."""
        return self._folded(each)[:, list(self.numbers)].flatten(0, 2)

    def targets(self, each: Tensor) -> Tensor:
        """The rows of the targets, chunk by chunk."""
        return self._folded(each)[:, self._others()].flatten(0, 2)

    def sources_of(self, bias: Tensor | None) -> Tensor | None:
        """The same of what is added to the scores, which may be one for all rows."""
        return bias if bias is None or not self._by_row(bias) else self.sources(bias)

    def targets_of(self, bias: Tensor | None) -> Tensor | None:
        """The same of what is added to the scores, which may be one for all rows."""
        return bias if bias is None or not self._by_row(bias) else self.targets(bias)

    def _by_row(self, bias: Tensor) -> bool:
        return bias.ndim > 2 and len(bias) == self.chunks * self.rows * self.tiles

    def pictures(self, each: Tensor, at: Layout) -> Tensor:
        """For each target the picture's tokens of all sources of its chunk, one source after the other."""
        picture = self._folded(each)[..., at.start : at.start + at.count, :][:, list(self.numbers)]
        joined = torch.cat(picture.unbind(1), -2)
        count = self.rows - len(self.numbers)
        return joined[:, None].expand(-1, count, *joined.shape[1:]).flatten(0, 2)

    def alike(self, masks: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The numbers of the targets (of all chunks) that share a mask, and it; masks are one or one each."""
        count = self.rows - len(self.numbers)
        if len(masks) == 1:
            return [(torch.arange(self.chunks * count), masks[0])]
        return [(torch.arange(self.chunks) * count + row, masks[row]) for row in range(count)]

    def merged(self, sources: Tensor, targets: Tensor) -> Tensor:
        """The whole batch in its order."""
        out = sources.new_empty((self.chunks, self.rows, self.tiles, *sources.shape[1:]))
        out[:, list(self.numbers)] = sources.unflatten(0, (self.chunks, -1, self.tiles))
        out[:, self._others()] = targets.unflatten(0, (self.chunks, -1, self.tiles))
        return out.flatten(0, 2)


def replaced(each: Tensor, at: Layout, rows: int, source: int) -> Tensor:
    """Keys or values of all rows with the picture's tokens of the source row of each chunk."""
    folded = each.unflatten(0, (at.chunks, rows))
    picture = slice(at.start, at.start + at.count)
    if at.count == each.shape[-2]:
        return folded[:, source : source + 1].expand_as(folded).flatten(0, 1)
    out = folded.clone()
    out[..., picture, :] = folded[:, source : source + 1, ..., picture, :]
    return out.flatten(0, 1)


def _outside(at: Layout, tokens: int, device: torch.device) -> Tensor:
    """The numbers of the tokens that are not the picture's: words and reference pictures."""
    numbers = torch.arange(tokens, device=device)
    return numbers[(numbers < at.start) | (numbers >= at.start + at.count)]


def _picked(each: Tensor, tokens: Tensor | None) -> Tensor:
    return each if tokens is None else each.index_select(-2, tokens)


def _some(inside: Tensor) -> Tensor:
    """The numbers of the true ones, or all numbers where none is true."""
    found = inside.nonzero()[:, 0]
    return found if len(found) else torch.arange(len(inside))


def _attended(
    attend: Attend,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    bias: Tensor | None,
    rows: Tensor,
    query: Tensor,
    key: Tensor | None,
) -> Tensor:
    """Attention of some rows' queries to some of their keys; None is all keys."""
    if bias is not None:
        if bias.ndim > 2 and len(bias) == len(q):
            bias = bias[rows.to(bias.device)]
        if bias.shape[-2] == q.shape[-2]:
            bias = bias.index_select(-2, query.to(bias.device))
        bias = bias if key is None else bias.index_select(-1, key.to(bias.device))
    rows, query = rows.to(q.device), query.to(q.device)
    k, v = k[rows], v[rows]
    if key is not None:
        k, v = (each.index_select(-2, key.to(q.device)) for each in (k, v))
    return attend(q[rows].index_select(-2, query), k, v, bias)
