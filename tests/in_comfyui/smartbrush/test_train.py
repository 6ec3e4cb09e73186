"""Training SmartBrush on a small model: where it starts, what learns, and how it goes on after a stop."""

from __future__ import annotations

import importlib
import itertools
import json
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from recompose.tests.in_comfyui.attention import models
from recompose.tests.in_comfyui.concepts.conftest import WIDTH, small_clip
from recompose.tests.in_comfyui.smartbrush.conftest import Tiny
from torch import Tensor

SIDE, CELL = 128, 8


def encode(pixels: Tensor) -> Tensor:
    small = torch.nn.functional.avg_pool2d(pixels.movedim(-1, 1), CELL) * 6 - 3
    return torch.cat((small, small[:, :1]), 1)


VAE = SimpleNamespace(
    spacial_compression_encode=lambda: CELL, encode=encode, get_sd=lambda: {"decoder.x": torch.ones(2)}
)


def thing(number: int) -> tuple[Tensor, Tensor]:
    """A bright thing on a dark picture."""
    photo, mask = torch.full((3, 140, 150), 0.2), torch.zeros(1, 140, 150)
    mask[0, 40 : 80 + number, 50:100] = 1
    return torch.where(mask > 0, torch.tensor([0.9, 0.5, 0.3])[:, None, None], photo), mask


