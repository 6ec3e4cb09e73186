"""A result's version follows what the result depends on, through imports, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from recompose.lab import version as versions
from recompose.lab.toy import table

FILES = {
    "core/__init__.py": '"""Rooms."""\n',
    "core/far.py": (
        '"""Far away."""\n\nLIMIT = 3  # as measured\n\n\n'
        'def double(x):\n    """Twice."""\n    return 2 * x\n'
    ),
    "core/lazy.py": "A = 1\n",
    "core/named.py": "A = 1\n",
    "core/absolute.py": "A = 1\n",
    "core/unrelated.py": "A = 1\n",
    "lab/__init__.py": "",
    "lab/near.py": "from ..core.far import double\n\n\ndef late():\n    from ..core import lazy\n",
    "lab/entry.py": (
        "import importlib\n\nimport torch\nimport recompose.core.absolute\n\nfrom . import near\n\n"
        'named = importlib.import_module("recompose.core.named")\n'
    ),
    "lab/net.py": "def build():\n    return 1\n",
    "lab/toy/table.py": "ROWS = ()\n",
}
MODEL = table.ToyModel("planted", network="lab.net:build", trainer="lab.entry:task", data=("words.txt",))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "planted.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(versions, "ROOT", tmp_path)
    monkeypatch.setitem(table.MODELS, "planted", MODEL)
    return tmp_path


def version(checkout: Path) -> str:
    return versions.version(["lab.entry"], ["planted"], settings={"a": 1}, weights=checkout / "weights")


def change(checkout: Path, name: str, old: str, new: str) -> None:
    text = (checkout / name).read_text()
    assert old in text
    (checkout / name).write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("core/far.py", "  # as measured", "  # as guessed"),
        ("core/far.py", '"""Twice."""', '"""Two times."""'),
        ("core/far.py", '"""Far away."""\n\n', ""),
        ("core/far.py", "return 2 * x", "return (2\n        * x)"),
        ("core/__init__.py", "Rooms", "Halls"),
        ("core/unrelated.py", "A = 1", "A = 2"),
        ("lab/toy/table.py", "()", "(1,)"),
    ],
)
def test_what_changes_no_result_changes_no_version(checkout: Path, name: str, old: str, new: str) -> None:
    before = version(checkout)
    change(checkout, name, old, new)
    assert version(checkout) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("core/far.py", "LIMIT = 3", "LIMIT = 4"),
        ("core/far.py", "2 * x", "3 * x"),
        ("core/lazy.py", "A = 1", "A = 2"),  # imported inside a function
        ("core/named.py", "A = 1", "A = 2"),  # by importlib
        ("core/absolute.py", "A = 1", "A = 2"),
        ("core/__init__.py", '"""Rooms."""', "A = 1"),
        ("lab/net.py", "return 1", "return 2"),  # builds the model's network
        ("weights/planted.safetensors", "weights", "Weights"),
    ],
)
def test_what_may_change_a_result_changes_the_version(checkout: Path, name: str, old: str, new: str) -> None:
    before = version(checkout)
    change(checkout, name, old, new)
    assert version(checkout) != before


def test_settings_and_the_models_row_count(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = version(checkout)
    weights = checkout / "weights"
    assert versions.version(["lab.entry"], ["planted"], settings={"a": 2}, weights=weights) != before
    assert versions.version(["lab.entry"], settings={"a": 1}, weights=weights) != before
    monkeypatch.setitem(table.MODELS, "planted", dataclasses.replace(MODEL, prefix="first."))
    assert version(checkout) != before


def test_a_module_that_is_not_there_is_refused(checkout: Path) -> None:
    with pytest.raises(ValueError, match=r"got lab\.nowhere"):
        versions.version(["lab.nowhere"])


def test_results_follow_what_they_are_made_with() -> None:
    painting = {path.as_posix() for path in versions.closure(["lab.evaluate.pictures.latent_problem"])}
    assert {"core/sampling/lagrange.py", "lab/toy/models/networks.py", "lab/toy/tensors.py"} <= painting
    assert not {name for name in painting if "evaluator" in name or name.startswith("lab/train")}
