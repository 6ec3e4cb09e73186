"""What the help pages of the nodes that find words show: in a picture as it is made, and in a photo."""

from __future__ import annotations

from typing import Any

from PIL import Image

from ...toy import prompt as toy
from .attention import OWN
from .graph import Graph
from .sheet import sheet, tinted

SIZE, SEED = (128, 192), 5
MADE, LOOKED = ("shirt", "trousers", "boots", "hair"), "shirt"


def build(graph: Graph, inpaint: Any, own: str) -> None:
    """The words of a picture while it is sampled, and a word of the person's picture without sampling."""
    recorded = graph.add(
        "RecomposeRecordAttention", model=inpaint.model, detail="all together", steps="", layers=""
    )
    start = graph.add("EmptyLatentImage", width=SIZE[0], height=SIZE[1], batch_size=1)
    made = graph.add(
        "KSampler", model=recorded, positive=inpaint.words(OWN), negative=inpaint.words(""),
        latent_image=start, seed=SEED, denoise=1.0, **toy.SAMPLING,
    )  # fmt: skip
    image = graph.add("VAEDecode", samples=made, vae=inpaint.vae)
    maps = graph.add(
        "RecomposeAttentionMaps", attention=[recorded, 1], latent=made, clip=[inpaint.model, 1], text=OWN,
        words=", ".join(MADE), show="overlay", threshold=0.0, labels=False, aggregation="DAAM",
        layers="decoder", steps="", image=image,
    )  # fmt: skip
    masks = graph.add("MaskToImage", mask=[maps, 1])
    graph.show("recorded", image)
    for number, word in enumerate(MADE):
        graph.show(f"map of {word}", graph.add("ImageFromBatch", image=maps, batch_index=number, length=1))
    graph.show("mask of a word", graph.add("ImageFromBatch", image=masks, batch_index=0, length=1))
    looked = graph.add(
        "RecomposeWordMask", model=inpaint.model, clip=[inpaint.model, 1], vae=inpaint.vae,
        image=inpaint.person, text=own, words=LOOKED, threshold=0.0, one_piece=True, grow=0.0, feather=0.0,
        layers="", seed=0,
    )  # fmt: skip
    graph.show_mask("word mask", looked)
    graph.show_mask("word map", [looked, 1])


def pages(found: dict[str, Any]) -> dict[str, Image.Image]:
    """The pages of the three nodes."""
    image, maps = ("image", found["recorded"]), [(word, found[f"map of {word}"]) for word in MADE]
    return {
        "RecomposeRecordAttention": sheet(image, *maps),
        "RecomposeAttentionMaps": sheet(image, maps[0], ("mask", found["mask of a word"])),
        "RecomposeWordMask": sheet(
            ("image", found["result"]),
            (f"map of {LOOKED}", found["word map"]),
            ("mask", tinted(found["result"], found["word mask"])),
        ),
    }
