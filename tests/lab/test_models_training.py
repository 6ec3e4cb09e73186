"""Every demo training learns: a few steps on a few pictures, one training after the other as for real."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path
from statistics import mean
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

SMALL = {"pictures": 4, "closer": 3, "encoder": True, "batch": 2, "size": 32, "warmup": 2, "save_minutes": 60}
# name: steps, learning rate, and what is at most left of the loss of the batch that is trained on
TRAININGS = {
    "vae": (40, 2e-3, 0.8),
    "text": (20, 2e-3, 0.7),
    "unet": (20, 2e-3, 0.8),
    "openpose": (40, 1e-3, 0.85),
    "captioner": (40, 3e-3, 0.5),
    "evaluator": (30, 2e-3, 0.7),
    "detector": (30, 2e-3, 0.7),
}


@pytest.fixture(scope="module")
def places(comfy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from recompose.lab.train.places import Places

    folder = tmp_path_factory.mktemp("training")
    return Places(folder / "weights", folder / "cache")


def run(name: str, places: Any, steps: int, rate: float) -> tuple[float, float]:
    """Train on one batch with one noise; returns its loss before and after.

    Whatever the rounding, that loss falls far. What many batches teach in a few steps is little beside what
    their noise does to it.
    """
    from recompose.lab.train import catalogue, task

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    config = task.configuration(name) | SMALL | {"steps": steps, "learning_rate": rate, "ema_decay": 0.5}
    try:
        training = catalogue.task(name, config, places)
        own, batch = training.loss, next(iter(training.batches))

        def loss(batch: Any) -> torch.Tensor:
            torch.manual_seed(11)
            return own(batch)

        training.loss, training.batches = loss, repeat(batch)
        with torch.no_grad():
            before = float(loss(batch))
        assert len(list(task.train(training, config, places, minutes=60))) == steps
        with torch.no_grad():
            return before, float(loss(batch))
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("name", TRAININGS)
def test_it_learns_and_its_weights_are_kept(places: Any, name: str) -> None:
    from recompose.lab.toy.models import parts

    steps, rate, share = TRAININGS[name]
    # The UNet's training moves the ControlNet as well.
    kept = (
        parts.read(places.weights, name)[1]["steps"]
        if (places.weights / f"{name}.safetensors").is_file()
        else 0
    )
    before, after = run(name, places, steps, rate)
    assert after < share * before, (before, after)
    assert parts.read(places.weights, name)[1]["steps"] == str(int(kept) + steps)


def test_training_goes_on_from_the_kept_weights(places: Any, tmp_path: Path) -> None:
    from recompose.lab.toy.models import parts
    from recompose.lab.train import catalogue, task

    run("captioner", places, 3, 1e-3)
    settings = (
        task.configuration("captioner") | SMALL | {"probe_weight": 0}
    )  # whose heads always start afresh
    training = catalogue.task("captioner", settings, places)
    assert (
        training.notes["captioner"]["steps"] == 43 == int(parts.read(places.weights, "captioner")[1]["steps"])
    )
    kept = parts.read(places.weights, "captioner")[0]
    found = training.networks["captioner"].state_dict()
    assert all(torch.equal(found[key], value.float()) for key, value in kept.items())
    fresh = catalogue.task("captioner", settings, task.Places(tmp_path, places.cache))
    batch = next(iter(fresh.batches))  # the one that the first training was of
    with torch.no_grad():
        assert float(training.loss(batch)) < 0.7 * float(fresh.loss(batch))


def test_a_decoder_trained_alone_leaves_the_latents(places: Any, tmp_path: Path) -> None:
    from recompose.lab.toy.models import parts
    from recompose.lab.train import catalogue, task

    own = task.Places(tmp_path, places.cache)
    config = task.configuration("vae") | SMALL | {"encoder": False, "steps": 3, "learning_rate": 1e-3}
    training = catalogue.task("vae", config, own)
    before = {key: value.clone() for key, value in training.networks["vae"].state_dict().items()}
    list(task.train(training, config, own, minutes=60))
    after = parts.read(tmp_path, "vae")[0]
    changed = {
        key
        for key, value in before.items()
        if not torch.equal(after[f"first_stage_model.{key}"].float(), requantised(value))
    }
    assert changed and all(key.startswith("taesd_decoder") for key in changed)


def requantised(value: torch.Tensor) -> torch.Tensor:
    """The weight as it is read back from its part."""
    from recompose.lab.toy.models import eight_bits

    return eight_bits.restored(eight_bits.stored({"w": value}))["w"].float()


def test_a_training_says_what_it_needs_first(comfy: ModuleType, tmp_path: Path) -> None:
    from recompose.lab.train import catalogue, task
    from recompose.lab.train.places import Places

    places = Places(tmp_path / "weights", tmp_path / "cache")
    with pytest.raises(RuntimeError, match=r"text\.safetensors is missing"):
        catalogue.task("unet", task.configuration("unet") | SMALL, places)
    with pytest.raises(ValueError, match="one of the trainings captioner, detector, evaluator"):
        task.configuration("critic")


def test_a_hole_is_where_and_how_often_it_should_be(places: Any) -> None:
    from recompose.lab.toy.tensors import in_cells
    from recompose.lab.train import masks as holes
    from recompose.lab.train import pictures

    source = pictures.pictures(places.cache, "train", 4)
    random = np.random.default_rng(3)
    masks = [holes.hole(source.poses[index % len(source)], 152, 128, random) for index in range(400)]
    assert all(mask.shape == (152, 128) and set(np.unique(mask)) <= {0.0, 1.0} for mask in masks)
    assert mean(float(mask[-1].all()) for mask in masks) == pytest.approx(0.6, abs=0.08)  # below or all
    assert mean(float(mask.all()) for mask in masks) == pytest.approx(0.1, abs=0.05)
    assert sum(not mask.any() for mask in masks) < 20
    cells = in_cells(torch.from_numpy(masks[0])[None, None])
    assert cells.shape == (1, 1, 19, 16) and set(cells.unique().tolist()) <= {0.0, 1.0}


def test_a_hole_of_a_closer_picture_holds_a_thing(places: Any) -> None:
    from recompose.lab.train import masks as holes
    from recompose.lab.train import pictures

    source = pictures.pictures(places.cache, "train", 6, "closer")
    random, held = np.random.default_rng(3), []
    for index in range(300):
        entry = source.captions[index % 6]
        height = source.image(index % 6).shape[0]
        mask = holes.hole_at_things(entry["boxes"], height, 128, random)
        assert mask.shape == (height, 128) and mask.any()
        held.append(any(mask[top:bottom, left:right].all() for left, top, right, bottom in entry["boxes"]))
    assert np.mean(held) >= 0.7


def test_closer_pictures_are_the_worlds_and_asked_for_by_their_things(places: Any) -> None:
    from recompose.lab.toy import world
    from recompose.lab.train import pictures

    source = pictures.pictures(places.cache, "train", 6, "closer")
    for seed in range(6):
        example = world.closer(seed, "train")
        entry = source.captions[seed]
        assert np.array_equal(source.image(seed), example.image) and entry["whole"] == example.caption
        texts = [text for _, text in entry["crops"]]
        assert world.parse(texts[0]) == {"subject": "things", "objects": example.attributes["objects"]}
        for (left, top, right, bottom), (name, _) in zip(
            entry["boxes"], example.attributes["objects"], strict=True
        ):
            mask = example.masks[name]
            assert mask[top:bottom, left:right].sum() == mask.sum()


def test_no_picture_shows_a_pair_that_is_left_out(places: Any) -> None:
    from recompose.lab.toy import world
    from recompose.lab.train import pictures

    seeds = [seed for seed in range(200) if pictures.unseen(world.example(seed, "train"))]
    assert 5 < len(seeds) < 40
    assert pictures.drawn((seeds[0], "train", "whole")) is None
    assert all(pictures.drawn((seed, "train", "closer")) is not None for seed in range(20))


def test_batches_go_on_where_they_were_and_tell_what_says_nothing(places: Any) -> None:
    from recompose.lab.train import latent_cache, task

    config = task.configuration("unet") | SMALL
    source = latent_cache.cached_latents(places, config)
    first = source.batches(config, 7)
    next(first)
    state = first.state_dict()
    second = source.batches(config, 1)
    second.load_state_dict(state)
    for _ in range(5):
        one, other = next(first), next(second)
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
        assert one.nothing.shape == one.words.shape and one.nothing[:, 0].all()


def test_drawn_pictures_are_the_worlds(places: Any) -> None:
    from recompose.lab.toy import world
    from recompose.lab.train import pictures

    source, example = pictures.pictures(places.cache, "train", 4), world.example(2, "train")
    assert np.array_equal(source.image(2), example.image)
    assert source.captions[2]["whole"] == example.caption
    for bottom, caption in source.captions[2]["crops"]:
        assert caption == world.caption_visible(example, 0, bottom)
