"""Objects put into a photo in a real server: nothing else changes, and bad input is told."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from recompose.cli.comfy.client import Refused
from recompose.tests.in_comfyui.exemplar.conftest import STATED, Published, original
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[3]
PARTS = (slice(20, 61), slice(5, 47)), (slice(70, 101), slice(60, 119))
FILE = "exemplar_of_tests.safetensors"


@pytest.fixture(scope="module")
def model(server: Any, published: Published) -> str:
    save_file(original(published), server.models_dir / "checkpoints" / FILE, STATED)
    return FILE


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def photo() -> np.ndarray:
    return np.array(Image.open(ROOT / "docs" / "demo" / "photo.png").convert("RGB"))


def files() -> dict[str, bytes]:
    """The photo, its masks and a reference, by name."""
    picture = photo()
    found = {
        "photo.png": png(picture),
        "reference.png": png(picture[:50, :40]),
        "dot.png": png(picture[:1, :1]),
    }
    for number, part in enumerate(PARTS):
        mask = np.zeros_like(picture)
        mask[part] = 255
        found[f"mask{number}.png"] = png(mask)
    return found


def node(kind: str, **inputs: Any) -> dict:
    return {"class_type": kind, "inputs": inputs}


def object_of(number: int) -> dict[str, dict]:
    """The nodes that paint one object in one part."""
    mask, crop, shown, painted, decoded = (
        f"{name}{number}" for name in ("mask", "crop", "shown", "painted", "decoded")
    )
    given = {name: ["model", place] for name, place in (("encoder", 2), ("vae", 1))}
    return {
        mask: node("LoadImageMask", image=f"mask{number}.png", channel="red"),
        crop: node(
            "RecomposeCropToRegion", crop_to="mask", width=64, height=64, fit="area", margin=50.0,
            multiple_of=8, rescale_tolerance=1.25, image=["photo", 0], mask=[mask, 0],
        ),
        shown: node(
            "RecomposeExemplarConditioning", references=["reference", 0], photo=[crop, 0], mask=[crop, 1],
            several="one per row", **given,
        ),
        painted: node(
            "KSampler", model=["model", 0], positive=[shown, 0], negative=[shown, 1], latent_image=[shown, 2],
            seed=number, steps=2, cfg=5.0, sampler_name="ddim", scheduler="normal", denoise=1.0,
        ),
        decoded: node("VAEDecode", samples=[painted, 0], vae=["model", 1]),
        f"patch{number}": node(
            "RecomposePatch", generated=[decoded, 0], mask=[crop, 1], context=[crop, 4]
        ),
    }  # fmt: skip


def prompt(model: str) -> dict[str, dict]:
    """Two objects in one photo."""
    found = {
        "photo": node("LoadImage", image="photo.png"),
        "reference": node("LoadImage", image="reference.png"),
        "model": node("RecomposeLoadExemplarModel", file=model, vision="none"),
    }
    patches = {}
    for number in range(len(PARTS)):
        found |= object_of(number)
        patches[f"patches.patch{number}"] = [f"patch{number}", 0]
    found["stitched"] = node("RecomposeStitchBack", mode="strict", original=["photo", 0], **patches)
    found["saved"] = node("SaveImage", images=["stitched", 0], filename_prefix="exemplar")
    return found


def test_two_objects_are_painted_and_no_pixel_beside_them(server: Any, model: str) -> None:
    outcome = server.run(prompt(model), files())
    assert outcome.succeeded, outcome.error
    changed = (outcome.images("saved")[0] != photo()).any(-1)
    for part in PARTS:
        assert changed[part].mean() > 0.9
        changed[part] = False
    assert int(changed.sum()) == 0


@pytest.mark.parametrize(
    ("target", "value", "words"),
    [
        (
            ("reference", "image"),
            "dot.png",
            "the object in the reference is 1×1 px; connect one of at least 8 px",
        ),
        (("shown0", "mask"), ["blank", 0], "the mask is empty; paint where the object is to be"),
        (("shown0", "references"), ["three", 0], "connect a reference for each row, or choose averaged"),
    ],
    ids=["one pixel", "empty mask", "three references for two rows"],
)
def test_what_cannot_be_used_is_told_before_anything_is_painted(
    server: Any, model: str, target: tuple[str, str], value: Any, words: str
) -> None:
    made = copy.deepcopy(prompt(model))
    made["blank"] = node("ThresholdMask", mask=["crop0", 1], value=1.0)
    made["pair"] = node("ImageBatch", image1=["reference", 0], image2=["reference", 0])
    made["three"] = node("ImageBatch", image1=["pair", 0], image2=["reference", 0])
    if value == ["three", 0]:
        made["photos"] = node("ImageBatch", image1=["crop0", 0], image2=["crop0", 0])
        made["shown0"]["inputs"]["photo"] = ["photos", 0]
    made[target[0]]["inputs"][target[1]] = value
    outcome = server.run(made, files())
    assert not outcome.succeeded
    assert words in outcome.error["exception_message"]


def test_a_missing_file_is_refused_before_the_run(server: Any, model: str) -> None:
    made = prompt(model)
    made["model"]["inputs"]["file"] = "nowhere.safetensors"
    with pytest.raises(Refused) as raised:
        server.run(made, files())
    errors = raised.value.body["node_errors"]["model"]["errors"]
    words = "models/diffusers has 'nowhere.safetensors'; put the model there"
    assert errors and all(words in each["details"] for each in errors)
