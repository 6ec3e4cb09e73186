"""The demo models are assembled once per version, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from recompose.lab.setup import models
from recompose.lab.toy import assemble


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "vae.safetensors").write_bytes(b"one")
    (folder / "text.safetensors").write_bytes(b"two")
    return folder


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where models were put together, in order; each build copies the parts."""
    seen: list[Path] = []

    def copy(parts: Path, folder: Path) -> None:
        seen.append(folder)
        folder.mkdir()
        for part in parts.iterdir():
            (folder / part.name).write_bytes(part.read_bytes())

    monkeypatch.setattr(assemble, "assemble", copy)
    return seen


def test_the_same_parts_are_assembled_once_and_changed_ones_again(weights, builds, tmp_path) -> None:
    first = models.assembled(tmp_path / "cache", weights)
    assert models.assembled(tmp_path / "cache", weights) == first
    assert len(builds) == 1
    assert sorted(path.name for path in first.iterdir()) == ["text.safetensors", "vae.safetensors"]
    (weights / "text.safetensors").write_bytes(b"twO")
    second = models.assembled(tmp_path / "cache", weights)
    assert second != first and len(builds) == 2
    assert (second / "text.safetensors").read_bytes() == b"twO"
    assert (first / "text.safetensors").read_bytes() == b"two"


def test_bytes_that_move_from_one_part_to_the_next_are_another_version(weights) -> None:
    before = models.version(weights)
    (weights / "vae.safetensors").write_bytes(b"onet")
    (weights / "text.safetensors").write_bytes(b"wo")
    assert models.version(weights) != before


def test_what_a_killed_build_left_is_replaced(weights, builds, tmp_path) -> None:
    rest = tmp_path / "cache" / f"demo-models-{models.version(weights)}.unfinished"
    rest.mkdir(parents=True)
    (rest / "half.safetensors").write_bytes(b"ha")
    made = models.assembled(tmp_path / "cache", weights)
    assert not (made / "half.safetensors").exists() and not rest.exists()


def test_a_failed_build_leaves_no_models(weights, tmp_path, monkeypatch) -> None:
    def full(parts: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "half").write_bytes(b"ha")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(assemble, "assemble", full)
    with pytest.raises(RuntimeError, match=r"Cannot write the demo models into .*: No space left on device"):
        models.assembled(tmp_path / "cache", weights)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["demo-models.lock"]
