"""Same Noise and Rows: a batch of equal noise and different prompts, or a sentence."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models


class Clip:
    """A text encoder of one chunk of 77 tokens for every 60 letters, which says what it encoded."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def tokenize(self, text: str) -> str:
        self.texts.append(text)
        return text

    def encode_from_tokens_scheduled(self, text: str) -> list:
        generator = torch.Generator().manual_seed(len(text))
        words = torch.randn(1, 77 * (1 + len(text) // 60), 16, generator=generator)
        return [[words, {"pooled_output": words.mean(1)}]]


@pytest.fixture
def nodes(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.nodes.attention")


@pytest.fixture
def rows(nodes: ModuleType) -> Callable[..., Any]:
    def made(*given: Any, source: str = "", targets: str = "", clip: Any = None, model: Any = None) -> Any:
        numbered = {f"conditioning{number}": each for number, each in enumerate(given)}
        return nodes.Rows.execute(source, targets, clip, model, numbered).args

    return made


def row(length: int = 77, seed: int = 1, count: int = 1, width: int = 16, **more: Any) -> list:
    return [[torch.randn(count, length, width, generator=torch.Generator().manual_seed(seed)), more]]


@pytest.mark.parametrize("shape", [(1, 4, 6, 5), (3, 4, 6, 5), (1, 16, 3, 6, 5)], ids=str)
def test_every_row_gets_the_noise_of_the_first(shape: tuple, nodes: ModuleType) -> None:
    sample = importlib.import_module("comfy.sample")
    latent = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    out = nodes.SameNoise.execute({"samples": latent, "noise_mask": torch.ones(1, 6, 5)}, 3).args[0]
    noise = sample.prepare_noise(out["samples"], 7, out["batch_index"])
    assert all(torch.equal(each, sample.prepare_noise(latent, 7, [0] * len(latent))[0]) for each in noise)
    assert torch.equal(out["samples"], latent.expand(3, *shape[1:])) and len(out["noise_mask"]) == 1
    assert out["samples"].data_ptr() != latent.data_ptr() or len(latent) == 3


def test_a_row_keeps_its_number(nodes: ModuleType) -> None:
    out = nodes.SameNoise.execute({"samples": torch.zeros(1, 4, 6, 5), "batch_index": [5]}, 2).args[0]
    assert out["batch_index"] == [5, 5]


def test_another_number_of_rows_is_refused(nodes: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^Same Noise: the latent has 3 rows but 2 are asked for; .*\.$"):
        nodes.SameNoise.execute({"samples": torch.zeros(3, 4, 6, 5)}, 2)
    with pytest.raises(ValueError, match=r"^Same Noise: the latent holds NaN .*\.$"):
        nodes.SameNoise.execute({"samples": torch.full((1, 4, 6, 5), torch.nan)}, 2)


def test_conditionings_are_rows_in_their_order(rows: Callable) -> None:
    one, two = row(seed=1, pooled_output=torch.ones(1, 5)), row(seed=2, count=2, pooled_output=None)
    (words, more), count = rows(one, two)[0][0], rows(one, two)[1]
    assert count == 3 and torch.equal(words, torch.cat((one[0][0], two[0][0])))
    assert more["pooled_output"].tolist() == [[1] * 5, [0] * 5, [0] * 5]


def test_prompts_are_rows_after_the_connected_ones(rows: Callable) -> None:
    for given, source, targets, texts in (
        ((), "a man", "a dog\n\n  a cat ", ["a man", "a dog", "a cat"]),
        ((), "", "a dog", ["", "a dog"]),
        ((row(),), "", "a dog", ["a dog"]),
        ((row(),), "a man", "a dog", ["a man", "a dog"]),
        ((row(), row()), " ", "\n", []),
    ):
        clip = Clip()
        conditioning, count = rows(*given, source=source, targets=targets, clip=clip)
        assert clip.texts == texts and count == len(conditioning[0][0]) == len(given) + len(texts)


def test_longer_prompts_of_clip_leave_the_shorter_row_as_it_is(rows: Callable) -> None:
    """Keys and values twice over give the same attention."""
    world = models.unet()
    short, long = world.prompt(1), world.prompt(2, 231)
    longer = world.prompt(3, 154)
    out = world.run(positive=rows(short, long, longer)[0], rows=3)
    for number, prompt in enumerate((short, long, longer)):
        alone = world.run(positive=prompt, rows=3)[number]
        assert (out[number] - alone).abs().max() < 1e-4 * alone.std()


def test_masks_of_padding_are_padded(rows: Callable) -> None:
    mask = torch.tensor([[1, 1, 0]])
    (words, more), _ = rows(row(3, attention_mask=mask), row(5))[0][0], 0
    assert words.shape == (2, 5, 16) and not words[0, 3:].any()
    assert more["attention_mask"].tolist() == [[1, 1, 0, 0, 0], [1, 1, 1, 1, 1]]


def test_what_rows_share_is_kept_and_their_own_is_joined(rows: Callable) -> None:
    shared = {"guidance": 3.5, "reference_latents": [torch.ones(1, 4, 6, 5)]}
    more = rows(row(**shared), row(**shared))[0][0][1]
    assert more["guidance"] == 3.5 and len(more["reference_latents"][0]) == 1
    own = [torch.full((1, 4, 6, 5), tone) for tone in (1.0, 2.0)]
    more = rows(*(row(reference_latents=[each]) for each in own))[0][0][1]
    assert torch.equal(more["reference_latents"][0], torch.cat(own))


def test_regions_are_joined_one_by_one(rows: Callable) -> None:
    left, right = torch.zeros(1, 6, 5), torch.ones(1, 6, 5)
    two = [row(seed=seed, mask=left)[0] for seed in (1, 2)]
    found, count = rows(two, [row(seed=seed, mask=right)[0] for seed in (3, 4)])
    assert count == 2 and [len(words) for words, _ in found] == [2, 2]
    assert torch.equal(found[0][1]["mask"], torch.cat((left, right)))


WRONG: dict[str, tuple[Callable[[], list], dict, str]] = {
    "no row": (lambda: [], {}, r"^Rows needs at least two rows, .* has 0; .*\.$"),
    "one row": (lambda: [row()], {}, r"^Rows needs at least two rows, .* has 1; .*\.$"),
    "prompts without clip": (lambda: [], {"source": "a", "targets": "b"}, r"^Rows needs clip .*\.$"),
    "NaN": (
        lambda: [row(), [[torch.full((1, 77, 16), torch.nan), {}]]], {},
        r"^Rows: conditionings\.conditioning1 holds NaN or infinite values; .*\.$",
    ),
    "infinity in half precision": (
        lambda: [[[torch.full((1, 77, 16), torch.inf).half(), {}]], row()], {},
        r"^Rows: conditionings\.conditioning0 holds NaN or infinite values; .*\.$",
    ),
    "other encoders": (lambda: [row(), row(width=8)], {}, r"^Rows: .* \[1, 77, 16\], \[1, 77, 8\]; .*\.$"),
    "other lengths": (lambda: [row(20), row(35)], {}, r"^Rows: .* 20, 35 tokens .* connect model.*\.$"),
    "other lengths of T5": (
        lambda: [row(154, width=4096), row(231, width=4096)], {}, r"^Rows: .* 154, 231 tokens .*\.$",
    ),
    "other guidance": (lambda: [row(guidance=3), row(guidance=2)], {}, r"^Rows: .* differ in guidance .*\.$"),
    "guidance in one": (lambda: [row(guidance=3.5), row()], {}, r"^Rows: .* differ in guidance .*\.$"),
    "regions in one": (lambda: [[*row(), *row()], row()], {}, r"^Rows: .* 2, 1 regions; .*\.$"),
    "ControlNets": (
        lambda: [row(control=object()), row(control=object())], {}, r"^Rows: .* Control Rows .*\.$",
    ),
    "other references": (
        lambda: [row(reference_latents=[torch.ones(1, 4, 6, side)]) for side in (4, 5)], {},
        r"^Rows: reference_latents has the shapes .*\.$",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "more", "sentence"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_one_batch_is_said(given: Callable, more: dict, sentence: str, rows: Callable) -> None:
    with pytest.raises(ValueError, match=sentence):
        rows(*given(), **more)


def test_a_model_that_cannot_leave_out_padding_is_named_so(rows: Callable) -> None:
    world = models.unet()
    assert rows(row(20), row(35), model=world.model)[0][0][0].shape == (2, 140, 16)


def test_inputs_are_not_changed(rows: Callable) -> None:
    given = [row(77, pooled_output=torch.ones(1, 5)), row(154, pooled_output=torch.zeros(1, 5))]
    before = [(each[0][0].clone(), dict(each[0][1])) for each in given]
    rows(*given)
    for (words, more), each in zip(before, given, strict=True):
        assert torch.equal(each[0][0], words) and each[0][1].keys() == more.keys()


def test_nan_from_the_text_encoder_is_said(rows: Callable) -> None:
    clip = Clip()
    clip.encode_from_tokens_scheduled = lambda text: (
        row() if text == "a" else [[torch.tensor([[[torch.nan]]]), {}]]
    )
    with pytest.raises(ValueError, match=r"^Rows: the conditioning of a typed prompt holds NaN .*\.$"):
        rows(source="a", targets="b", clip=clip)
