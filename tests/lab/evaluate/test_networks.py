"""Inception, LPIPS and CLIP from files of random weights, beside the libraries' own and by their formulas."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from recompose.cli.ending import Misuse
from recompose.lab.evaluate.folders import networks, store, weights
from recompose.tests.lab.evaluate.conftest import Call, noise, save
from torch.nn import functional

CPU = torch.device("cpu")
HEADS = "torchmetrics/functional/image/lpips_models/alex.pth"


def found(path: Path) -> weights.Weights:
    return weights.Weights(path, path.name, store.content(path) if path.is_file() else "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights of all three networks."""
    place = tmp_path_factory.mktemp("weights")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        inception(place / weights.INCEPTION.names[0])
        alexnet(place / weights.ALEXNET.names[0])
        clip(place / "clip-vit-large-patch14")
    return place


def inception(path: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Fresh(FeatureExtractorInceptionV3):
        def load_state_dict(self, *_: object, **__: object) -> None:
            """Stay random."""

    torch.save({}, path)
    torch.save(Fresh("fresh", ["2048"], str(path)).state_dict(), path)


def alexnet(path: Path) -> None:
    import torchvision

    features = torchvision.models.alexnet(weights=None).features
    torch.save({f"features.{name}": value for name, value in features.state_dict().items()}, path)


def clip(place: Path) -> None:
    """A CLIP of width 16 that knows single letters."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    letters = [f"{letter}{end}" for letter in "abcdefghijklmnopqrstuvwxyz" for end in ("", "</w>")]
    words = {word: place for place, word in enumerate([*letters, "<|startoftext|>", "<|endoftext|>"])}
    marks = {"bos_token_id": words["<|startoftext|>"], "eos_token_id": words["<|endoftext|>"]}
    config = CLIPConfig(
        text_config=small | marks | {"vocab_size": len(words), "pad_token_id": words["<|endoftext|>"]},
        vision_config=small | {"image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(place)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(
        place
    )
    (place / "vocab.json").write_text(json.dumps(words))
    (place / "merges.txt").write_text("#version: 0.2\n")
    (place / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77})
    )


def test_inceptions_features_are_torchmetrics_own(folder: Path) -> None:
    from torchmetrics.image.fid import NoTrainInceptionV3

    path = folder / weights.INCEPTION.names[0]
    image = noise(0, 299, 299)
    reference = NoTrainInceptionV3("inception-v3-compat", ["2048"], str(path))
    with torch.inference_mode():
        expected = reference(torch.from_numpy(image).permute(2, 0, 1)[None])[0]
    features = networks.Inception(found(path), CPU).features(image)
    assert features.shape == (2048,)
    assert np.abs(features - expected.numpy()).max() <= 1e-5 * expected.abs().max()
    assert np.array_equal(features, networks.Inception(found(path), CPU).features(image))


@pytest.mark.parametrize("size", [(600, 450), (100, 299), (299, 299)])
def test_pictures_are_brought_to_inceptions_size_by_an_antialiased_bicubic_filter(
    size: tuple[int, int],
) -> None:
    smooth = np.asarray(Image.fromarray(noise(1, 12, 9)).resize(size[::-1], Image.Resampling.BICUBIC))
    made = networks.resized(smooth).astype(float)
    whole = torch.from_numpy(smooth.copy()).permute(2, 0, 1)[None].double()
    expected = functional.interpolate(whole, (299, 299), mode="bicubic", antialias=True).clamp(0, 255)
    assert np.abs(made - expected[0].permute(1, 2, 0).numpy()).max() < 0.51


def test_lpips_is_its_formula_on_the_weights_of_the_file(folder: Path, torchmetrics: Path) -> None:
    path = folder / weights.ALEXNET.names[0]
    first, second = noise(2, 70, 90), noise(3, 70, 90)
    import torchvision

    backbone = torchvision.models.alexnet(weights=None).features.eval()
    known = torch.load(path, weights_only=True)
    backbone.load_state_dict({name.removeprefix("features."): value for name, value in known.items()})
    heads = torch.load(torchmetrics / HEADS, map_location="cpu", weights_only=True)
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    maps = []
    for image in (first, second):
        x = ((torch.from_numpy(image).float() / 127.5 - 1 - shift) / scale).permute(2, 0, 1)[None]
        seen = []
        for layer in backbone:
            x = layer(x)
            if isinstance(layer, torch.nn.ReLU):
                seen.append(x / x.square().sum(1, keepdim=True).add(1e-8).sqrt())
        maps.append(seen)
    expected = sum(
        functional.conv2d((a - b).square(), heads[f"lin{place}.model.1.weight"]).mean().item()
        for place, (a, b) in enumerate(zip(*maps, strict=True))
    )
    network = networks.Perceptual(found(path), CPU)
    assert network.distance(first, second) == pytest.approx(expected, rel=1e-4)
    assert network.distance(first, first) == 0
    assert network.distance(first[:63], second[:63]) is None


def test_the_clip_score_is_a_hundred_cosines_of_transformers_own_model(folder: Path) -> None:
    from transformers import CLIPModel, CLIPProcessor

    place = folder / "clip-vit-large-patch14"
    network = networks.Clip(found(place), CPU)
    model, processor = CLIPModel.from_pretrained(place).eval(), CLIPProcessor.from_pretrained(place)
    scores = []
    for seed, caption in enumerate(("a red ball", "b", "dogs", "x y z", "q")):
        image = noise(seed, 40, 50)
        inputs = processor(text=[caption], images=Image.fromarray(image), return_tensors="pt")
        with torch.inference_mode():
            expected = float(model(**inputs).logits_per_image / model.logit_scale.exp()) * 100
        scores.append(network.score(image, caption))
        assert scores[-1] == pytest.approx(max(expected, 0), abs=1e-3)
    assert len(set(scores)) > 1
    assert network.score(noise(0), "word " * 200) == network.score(noise(0), "word " * 300)


def test_weights_of_another_network_are_refused(folder: Path, tmp_path: Path) -> None:
    alex, other = folder / weights.ALEXNET.names[0], folder / weights.INCEPTION.names[0]
    with pytest.raises(Misuse, match=r"Expected the weights of alexnet-owt-7be5be79\.pth in"):
        networks.Inception(found(alex), CPU)
    with pytest.raises(Misuse, match="Expected the weights of pt_inception"):
        networks.Perceptual(found(other), CPU)
    damaged = tmp_path / "clip"
    damaged.mkdir()
    (damaged / "config.json").write_text("{}")
    with pytest.raises(Misuse, match="Expected the weights of clip in"):
        networks.Clip(found(damaged), CPU)


def test_with_all_weights_the_metrics_have_their_published_names(
    folder: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("INCEPTION", "ALEXNET"):
        published = getattr(weights, name)
        here = store.content(folder / published.names[0])
        monkeypatch.setattr(weights, name, published._replace(sha256=here))
    mine = store.content(folder / "clip-vit-large-patch14" / "model.safetensors")
    monkeypatch.setattr(weights, "CLIPS", (weights.CLIPS[0]._replace(sha256=mine),))
    for name in "ab":
        save(noise(0), tmp_path / f"real/{name}.png")
        save(noise(ord(name)), tmp_path / f"made/{name}.png")
    (tmp_path / "captions.txt").write_text("a\tone\nb\ttwo\n")
    said = call(
        "--weights", folder, "--metrics", "kid", "lpips", "clip", "--captions", "captions.txt"
    )  # fmt: skip
    assert said.status == 0, said.errors
    names = [figure["name"] for figure in said.json["figures"]]
    assert names == ["LPIPS (AlexNet)", "KID", "CLIP score (clip-vit-large-patch14)"]
    assert said.json["settings"]["features"] == "Inception"
    assert said.json["settings"]["weights"]["clip-vit-large-patch14"] == mine
    assert said.json["notes"] == ["KID: with fewer than 50 pictures it is mostly chance; take more."]
