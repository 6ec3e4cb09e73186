"""Build one prompt for a ComfyUI server and collect the pictures, masks and texts that it shows."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from ....cli.comfy import workflow
from ....cli.comfy.client import Client

Link = list[Any]  # [node id, output index], as in API prompts


class Graph:
    """A prompt that grows node by node; `show` marks what is to be fetched after the run."""

    def __init__(self, prompt: dict | None = None) -> None:
        self.prompt = dict(prompt or {})
        self.shown: dict[str, str] = {}

    def add(self, kind: str, **inputs: Any) -> str:
        """A node's id. Inputs are values, links, or ids for output 0; `__` stands for the dot of a dynamic
        input."""
        identity = f"help {len(self.prompt)}"
        linked = {name.replace("__", "."): self.link(value) for name, value in inputs.items()}
        self.prompt[identity] = {"class_type": kind, "inputs": linked}
        return identity

    def link(self, value: Any) -> Any:
        """The link to output 0 where the value is the id of a node."""
        return [value, 0] if isinstance(value, str) and value in self.prompt else value

    def titled(self, title: str) -> str:
        """The id of a node of the prompt this began with."""
        return workflow.find(self.prompt, title)

    def show(self, name: str, image: Any) -> None:
        """Fetch this picture as `name`."""
        self.shown[name] = self.add("PreviewImage", images=image)

    def show_mask(self, name: str, mask: Any) -> None:
        """Fetch this mask as `name`, white = 1."""
        self.show(name, self.add("MaskToImage", mask=mask))

    def show_text(self, name: str, value: Any) -> None:
        """Fetch this value as text."""
        self.shown[name] = self.add("PreviewAny", source=value)

    def run(self, server: Any) -> dict[str, Any]:
        """The pictures (RGB) and texts by name; `server` is a client, or a private server that has one.

        RuntimeError where one was not made.
        """
        client: Client = getattr(server, "client", server)
        outputs = server.run(self.prompt)["outputs"]
        if absent := [name for name, identity in self.shown.items() if identity not in outputs]:
            raise RuntimeError(
                f"Expected the picture {absent[0]!r} but its node made none; run the prompt in the page."
            )
        found: dict[str, Any] = {}
        for name, identity in self.shown.items():
            output = outputs[identity]
            if "text" in output:
                found[name] = output["text"][0]
            else:
                content = client.fetch(output["images"][0])
                found[name] = Image.open(io.BytesIO(content)).convert("RGB")
        return found
