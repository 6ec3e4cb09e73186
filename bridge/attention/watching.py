"""Look on in the joint attention of a transformer, whatever other nodes make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor

Override = Callable[..., Tensor]


class Watching:
    """An attention override that looks on; what was there, other nodes' overrides included, runs as it is.

    It has no attributes of the function that it wraps: ComfyUI takes some as another way to call it.
    """

    def __init__(
        self, look: Callable[[Sequence[Any], dict[str, Any]], None], previous: Override | None
    ) -> None:
        self.look, self.previous = look, previous

    def __call__(self, function: Callable[..., Tensor], *given: Any, **named: Any) -> Tensor:
        self.look(given, named)
        if self.previous is None:
            return function(*given, **named)
        return self.previous(function, *given, **named)


def beneath(previous: Override | None, make: Callable[[Override | None], Override]) -> Override:
    """The override that `make` makes of the previous one, put in below those that look on.

    Whoever looks on sees the whole batch then, whatever parts of it are attended to one by one below.
    """
    if isinstance(previous, Watching):
        return Watching(previous.look, beneath(previous.previous, make))
    return make(previous)


class Heads(NamedTuple):
    """Queries and keys of an attention call, B,heads,tokens,width, and what is done to their scores."""

    q: Tensor
    k: Tensor
    bias: Tensor | None  # fits B,heads,tokens,tokens
    scale: float | None

    def of_rows(self, rows: slice, queries: slice) -> Heads:
        """Those of some rows and queries."""
        bias = self.bias
        if bias is not None:
            bias = bias if len(bias) == 1 else bias[rows]
            bias = bias if bias.shape[-2] == 1 else bias[..., queries, :]
        return Heads(self.q[rows, :, queries], self.k[rows], bias, self.scale)


def heads_of(given: Sequence[Any], named: dict[str, Any]) -> Heads:
    """What an attention function was called with, in one layout."""
    q, k, _, *more = given
    heads = more[0] if more else named["heads"]
    bias = more[1] if len(more) > 1 else named.get("mask")
    if not named.get("skip_reshape"):
        q, k = (each.unflatten(-1, (-1, q.shape[-1] // heads)).transpose(1, 2) for each in (q, k))
    if k.shape[1] != q.shape[1]:  # fewer heads of keys than of queries
        k = k.repeat_interleave(q.shape[1] // k.shape[1], 1)
    if bias is not None and bias.ndim == 2:
        bias = bias[None]
    return Heads(q, k, bias[:, None] if bias is not None and bias.ndim == 3 else bias, named.get("scale"))
