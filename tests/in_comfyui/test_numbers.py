"""What comes over a link is held to the node's schema as what is typed: docs/inputs.md."""

from __future__ import annotations

import importlib
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

NAN, INF = float("nan"), float("inf")
SENTENCE = r"^[A-Z][^\n]{20,300}\.$"
MASK = torch.zeros(1, 32, 40)
MASK[:, 8:20, 8:24] = 1
FEATHER = {"mask": MASK, "grow": 0.0, "feather": 4.0, "direction": "both", "shape": "linear"}
SNAP = {"mask": MASK, "grow_cells": 0, "ratio": 8}
REPAINT = {"jump_length": 4, "resamplings": 2, "eta": 1.0, "start": 0.0, "end": 1.0}
EXTEND = {"image": torch.rand(1, 32, 40, 3), "multiple_of": 8, "feather": 0, "fill": {"fill": "edge"}}
SIDES = {"mode": "sides", "left": 0, "top": 0, "right": 8, "bottom": 0}
REGION = {"x": 0, "y": 0, "width": 40, "height": 24, "canvas_width": 40, "canvas_height": 32}
STITCH = {"original": torch.rand(1, 32, 40, 3), "generated": torch.rand(1, 32, 40, 3), "mask": MASK}
STITCH |= {"mode": {"mode": "strict"}, "region": REGION}

M, S, C = "mask", "sampling", "canvas"
BODY = {"mode": "body", "margin": 4.0, "max_extension": 1.0}


def vae(ratio: float) -> SimpleNamespace:
    return SimpleNamespace(spacial_compression_encode=lambda: ratio)


# Module, node, its inputs, what is changed, words of the sentence.
REFUSED: list[tuple[str, str, dict, dict, str]] = [
    *((M, "FeatherMask", FEATHER, {"grow": value}, "grow") for value in (NAN, INF, -5000, "1", None, [1.0])),
    *((M, "FeatherMask", FEATHER, {"feather": value}, "feather") for value in (-1, NAN, 1e30)),
    (M, "FeatherMask", FEATHER, {"direction": "up"}, "direction must be one of both"),
    (M, "FeatherMask", FEATHER, {"shape": 3}, "shape must be one of linear"),
    (M, "FeatherMask", FEATHER, {"border_is_edge": "yes"}, "border_is_edge must be true or false"),
    (M, "FeatherMask", FEATHER, {"mask": None}, "mask is missing"),
    *((M, "SnapMaskToLatent", SNAP, {"grow_cells": value}, "grow_cells") for value in (-1, 1.5, NAN, 65)),
    *((M, "SnapMaskToLatent", SNAP, {"ratio": value}, "ratio") for value in (0, -8, INF, 129)),
    (M, "SnapMaskToLatent", SNAP, {"vae": 3}, "vae"),
    (M, "SnapMaskToLatent", SNAP, {"vae": vae(0)}, "vae"),
    (
        "mask",
        "SnapMaskToLatent",
        SNAP,
        {"vae": vae(NAN)},
        "vae",
    ),
    *((S, "RePaintSampler", REPAINT, {"jump_length": value}, "jump_length") for value in (0, -1, NAN)),
    *((S, "RePaintSampler", REPAINT, {"eta": value}, "eta") for value in (NAN, -0.1, 1.5)),
    *(
        (S, "RePaintSampler", REPAINT, {"sigmas": value}, "sigmas")
        for value in (3, [1.0, 0.0], torch.ones(2, 2), torch.tensor(1.0), torch.tensor([2, 1, 0]))
    ),
    (C, "ExtendCanvas", EXTEND, {"mode": {"mode": "Sides"}}, "mode must be one of body, sides"),
    (C, "ExtendCanvas", EXTEND, {"mode": "sides"}, "mode must be one of"),
    (C, "ExtendCanvas", EXTEND, {"mode": {**SIDES, "left": -3}}, "mode.left must be a whole number"),
    (C, "ExtendCanvas", EXTEND, {"mode": {**SIDES, "top": NAN}}, "mode.top"),
    (C, "ExtendCanvas", EXTEND, {"mode": {**SIDES, "right": 10**9}}, "mode.right"),
    (C, "ExtendCanvas", EXTEND, {"mode": SIDES, "fill": {"fill": "noise", "seed": -1}}, "fill.seed"),
    (C, "ExtendCanvas", EXTEND, {"mode": SIDES, "multiple_of": 0}, "multiple_of"),
    (
        "canvas",
        "ExtendCanvas",
        EXTEND,
        {"mode": {**BODY, "max_extension": NAN}},
        "max_ext",
    ),
    *(
        (C, "StitchBack", STITCH, {"region": value}, "region")
        for value in (3, [1], {**REGION, "x": -1}, {**REGION, "width": 0}, {**REGION, "x": NAN})
    ),
    (C, "StitchBack", STITCH, {"region": {**REGION, "width": 41}}, "region"),
    (C, "StitchBack", STITCH, {"region": {**REGION, "width": "40"}}, "region"),
    (C, "StitchBack", STITCH, {"region": {}}, "region"),
    *((C, "StitchBack", STITCH, {"context": value}, "context") for value in (3, "x", {}, (1, 2, 3))),
    *((C, "StitchBack", STITCH, {"patches": value}, "patches") for value in ([1], {"patch0": 3})),
    (C, "MakePatch", {"mask": MASK, "generated": None}, {"context": None}, "context is missing"),
    (C, "MakePatch", {"mask": MASK, "generated": None}, {"context": "x"}, "context"),
]


@pytest.mark.parametrize(("module", "node", "given", "change", "words"), REFUSED, ids=lambda _: "")
def test_a_value_outside_the_schema_is_one_sentence_that_names_its_input(
    module: str, node: str, given: dict, change: dict, words: str, comfy: ModuleType
) -> None:
    kind = getattr(importlib.import_module(f"recompose.nodes.{module}"), node)
    full: dict[str, Any] = {"border_is_edge": False} if node == "FeatherMask" else {}
    full |= {"mode": SIDES} if node == "ExtendCanvas" else {}
    with pytest.raises(ValueError, match=SENTENCE) as caught:
        kind.execute(**{**full, **given, **change})
    assert words in str(caught.value), caught.value


def test_numbers_of_other_kinds_are_taken(comfy: ModuleType) -> None:
    kind = importlib.import_module("recompose.nodes.mask").FeatherMask
    whole = kind.execute(**FEATHER, border_is_edge=False).args[0]
    for value in (4, np.float32(4), np.int64(4)):
        given = {**FEATHER, "feather": value, "border_is_edge": np.bool_(False)}
        assert torch.equal(kind.execute(**given).args[0], whole)
    snap = importlib.import_module("recompose.nodes.mask").SnapMaskToLatent
    assert torch.equal(snap.execute(MASK, 1.0, 8.0).args[0], snap.execute(MASK, 1, 8).args[0])
    assert torch.equal(snap.execute(MASK, True, 8).args[0], snap.execute(MASK, 1, 8).args[0])


def test_every_node_of_the_pack_checks_its_inputs(comfy: ModuleType) -> None:
    """Also in the copy of its class that ComfyUI runs."""
    types = importlib.import_module("recompose.nodes.types")
    clone = importlib.import_module("comfy_api.internal").shallow_clone_class
    for name in ("canvas", "caption", "detect", "mask", "pose", "pose_edit", "sampling"):
        for kind in importlib.import_module(f"recompose.nodes.{name}").NODES:
            assert issubclass(kind, types.Node)
            inner = kind.execute.__func__
            assert clone(kind).execute.__func__ is inner and not hasattr(inner.__wrapped__, "__wrapped__")
