"""Picture files as trainings read them: upright, of any depth, or one sentence."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

ORIENTATION = 0x0112
PIXELS = np.random.default_rng(1).integers(0, 256, (6, 4, 3)).astype(np.uint8)


@pytest.fixture
def files(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.picture_files")


def test_a_photo_stands_upright_as_its_camera_noted(files: ModuleType, tmp_path: Path) -> None:
    path, exif = tmp_path / "photo.png", Image.Exif()
    exif[ORIENTATION] = 6  # to be turned a quarter to the right
    Image.fromarray(PIXELS).save(path, exif=exif)
    upright = np.rot90(PIXELS, -1)
    assert torch.equal(files.opened(path), torch.from_numpy(upright.copy()).movedim(-1, 0).float() / 255)
    assert files.size_of(path) == (6, 4)


def test_sixteen_bits_are_not_cut_off(files: ModuleType, tmp_path: Path) -> None:
    grey = np.array([[0, 300], [32768, 65535]], np.uint16)
    path = tmp_path / "deep.png"
    Image.fromarray(grey).save(path)
    expected = torch.from_numpy(grey.astype(np.float32) / 65535).expand(3, 2, 2)
    assert torch.allclose(files.opened(path), expected)


def test_another_file_is_refused_in_one_sentence(files: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("no picture")
    for read in (files.opened, files.size_of):
        with pytest.raises(ValueError, match="is no picture that can be read") as raised:
            read(path)
        assert "\n" not in str(raised.value)
