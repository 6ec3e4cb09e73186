"""The archive that ComfyUI's registry hands out, git's files without those of .comfyignore, stands alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import PIL
import pytest
from recompose.cli import fetch, lab, main
from recompose.tests.in_comfyui import main_job

TOPS = {
    *(
        "__init__.py",
        "nodes",
        "bridge",
        "core",
        "training",
        "cli",
        "js",
        "locales",
        "workflows",
        "docs",
        "models",
    ),
    *("README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"),
}
# Bytes, at most: all packed, all pictures, and one file that is none of BlazePose's networks.
PACKED, PICTURES, FILE = 11_000_000, 1_600_000, 120_000
NETWORKS = "models/blazepose/"
# Pages stand without these.
LEFT_OUT = {"docs/pictures/quality.png"}
SHOWN = {".png", ".jpg", ".webp", ".svg", ".gif"}
STARTER = """
import json, os, runpy, sys
comfyui, base = sys.argv[1:]
sys.path.insert(0, comfyui)
sys.argv = [os.path.join(comfyui, "main.py"), "--cpu", "--quick-test-for-ci", "--base-directory", base]
sys.argv += ["--database-url", "sqlite:///:memory:"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    import nodes
    print("NODES", json.dumps(sorted(nodes.NODE_CLASS_MAPPINGS)))
"""


def listed(root: Path, *options: str) -> set[str]:
    command = ["git", "ls-files", "-z", "--cached", *options]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split("\0") if name and (root / name).is_file()}


@pytest.fixture(scope="module")
def packed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, as the registry's tool packs it."""
    path = tmp_path_factory.mktemp("archive") / "node.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(listed(root) - listed(root, "--ignored", "--exclude-from=.comfyignore")):
            archive.write(root / name, name)
    return path


@pytest.fixture
def folder(packed: Path, tmp_path: Path) -> Path:
    """The archive, unpacked into a ComfyUI's folder of custom nodes."""
    place = tmp_path / "custom_nodes" / "comfyui-recompose"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(place)
    return place


def command(folder: Path, *arguments: str, python: tuple[str, ...] = ("-I", "-S"), **variables: str):
    """`python3 cli ...` of the archive; nothing but the standard library is at hand."""
    line = [sys.executable, *python, str(folder / "cli"), *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RECOMPOSE"))}
    known = kept | {"RECOMPOSE_CACHE": str(folder.parent / "cache")} | variables
    return subprocess.run(line, cwd=folder.parent, env=known, capture_output=True, text=True, timeout=300)


def test_it_holds_the_product_and_is_small(packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        files = archive.infolist()
    assert {Path(file.filename).parts[0] for file in files} == TOPS
    unwanted = re.compile(r"^docs/[^/]*\.json$|/__pycache__/")
    assert not [file.filename for file in files if unwanted.search(file.filename)]
    own = {file.filename: file.file_size for file in files if not file.filename.startswith(NETWORKS)}
    assert {name: size for name, size in own.items() if size > FILE} == {}
    assert sum(size for name, size in own.items() if Path(name).suffix in SHOWN) <= PICTURES
    assert packed.stat().st_size <= PACKED


def test_its_pages_find_their_pictures(folder: Path, root: Path) -> None:
    shown = {
        (page.parent / target).resolve().relative_to(folder.resolve()).as_posix()
        for page in (folder / "README.md", *folder.glob("docs/*.md"))
        for target in re.findall(r"!\[[^]]*\]\(([^):#]+)\)", page.read_text(encoding="utf-8"))
    }
    assert shown
    assert {name for name in shown if not (folder / name).is_file()} <= LEFT_OUT
    assert all((root / name).is_file() for name in shown)


def test_comfyui_loads_it_with_all_nodes_and_no_error(folder: Path, root: Path) -> None:
    line = [sys.executable, "-c", STARTER, os.environ["COMFYUI_PATH"], str(folder.parent.parent)]
    variables = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(line, env=variables, capture_output=True, text=True, timeout=300)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert re.findall(r"(?im)^.*(?:error|traceback|failed|cannot import).*$", said) == []
    assert re.search(rf"seconds: {re.escape(str(folder))}$", said, re.M), "it is among the import times"
    found = next(line for line in done.stdout.splitlines() if line.startswith("NODES "))
    schemas = json.loads((root / "tests" / "data" / "schemas.json").read_text())
    assert {name for name in json.loads(found[6:]) if name.startswith("Recompose")} == set(schemas)


def test_its_commands_are_listed(folder: Path) -> None:
    done = command(folder, "--help")
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"^  ([a-z-]+) ", done.stdout, re.M)) == set(main.COMMANDS)


def test_it_looks_for_blazepose_s_networks_beside_its_own_comfyui(folder: Path, tmp_path: Path) -> None:
    programs = tmp_path / "npm that fails"
    programs.mkdir()
    (programs / "npm").write_text("#!/bin/sh\necho npm error code ENOTFOUND >&2\nexit 1\n")
    (programs / "npm").chmod(0o755)
    done = command(folder, "models", "blazepose", PATH=str(programs))
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{name} comes with the pack." for name in (fetch.DETECTOR, fetch.FULL)
    ]
    assert f"To come into {tmp_path / 'models' / 'blazepose'}: " in done.stderr
    assert "npm error code ENOTFOUND" in done.stderr and "npm failed" in done.stderr
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("name", lab.NAMES)
def test_the_lab_s_commands_say_where_they_are(folder: Path, name: str) -> None:
    done = command(folder, name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "clone the repository" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder.parent / "cache").exists()