@pytest.fixture(scope="module")
def training(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.smartbrush.training")


@pytest.fixture(scope="module")
def data(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.smartbrush.data")


@pytest.fixture(scope="module")
def start(comfy: ModuleType) -> tuple[Any, Any]:
    """MODEL and CLIP."""
    return models.unet(settings={**models.UNET, "context_dim": WIDTH}).model, small_clip("SD1")


def begun(training: ModuleType, start: tuple[Any, Any], **more: Any) -> Any:
    settings = {"steps": 4, "learning_rate": 2e-3, "warmup": 1, "batch": 2, "size": SIDE, "views": 3, **more}
    with torch.inference_mode():
        return training.SmartBrushTraining(*start, VAE, training.Settings(**settings))


def examples(data: ModuleType, made: Any) -> Any:
    objects = [data.Object(partial(thing, number), "ball", "a red ball") for number in (0, 30)]
    pictures = [data.Picture(lambda: thing(9)[0], "a ball in the dark")]
    settings = made.settings
    return data.Examples(
        objects, pictures, settings.size, settings.views, settings.seed, VAE, made.inner.process_latent_in
    )


def losses(data: ModuleType, made: Any, state: Path | None = None, steps: int = 99) -> list[float]:
    with torch.inference_mode():
        return [each.loss for each in itertools.islice(made.run(examples(data, made), state, 2), steps)]


def test_before_the_first_step_it_answers_as_the_model_for_a_mask_of_ones(
    training: ModuleType, start: tuple[Any, Any]
) -> None:
    made = begun(training, start)
    x, sigma = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(1)), torch.tensor([3.0, 0.4])
    words = made.words(["a ball", ""])
    network = importlib.import_module("recompose.bridge.smartbrush.network")
    ones = torch.ones(2, 1, 16, 16)
    brush = network.Brush(ones, ones, torch.zeros_like(x), torch.tensor([0, 5]))
    with torch.no_grad():
        ours = made.inner.apply_model(
            x, sigma, c_crossattn=words, transformer_options={network.BRUSH: brush, "cond_or_uncond": [0]}
        )
        theirs = start[0].model.apply_model(x, sigma, c_crossattn=words, transformer_options={})
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert not brush.logit().any()


def test_the_loss_is_that_of_noise_and_mask_and_reaches_all_that_is_new(
    training: ModuleType, data: ModuleType, start: tuple[Any, Any]
) -> None:
    made = begun(training, start)
    batch = next(data.Batches(examples(data, made), 6, len(made.sigmas), 1))
    with torch.inference_mode(False), torch.enable_grad(), made.placed():
        made.loss(batch).backward()
    network = made.inner.diffusion_model
    gradients = {name: value.grad for name, value in network.named_parameters()}
    head = gradients["out.2.weight"][4:]
    assert head.abs().max() > 0 and gradients["out.2.bias"][4] != 0
    assert gradients["input_blocks.0.0.weight"][:, 4].abs().max() > 0
    seen = gradients["precision_embedding.weight"].abs().amax(1) > 0
    assert seen.nonzero().flatten().tolist() == sorted({int(level) for level in batch.precisions})


def test_the_loss_falls_and_the_model_that_it_began_with_stays(
    training: ModuleType, data: ModuleType, start: tuple[Any, Any]
) -> None:
    before = {name: value.clone() for name, value in start[0].model.state_dict().items()}
    made = begun(training, start, steps=30)
    found = losses(data, made)
    assert len(found) == 30 and sum(found[-8:]) < 0.8 * sum(found[:8])
    assert all(torch.equal(value, before[name]) for name, value in start[0].model.state_dict().items())


def test_a_stopped_training_goes_on_as_if_it_had_not_been(
    training: ModuleType, data: ModuleType, start: tuple[Any, Any], tmp_path: Path
) -> None:
    whole = begun(training, start)
    wanted = losses(data, whole)
    losses(data, begun(training, start), tmp_path / "state", steps=3)
    again = begun(training, start)
    assert losses(data, again, tmp_path / "state") == wanted[2:]
    ours, theirs = again.unet(), whole.unet()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_four_of_five_rows_are_things_and_class_and_caption_alternate(
    training: ModuleType, data: ModuleType, start: tuple[Any, Any]
) -> None:
    source = data.Batches(examples(data, begun(training, start)), 8, 1000, 3)
    rows = [source.row() for _ in range(500)]
    things = [row for row in rows if row[2]]
    assert abs(len(things) / len(rows) - data.OBJECTS) < 0.06
    words = [row[3] for row in things]
    share = {text: words.count(text) / len(words) for text in ("ball", "a red ball", "")}
    assert abs(share["ball"] - 0.45) < 0.08 and abs(share["a red ball"] - 0.45) < 0.08
    assert abs(share[""] - data.NO_WORDS) < 0.05
    for _, shape, is_object, text in rows:
        if not is_object:
            assert shape.mask.min() == 1 and text in ("a ball in the dark", "")
        assert (shape.mask >= shape.exact).all()


def test_models_that_cannot_be_trained_are_refused(training: ModuleType, start: tuple[Any, Any]) -> None:
    inpaint = models.unet(settings={**models.UNET, "in_channels": 9}).model
    with pytest.raises(ValueError, match="has 9 input channels of another kind"):
        begun(training, (inpaint, start[1]))
    with pytest.raises(ValueError, match="trains models of SD1, got SDXL"):
        begun(training, (models.unet("EPS", "SDXL", models.SDXL).model, start[1]))
    whole = importlib.import_module("recompose.bridge.training.whole")
    with pytest.raises(ValueError, match="size must be a multiple of 64, got 100"):
        whole.check_size(whole.Settings(size=100), VAE, training.WHO)


def coco(folder: Path) -> Path:
    """A data set of two pictures."""
    (folder / "pictures").mkdir()
    annotations = []
    for number in range(2):
        photo, _ = thing(number)
        pixels = (photo.movedim(0, -1).numpy() * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / f"{number}.png")
        box = [50, 40, 99, 40, 99, 79, 50, 79]
        annotations.append({"image_id": number, "category_id": 1, "segmentation": [box]})
    annotations.append({"image_id": 0, "category_id": 1, "segmentation": [[1, 1, 3, 1, 3, 3]]})
    held = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in range(2)],
        "categories": [{"id": 1, "name": "ball"}], "annotations": annotations,
    }  # fmt: skip
    (folder / "things.json").write_text(json.dumps(held))
    return folder / "things.json"


