"""`cli demo-models`: what it puts where, and that it never overwrites."""

from __future__ import annotations

from pathlib import Path

import pytest
from recompose.lab.commands import demo_models
from recompose.lab.setup.environment import Environment
from recompose.lab.toy import table


@pytest.fixture
def assembled(tmp_path: Path) -> Path:
    """Stands for the assembled models: small files of the same names."""
    folder = tmp_path / "cache" / "demo-models"
    for name in table.installed():
        path = folder / name if Path(name).suffix else folder / name / "config.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


@pytest.fixture
def comfyui(tmp_path: Path) -> Path:
    folder = tmp_path / "ComfyUI"
    for name in ("models/checkpoints", "custom_nodes"):
        (folder / name).mkdir(parents=True)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.fixture
def call(monkeypatch, assembled):
    monkeypatch.setattr(demo_models.models, "assembled", lambda cache: assembled)
    environment = Environment(Path("python"), Path("ComfyUI"), assembled.parent)
    return lambda *arguments: demo_models.main([str(argument) for argument in arguments], environment)


@pytest.mark.parametrize("link", [(), ("--link",)])
def test_models_pack_and_photo_get_to_their_folders(call, comfyui, assembled, link, capsys) -> None:
    assert call("--to", comfyui, *link) == 0
    found, pack = files(comfyui), demo_models.LAB / "toy" / "model_pack"
    for name, content in files(assembled).items():
        assert found.pop(f"models/{name}") == content
    for path in pack.glob("*.py"):
        assert found.pop(f"custom_nodes/recompose-demo-models/{path.name}") == path.read_bytes()
    assert found.keys() == {"input/recompose_demo_photo.png"}
    assert (comfyui / "models" / table.TEXT_TO_IMAGE).is_symlink() == bool(link)
    assert f"{comfyui}/models/checkpoints/recompose_demo.safetensors" in capsys.readouterr().out


@pytest.mark.parametrize("link", [(), ("--link",)])
def test_a_second_run_changes_nothing(call, comfyui, link, capsys) -> None:
    assert call("--to", comfyui, *link) == 0
    before, _ = files(comfyui), capsys.readouterr()
    assert call("--to", comfyui, *link) == 0
    assert files(comfyui) == before
    assert " 0 files" in capsys.readouterr().out


def test_another_file_of_the_same_name_stays_and_nothing_is_written(call, comfyui, capsys) -> None:
    own = comfyui / "models" / "checkpoints" / "recompose_demo.safetensors"
    own.write_text("my own")
    assert call("--to", comfyui) == 1
    assert files(comfyui) == {"models/checkpoints/recompose_demo.safetensors": b"my own"}
    error = capsys.readouterr().err
    assert str(own) in error
    assert "move it away" in error


def test_a_link_into_a_cache_that_is_gone_is_replaced(call, comfyui, tmp_path) -> None:
    link = comfyui / "models" / "checkpoints" / "recompose_demo.safetensors"
    link.symlink_to(tmp_path / "gone.safetensors")
    assert call("--to", comfyui) == 0
    assert link.read_text() == "checkpoints/recompose_demo.safetensors"


@pytest.mark.parametrize("lacking", ["models", "custom_nodes"])
def test_a_folder_that_is_no_comfyui_is_refused(call, tmp_path, lacking, capsys) -> None:
    there = {"models", "custom_nodes"} - {lacking}
    (tmp_path / "other" / there.pop()).mkdir(parents=True)
    assert call("--to", tmp_path / "other") == 1
    assert f"without {lacking}/; give that folder with --to." in capsys.readouterr().err


def test_a_file_in_the_way_is_named(call, comfyui, capsys) -> None:
    (comfyui / "models" / "blip").write_text("")
    assert call("--to", comfyui) == 1
    assert f"Cannot write {comfyui}/models/blip" in capsys.readouterr().err
