"""What the help pages of Invert Latent and Replay Source show: a person sampled from its own noise."""

from __future__ import annotations

from typing import Any

from PIL import Image

from ...toy import prompt as toy
from .graph import Graph
from .sheet import sheet

STEPS, STRONG = 30, 5.0
BACK, EDITED, DRIFTED, REPLAYED = "came back", "other words", "its row alone", "its row replayed"


def build(graph: Graph, inpaint: Any, own: str, other: str) -> None:
    """Invert the person with its own words; come back with them, and go elsewhere with other ones."""
    empty = inpaint.words("")
    given = {"model": inpaint.model, "positive": inpaint.words(own), "negative": empty}
    levels = {"steps": STEPS, "scheduler": toy.SAMPLING["scheduler"], "cfg": 1.0, "denoise": 1.0}
    inverted = graph.add("RecomposeInvertLatent", **given, latent=inpaint.encoded, method="O-BELM", **levels)
    replayed = graph.add("RecomposeReplaySource", model=inpaint.model, inversion=[inverted, 3], row=0)
    plain, fresh = (
        graph.add("KSamplerSelect", sampler_name=name) for name in ("dpmpp_2m", "euler_ancestral")
    )
    runs = {
        BACK: (inpaint.model, own, 1.0, [inverted, 1]),
        EDITED: (inpaint.model, other, toy.SAMPLING["cfg"], plain),
        DRIFTED: (inpaint.model, other, STRONG, fresh),
        REPLAYED: (replayed, other, STRONG, fresh),
    }
    for name, (model, words, cfg, sampler) in runs.items():
        guider = graph.add("CFGGuider", model=model, positive=inpaint.words(words), negative=empty, cfg=cfg)
        made = graph.add(
            "SamplerCustomAdvanced", noise=inverted, guider=guider, sampler=sampler, sigmas=[inverted, 2],
            latent_image=inpaint.encoded,
        )  # fmt: skip
        graph.show(name, graph.add("VAEDecode", samples=made, vae=inpaint.vae))


def pages(found: dict[str, Any]) -> dict[str, Image.Image]:
    """The pages of both nodes."""

    def shown(*names: str) -> Image.Image:
        return sheet(("image", found["result"]), *((name, found[name]) for name in names))

    return {
        "RecomposeInvertLatent": shown(BACK, EDITED),
        "RecomposeReplaySource": shown(DRIFTED, REPLAYED),
    }
