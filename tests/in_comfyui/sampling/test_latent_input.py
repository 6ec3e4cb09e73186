"""What every node takes as LATENT, and its one sentence for anything else: docs/inputs.md."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

SENTENCE = r"^[A-Z][^\n]{30,390}\.$"
HALF = torch.zeros(1, 48, 40)
HALF[..., 20:] = 1
NAN = torch.full((2, 4, 6, 5), torch.nan)


def samples() -> Tensor:
    return torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(7))


def nested(*parts: Any) -> Any:
    return importlib.import_module("comfy.nested_tensor").NestedTensor(parts)


def one_bad(value: float) -> Tensor:
    latent = samples()
    latent[1, 3, 5, 4] = value
    return latent


# Name: the LATENT, and words that the sentence must hold. The first group is refused by every node.
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a tensor": (samples, "Tensor"),
    "a text": (lambda: "latent", "str"),
    "a list": (lambda: [samples()], "list"),
    "no samples": (lambda: {}, "nothing"),
    "other samples": (lambda: {"pixels": samples()}, "pixels"),
    "samples of none": (lambda: {"samples": None}, "samples"),
    "samples of numbers": (lambda: {"samples": [[1.0]]}, "list"),
    "samples of text": (lambda: {"samples": "x"}, "str"),
    "one axis": (lambda: {"samples": torch.zeros(4)}, r"\[4\]"),
    "two axes": (lambda: {"samples": torch.zeros(6, 5)}, r"\[6, 5\]"),
    "six axes": (lambda: {"samples": torch.zeros(1, 1, 4, 1, 6, 5)}, r"\[1, 1, 4, 1, 6, 5\]"),
    "no axis": (lambda: {"samples": torch.tensor(1.0)}, r"\[\]"),
    "an empty batch": (lambda: {"samples": torch.zeros(0, 4, 6, 5)}, r"\[0, 4, 6, 5\]"),
    "no width": (lambda: {"samples": torch.zeros(1, 4, 6, 0)}, r"\[1, 4, 6, 0\]"),
    "whole numbers": (lambda: {"samples": torch.zeros(2, 4, 6, 5, dtype=torch.int64)}, "int64"),
    "bool": (lambda: {"samples": torch.ones(2, 4, 6, 5, dtype=torch.bool)}, "bool"),
    "complex": (lambda: {"samples": torch.ones(2, 4, 6, 5, dtype=torch.complex64)}, "complex"),
    "sparse": (lambda: {"samples": torch.zeros(2, 4, 6, 5).to_sparse()}, "sparse"),
    "nan": (lambda: {"samples": NAN}, "NaN.*VAE Encode"),
    "one nan": (lambda: {"samples": one_bad(torch.nan)}, "NaN.*VAE Encode"),
    "one infinity": (lambda: {"samples": one_bad(torch.inf)}, "NaN or infinite.*VAE Encode"),
    "one negative infinity": (lambda: {"samples": one_bad(-torch.inf)}, "NaN or infinite"),
    "nan in half precision": (lambda: {"samples": NAN.half()}, "NaN"),
    "nothing nested": (lambda: {"samples": nested()}, "nothing"),
    "nested text": (lambda: {"samples": nested("a")}, "str"),
    "nested nan": (lambda: {"samples": nested(samples(), NAN[:, :, 0])}, "NaN"),
    "torch's nested": (
        lambda: {"samples": torch.nested.nested_tensor([torch.zeros(4, 6, 5)] * 2)},
        "nested|shape",
    ),
    "batch_index of another count": (lambda: {"samples": samples(), "batch_index": [0]}, "batch_index"),
    "batch_index of text": (lambda: {"samples": samples(), "batch_index": "ab"}, "batch_index"),
    "batch_index of texts": (lambda: {"samples": samples(), "batch_index": ["0", "1"]}, "batch_index"),
    "batch_index below 0": (lambda: {"samples": samples(), "batch_index": [-1, 0]}, "batch_index"),
    "batch_index of nan": (lambda: {"samples": samples(), "batch_index": [float("nan"), 0]}, "batch_index"),
    "a wild batch_index": (lambda: {"samples": samples(), "batch_index": [0, 10**15]}, "batch_index"),
    "a ratio of text": (lambda: {"samples": samples(), "downscale_ratio_spacial": "8"}, "downscale_ratio"),
    "a ratio of 0": (lambda: {"samples": samples(), "downscale_ratio_temporal": 0}, "downscale_ratio"),
}
MASKS: dict[str, tuple[Callable[[], Any], str]] = {
    "a text": (lambda: "mask", "str"),
    "a list": (lambda: [1.0], "list"),
    "one axis": (lambda: torch.ones(5), r"\[5\]"),
    "six axes": (lambda: torch.ones(1, 1, 1, 1, 6, 5), r"\[1, 1, 1, 1, 6, 5\]"),
    "empty": (lambda: torch.ones(0, 48, 40), r"\[0, 48, 40\]"),
    "no width": (lambda: torch.ones(1, 48, 0), r"\[1, 48, 0\]"),
    "nan": (lambda: torch.full((1, 48, 40), torch.nan), "NaN"),
    "infinite": (lambda: torch.full((1, 48, 40), torch.inf), "NaN or infinite"),
    "another aspect": (lambda: torch.ones(1, 40, 48), "aspect"),
    "another size": (lambda: torch.ones(1, 48, 55), "aspect"),
    "another batch": (lambda: torch.ones(3, 48, 40), "batch of 3"),
    "another batch with channel": (lambda: torch.ones(5, 1, 48, 40), "batch of 5"),
    "whole numbers": (lambda: torch.full((1, 48, 40), 255, dtype=torch.int64), "whole numbers"),
    "complex": (lambda: torch.ones(1, 48, 40, dtype=torch.complex64), "complex"),
    "nothing nested": (lambda: nested(), "nothing"),
    "nested": (lambda: nested(torch.ones(1, 48, 40)), "nested"),
}


@pytest.fixture(params=["RePaint", "Lagrange", "Snap Mask to Latent"])
def taking(request: pytest.FixtureRequest, world: Callable, methods: dict) -> Callable[[Any], Any]:
    """Give a LATENT to each of the nodes that take one; no model may be asked."""
    if request.param.startswith("Snap"):
        node = importlib.import_module("recompose.nodes.mask").SnapMaskToLatent

        def take(latent: Any) -> Any:
            return node.execute(mask=HALF, grow_cells=0, ratio=8, samples=latent).args[1]

        return take
    this, method = world("eps"), methods[request.param]

    def paint(latent: Any) -> Any:
        if isinstance(latent, dict) and latent.get("samples") is not None:
            latent = {"noise_mask": HALF, **latent}
        else:
            this.model.model.diffusion_model.broken = True
        inputs = {"positive": this.positive, "negative": this.negative, "scheduler": "normal", "cfg": 3.0}
        inputs |= {"model": this.model, "latent": latent, "seed": 5, "denoise": 1.0, **method.inputs}
        with torch.inference_mode():
            return method.node.execute(**inputs).args[0]

    return paint


@pytest.mark.parametrize(("latent", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_latent_is_one_sentence_before_the_model_is_asked(
    latent: Callable[[], Any], words: str, taking: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = importlib.import_module("comfy.sample")
    monkeypatch.setattr(sample, "sample_custom", lambda *_, **__: pytest.fail("sampled"))
    with pytest.raises(ValueError, match=SENTENCE) as caught:
        taking(latent())

    assert re.search(words, str(caught.value)), caught.value


@pytest.mark.parametrize(("mask", "words"), MASKS.values(), ids=MASKS)
def test_a_noise_mask_that_does_not_fit_is_one_sentence(
    mask: Callable[[], Any], words: str, world: Callable, method: Any
) -> None:
    this = world("eps")
    with pytest.raises(ValueError, match=SENTENCE) as caught:
        method.paint(this, latent={"noise_mask": mask()})

    assert re.search(words, str(caught.value)), caught.value


TAKEN = {
    "half precision": lambda: {"samples": samples().half()},
    "bfloat16": lambda: {"samples": samples().bfloat16()},
    "double": lambda: {"samples": samples().double()},
    "not contiguous": lambda: {"samples": samples().permute(0, 1, 3, 2).contiguous().permute(0, 1, 3, 2)},
    "other keys": lambda: {"samples": samples(), "type": "audio", "mine": 3},
    "rows of a batch": lambda: {"samples": samples(), "batch_index": [3, 7]},
}


@pytest.mark.parametrize("latent", TAKEN.values(), ids=TAKEN)
def test_every_latent_of_pictures_is_taken(latent: Callable[[], Any], taking: Callable[[Any], Any]) -> None:
    given = latent()
    made = taking(given)
    assert made["samples"].shape == given["samples"].shape
    assert torch.isfinite(made["samples"]).all()
    assert {name: made[name] for name in given if name != "samples"} == {
        name: given[name] for name in given if name != "samples"
    }


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_the_sampler_objects_look_at_the_latent_before_the_model(
    value: float, world: Callable, method: Any
) -> None:
    this = world("eps")
    with pytest.raises(ValueError, match=r"latent holds NaN.*VAE Encode"):
        this.run(method.sampler, this.sigmas(7), latent=one_bad(value))
    assert this.seen == []


def test_traces_in_a_noise_mask_are_no_mask(world: Callable, method: Any) -> None:
    this = world("eps")
    mask = torch.full((1, 48, 40), 1 / 255)
    assert method.paint(this, latent={"noise_mask": mask})["samples"] is this.latent
    mask[..., 20:] = 1
    out = method.paint(this, latent={"noise_mask": mask})["samples"]
    assert (out - this.latent)[..., :2].abs().max() < 1e-6


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (torch.ones(1, 16, 6, 5), "a picture's with 16 channels but the model takes a picture's with 4"),
        (torch.ones(1, 4, 3, 6, 5), "a video's with 4 channels but the model takes a picture's with 4"),
    ],
    ids=["channels", "video"],
)
def test_a_latent_of_another_model_is_one_sentence_before_it_is_asked(
    samples: Tensor, words: str, world: Callable, method: Any
) -> None:
    this = world("eps")
    this.model.model.diffusion_model.forward = None
    with pytest.raises(ValueError, match=SENTENCE) as caught:
        method.paint(this, latent={"samples": samples, "noise_mask": HALF})
    assert words in str(caught.value)
