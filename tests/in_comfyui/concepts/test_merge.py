"""Several concepts in one model, and files of them."""

from __future__ import annotations

import contextlib
import importlib
import resource
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.concepts.concept import Concept, LowRank
from recompose.tests.in_comfyui.concepts.conftest import WIDTH, Loaded
from recompose.tests.in_comfyui.concepts.test_load import KEY, UNET, encoded, vectors, weight_of

CAPTIONS = "\n".join(
    f"a photo of number {number} in a {place}" for number in range(20) for place in ("street", "room")
)


def concepts(loaded: Loaded) -> list[Concept]:
    state = loaded.model.model.state_dict()
    names = [name[len(UNET) :] for name in state if name.endswith(("attn2.to_k.weight", "attn2.to_v.weight"))]
    made = []
    for number in (1, 2):
        generator = torch.Generator().manual_seed(number)
        weights = {
            n: state[UNET + n] + 0.1 * torch.randn(state[UNET + n].shape, generator=generator) for n in names
        }
        made.append(Concept(weights, {f"<new{number}>": vectors(number)}))
    return made


def test_each_word_keeps_its_own_concepts_keys_and_values(sd1: Loaded, merge: ModuleType) -> None:
    both = concepts(sd1)
    model, clip, found = merge.merge_concepts(sd1.model, sd1.clip, both, "cat, pot", "closed form", CAPTIONS)
    for concept, text in zip(both, ("<new1> cat", "photo of a <new2> pot"), strict=True):
        places = clip.tokenize(text)["l"][0]
        start = next(i for i, entry in enumerate(places) if isinstance(entry[0], torch.Tensor))
        read = encoded(clip, text)[0, start : merge.place_count(clip, text) + 1].double()
        for name, weight in concept.weights.items():
            wanted = read @ weight.double().T  # type: ignore[union-attr]
            got = read @ found.weights[name].double().T
            assert (got - wanted).abs().max() <= 1e-6 * wanted.abs().max()
    assert list(found.tokens) == ["<new1>", "<new2>"]
    assert torch.allclose(weight_of(model), found.weights[KEY], atol=1e-6)


def test_nothing_to_merge_gives_the_base(sd1: Loaded, merge: ModuleType) -> None:
    alone = Concept({KEY: sd1.model.model.state_dict()[UNET + KEY].clone()}, {"<new1>": vectors(1)})
    model, _, _ = merge.merge_concepts(sd1.model, sd1.clip, [alone], "", "closed form", CAPTIONS)
    assert torch.allclose(weight_of(model), weight_of(sd1.model), atol=1e-6)


def test_the_average_is_the_mean(sd1: Loaded, merge: ModuleType) -> None:
    one, two = concepts(sd1)
    _, _, found = merge.merge_concepts(sd1.model, sd1.clip, [one, two], "", "average")
    assert torch.allclose(found.weights[KEY], (one.weights[KEY] + two.weights[KEY]) / 2, atol=1e-6)


def test_sdxl(sdxl: Loaded, merge: ModuleType) -> None:
    both = [
        Concept(each.weights, {word: vectors(number, "clip_l", "clip_g") for word in each.tokens})
        for number, each in enumerate(concepts(sdxl))
    ]
    _, clip, found = merge.merge_concepts(sdxl.model, sdxl.clip, both, "cat,pot", "closed form", CAPTIONS)
    read = encoded(clip, "<new1> cat")[0, 1:4].double()
    name = next(iter(both[0].weights))
    wanted = read @ both[0].weights[name].double().T  # type: ignore[union-attr]
    assert (read @ found.weights[name].double().T - wanted).abs().max() <= 1e-6 * wanted.abs().max()


def broken(loaded: Loaded) -> list[tuple[list[Concept], str, str, str]]:
    one, two = concepts(loaded)
    queries = KEY.replace("to_k", "to_q")
    state = loaded.model.model.state_dict()
    return [
        ([one, Concept(two.weights, one.tokens)], "", "closed form", "two concepts have the word <new1>"),
        ([one, two], "cat", "closed form", "one word for each of 2 new words"),
        ([Concept({queries: state[UNET + queries]}, one.tokens)], "", "closed form", "choose average"),
        ([Concept(text={"x": torch.ones(1)})], "", "average", "changes the text encoder"),
        ([Concept({KEY: torch.ones(3, 3)})], "", "average", "connect a model of that kind"),
    ]


def test_what_cannot_be_merged(sd1: Loaded, merge: ModuleType) -> None:
    for some, classes, method, why in broken(sd1):
        with pytest.raises(ValueError, match=why):
            merge.merge_concepts(sd1.model, sd1.clip, some, classes, method, CAPTIONS)


@pytest.fixture
def save(comfy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Save Concept on an output folder of its own, where Load Concept looks as well."""
    paths = importlib.import_module("folder_paths")
    monkeypatch.setattr(paths, "get_output_directory", lambda: str(tmp_path))
    monkeypatch.setattr(paths, "output_directory", str(tmp_path))
    return importlib.import_module("recompose.bridge.concepts.save")


@pytest.mark.parametrize("layout", ["Recompose", "diffusers"])
def test_what_is_saved_loads_again(sd1: Loaded, save: ModuleType, layout: str) -> None:
    load, choices = (
        importlib.import_module(f"recompose.bridge.{name}") for name in ("concepts.load", "choices")
    )
    concept = concepts(sd1)[0]
    saved = save.save_concept(concept, "concepts/cat", layout)
    name = next(each for each in choices.concepts() if "<" not in each)
    assert f"concepts/{name}" in saved
    _, clip, token, again = load.load_concept(sd1.model, sd1.clip, name, 1.0)
    assert token == "<new1>" and again.weights[KEY].equal(concept.weights[KEY])
    assert clip.tokenize("<new1>")["l"][0][1][0].equal(concept.tokens["<new1>"]["clip_l"])
    second = save.save_concept(concept, "concepts/cat", layout)
    assert not set(saved) & set(second)


@pytest.mark.parametrize("layout", ["Recompose", "diffusers"])
def test_a_full_disk_leaves_nothing_behind(
    sd1: Loaded, save: ModuleType, layout: str, tmp_path: Path
) -> None:
    """A limit of the size of a file stands for it; the words' file is below it, the weights' above."""
    concept = concepts(sd1)[0]
    with largest_file(2048), pytest.raises(RuntimeError, match=r"^Save Concept: .*; make room") as full:
        save.save_concept(concept, "concepts/cat", layout)
    assert "\n" not in str(full.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert [path.name for path in tmp_path.rglob("*")] in ([], ["concepts"])
    assert save.save_concept(concept, "concepts/cat", layout)


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Within, no file of this process can grow above a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_diffusers_files_cannot_hold(sd1: Loaded, save: ModuleType) -> None:
    low: Any = LowRank(torch.ones(4, 1), torch.ones(1, WIDTH))
    for concept, why in (
        (Concept({KEY: low}), "whole weights"),
        (Concept(text={"x": torch.ones(1)}), "no weights of the text encoder"),
    ):
        with pytest.raises(ValueError, match=why):
            save.save_concept(concept, "concepts/cat", "diffusers")
