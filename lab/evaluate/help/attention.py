"""What the help pages of the attention nodes show: two rows of a batch, drawn at once."""

from __future__ import annotations

from typing import Any

from PIL import Image

from ...toy import prompt as toy
from .graph import Graph, Link
from .sheet import sheet

SEED = 5
OWN = "a woman with long red hair in a green shirt, blue trousers and white boots standing on a beach"
NEW = "a woman standing with both arms up on a beach"
CONTROL = toy.MODELS["controlnet"]
SOURCE, PLAIN, MUTUAL, APART, FOLLOWING = (
    "source",
    "target",
    "with the patch",
    "its own noise",
    "with control",
)


def build(graph: Graph, inpaint: Any, pose: Link) -> None:
    """Two prompts as rows with the same noise, with and without the patch, and with a pose on the target."""
    rows = graph.add(
        "RecomposeRows", source_prompt=OWN, target_prompts=NEW, clip=[inpaint.model, 1], model=inpaint.model
    )
    latent = graph.add("RecomposeSameNoise", latent=inpaint.encoded, rows=[rows, 1])
    own = graph.add("RepeatLatentBatch", samples=inpaint.encoded, amount=2)
    patched = graph.add(
        "RecomposeMutualAttention", model=inpaint.model, keep=0.9, mode="replace", source_rows="0", steps="",
        layers="",
    )  # fmt: skip
    empty = inpaint.words("")
    loader = graph.add("ControlNetLoader", control_net_name=CONTROL)
    applied = graph.add(
        "ControlNetApplyAdvanced", positive=rows, negative=empty, control_net=loader, image=pose,
        strength=1.0, start_percent=0.0, end_percent=1.0, vae=inpaint.vae,
    )  # fmt: skip
    some = graph.add("RecomposeControlRows", positive=applied, negative=[applied, 1], rows="1-")
    runs: dict[str, tuple[Any, Any, Any, Any]] = {
        PLAIN: (inpaint.model, rows, empty, latent),
        MUTUAL: (patched, rows, empty, latent),
        APART: (inpaint.model, rows, empty, own),
        FOLLOWING: (patched, some, [some, 1], latent),
    }
    for name, (model, positive, negative, start) in runs.items():
        made = graph.add(
            "KSampler", model=model, positive=positive, negative=negative, latent_image=start, seed=SEED,
            denoise=1.0, **toy.SAMPLING,
        )  # fmt: skip
        images = graph.add("VAEDecode", samples=made, vae=inpaint.vae)
        for number, label in ((0, f"{SOURCE}, {name}"), (1, name)):
            graph.show(label, graph.add("ImageFromBatch", image=images, batch_index=number, length=1))


def pages(found: dict[str, Any]) -> dict[str, Image.Image]:
    """The pages of the four nodes."""
    source = (SOURCE, found[f"{SOURCE}, {PLAIN}"])

    def beside(*names: str) -> Image.Image:
        return sheet(source, *((name, found[name]) for name in names))

    return {
        "RecomposeMutualAttention": beside(PLAIN, MUTUAL),
        "RecomposeSameNoise": beside(PLAIN, APART),
        "RecomposeRows": beside(PLAIN),
        "RecomposeControlRows": sheet(
            (SOURCE, found[f"{SOURCE}, {FOLLOWING}"]), ("target", found[FOLLOWING])
        ),
    }
