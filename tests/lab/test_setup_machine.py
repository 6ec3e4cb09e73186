"""Machines and Pythons that the set-up takes, an existing ComfyUI, and what is at hand once all is set up."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from recompose.lab.setup import environment, models, packages
from recompose.lab.setup.packages import SetupError

ROOT = Path(__file__).resolve().parents[2]
BASE = getattr(sys, "_base_executable", sys.executable)


@pytest.mark.parametrize(
    ("system", "machine", "version", "told"),
    [
        ("Linux", "x86_64", "3.11", None),
        ("Linux", "x86_64", "3.13", None),
        ("Linux", "x86_64", "3.10", "with Python 3.11, 3.12, 3.13 but this is 3.10"),
        ("Linux", "x86_64", "3.14", "but this is 3.14"),
        ("Linux", "aarch64", "3.12", "Linux x86-64 but this is Linux aarch64"),
        ("Darwin", "arm64", "3.12", "this is Darwin arm64"),
        ("Windows", "AMD64", "3.12", "this is Windows AMD64"),
    ],
)
def test_other_machines_are_refused_in_one_sentence(
    system: str, machine: str, version: str, told: str | None
) -> None:
    refused = environment.refusal(system, machine, version)
    assert (refused is None) == (told is None)
    if told is not None and refused is not None:
        assert told in refused
        assert refused.endswith(".")
        assert refused.count(". ") == 0


def test_a_folder_without_comfyui_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"it holds no main\.py; name ComfyUI's own folder"):
        environment.ensure()


@pytest.mark.parametrize("place", ["ComfyUI/.venv", "ComfyUI/venv", "venv"])
def test_an_existing_comfyui_brings_its_python(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ComfyUI").mkdir()
    (tmp_path / "ComfyUI" / "main.py").touch()
    python = packages.new_environment(tmp_path / place)
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "ComfyUI"))
    monkeypatch.setenv("RECOMPOSE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(SetupError, match=f"{python} has no torch"):
        environment.ensure()
    (next((tmp_path / place).glob("lib/*/site-packages")) / "torch.py").touch()
    found = environment.ensure()
    assert (found.python, found.comfyui) == (python, tmp_path / "ComfyUI")
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_existing_comfyui_without_a_python_runs_in_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").touch()
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    monkeypatch.setenv("RECOMPOSE_CACHE", str(tmp_path / "cache"))
    assert environment.ensure().python == Path(sys.executable)


def test_where_the_set_up_does_not_work_an_existing_comfyui_is_asked_for_all_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").touch()
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    monkeypatch.setenv("RECOMPOSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(environment.platform, "system", lambda: "Windows")
    assert environment.ensure(overlays=("torchmetrics",)).overlays == {}
    assert list((tmp_path / "cache").iterdir()) == []


ELSEWHERE = {
    "Windows": "import platform; platform.system = lambda: 'Windows'",
    "Darwin": "import platform; platform.system = lambda: 'Darwin'",
    "a Python without fcntl": "sys.modules['fcntl'] = None",
}


@pytest.mark.parametrize("command", ["demo", "bench", "quality"])
@pytest.mark.parametrize("got", ELSEWHERE)
def test_a_private_server_is_refused_where_nothing_ends_it_with_its_starter(
    got: str, command: str, tmp_path: Path
) -> None:
    (tmp_path / "main.py").touch()
    program = f"import runpy, sys; {ELSEWHERE[got]}; sys.argv = ['lab', {command!r}, '--help']; "
    program += f"runpy.run_path({str(ROOT / 'lab')!r}, run_name='__main__')"
    # Neither with a ComfyUI that is installed nor without may it begin anything.
    for places in ({"COMFYUI_PATH": str(tmp_path)}, {}):
        variables = {key: value for key, value in os.environ.items() if key != "COMFYUI_PATH"} | places
        variables["RECOMPOSE_CACHE"] = str(tmp_path / "cache")
        done = subprocess.run([BASE, "-c", program], env=variables, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{command}: Expected Linux, got {got}; run it there, or use ")
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "cache").exists()


def test_the_demo_models_are_refused_in_a_sentence_without_fcntl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(RuntimeError, match="Expected Linux to put the demo models together, got"):
        models.assembled(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--help"], 0, "train-demo"),
        ([], 2, "usage: python3 cli COMMAND"),
        (["paint"], 2, "There is no command paint."),
    ],
)
def test_the_command_line_starts_in_any_folder(
    arguments: list[str], status: int, told: str, tmp_path: Path
) -> None:
    command = [BASE, "-I", str(ROOT / "cli"), *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == status
    assert told in result.stdout + result.stderr


def test_a_command_answers_as_quickly_as_what_it_calls_once_set_up(tmp_path: Path) -> None:
    """Beside pytest alone, so that neither a slow machine nor other work on it decides."""
    tools = os.environ.get("RECOMPOSE_TOOLS")
    assert tools, "`python3 cli test` sets RECOMPOSE_TOOLS."
    commands = {
        "ours": [sys.executable, str(ROOT / "cli"), "test", "--version"],
        "pytest alone": [sys.executable, "-m", "pytest", "--version"],
    }
    seconds = dict.fromkeys(commands, 0.0)
    for name in 5 * list(commands):
        before = processor_seconds()
        result = subprocess.run(
            commands[name],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": tools},
            capture_output=True,
            text=True,
        )
        seconds[name] += processor_seconds() - before
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("pytest ")
    assert seconds["ours"] < 3 * seconds["pytest alone"], seconds


def processor_seconds() -> float:
    """What the programs that this process started and that ended have taken so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("TRANSFORMERS4", "import transformers as t, tokenizers; print(t.__version__)", "4.50.3"),
        ("CONTROLNET_AUX", "import skimage.data as d; print(d.astronaut().shape)", "(512, 512, 3)"),
        (
            "LITERT",
            "from ai_edge_litert.interpreter import Interpreter as i; print(i.__name__)",
            "Interpreter",
        ),
    ],
)
def test_the_libraries_to_compare_with_are_there(name: str, code: str, told: str) -> None:
    path = os.environ.get(f"RECOMPOSE_OVERLAY_{name}")
    assert path, f"`python3 cli test` sets RECOMPOSE_OVERLAY_{name}."
    variables = os.environ | {"PYTHONPATH": path}
    found = subprocess.check_output([sys.executable, "-c", code], env=variables, text=True)
    assert found.strip() == told
