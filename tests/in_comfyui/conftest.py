"""One real ComfyUI server for the whole test session, with the pack, the small sizes and the demo models."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.cli.comfy.client import Client
from recompose.lab.setup.models import WEIGHTS, assembled
from recompose.lab.setup.server import PrivateServer, demo_packs
from recompose.lab.toy.table import MODELS


@dataclass
class Outcome:
    """What one prompt left: the history entry, and outputs and pictures by node id."""

    entry: dict
    client: Client
    outputs: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outputs = self.entry.get("outputs", {})

    @property
    def succeeded(self) -> bool:
        return self.entry["status"]["status_str"] == "success"

    @property
    def error(self) -> dict:
        """The data of the execution_error message; {} when there was none."""
        return dict(self.entry["status"]["messages"]).get("execution_error", {})

    def report(self, node: str) -> dict:
        """The plain object a node of the pack leaves for headless clients."""
        return self.outputs[node]["recompose"][0]

    def images(self, node: str) -> list[np.ndarray]:
        """The pictures a SaveImage or PreviewImage node left, as they are on disk (uint8 H,W,C)."""
        files = [self.client.fetch(image) for image in self.outputs[node]["images"]]
        return [np.array(Image.open(io.BytesIO(file))) for file in files]


@dataclass
class RunningServer:
    """Put files into `input_dir` (or pass them to run), post prompts, look at the outcome."""

    url: str
    client: Client
    input_dir: Path
    output_dir: Path
    models_dir: Path
    process: PrivateServer

    def run(self, prompt: dict, files: dict[str, Path | bytes] | None = None) -> Outcome:
        """Run an API-format prompt; `files` (name to path or bytes) are put into the input folder first.

        A refused prompt raises cli.comfy.client.Refused (its `body` is the server's JSON); a failed one
        comes back with `succeeded` False.
        """
        for name, content in (files or {}).items():
            target = self.input_dir / name
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                shutil.copyfile(content, target)
        return Outcome(self.process.run(prompt), self.client)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The demo server; it lives as long as the session."""
    folder = tmp_path_factory.mktemp("demo-server")
    models = assembled(folder) if len(list(WEIGHTS.glob("*.safetensors"))) == len(MODELS) else None
    with PrivateServer(sys.executable, os.environ["COMFYUI_PATH"], folder, demo_packs(), models) as running:
        yield RunningServer(
            running.url, running.client, running.input_dir, running.output_dir, running.models_dir, running
        )
