"""What the pages of Shape Guard and the templates show: a thing painted in a rough mask of a photo."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ....cli.comfy import workflow
from ....cli.comfy.client import Client
from ...toy import coarse_brush
from ...toy import prompt as toy
from ..boxes import Box, box
from .graph import Graph
from .sheet import sheet, tinted

# The drawn photo; its thing is one that the demo's models paint well.
SEED = 105
PHOTO = "brush"
PLAIN, GUARDED, MASK = "without", "with Shape Guard", "mask of the thing"
CFG = 3.0


def drawn() -> Box:
    """The photo, its rough mask and the words for the thing; RuntimeError where the seed draws none."""
    found = box(SEED)
    if found is None:
        raise RuntimeError(f"Expected a thing in the drawn picture {SEED}, got none; choose another seed.")
    return found


def with_mask(found: Box) -> Image.Image:
    """The photo, transparent under its mask as the mask editor leaves it."""
    image = Image.fromarray(found.photo)
    image.putalpha(Image.fromarray(np.where(found.mask, 0, 255).astype(np.uint8)))
    return image


def rough(found: Box) -> Image.Image:
    """The photo with its mask in colour."""
    return tinted(Image.fromarray(found.photo), Image.fromarray(found.mask.astype(np.uint8) * 255))


def photos() -> dict[str, Image.Image]:
    """What is uploaded, by name."""
    return {PHOTO: with_mask(drawn())}


def build(graph: Graph, photo: str) -> None:
    """The photo, a file in the server's input folder, painted without and with Shape Guard, and the mask."""
    found, image = drawn(), graph.add("LoadImage", image=photo)
    checkpoint = graph.add("CheckpointLoaderSimple", ckpt_name=toy.MODELS["checkpoint"])
    words = [graph.add("CLIPTextEncode", clip=[checkpoint, 1], text=text) for text in (found.text, "")]
    shown = graph.add(
        "InpaintModelConditioning", positive=words[0], negative=words[1], vae=[checkpoint, 2], pixels=image,
        mask=[image, 1], noise_mask=True,
    )  # fmt: skip
    guard = graph.add(
        "RecomposeShapeGuard", model=checkpoint, clip=[checkpoint, 1], latent=[shown, 2], text=found.text,
        words=found.words, start=0.33, least=0.02, threshold=0.0, grow=0.0, feather=8.0,
    )  # fmt: skip
    latent = ""
    for name, model in ((PLAIN, checkpoint), (GUARDED, guard)):
        latent = graph.add(
            "KSampler", model=model, positive=shown, negative=[shown, 1], latent_image=[shown, 2],
            seed=found.seed, denoise=1.0, **{**toy.SAMPLING, "cfg": CFG},
        )  # fmt: skip
        graph.show(name, graph.add("VAEDecode", samples=latent, vae=[checkpoint, 2]))
    graph.show_mask(MASK, graph.add("RecomposeShapeGuardMask", guard=[guard, 1], latent=latent))


def template(client: Client) -> tuple[Image.Image, Image.Image, Image.Image]:
    """The template coarse_brush: the photo with its rough mask, the mask of the thing, and the result."""
    found = drawn()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "help coarse brush.png")
        with_mask(found).save(path)
        prompt = coarse_brush.compose(client.upload(path), found.text, found.words)
    outputs = client.run(prompt)["outputs"]
    made = []
    for title in ("Mask of the thing", "With the thing"):
        identity = workflow.find(prompt, title)
        if identity not in outputs:
            raise RuntimeError(f"Expected the picture {title!r} but its node made none; run it in the page.")
        file = client.fetch(outputs[identity]["images"][0])
        made.append(Image.open(io.BytesIO(file)).convert("RGB"))
    return rough(found), made[0], made[1]


def pages(shown: dict[str, Any]) -> dict[str, Image.Image]:
    """The pages of the two nodes."""
    mask = ("rough mask", rough(drawn()))
    return {
        "RecomposeShapeGuard": sheet(mask, *((name, shown[name]) for name in (PLAIN, GUARDED, MASK))),
        "RecomposeShapeGuardMask": sheet(*((name, shown[name]) for name in (GUARDED, MASK))),
    }
