"""Folders of small pictures, and the command as a function."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from recompose.lab.commands import evaluate
from recompose.lab.setup.environment import Environment


@pytest.fixture(scope="session", autouse=True)
def library(torchmetrics: Path) -> None:
    """All tests here have the library, as the command has."""


class Said(NamedTuple):
    """What a call of the command left: exit status, table, what it said, and the JSON file."""

    status: int
    table: str
    errors: str
    json: dict[str, Any]

    def value(self, name: str) -> float:
        """The one figure of that name."""
        (found,) = [each["value"] for each in self.json["figures"] if each["name"] == name]
        return found


Call = Callable[..., Said]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs the command in the folder of the test, without weights unless they are in its folder weights."""
    monkeypatch.chdir(tmp_path)
    # Nobody's own files count.
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def run(*arguments: object, real: str = "real", made: str = "made") -> Said:
        options = [
            "--real",
            real,
            "--made",
            made,
            "--json",
            "x.json",
            "--weights",
            "weights",
            "--device",
            "cpu",
        ]
        environment = Environment(Path(sys.executable), tmp_path, tmp_path)
        (tmp_path / "x.json").unlink(missing_ok=True)
        try:
            status = evaluate.main([*options, *map(str, arguments)], environment)
        except SystemExit as error:
            status = int(error.code or 0)
        said = capsys.readouterr()
        file = tmp_path / "x.json"
        return Said(status, said.out, said.err, json.loads(file.read_text()) if file.is_file() else {})

    return run


def save(picture: np.ndarray, path: Path, **options: Any) -> None:
    """Write an array as a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **options)


def noise(seed: int, height: int = 64, width: int = 80) -> np.ndarray:
    """A picture H,W,3 of noise."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
