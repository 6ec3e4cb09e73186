"""A tiny BLIP folder as ComfyUI's only caption model, and captions computed as a node computes them."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

HERE = Path(__file__).resolve().parent
BEAMS = {"search": "beams", "num_beams": 2}


@pytest.fixture(scope="package")
def tiny() -> ModuleType:
    """tests/in_comfyui/blip/tiny.py, which is also a program of its own."""
    spec = importlib.util.spec_from_file_location("blip_tiny", HERE / "tiny.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="package")
def folder(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's folder."""
    return tiny.make_folder(tmp_path_factory.mktemp("models") / "blip" / "tiny")


@pytest.fixture
def blip(comfy: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """bridge.blip with the tiny folder's parent as ComfyUI's models folder."""
    folder_paths = importlib.import_module("folder_paths")
    monkeypatch.setattr(folder_paths, "models_dir", str(folder.parent.parent))
    monkeypatch.delitem(folder_paths.folder_names_and_paths, "blip", raising=False)
    yield importlib.import_module("recompose.bridge.models.blip")
    folder_paths.folder_names_and_paths.pop("blip", None)


@pytest.fixture
def image(tiny: ModuleType) -> torch.Tensor:
    """Three different pictures as an IMAGE."""
    return tiny.pictures().permute(0, 2, 3, 1).contiguous()


@pytest.fixture
def describe(blip: ModuleType) -> Callable[..., list[str]]:
    """The captions of an IMAGE, computed as a node computes them."""
    core = importlib.import_module("recompose.core.caption")

    def describe(
        image: torch.Tensor, prompt: str = "", search: dict = BEAMS, name: str = "tiny"
    ) -> list[str]:
        with torch.inference_mode():
            return blip.caption(image, name, core.wording(prompt, search, 5, 12, 1.0))

    return describe


@pytest.fixture
def variant(folder: Path) -> Iterator[Callable[..., Path]]:
    """Make another model folder of links to the tiny one's files, beside it, some of them left out."""
    made = []

    def variant(name: str, leave_out: tuple[str, ...] = ()) -> Path:
        copy = folder.parent / name
        copy.mkdir()
        made.append(copy)
        for file in folder.iterdir():
            if file.name not in leave_out:
                (copy / file.name).symlink_to(file)
        return copy

    yield variant
    for copy in made:
        shutil.rmtree(copy)
