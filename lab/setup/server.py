"""A private headless ComfyUI: starts on a free loopback port, always stops, leaves nothing behind."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ...cli.comfy.answers import items
from ...cli.comfy.client import Client, ServerError, Unreachable
from ..places import LAB, ROOT

# ComfyUI shall load the pack under any folder name; a dash and a space are the usual trouble.
PACK_NAME, HOST_PACK_NAME = "comfyui-recompose (demo) pack", "recompose-host"
COLOURS = re.compile("\x1b\\[[0-9;]*m")
START_SECONDS, STOP_SECONDS, ATTEMPTS, LOG_LINES = 300.0, 10.0, 5, 12


# What ComfyUI's log says of a pack that is not there afterwards; it goes on without.
NOT_LOADED = (
    "Cannot import",
    "Error while calling comfy_entrypoint in",
    "is not permitted by your organization's policy",
)


def assets_off(comfyui: Path) -> list[str]:
    """The option that keeps a newer ComfyUI from listing all models in a database as it starts.

    Older ones refuse what they do not know.
    """
    known = comfyui / "comfy" / "cli_args.py"
    flag = "--disable-assets"
    return [flag] if known.is_file() and f'"{flag}"' in known.read_text("utf-8", "replace") else []


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def refusal() -> str | None:
    """One sentence where no private server can be started, else None.

    Only Linux's kernel ends a server together with whoever started it (guard.py).
    """
    found = platform.system()
    if found == "Linux" and importlib.util.find_spec("fcntl") is not None:
        return None
    got = "a Python without fcntl" if found == "Linux" else found
    return (
        f"Expected Linux, got {got}; run it there, "
        "or use python3 cli demo --server URL with a ComfyUI that is running."
    )


def sweep(cache: Path) -> None:
    """Remove the folders of servers whose starter was killed; living ones hold a lock."""
    import fcntl

    for folder in cache.glob("server-*"):
        with contextlib.suppress(OSError), (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


class PrivateServer:
    """A ComfyUI of our own, as a context manager: `with PrivateServer(...) as server: server.client`.

    The files of `models` become its models, `packs` its custom nodes (name to folder), `frontend` the folder
    of its pages. The kernel kills it when this process dies; it must therefore be started from a thread that
    lives as long as it is needed.
    """

    def __init__(
        self,
        python: Path | str,
        comfyui: Path | str,
        cache: Path | str,
        packs: dict[str, Path] | None = None,
        models: Path | None = None,
        port: Callable[[], int] = free_port,
        frontend: Path | None = None,
    ) -> None:
        self.python, self.comfyui, self.cache = str(python), Path(comfyui), Path(cache)
        self.packs, self.models, self._port, self.frontend = packs or {}, models, port, frontend
        self.process: subprocess.Popen | None = None
        self._lock = None

    def __enter__(self) -> PrivateServer:
        try:
            self._make_folders()
            for attempt in range(ATTEMPTS):
                if self._start(last=attempt == ATTEMPTS - 1):
                    self._check_packs()
                    return self
        except OSError as error:
            self.stop()
            raise ServerError(
                f"Cannot start ComfyUI in {self.cache}: {error.strerror} ({error.filename})."
            ) from error
        except BaseException:
            self.stop()
            raise
        raise AssertionError("The last attempt starts or raises.")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _make_folders(self) -> None:
        import fcntl

        if not (self.comfyui / "main.py").is_file():
            raise ServerError(f"There is no ComfyUI in {self.comfyui} (no main.py); set COMFYUI_PATH to one.")
        self.cache.mkdir(parents=True, exist_ok=True)
        sweep(self.cache)
        self.base = Path(tempfile.mkdtemp(prefix="server-", dir=self.cache))
        self._lock = (self.base / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        for name in ("custom_nodes", "input", "output", "temp", "user"):
            (self.base / name).mkdir()
        for name, folder in self.packs.items():
            (self.base / "custom_nodes" / name).symlink_to(folder, target_is_directory=True)
        self._link_models()
        self.input_dir, self.output_dir = self.base / "input", self.base / "output"
        self.log = self.base / "server.log"

    def _link_models(self) -> None:
        """Link file by file, so that whoever adds a model here does not add it to the shared folder."""
        self.models_dir = self.base / "models"
        self.models_dir.mkdir()
        for file in sorted(self.models.rglob("*")) if self.models else ():
            if file.is_file():
                link = self.models_dir / file.relative_to(self.models)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(file)

    def _start(self, last: bool) -> bool:
        """Start once; False when somebody else took the port in between and there are attempts left."""
        port = self._port()
        command = [self.python, str(self.comfyui / "main.py"), "--cpu", "--use-pytorch-cross-attention"]
        command += ["--base-directory", str(self.base), "--database-url", "sqlite:///:memory:"]
        command += ["--disable-auto-launch", "--listen", "127.0.0.1", "--port", str(port)]
        command += ["--front-end-root", str(self.frontend)] if self.frontend else []
        command += assets_off(self.comfyui)
        guard = [self.python, str(Path(__file__).with_name("guard.py")), str(os.getpid())]
        # Threads that spin while they wait make a busy machine a hundred times slower.
        environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                guard + command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.base,
                env=environment,
                start_new_session=True,  # Ctrl-C is ours to handle; the server is stopped afterwards.
            )
        self.client = Client(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                if "already in use" in self._quote() and not last:
                    return False
                raise ServerError(self.died() or "")
            # Whoever took the port may well be another ComfyUI, so the answer must come from ours.
            with contextlib.suppress(ServerError):
                if str(self.base) in items(self.client.system().get("argv")):
                    return True
            time.sleep(0.1)
        raise ServerError(f"ComfyUI did not start within {START_SECONDS:.0f} s.{self._quote()}")

    def _check_packs(self) -> None:
        """ComfyUI goes on without a pack that it cannot load; nobody here can."""
        names = [str(self.base), *(f"'{name}'" for name in self.packs)]
        failed = [
            line
            for line in self._lines()
            if any(words in line for words in NOT_LOADED) and any(name in line for name in names)
        ]
        if failed:
            raise ServerError(f"ComfyUI started, but could not load a pack: {failed[0]}")

    @property
    def url(self) -> str:
        """The address of the running server."""
        return self.client.url

    def died(self) -> str | None:
        """What to tell the user when the process is gone, None while it lives."""
        code = self.process.poll() if self.process else None
        if code is None:
            return None
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"The private ComfyUI died ({how}).{self._quote()}"

    def _lines(self) -> list[str]:
        try:
            return COLOURS.sub("", self.log.read_text("utf-8", "replace")).splitlines()
        except OSError:
            return []

    def _quote(self) -> str:
        lines = "\n".join(self._lines()[-LOG_LINES:])
        return f" Its last words:\n{lines}" if lines else ""

    def run(self, prompt: dict, **arguments: object) -> dict:
        """Client.run, which blames the private server when that died half-way."""
        try:
            return self.client.run(prompt, **arguments)
        except Unreachable as error:
            raise ServerError(self.died() or str(error)) from error

    def fetch(self, file: dict) -> bytes:
        """The bytes of one saved or previewed file, as named in an output of the history."""
        return self.client.fetch(file)

    def restart(self) -> None:
        """End the process and start another on the same address and folder, which forgets its runs."""
        port = urlsplit(self.url).port
        assert self.process and port
        self.process.terminate()
        self.process.wait()
        self._port = lambda: port
        self._start(last=True)

    def stop(self) -> None:
        """End the process, first politely, and remove its folder; may be called more than once."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._lock:
            shutil.rmtree(self.base, ignore_errors=True)
            self._lock.close()
            self._lock = None


def demo_packs() -> dict[str, Path]:
    """The demo server's custom nodes: this checkout and the pack that registers the small model sizes."""
    packs = {PACK_NAME: ROOT, HOST_PACK_NAME: LAB / "toy" / "model_pack"}
    return {name: folder for name, folder in packs.items() if (folder / "__init__.py").is_file()}
