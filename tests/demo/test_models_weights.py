"""The committed weights: small enough, whole, and better than guessing on pictures no training saw."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from types import ModuleType

import pytest
import torch
from recompose.demo import assemble, world
from recompose.demo.models import captioner, folder_of_captioner, parts, vocabulary

PART_BYTES, ALL_BYTES = 15 * 10**6, 64 * 10**6
DECIBEL = 24.5
HEARD = 0.5  # of the visible attributes; naming any of them at random is right in less than 0.2


def test_parts_are_small_half_precision_and_noted() -> None:
    files = sorted(parts.FOLDER.glob("*"))
    assert [path.name for path in files] == sorted(part.file for part in parts.PARTS.values())
    assert max(path.stat().st_size for path in files) <= PART_BYTES
    assert sum(path.stat().st_size for path in files) <= ALL_BYTES
    for name in parts.PARTS:
        weights, notes = parts.read(parts.FOLDER, name)
        assert {value.dtype for value in weights.values()} == {torch.float16}
        assert json.loads(notes["steps"]) > 0 and json.loads(notes["seconds"]) > 0


def test_every_part_fits_its_network(comfy: ModuleType) -> None:
    from recompose.demo.models import networks

    made = {
        "vae": networks.autoencoder(),
        "text": networks.text_encoder(),
        "text_to_image": networks.unet(),
        "inpaint": networks.unet(networks.INPAINT_CHANNELS),
        "openpose": networks.controlnet(),
        "captioner": captioner.captioner(),
    }
    assert made.keys() == parts.PARTS.keys()
    for name, network in made.items():
        parts.load(network, parts.FOLDER, name)


def pixels(example: world.Example) -> torch.Tensor:
    return torch.from_numpy(example.image.copy()).permute(2, 0, 1)[None].float() / 255


def test_the_autoencoder_gives_unseen_pictures_back(comfy: ModuleType) -> None:
    from recompose.demo.models import networks
    from recompose.training.losses import signal_to_decibel

    network = networks.autoencoder()
    parts.load(network, parts.FOLDER, "vae")
    found = []
    with torch.inference_mode():
        for seed in range(6):
            image = pixels(world.example(seed, "test"))
            found.append(
                float(signal_to_decibel(networks.decode(network, networks.encode(network, image)), image))
            )
    assert mean(found) > DECIBEL


@pytest.mark.parametrize("cropped", [False, True], ids=["whole", "cropped"])
def test_the_captioner_names_what_is_seen(tmp_path: Path, cropped: bool) -> None:
    from recompose.demo.train.captioner import normalised
    from transformers import BlipForConditionalGeneration

    for name, content in assemble.captioner_files(parts.FOLDER).items():
        assemble.replace(tmp_path / name, content)
    network = BlipForConditionalGeneration.from_pretrained(tmp_path).eval()
    lines, right, asked = vocabulary.lines(folder_of_captioner.words()), 0, 0
    for seed in range(8):
        example = world.example(seed, "test")
        if cropped:
            example = world.crop_between(example, seed)
        picture = torch.from_numpy(normalised(example.image))[None]
        with torch.inference_mode():
            ids = network.generate(pixel_values=picture, num_beams=1, max_new_tokens=40)[0].tolist()
        text = " ".join(lines[index] for index in ids if index not in vocabulary.SPECIAL).replace(" ,", ",")
        said = world.parse(text)
        right += sum(said.get(key) == value for key, value in example.attributes.items())
        asked += len(example.attributes)
    assert right / asked > HEARD