def test_it_runs_a_workflow_with_the_standard_library_alone(server, folder: Path, tmp_path: Path) -> None:
    settings = [
        "Photo.image=@" + str(folder / "docs" / "demo" / "photo.png"),
        "Caption.model=" + main_job.CAPTIONER,
        "Checkpoint.ckpt_name=" + main_job.CHECKPOINT,
        "ControlNet.control_net_name=" + main_job.CONTROLNET,
        *("Outpaint.steps=2", "ControlNet pass.steps=2", "Caption.max_new_tokens=6"),
        *("Crop to Region.width=64", "Crop to Region.height=80"),
        *("Crop the Person.width=64", "Crop the Person.height=64"),
    ]
    options = [part for setting in settings for part in ("--set", setting)]
    workflow = str(folder / "workflows" / "api" / "full_body.json")
    done = command(folder, "run", workflow, *options, "--server", server.url, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".png"]


def test_it_plans_a_photo_with_the_python_of_comfyui(folder: Path, tmp_path: Path) -> None:
    overlay = os.environ.get("RECOMPOSE_OVERLAY_CONTROLNET_AUX")
    assert overlay, "RECOMPOSE_OVERLAY_CONTROLNET_AUX must name the folder that holds scikit-image."
    picture = Path(overlay) / "skimage" / "data" / "astronaut.png"
    options = ["--plan-only", "--image", str(picture), "--out", str(tmp_path / "my plans")]
    done = command(folder, "demo", *options, python=("-I",))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == str(tmp_path / "my plans" / "plan.png")
    assert "People: 1; " in done.stdout
    without = command(folder, "demo", *options)
    assert (without.returncode, without.stdout) == (2, "")
    assert "start this with the Python that runs ComfyUI" in without.stderr


def test_its_demo_runs_on_a_server_with_pillow_alone(server, folder: Path, tmp_path: Path) -> None:
    # Small and in few steps; nothing else of the workflow changes.
    path = folder / "workflows" / "api" / "full_body.json"
    quick = json.loads(path.read_text(encoding="utf-8"))
    for node in quick.values():
        node["inputs"] |= {"steps": 2} if "steps" in node["inputs"] else {}
        if node["class_type"] == "RecomposeCropToRegion":
            node["inputs"] |= {"width": 96, "height": 128}
    path.write_text(json.dumps(quick), encoding="utf-8")
    libraries = tmp_path / "pillow alone"
    libraries.mkdir()
    for library in ("PIL", "pillow.libs"):
        source = Path(PIL.__file__).parents[1] / library
        if source.is_dir():
            shutil.copytree(source, libraries / library)
    options = ["--server", server.url, "--out", str(tmp_path / "out"), "--checkpoint", main_job.CHECKPOINT]
    options += ["--controlnet", main_job.CONTROLNET, "--caption-model", main_job.CAPTIONER]
    done = command(folder, "demo", *options, python=("-S",), PYTHONPATH=str(libraries))
    assert done.returncode == 0, done.stderr
    assert "Changed pixels of the original: 0" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"full_body.png", "report.json"}
