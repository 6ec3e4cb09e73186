"""The private server starts on a port of its own and is gone whatever happens to its starter."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from recompose.cli.comfy.client import Client, ServerError
from recompose.lab.setup import server as private
from recompose.lab.setup.server import PrivateServer

# Starts at once, which the real one does not, and can be told to misbehave.
STAND_IN = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
base = sys.argv[sys.argv.index("--base-directory") + 1]
port = int(sys.argv[sys.argv.index("--port") + 1])
mood = open(os.path.join(os.path.dirname(__file__), "mood")).read()
if mood == "broken":
    sys.exit("ModuleNotFoundError: No module named 'torch'")
if mood == "slow":
    time.sleep(1000)
if mood == "stubborn":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/history"):
            os._exit(7)
        data = json.dumps({"system": {"argv": sys.argv}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_POST(self):
        self.do_GET()
try:
    HTTPServer(("127.0.0.1", port), Handler).serve_forever()
except OSError:
    sys.exit(f"Port {port} is already in use on address 127.0.0.1.")
"""
STARTER = """
import sys, time
from pathlib import Path
from types import ModuleType
alias = ModuleType("recompose")
alias.__path__ = [sys.argv[1]]
sys.modules["recompose"] = alias
from recompose.cli import signals
from recompose.lab.setup.server import PrivateServer, free_port
ports = iter(map(int, sys.argv[4:]))
def port():
    return next(ports, None) or free_port()
with signals.as_exit(), PrivateServer(sys.executable, sys.argv[2], sys.argv[3], port=port) as server:
    print(server.process.pid, server.url, server.output_dir, flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A folder that looks like ComfyUI; write to its file `mood` to change what it does."""
    folder = tmp_path / "comfyui"
    folder.mkdir()
    (folder / "main.py").write_text(STAND_IN)
    (folder / "mood").write_text("good")
    return folder


def runs(pid: int) -> bool:
    """True while the process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, seconds: float = 15.0) -> bool:
    """Wait for the end of a process."""
    deadline = time.monotonic() + seconds
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not runs(pid)


def child_of(pid: int) -> int:
    """The process that `pid` started, as soon as there is one."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children and b"main.py" in Path(f"/proc/{children[0]}/cmdline").read_bytes():
            return int(children[0])
        time.sleep(0.02)
    raise AssertionError("No server was started.")


