"""Odd values for every type of input: what may come over a link, from a file or from another pack's node."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

WIDTH, HEIGHT = 32, 24
NAN, INF = float("nan"), float("inf")
NUMBERS = [NAN, INF, -INF, 0, -1, 1, 1.5, -0.5, 1e30, -1e30, 2**70, -(2**70), 1e-320, True, "1", "", None]
NUMBERS += [[], [1], {}, b"1", 1j, np.float32(2), np.array([1, 2]), np.nan]
TEXTS = [
    "",
    " ",
    "\0",
    "\ud800",
    "x" * 3000,
    "[" * 5000,
    "{",
    "null",
    "NaN",
    "1e999",
    "[]",
    "{}",
    '"x"',
    "-0",
]
TEXTS += ["../../etc/passwd", "/dev/null", "none", "Ünï", "#12345", "#gggggg", "rgb(1,2,3)", "#FFF"]
OTHERS = [*NUMBERS, *TEXTS, object(), print, (1, 2), {"samples": None}, [[None]], {"a": {"b": []}}, {1, 2}]
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.uint8, torch.int64, torch.bool]
DTYPES += [torch.complex64, torch.int8]
FILLS = [0.0, 1.0, 0.5, NAN, INF, -INF, -5.0, 255.0, 3e38, 1 / 255]
SHAPES = [
    (), (0,), (3,), (HEIGHT, WIDTH), (1, HEIGHT, WIDTH), (2, HEIGHT, WIDTH), (3, HEIGHT, WIDTH),
    (1, HEIGHT, WIDTH, 3), (1, HEIGHT, WIDTH, 4), (1, HEIGHT, WIDTH, 1), (2, HEIGHT, WIDTH, 3),
    (3, HEIGHT, WIDTH, 3), (0, HEIGHT, WIDTH, 3), (1, 0, WIDTH, 3), (1, HEIGHT, 0), (1, 1, 1, 3), (1, 1, 1),
    (1, 3, HEIGHT, WIDTH), (1, HEIGHT, WIDTH, 3, 1), (1, 64, 64), (1, 64, 64, 3), (1, 16, 16), (1, 16, 16, 3),
    (1, 1, HEIGHT, WIDTH), (2, 1, 5, 700), (1, 5, 700, 3), (1, 4, 3, 4), (2, 4, 3, 4), (1, 4, 6, 5),
    (1, 16, 2, 3, 4), (1, 4, 10), (1, 4, 0, 4), (1, 1, 1, 1, 1, 1),
]  # fmt: skip


@st.composite
def tensors(draw: st.DrawFn) -> Any:
    """A tensor of any axes, size, dtype, layout and filling."""
    shape, dtype, fill = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(DTYPES)), None
    kind = draw(st.integers(0, 11))
    generator = torch.Generator().manual_seed(3)
    values = torch.rand(shape, generator=generator)
    if kind < 5:
        fill = draw(st.sampled_from(FILLS))
        values = torch.full(shape, fill)
    elif kind == 5 and values.numel():
        values.view(-1)[-1] = draw(st.sampled_from(FILLS))
    whole = not dtype.is_floating_point and not dtype.is_complex
    made = values.nan_to_num(0, 100, 0).clamp(-100, 255).to(dtype) if whole else values.to(dtype)
    if kind == 6:
        return made.to_sparse() if made.ndim else made
    if kind == 7:
        return made.to("meta")
    if kind == 8 and made.ndim:
        return torch.nested.nested_tensor([made, made])
    if kind == 9 and made.ndim > 1:
        return made.transpose(0, -1)
    if kind == 10:
        return made.cpu().float().numpy()
    return made


def anything() -> st.SearchStrategy:
    return st.one_of(tensors(), st.sampled_from(OTHERS).map(lambda value: value))


def paths(value: Any, here: tuple = ()) -> list[tuple]:
    """The places in nested lists and dictionaries; of long lists the first few."""
    found = [here] if here else []
    items = (
        value.items() if isinstance(value, dict) else enumerate(value[:7]) if isinstance(value, list) else ()
    )
    for key, inner in items:
        found += paths(inner, (*here, key))
    return found


def mutated(sound: Any, odd: st.SearchStrategy | None = None) -> st.SearchStrategy:
    """A nested value with up to three of its places replaced, doubled or missing."""
    places, odd = paths(sound), odd or st.sampled_from(OTHERS)
    change = st.tuples(st.sampled_from(places), st.sampled_from(["set", "set", "drop", "double"]), odd)

    def apply(changes: list) -> Any:
        made = copy.deepcopy(sound)
        for path, how, value in changes:
            at = made
            try:
                for key in path[:-1]:
                    at = at[key]
                if how == "set":
                    at[path[-1]] = value
                elif how == "drop":
                    del at[path[-1]]
                elif isinstance(at, list):
                    at.append(copy.deepcopy(at[path[-1]]))
                else:
                    at[f"{path[-1]}_again"] = at[path[-1]]
            except (KeyError, IndexError, TypeError, AttributeError, RuntimeError):
                continue  # an earlier change took the place away
        return made

    return st.lists(change, min_size=1, max_size=3).map(apply)


def pose() -> list[dict]:
    body = [
        value for index in range(18) for value in (5.0 + index, 2.0 + index, float(index not in (10, 13)))
    ]
    hand = [value for index in range(21) for value in (8.0 + index / 4, 9.0, 1.0)]
    person = {
        "pose_keypoints_2d": body, "foot_keypoints_2d": [0.0] * 18, "hand_left_keypoints_2d": hand,
        "hand_right_keypoints_2d": None, "face_keypoints_2d": [],
        "recompose": {"confidence": [0.9] * 24, "estimated": [0] * 24},
    }  # fmt: skip
    return [{"canvas_width": WIDTH, "canvas_height": HEIGHT, "people": [person]}]


def json_texts(sound: Any) -> st.SearchStrategy:
    """A file's text with a few places changed, or one that is cut or no JSON at all."""

    def text(value: Any) -> str:
        return json.dumps(value, default=str)

    whole = mutated(sound).map(text)
    cut = st.tuples(whole, st.integers(1, 400)).map(lambda pair: pair[0][: -pair[1]])
    return st.one_of(whole, whole, cut, st.sampled_from(TEXTS), st.text(max_size=20))


def latent(samples: Tensor) -> dict:
    mask = torch.zeros(1, *samples.shape[-2:])
    mask[..., 1:] = 1
    return {"samples": samples, "noise_mask": mask, "batch_index": list(range(len(samples)))}


def latents(samples: Tensor) -> st.SearchStrategy:
    return st.one_of(mutated(latent(samples), st.one_of(tensors(), st.sampled_from(OTHERS))), anything())


def conditionings() -> st.SearchStrategy:
    word = torch.full((1, 3, 4), 0.4)
    wrong = st.one_of(st.sampled_from(OTHERS), st.just(word * NAN), st.just(word.long()), st.just(word[:0]))
    return st.one_of(mutated([[word, {"a": 1}]], wrong), anything())


def sigmas() -> st.SearchStrategy:
    numbers = st.lists(st.sampled_from([9.0, 5.0, 2.0, 1.0, 0.5, 0.0, NAN, INF, -1.0, 1e30]), max_size=9)
    return st.one_of(numbers.map(torch.tensor), numbers.map(lambda row: torch.tensor([row])), anything())