def test_a_data_set_becomes_a_checkpoint_that_can_be_loaded(
    tiny: Tiny, training: ModuleType, start: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = importlib.import_module("recompose.bridge.smartbrush.outside")
    monkeypatch.setattr(outside, "loaded", lambda path: (*start, VAE))
    told: list[str] = []
    sources = outside.Sources(tmp_path / "base.safetensors", coco(tmp_path), tmp_path / "pictures")
    settings = training.Settings(steps=2, warmup=1, batch=2, size=SIDE, views=2)
    out = outside.train_files(sources, settings, tmp_path / "made.safetensors", 1, told.append)
    assert told[0] == "2 things, 1 too small, 2 pictures" and told[-1].startswith("step 2 of 2, loss")
    raw, stated = tiny.files.read(out)
    assert stated["steps"] == 2 and stated["prediction"] == "noise"
    assert tiny.model(raw, "noise").model.diffusion_model.precision_embedding.weight.any()
    assert any(name.startswith("cond_stage_model.transformer.") for name in raw)
    assert "first_stage_model.decoder.x" in raw
    told.clear()
    outside.train_files(sources, settings, out, 1, told.append)
    assert len(told) == 1  # it was finished


def test_a_mask_of_another_size_is_named(tmp_path: Path, comfy: ModuleType) -> None:
    outside = importlib.import_module("recompose.bridge.smartbrush.outside")
    file = coco(tmp_path)
    held = json.loads(file.read_text())
    held["annotations"][0]["segmentation"] = {"size": [5, 5], "counts": [25]}
    file.write_text(json.dumps(held))
    found = importlib.import_module("recompose.core.annotations").read(file, tmp_path / "pictures")
    with pytest.raises(ValueError, match=r"the mask of a ball in 0.png cannot be read \(25 values for 5×5"):
        outside.objects_of(found)


@pytest.fixture
def node(comfy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(importlib.import_module("folder_paths"), "output_directory", str(tmp_path))
    return importlib.import_module("recompose.nodes.smartbrush").TrainSmartBrush


def lists(start: tuple[Any, Any], **more: Any) -> dict[str, list[Any]]:
    """The node's inputs as ComfyUI gives them."""
    pairs = [thing(number) for number in range(2)]
    given = {
        "model": start[0], "clip": start[1], "vae": VAE, "filename_prefix": "smartbrush/things", "steps": 2,
        "warmup": 1, "batch_size": 2, "size": SIDE, "views": 2, "save_every": 9, "seed": 0, "accumulation": 1,
        "gradient_checkpointing": True, "learning_rate": 1e-4,
    } | more  # fmt: skip
    named = {
        "images": [photo.movedim(0, -1)[None] for photo, _ in pairs], "masks": [mask for _, mask in pairs],
        "labels": ["ball\nball"], "captions": ["a ball"],
    }  # fmt: skip
    return {**named, **{name: value if name in named else [value] for name, value in given.items()}}


def test_the_node_writes_a_checkpoint_and_gives_its_model(
    node: Any, tiny: Tiny, start: tuple[Any, Any], tmp_path: Path
) -> None:
    with torch.inference_mode():
        made = node.execute(**lists(start))
    model, file = made.args
    assert file == "smartbrush/things_00001_.safetensors" and made.ui == {"recompose": [{"files": [file]}]}
    raw, stated = tiny.files.read(tmp_path / file)
    assert stated["steps"] == 2
    held = model.model.diffusion_model.state_dict()
    assert all(torch.equal(value, raw[tiny.files.UNET + name]) for name, value in held.items())
    assert not list((tmp_path / "smartbrush" / "unfinished").iterdir())


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"labels": [""]}, "labels is empty"),
        ({"labels": ["a\nb\nc"]}, "labels needs one line, or one for each of 2 pictures, got 3"),
        ({"masks": [thing(0)[1]]}, "masks has 1 for 2 pictures"),
        ({"masks": [thing(0)[1], 0 * thing(0)[1]]}, "the mask of picture 1 shows 0 px"),
        ({"masks": [thing(0)[1][..., :9]] * 2}, "a mask is 9×140 and its picture 150×140"),
        ({"size": 100}, "size must be a multiple of 64"),
    ],
)
def test_the_node_refuses_what_cannot_be_learned(
    node: Any, start: tuple[Any, Any], more: dict[str, Any], sentence: str
) -> None:
    with torch.inference_mode(), pytest.raises(ValueError, match=sentence):
        node.execute(**lists(start, **more))


def test_full_memory_is_told_in_one_sentence(
    node: Any, training: ModuleType, start: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(training.SmartBrushTraining, "loss", full)
    with torch.inference_mode(), pytest.raises(ValueError, match="Train SmartBrush ran out of memory; lower"):
        node.execute(**lists(start))
