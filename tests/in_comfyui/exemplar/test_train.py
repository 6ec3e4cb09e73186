"""Exemplar models learned from a plain model of SD1, or trained further."""

from __future__ import annotations

import importlib
import itertools
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.core.exemplar.views import Box
from recompose.tests.in_comfyui.attention import models
from recompose.tests.in_comfyui.exemplar.conftest import SIDE, WIDTH, WORD, Published, layouts_of
from torch import Tensor

PICTURES = torch.rand(3, 3, 80, 96, generator=torch.Generator().manual_seed(1))
BOXES = (Box(20, 10, 60, 50), Box(5, 30, 40, 70), Box(30, 30, 90, 78))
VISION = {
    "model_type": "clip_vision_model", "hidden_size": WIDTH, "num_hidden_layers": 3,
    "num_attention_heads": 4, "intermediate_size": 64, "hidden_act": "quick_gelu",
    "image_size": SIDE, "patch_size": 8, "num_channels": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def module(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.exemplar.training")


@pytest.fixture(scope="module")
def data(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.exemplar.data")


@pytest.fixture(scope="module")
def exemplar(published: Published, load: ModuleType) -> Any:
    """MODEL, VAE and encoder."""
    with torch.inference_mode():
        return load.load_exemplar(layouts_of(published)["original"])


@pytest.fixture(scope="module")
def plain(comfy: ModuleType) -> Any:
    """A text-to-image MODEL of SD1."""
    return models.unet(settings={**models.UNET, "context_dim": WORD}).model


@pytest.fixture(scope="module")
def vision(comfy: ModuleType) -> Any:
    """A CLIP_VISION, as its loader gives it."""
    made = importlib.import_module("comfy.clip_vision").ClipVisionModel(dict(VISION))
    models.randomised(made.model)
    return made


@pytest.fixture
def settings(module: ModuleType) -> Any:
    return module.Settings(steps=6, learning_rate=1e-3, warmup=1, batch=2, size=64, views=3, seed=4)


def objects(data: ModuleType) -> list[Any]:
    return [data.Object(lambda one=one: one, box) for one, box in zip(PICTURES, BOXES, strict=True)]


def begun(module: ModuleType, data: ModuleType, model: Any, exemplar: Any, settings: Any) -> tuple[Any, Any]:
    training = module.ExemplarTraining(model, exemplar[2], exemplar[1], settings)
    examples = importlib.import_module("recompose.bridge.exemplar.trainer").examples_of(
        training, objects(data)
    )
    return training, examples


def finished(training: Any, examples: Any, state: Path | None = None, stop: int | None = None) -> list[float]:
    reports = training.run(examples, state, 3)
    losses = [report.loss for report in itertools.islice(reports, stop)]
    reports.close()
    return losses


def weights_of(training: Any) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in {**training.parts().unet, **training.parts().head}.items()}


def test_the_first_prediction_is_the_plain_models_whatever_is_beside_the_latent(
    plain: Any, module: ModuleType, exemplar: Any, settings: Any
) -> None:
    training = module.ExemplarTraining(plain, exemplar[2], exemplar[1], settings)
    generator = torch.Generator().manual_seed(3)
    x, words = torch.randn(2, 4, 8, 8, generator=generator), torch.randn(2, 1, WORD, generator=generator)
    sigma = training.sigmas[[100, 700]]
    with torch.inference_mode():
        true = plain.model.apply_model(x, sigma, c_crossattn=words)
        for stays in (torch.ones(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)):
            known = torch.cat([torch.randn(2, 4, 8, 8, generator=generator), stays], 1)
            found = training.inner.apply_model(x, sigma, c_concat=known, c_crossattn=words)
            assert float((found - true).norm() / true.norm()) < 1e-6


def test_the_loss_is_the_squared_error_of_diffusers_noise(
    exemplar: Any, published: Published, module: ModuleType, data: ModuleType, settings: Any
) -> None:
    training, examples = begun(module, data, exemplar[0], exemplar, settings)
    batch = next(data.Batches(examples, 4, 1000, 9))._replace(
        without=torch.tensor([True, False, False, True])
    )
    pipe = published.pipe
    with training.placed():
        found = float(training.loss(batch))
    with torch.no_grad():
        alphas = pipe.scheduler.alphas_cumprod[batch.levels].view(-1, 1, 1, 1)
        x = alphas.sqrt() * batch.latents + (1 - alphas).sqrt() * batch.noise
        encoder = pipe.image_encoder
        words = encoder.proj_out(encoder.final_layer_norm(encoder.mapper(batch.pooled[:, None])))
        words[[0, 3]] = encoder.uncond_vector
        said = pipe.unet(torch.cat([x, batch.known], 1), batch.levels, encoder_hidden_states=words).sample
    assert found == pytest.approx(float((said - batch.noise).square().mean()), rel=1e-4)


def test_all_of_the_network_and_the_head_learn_and_nothing_else(
    plain: Any, vision: Any, exemplar: Any, module: ModuleType, data: ModuleType, settings: Any
) -> None:
    before = {name: value.clone() for name, value in plain.model.state_dict().items()}
    start = importlib.import_module("recompose.bridge.exemplar.start")
    encoder = start.encoder_from(vision, WORD, 1, "")
    tower = {name: value.clone() for name, value in encoder.network.tower.state_dict().items()}
    training, examples = begun(module, data, plain, (None, exemplar[1], encoder), settings)
    first = weights_of(training)
    assert all(torch.isfinite(torch.tensor(finished(training, examples))))
    after = weights_of(training)
    same = [name for name, value in after.items() if value.equal(first[name])]
    # Over one word, attention does not depend on where it looks from.
    assert same == [name for name in after if ".transformer_blocks.0.norm2." in name]
    assert after["input_blocks.0.0.weight"][:, 4:].abs().max() > 0
    assert all(value.equal(tower[name]) for name, value in encoder.network.tower.state_dict().items())
    assert all(value.equal(before[name]) for name, value in plain.model.state_dict().items())


def test_the_loss_falls(exemplar: Any, module: ModuleType, data: ModuleType, settings: Any) -> None:
    long = replace(settings, steps=60, batch=4, views=1)
    training, examples = begun(module, data, exemplar[0], exemplar, long)
    losses = finished(training, examples)
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def test_a_stopped_training_goes_on_bit_for_bit(
    exemplar: Any, module: ModuleType, data: ModuleType, settings: Any, tmp_path: Path
) -> None:
    whole, examples = begun(module, data, exemplar[0], exemplar, settings)
    losses, state = finished(whole, examples), tmp_path / "one.state"
    for stop in (4, None):
        training, examples = begun(module, data, exemplar[0], exemplar, settings)
        last = finished(training, examples, state, stop)
    assert last == losses[3:]
    true = weights_of(whole)
    assert all(value.equal(true[name]) for name, value in weights_of(training).items())


def test_a_fifth_of_the_rows_goes_without_a_reference_and_processes_share_them(
    exemplar: Any, module: ModuleType, data: ModuleType, settings: Any
) -> None:
    _, examples = begun(module, data, exemplar[0], exemplar, settings)
    many = data.Batches(examples, 1000, 1000, 5)
    whole = next(many)
    assert 150 <= int(whole.without.sum()) <= 250 and len(examples.kept) == 9
    parallel = importlib.import_module("recompose.training.parallel")
    parts = [next(data.Batches(examples, 1000, 1000, 5, parallel.Group(rank, 2))) for rank in (0, 1)]
    assert all(torch.equal(torch.cat(each), one) for one, *each in zip(whole, *parts, strict=True))


def test_views_are_encoded_as_photos_are_conditioned(
    exemplar: Any, module: ModuleType, data: ModuleType, settings: Any, conditioning: ModuleType
) -> None:
    _, vae, encoder = exemplar
    training, examples = begun(module, data, exemplar[0], exemplar, settings)
    seen, found = examples.shown(1, 2), examples.encoded(1, 2)
    photo = seen.photo.movedim(0, -1)[None]
    with torch.inference_mode():
        given = conditioning.condition(
            encoder, torch.rand(1, 40, 40, 3), photo, seen.mask, vae, "one per row"
        )
    more = {"noise": found.latent[None], "device": "cpu", **given[0][0][1]}
    known = training.inner.concat_cond(**more)
    assert torch.allclose(known[0], torch.cat([found.masked, found.stays]), atol=1e-6)
    latent = training.inner.process_latent_in(given[2]["samples"])
    assert torch.allclose(latent[0], found.latent, atol=1e-6)


def test_less_memory_makes_the_same_gradients(
    exemplar: Any, module: ModuleType, data: ModuleType, settings: Any
) -> None:
    found = []
    for checkpointing in (False, True):
        short = replace(settings, steps=2, checkpointing=checkpointing)
        training, examples = begun(module, data, exemplar[0], exemplar, short)
        found.append(finished(training, examples))
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def given(exemplar: Any, **more: Any) -> dict[str, list[Any]]:
    """The node's inputs as ComfyUI hands lists over."""
    masks = torch.zeros(3, 80, 96)
    for mask, box in zip(masks, BOXES, strict=True):
        mask[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = 1
    single = {
        "model": exemplar[0], "vae": exemplar[1], "filename_prefix": "exemplar/mine", "steps": 4,
        "learning_rate": 1e-3, "warmup": 1, "batch_size": 2, "size": 64, "views": 2, "save_every": 2,
        "seed": 3, "accumulation": 1, "gradient_checkpointing": False, "encoder": exemplar[2],
    } | more  # fmt: skip
    lists = {"images": list(PICTURES.movedim(1, -1).split(1)), "masks": list(masks.split(1))}
    return {name: [value] for name, value in single.items() if name not in lists} | {
        name: more.get(name, value) for name, value in lists.items()
    }


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comfy: ModuleType) -> Path:
    monkeypatch.setattr(importlib.import_module("folder_paths"), "output_directory", str(tmp_path))
    return tmp_path


def execute(**inputs: Any) -> Any:
    node = importlib.import_module("recompose.nodes.exemplar").TrainExemplarModel
    with torch.inference_mode():
        return node.execute(**inputs)


def test_the_node_writes_a_file_that_loads_as_what_it_gives(
    exemplar: Any, output: Path, load: ModuleType, models: Path
) -> None:
    made = execute(**given(exemplar))
    model, encoder, sheet = made.args
    assert sheet.shape == (1, 4 * 64, 3 * 64, 3)  # references, masked photos, and two savings
    (file,) = output.glob("exemplar/*.safetensors")
    assert made.ui["recompose"][0]["files"] == [f"exemplar/{file.name}"]
    assert list(output.glob("exemplar/unfinished/*.state")) == []
    again, _, other = load.load_exemplar(file.name)
    seen = torch.randn(2, 3, SIDE, SIDE)
    assert torch.equal(other.encode(seen), encoder.encode(seen))
    assert not torch.allclose(encoder.encode(seen), exemplar[2].encode(seen), atol=1e-4)
    x = torch.randn(1, 9, 8, 8)
    parts = {"c_concat": x[:, 4:], "c_crossattn": torch.randn(1, 1, WORD)}
    sigma = model.get_model_object("model_sampling").sigmas[[400]]
    with torch.inference_mode():
        first, second = (each.model.apply_model(x[:, :4], sigma, **parts) for each in (model, again))
    assert torch.equal(first, second)


def test_an_interrupted_node_goes_on_from_its_last_saving(
    exemplar: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = importlib.import_module("recompose.bridge.exemplar.training")
    whole = execute(**given(exemplar, filename_prefix="exemplar/whole"))
    calls, loss = [], training.ExemplarTraining.loss
    interrupted = importlib.import_module("comfy.model_management").InterruptProcessingException

    def stopped(self: Any, batch: Any) -> Tensor:
        calls.append(1)
        if len(calls) == 4:
            raise interrupted
        return loss(self, batch)

    monkeypatch.setattr(training.ExemplarTraining, "loss", stopped)
    with pytest.raises(interrupted):
        execute(**given(exemplar))
    assert len(list(output.glob("exemplar/unfinished/*.state"))) == 1
    model, encoder, _ = execute(**given(exemplar)).args
    assert len(calls) == 6  # three of the first run, the interrupted one, and steps 3 and 4
    seen = torch.randn(2, 3, SIDE, SIDE)
    assert torch.equal(encoder.encode(seen), whole.args[1].encode(seen))
    theirs = whole.args[0].model.state_dict()
    assert all(value.equal(theirs[name]) for name, value in model.model.state_dict().items())


def test_a_plain_model_and_a_vision_model_make_an_exemplar_model(
    plain: Any, vision: Any, exemplar: Any, output: Path
) -> None:
    inputs = given((plain, exemplar[1], None), clip_vision=vision)
    model, encoder, _ = execute(**inputs).args
    assert type(model.model).__name__ == "ExemplarModel" and encoder.null.shape == (1, 1, WORD)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"masks": []}, "masks is missing; connect a MASK to it"),
    ({"masks": [torch.ones(2, 80, 96)]}, "masks has 2 for 3 pictures; connect one for each"),
    (
        {"masks": [torch.ones(3, 40, 40)]},
        "a mask is 40×40 and its picture 96×80; connect masks",
    ),
    (
        {"masks": [torch.zeros(3, 80, 96)]},
        "the mask of picture 0 shows nothing; paint over an object of",
    ),
    ({"size": 100}, "size must be a multiple of 64, got 100; change it"),
    ({"encoder": None}, "needs an encoder; connect encoder of Load Exemplar Model, or a CLIP ViT-L/14"),
    ({"encoder": None, "clip_vision": 5}, "clip_vision is no CLIP vision model; connect Load CLIP Vision"),
]


@pytest.mark.parametrize(("other", "words"), WRONG, ids=[words[:30] for _, words in WRONG])
def test_what_cannot_be_trained_is_told_in_one_sentence(exemplar: Any, other: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        execute(**given(exemplar, **other))
    assert str(raised.value).startswith("Train Exemplar Model") and "\n" not in str(raised.value)


def test_other_models_are_told(exemplar: Any) -> None:
    sdxl = models.unet("EPS", "SDXL", models.SDXL).model
    inpaint = models.unet(settings={**models.UNET, "in_channels": 9}).model
    wide = models.unet().model
    wide.model.model_config.unet_config["context_dim"] = 24
    cases = {
        "trains models of SD1, got SDXL; connect a text-to-image model of SD1": sdxl,
        "the model has 9 input channels of another kind; connect its text-to-image model": inpaint,
    }
    for words, model in cases.items():
        with pytest.raises(ValueError, match=words):
            execute(**given(exemplar, model=model))
