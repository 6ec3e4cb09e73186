"""What comes over a link is held to the node's schema as what is typed: docs/inputs.md."""

from __future__ import annotations

import importlib
from collections.abc import Callable
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


def test_lazy_nodes_ask_by_a_sentence_as_well(comfy: ModuleType) -> None:
    canvas = importlib.import_module("recompose.nodes.canvas")
    sparse = MASK.to_sparse()
    for kind, given in (
        (canvas.StitchBack, {**STITCH, "generated": None, "mask": sparse}),
        (canvas.StitchBack, {**STITCH, "generated": None, "context": torch.zeros(1)}),
        (canvas.MakePatch, {"mask": sparse, "context": None}),
        (canvas.MakePatch, {"mask": torch.zeros(1, 32, 40, device="meta"), "context": None}),
    ):
        with pytest.raises(ValueError, match=SENTENCE):
            kind.check_lazy_status(**given)
    # Where nothing is connected ComfyUI passes a tuple for a dynamic input.
    given = {**STITCH, "generated": None, "mode": ("strict", "mode"), "patches": ({}, "patches")}
    assert canvas.StitchBack.check_lazy_status(**given) == ["generated"]


CONDITIONINGS = {
    "a tensor": lambda words: words,
    "nothing": lambda words: [],
    "words alone": lambda words: [words],
    "no options": lambda words: [[words]],
    "options of another kind": lambda words: [[words, 3]],
    "no words": lambda words: [[None, {}]],
    "empty words": lambda words: [[words[:0], {}]],
    "whole numbers": lambda words: [[words.long(), {}]],
}


@pytest.mark.parametrize("name", ["positive", "negative"])
@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_words_that_are_no_numbers_are_named(name: str, value: float, comfy: ModuleType) -> None:
    nodes = importlib.import_module("recompose.nodes.sampling")
    model = SimpleNamespace(get_model_object=None, model_options={}, load_device=None)
    words = torch.ones(1, 3, 4)
    given = {"positive": [[words, {}]], "negative": [[words, {}]], name: [[words * value, {}]]}
    given |= {"model": model, "latent": {}, "steps": 9, "scheduler": "inpaint", "cfg": 5.0, "seed": 0}
    with pytest.raises(ValueError, match=rf"^Lagrange Inpaint: {name} holds NaN or infinite values; check"):
        nodes.LagrangeInpaint.execute(**given, denoise=1.0)


@pytest.mark.parametrize("make", CONDITIONINGS.values(), ids=CONDITIONINGS)
@pytest.mark.parametrize("name", ["positive", "negative"])
def test_what_is_no_conditioning_is_one_sentence(name: str, make: Callable, comfy: ModuleType) -> None:
    nodes = importlib.import_module("recompose.nodes.sampling")
    model = SimpleNamespace(get_model_object=None, model_options={}, load_device=None)
    words = torch.ones(1, 3, 4)
    given = {"positive": [[words, {}]], "negative": [[words, {}]], name: make(words), "model": model}
    given |= {"latent": {}, "steps": 9, "scheduler": "inpaint", "cfg": 5.0, "seed": 0, "denoise": 1.0}
    with pytest.raises(ValueError, match=rf"Lagrange Inpaint: {name} .*CLIP Text Encode\.$"):
        nodes.LagrangeInpaint.execute(**given)
    for other in (None, 3, "model", {}, SimpleNamespace()):
        with pytest.raises(ValueError, match="Inpaint Scheduler: model"):
            nodes.InpaintScheduler.execute(model=other, steps=9, denoise=1.0)


def test_an_endless_schedule_is_refused(comfy: ModuleType) -> None:
    nodes = importlib.import_module("recompose.nodes.sampling")
    model = SimpleNamespace(get_model_object=None, model_options={}, load_device=None)
    for denoise in (1e-320, 1e-9, 4e-5):
        with pytest.raises(ValueError, match="raise denoise"):
            nodes.InpaintScheduler.execute(model=model, steps=50, denoise=denoise)


def test_an_optional_input_that_comes_as_nothing_is_left_out(comfy: ModuleType) -> None:
    sampler = importlib.import_module("recompose.nodes.sampling").RePaintSampler
    assert sampler.execute(**REPAINT, sigmas=None).args[0].settings.jump_length == 4


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
