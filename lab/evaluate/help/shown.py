"""What a prompt shows on a server."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from PIL import Image

from ....cli.comfy.client import Client

SAVED = "SaveImage"


class Shown(NamedTuple):
    """Pictures by name, and what every node has put out by its id."""

    pictures: dict[str, list[Image.Image]]
    outputs: dict[str, Any]


def shown(client: Client, prompt: dict, links: dict[str, list[Any]]) -> Shown:
    """The pictures that a prompt saves, as "saved", and those of further IMAGE links by name."""
    prompt = prompt | {
        name: {"class_type": "PreviewImage", "inputs": {"images": link}} for name, link in links.items()
    }
    outputs = client.run(prompt)["outputs"]
    saved = next(identity for identity, node in prompt.items() if node["class_type"] == SAVED)
    found = {}
    for name, identity in {"saved": saved, **{name: name for name in links}}.items():
        if identity not in outputs:
            raise RuntimeError(f"Expected the picture {name!r} but its node made none; run it in the page.")
        files = [client.fetch(image) for image in outputs[identity]["images"]]
        found[name] = [Image.open(io.BytesIO(file)).convert("RGB") for file in files]
    return Shown(found, outputs)
