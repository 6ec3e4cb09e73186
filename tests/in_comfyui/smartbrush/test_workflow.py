"""A SmartBrush model made of the demo checkpoint in a real server: trained, loaded and used."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 128, 144
BALL = (slice(40, 90), slice(24, 72))


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def files() -> dict[str, bytes]:
    """A photo with a thing, the thing's mask, and where another is to be."""
    photo, mask, other = (np.zeros((HEIGHT, WIDTH, 3), np.uint8) for _ in range(3))
    photo[:], photo[BALL], mask[BALL] = (90, 140, 90), (200, 40, 40), 255
    other[100:136, 80:120] = 255
    return {"brush photo.png": png(photo), "brush mask.png": png(mask), "brush other.png": png(other)}


def node(kind: str, **inputs: Any) -> dict:
    return {"class_type": kind, "inputs": inputs}


def inputs() -> dict[str, dict]:
    return {
        "photo": node("LoadImage", image="brush photo.png"),
        "mask": node("LoadImageMask", image="brush mask.png", channel="red"),
        "other": node("LoadImageMask", image="brush other.png", channel="red"),
    }


def training() -> dict[str, dict]:
    """A training of two steps."""
    given = {name: ["checkpoint", place] for place, name in enumerate(("model", "clip", "vae"))}
    return {
        **inputs(),
        "checkpoint": node("CheckpointLoaderSimple", ckpt_name="recompose_demo.safetensors"),
        "train": node(
            "RecomposeTrainSmartBrush", **given, images=["photo", 0], masks=["mask", 0], labels="red ball",
            filename_prefix="smartbrush/tests", learning_rate=1e-4, steps=2, warmup=1, batch_size=1, size=128,
            views=1, save_every=5, seed=0, accumulation=1, gradient_checkpointing=False,
        ),
    }  # fmt: skip


def painting(file: str) -> dict[str, dict]:
    """Two things painted in one run: one in its exact mask, one in a box whose precision is guessed."""
    words = {
        name: node("CLIPTextEncode", clip=["brush", 1], text=text)
        for name, text in (("one", "red ball"), ("two", "blue box"), ("none", ""))
    }
    return {
        **inputs(), **words, "brush": node("RecomposeLoadSmartBrush", file=file),
        "guess": node("RecomposeGuessPrecision", mask=["other", 0], ratio=8),
        "first": node("RecomposeSmartBrushObject", positive=["one", 0], mask=["mask", 0], precision=0),
        "second": node(
            "RecomposeSmartBrushObject", positive=["two", 0], mask=["other", 0], precision=["guess", 0]
        ),
        "encoded": node("VAEEncode", pixels=["photo", 0], vae=["brush", 2]),
        "sampler": node("KSamplerSelect", sampler_name="dpmpp_2m"),
        "sigmas": node("BasicScheduler", model=["brush", 0], scheduler="karras", steps=3, denoise=1.0),
        "painted": node(
            "RecomposeSmartBrushSampler", model=["brush", 0], negative=["none", 0], latent=["encoded", 0],
            sampler=["sampler", 0], sigmas=["sigmas", 0], cfg=3.0, seed=1, start=0.4, least=0.02,
            **{"objects.object0": ["first", 0], "objects.object1": ["second", 0]},
        ),
        "decoded": node("VAEDecode", samples=["painted", 0], vae=["brush", 2]),
        "stitched": node(
            "RecomposeStitchBack", original=["photo", 0], generated=["decoded", 0], mode="strict",
            mask=["painted", 1],
        ),
        "picture": node("SaveImage", images=["stitched", 0], filename_prefix="brush"),
        "shape": node("MaskToImage", mask=["painted", 1]),
        "shown": node("PreviewImage", images=["shape", 0]),
    }  # fmt: skip


def test_a_trained_file_paints_two_things_and_leaves_the_rest(server: Any) -> None:
    trained = server.run(training(), files())
    assert trained.succeeded, trained.error
    (file,) = trained.report("train")["files"]
    assert (server.output_dir / file).is_file()
    made = server.run(painting(file.removeprefix("smartbrush/")))
    assert made.succeeded, made.error
    assert made.report("guess")["precision"] == 5
    (picture,), (shape,) = made.images("picture"), made.images("shown")
    photo = np.array(Image.open(io.BytesIO(files()["brush photo.png"])))
    given = (shape[..., 0] > 0)[..., None].repeat(3, -1)
    assert np.array_equal(picture[~given], photo[~given])
    assert (picture[given] != photo[given]).mean() > 0.5
    assert shape[BALL].min() == 255 and shape[100:136, 80:120].max() > 0
    outside = np.ones_like(shape[..., 0], bool)
    outside[BALL], outside[100:136, 80:120] = False, False
    assert not shape[outside].any()
