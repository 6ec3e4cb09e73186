"""Change the self-attention of some layers of one call of a network, or look on in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from comfy.ldm.modules.attention import optimized_attention
from torch import Tensor

from ...core.attention.mutual import Attend, Layout
from .blocks import LUMINA, UNET, UNMARKED, Network
from .install import Call, Options, paused
from .watching import Heads, Watching, beneath, heads_of

Change = Callable[[Tensor, Tensor, Tensor, Tensor | None, Layout, Attend], Tensor]
OVERRIDE = "optimized_attention_override"


def with_change(
    options: Options, call: Call, network: Network, layers: Collection[int], change: Change
) -> Options:
    """The transformer options with `change` in place of the self-attention of `layers`, by number.

    It gets queries, keys, values and what is added to the scores, rows first and tokens last but one, and the
    attention that was there, other nodes' patches included.
    """
    if network.kind == UNET:
        return _unet(options, call, [network.layers[number] for number in layers], change)
    return _joint(options, call, network, layers, change)


def _unet(options: Options, call: Call, places: list[Any], change: Change) -> Options:
    replace = dict(options.get("patches_replace", {}))
    found = dict(replace.get("attn1", {}))
    for place in places:
        # ComfyUI looks for a patch of the very layer first, then for one of its block.
        found[place] = _unet_patch(found.get(place, found.get(place[:2])), call, change)
    return {**options, "patches_replace": {**replace, "attn1": found}}


def _unet_patch(previous: Callable[..., Tensor] | None, call: Call, change: Change) -> Callable[..., Tensor]:
    def patch(q: Tensor, k: Tensor, v: Tensor, extra: Options, **more: Any) -> Tensor:
        def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
            if previous is not None:
                return previous(q, k, v, extra, **more)
            return optimized_attention(
                q, k, v, extra["n_heads"], attn_precision=extra["attn_precision"], transformer_options=extra
            )

        height, width = extra.get("activations_shape", (0, 0))[-2:]
        count = k.shape[-2]
        size = (height, width) if call.whole and height * width == count else None
        with paused():
            return change(q, k, v, None, Layout(call.chunks, 0, size, count), attend)

    return patch


def _joint(
    options: Options, call: Call, network: Network, layers: Collection[int], change: Change
) -> Options:
    places = {network.layers[number][:2] for number in layers}
    make = partial(_changing, places, call, network, change)
    options = {**options, OVERRIDE: beneath(options.get(OVERRIDE), make)}
    return marked(options, places) if network.kind == UNMARKED else options


def _changing(
    places: Collection[tuple[str, int]], call: Call, network: Network, change: Change,
    previous: Callable[..., Tensor] | None,
) -> Callable[..., Tensor]:  # fmt: skip
    # No functools.wraps: ComfyUI takes attributes of an override as another way to call it.
    def override(function: Callable[..., Tensor], *given: Any, **named: Any) -> Tensor:
        def plain(*given: Any, **named: Any) -> Tensor:
            return function(*given, **named) if previous is None else previous(function, *given, **named)

        here = named.get("transformer_options") or {}
        if (here.get("block_type"), here.get("block_index")) not in places:
            return plain(*given, **named)
        q, k, v, *more = given
        if not named.get("skip_reshape"):  # SD3's values come with their heads apart, its keys do not
            q, k, v = (each.flatten(2) for each in (q, k, v))
        at = layout(here, call, network, k.shape[-2])
        if at is None:
            return plain(*given, **named)
        heads = more.pop(0) if more else named.pop("heads")
        bias = more.pop(0) if more else named.pop("mask", None)

        def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
            return plain(q, k, v, heads, bias, *more, **named)

        with paused():
            return change(q, k, v, bias, at, attend)

    return override


def looked_on(
    options: Options, network: Network, layers: Collection[int], look: Callable[[int, Heads, Options], None]
) -> Options:
    """The transformer options with `look` called before the joint attention of `layers`.

    It gets the layer's number, the queries and keys, and the options of the call.
    """
    numbers: dict[tuple[Any, Any], int] = {network.layers[number][:2]: number for number in layers}

    def watch(given: Sequence[Any], named: dict[str, Any]) -> None:
        here = named.get("transformer_options") or {}
        number = numbers.get((here.get("block_type"), here.get("block_index")))
        if number is not None:
            with paused():
                look(number, heads_of(given, named), here)

    options = {**options, OVERRIDE: Watching(watch, options.get(OVERRIDE))}
    return marked(options, numbers) if network.kind == UNMARKED else options


def layout(here: Options, call: Call, network: Network, tokens: int) -> Layout | None:
    """Where the picture lies among the tokens of a joint attention; None if there is no room for it.

    The words come first, then the picture, then reference pictures; in Lumina these come before the picture.
    """
    height, width = (math.ceil(side / network.patch) for side in call.shape[-2:])
    count = math.prod(call.shape[2:-2]) * height * width
    if network.kind == LUMINA:
        after = -count % network.multiple
    else:
        after = sum(here.get("reference_image_num_tokens", ()))
    start = tokens - after - count
    if start < 0:
        return None
    size = (height, width) if call.whole and count == height * width else None
    return Layout(call.chunks, start, size, count)


def marked(options: Options, places: Collection[tuple[str, int]]) -> Options:
    """The options with patches that tell the attention of SD3 in which block it is; its network does not."""
    replace = dict(options.get("patches_replace", {}))
    found = dict(replace.get("dit", {}))
    for kind, number in places:
        key = (f"{kind}_block", number)
        found[key] = _mark(found.get(key), kind, number)
    return {**options, "patches_replace": {**replace, "dit": found}}


def _mark(previous: Callable[..., Any] | None, kind: str, number: int) -> Callable[..., Any]:
    def patch(given: dict[str, Any], extra: dict[str, Any]) -> Any:
        here = {**given["transformer_options"], "block_type": kind, "block_index": number}
        given = {**given, "transformer_options": here}
        return extra["original_block"](given) if previous is None else previous(given, extra)

    return patch
