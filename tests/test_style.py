"""ruff and pyright find nothing to say, and would say it if there were something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def setting(name: str) -> str:
    value = os.environ.get(name)
    assert value, f"{name} is not set; `python3 cli test` sets it."
    return value


def ruff(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [os.environ.get("RECOMPOSE_TOOLS"), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "ruff", *arguments]
    variables = os.environ | {"PYTHONPATH": path, "RUFF_NO_CACHE": "true", "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=variables, input=given, capture_output=True, text=True, check=False
    )


def pyright(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # ComfyUI's folder on the path gives the types of comfy, comfy_api and folder_paths.
    variables = os.environ | {"PYTHONPATH": setting("COMFYUI_PATH")}
    command = [
        setting("RECOMPOSE_NODE"),
        str(Path(setting("RECOMPOSE_NODE_PACKAGES"), "node_modules", "pyright", "index.js")),
        "--pythonpath",
        sys.executable,
        *arguments,
    ]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_ruff_has_nothing_to_say() -> None:
    result = ruff("check", ".")
    assert result.returncode == 0, result.stdout + result.stderr


def test_everything_is_formatted() -> None:
    result = ruff("format", "--check", ".")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("path", "source", "rule"),
    [
        ("core/planted.py", "import comfy.utils\n\ncomfy.utils.load()\n", "TID251"),
        ("core/planted.py", "print(1)\n", "T201"),
        ("training/planted.py", "import json\n", "F401"),
    ],
)
def test_ruff_sees_a_planted_fault(path: str, source: str, rule: str) -> None:
    result = ruff("check", "--stdin-filename", path, "-", given=source)
    assert result.returncode == 1
    assert rule in result.stdout


def test_pyright_has_nothing_to_say() -> None:
    result = pyright(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_pyright_sees_a_planted_fault(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(
        "import torch\nfrom comfy_api.latest import io\n\n"
        "size: int = torch.zeros(3).tolist\nname: int = io.Image.Input('image')\n"
    )
    result = pyright(tmp_path, "planted.py")
    assert result.returncode == 1
    assert "2 errors" in result.stdout, result.stdout