def starter(root: Path, comfyui: Path, cache: Path, *ports: int) -> subprocess.Popen:
    """A process that starts a server, writes its process, address and output folder, and stays."""
    command = [sys.executable, "-c", STARTER, str(root), str(comfyui), str(cache), *map(str, ports)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


SIGNALS = [(signal.SIGINT, -2), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]


@pytest.mark.parametrize("mood", ["good", "slow"])
@pytest.mark.parametrize(("number", "status"), SIGNALS, ids=[number.name for number, _ in SIGNALS])
def test_the_server_dies_with_its_starter(root, stand_in, tmp_path, number, status, mood) -> None:
    """Once while it serves and once while it is still starting."""
    (stand_in / "mood").write_text(mood)
    process = starter(root, stand_in, tmp_path / "cache")
    pid = int(process.stdout.readline().split()[0]) if mood == "good" else child_of(process.pid)
    assert runs(pid)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == status
    assert gone(pid)
    left = list((tmp_path / "cache").iterdir())
    assert (len(left) == 1) if number == signal.SIGKILL else left == []


def test_what_a_killed_starter_left_is_swept_and_a_living_one_is_spared(root, stand_in, tmp_path) -> None:
    cache = tmp_path / "cache"
    killed = starter(root, stand_in, cache)
    killed.stdout.readline()
    killed.kill()
    killed.wait()
    (dead,) = cache.iterdir()
    with PrivateServer(sys.executable, stand_in, cache) as living:
        assert not dead.exists()
        with PrivateServer(sys.executable, stand_in, cache) as second:
            assert living.base.is_dir() and second.base != living.base
            assert living.client.system()["argv"] != second.client.system()["argv"]
    assert list(cache.iterdir()) == []


def test_a_pack_that_cannot_be_loaded_is_named(stand_in, tmp_path) -> None:
    main = stand_in / "main.py"
    words = 'print(f"\\x1b[33mCannot import {base}/custom_nodes/a pack: no module b\\x1b[0m", flush=True)'
    main.write_text(main.read_text().replace("try:\n    HTTPServer", f"{words}\ntry:\n    HTTPServer"))
    with pytest.raises(ServerError, match=r"could not load a pack: Cannot import .*/a pack: no module b$"):
        PrivateServer(sys.executable, stand_in, tmp_path / "cache").__enter__()
    assert list((tmp_path / "cache").iterdir()) == []


class AnotherComfyUI(BaseHTTPRequestHandler):
    """Has the port we wanted and answers like the real thing."""

    def do_GET(self) -> None:
        data = json.dumps({"system": {"argv": ["main.py"]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    """A port on which another ComfyUI answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), AnotherComfyUI)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_port_taken_in_between_is_given_up_for_another(stand_in, tmp_path, taken) -> None:
    ports = iter([taken, taken, private.free_port()])
    with PrivateServer(sys.executable, stand_in, tmp_path / "cache", port=lambda: next(ports)) as server:
        assert not server.url.endswith(f":{taken}")
        assert str(server.base) in server.client.system()["argv"]


def test_when_every_port_is_taken_it_says_so(stand_in, tmp_path, taken) -> None:
    with pytest.raises(ServerError, match=rf"(?s)exit code 1.*Port {taken} is already in use") as caught:
        PrivateServer(sys.executable, stand_in, tmp_path / "cache", port=lambda: taken).__enter__()
    assert caught.value.args[0].count("\n") <= private.LOG_LINES
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_server_that_cannot_start_leaves_its_last_words(stand_in, tmp_path) -> None:
    (stand_in / "mood").write_text("broken")
    with pytest.raises(ServerError, match=r"died \(exit code 1\).*\n.*No module named 'torch'"):
        PrivateServer(sys.executable, stand_in, tmp_path / "cache").__enter__()
    with pytest.raises(ServerError, match="no ComfyUI in"):
        PrivateServer(sys.executable, tmp_path, tmp_path / "cache").__enter__()
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_server_that_dies_half_way_is_named(stand_in, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("recompose.cli.comfy.client.GRACE", 0.2)
    with (
        PrivateServer(sys.executable, stand_in, tmp_path / "cache") as server,
        pytest.raises(ServerError, match=r"The private ComfyUI died \(exit code 7\)"),
    ):
        server.run({"1": {"class_type": "A", "inputs": {}}})


def test_a_server_that_will_not_stop_is_killed(stand_in, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(private, "STOP_SECONDS", 0.3)
    (stand_in / "mood").write_text("stubborn")
    with PrivateServer(sys.executable, stand_in, tmp_path / "cache") as server:
        pid = server.process.pid
    assert not runs(pid) and server.process.returncode == -signal.SIGKILL


def test_an_error_inside_stops_it_too(stand_in, tmp_path) -> None:
    with (
        pytest.raises(KeyError, match="mine"),
        PrivateServer(sys.executable, stand_in, tmp_path / "cache") as server,
    ):
        raise KeyError("mine")
    assert not runs(server.process.pid)
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_guard_starts_nothing_when_the_starter_is_gone_already(tmp_path) -> None:
    guard = Path(private.__file__).with_name("guard.py")
    command = [sys.executable, str(guard), "1", sys.executable, "-c", f"open({str(tmp_path / 'x')!r}, 'w')"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert finished.returncode == 1 and "is gone" in finished.stderr
    assert not (tmp_path / "x").exists()


def test_models_and_packs_are_linked_and_new_models_stay_out_of_the_shared_folder(stand_in, tmp_path) -> None:
    shared, pack = tmp_path / "shared", tmp_path / "a pack"
    (shared / "blip" / "tiny").mkdir(parents=True)
    (shared / "blip" / "tiny" / "config.json").write_text("{}")
    pack.mkdir()
    packs = {"my-pack (1) x": pack}
    with PrivateServer(sys.executable, stand_in, tmp_path / "cache", packs, shared) as server:
        assert (server.models_dir / "blip" / "tiny" / "config.json").read_text() == "{}"
        assert (server.base / "custom_nodes" / "my-pack (1) x").resolve() == pack
        (server.models_dir / "blip" / "broken").write_bytes(b"?")
    assert sorted(path.name for path in shared.rglob("*")) == ["blip", "config.json", "tiny"]
    assert pack.is_dir()


def test_the_pack_is_linked_under_a_name_with_a_dash_and_a_space(root) -> None:
    name = private.PACK_NAME
    assert "-" in name and " " in name and "." not in name
    assert private.demo_packs()[name] == root


def test_the_real_server_runs_a_workflow_is_interrupted_and_dies_with_its_starter(
    tmp_path, taken, root
) -> None:
    """Start (the first port is taken), save, Ctrl-C of a client, save again, and SIGKILL for the starter."""
    process = starter(root, Path(os.environ["COMFYUI_PATH"]), tmp_path / "cache", taken)
    pid, url, output = process.stdout.readline().split()
    client = Client(url)
    empty = {"width": 37, "height": 23, "batch_size": 1, "color": 0xFF8000}
    save = {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    (image,) = client.run(save)["outputs"]["2"]["images"]
    assert client.fetch(image) == (Path(output) / "x_00001_.png").read_bytes()
    interrupted_by_ctrl_c(client, tmp_path, root)
    assert client.run(save)["status"]["status_str"] == "success"
    process.kill()
    process.communicate(timeout=30)
    assert gone(int(pid))
    port = int(url.rpartition(":")[2])
    wait_until(lambda: refused(port))  # The last of its threads may take a moment longer.


def refused(port: int) -> bool:
    """True when nobody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def interrupted_by_ctrl_c(client: Client, tmp_path: Path, root: Path) -> None:
    """A long workflow through `cli run` is off the server soon after Ctrl-C."""
    picture = {"width": 1024, "height": 1024, "batch_size": 1, "color": 5}
    prompt = {"0": {"class_type": "EmptyImage", "inputs": picture}}
    for index in range(1, 200):
        blur = {"image": [str(index - 1), 0], "blur_radius": 31, "sigma": 5.0}
        prompt[str(index)] = {"class_type": "ImageBlur", "inputs": blur}
    prompt["end"] = {"class_type": "SaveImage", "inputs": {"images": ["199", 0], "filename_prefix": "long"}}
    path, out = tmp_path / "long.json", tmp_path / "out"
    path.write_text(json.dumps(prompt))
    command = [sys.executable, str(root / "cli"), "run", str(path), "--server", client.url, "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: client.queue()["queue_running"])
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    wait_until(lambda: not client.queue()["queue_running"])
    assert list(client.history().values())[-1]["status"]["messages"][-1][0] == "execution_interrupted"
    assert not out.exists()


def wait_until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
