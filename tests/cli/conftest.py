"""A ComfyUI-shaped HTTP server in the test process, for what a real one will not do on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from recompose.cli.comfy import client as http_client

DEFINITIONS = {
    "EmptyImage": {"input": {"required": {"width": ["INT", {"min": 1}], "scale": ["FLOAT", {}]}}},
    "LoadImage": {"input": {"required": {"image": [["a.png"], {"image_upload": True}]}}},
    "SaveImage": {"input": {"required": {"images": ["IMAGE", {}], "filename_prefix": ["STRING", {}]}}},
    "Toggle": {"input": {"required": {"on": ["BOOLEAN", {}], "text": ["STRING", {"multiline": True}]}}},
    "Dynamic": {
        "input": {
            "required": {
                "mode": [
                    "COMFY_DYNAMICCOMBO_V3",
                    {"options": [{"key": "body", "inputs": {"required": {"margin": ["INT", {}]}}}]},
                ]
            },
            "optional": {"extra": ["FLOAT", {}]},
        }
    },
}
SUCCESS = {"status_str": "success", "completed": True, "messages": []}


class FakeServer:
    """Set the attributes to choose what it does; look at `prompts`, `uploads` and `cancelled` afterwards."""

    def __init__(self) -> None:
        self.polls = 0  # how often the history is empty before the prompt is done
        self.outputs: dict = {}
        self.status: dict = SUCCESS
        self.files: dict[str, bytes] = {}
        self.refusal: dict | None = None
        self.node_errors: dict = {}
        self.forgets = False
        self.on_poll: Callable[[], None] = lambda: None
        self.prompts: list[dict] = []
        self.uploads: list[bytes] = []
        self.cancelled: list[str] = []
        self.jobs: list[str] = []
        self.raw: dict[str, bytes] = {}  # path to a fixed answer
        self.definitions = dict(DEFINITIONS)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Be gone, as after a crash."""
        self._http.shutdown()
        self._http.server_close()

    def die(self) -> None:
        """Be gone as soon as the present request is answered."""
        threading.Thread(target=self.stop, daemon=True).start()

    def get(self, path: str, query: dict) -> tuple[int, bytes | dict]:
        """The answer to a GET request."""
        first, _, rest = path.lstrip("/").partition("/")
        if path in self.raw:
            return 200, self.raw[path]
        if first == "system_stats":
            return 200, {"system": {"comfyui_version": "0.30.0", "argv": []}}
        if first == "object_info":
            known = self.definitions
            return 200, known if not rest else {rest: known[rest]} if rest in known else {}
        if first == "queue":
            running = [] if self.forgets else [[0, job, {}, {}, []] for job in self.jobs]
            return 200, {"queue_running": running, "queue_pending": []}
        if first == "history":
            self.on_poll()
            self.polls -= 1
            done = self.polls < 0 and rest in self.jobs and not self.forgets
            return 200, {rest: {"outputs": self.outputs, "status": self.status}} if done else {}
        if first == "view" and query["filename"][0] in self.files:
            return 200, self.files[query["filename"][0]]
        return 404, {}

    def post(self, path: str, body: bytes) -> tuple[int, dict]:
        """The answer to a POST request."""
        if path == "/prompt":
            if self.refusal:
                return 400, self.refusal
            asked = json.loads(body)
            self.prompts.append(asked["prompt"])
            self.jobs.append(asked["prompt_id"])
            return 200, {"prompt_id": asked["prompt_id"], "number": 1, "node_errors": self.node_errors}
        if path == "/upload/image":
            self.uploads.append(body)
            return 200, {"name": "stored.png", "subfolder": "up", "type": "input"}
        if path.startswith("/api/jobs/"):
            self.cancelled.append(path.split("/")[3])
            return 200, {"cancelled": True}
        return 404, {}

    def _handler(fake) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                self.answer(*fake.get(address.path, parse_qs(address.query)))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(*fake.post(self.path, body))

            def answer(self, status: int, content: bytes | dict) -> None:
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A fake server, and a client that polls fast."""
    monkeypatch.setattr(http_client, "POLL", 0.02)
    monkeypatch.setattr(http_client, "GRACE", 0.2)
    server = FakeServer()
    yield server
    server.stop()


@pytest.fixture
def workflow_file(tmp_path: Path) -> Path:
    """A small API-format workflow on disk; the fake server knows its nodes."""
    nodes = {
        "1": ("EmptyImage", None, {"width": 37, "scale": 1}),
        "2": ("SaveImage", "Result v1.0", {"images": ["1", 0], "filename_prefix": "x"}),
        "3": ("LoadImage", "Photo", {"image": "a.png"}),
        "4": ("Toggle", "Switch", {"on": False, "text": "12"}),
        "5": ("Dynamic", "Canvas", {"mode": "body", "mode.margin": 4}),
        "6": ("EmptyImage", None, {"width": 5, "scale": 0.5}),
        "7": ("Unknown", "Curve", {"points": [1, 2, 3], "settings": {"a": 1}}),
    }
    prompt = {}
    for identity, (kind, title, inputs) in nodes.items():
        prompt[identity] = {"class_type": kind, "inputs": inputs}
        if title:
            prompt[identity]["_meta"] = {"title": title}
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(prompt))
    return path


@pytest.fixture
def define() -> Callable[[str], dict | None]:
    """The fake server's node definitions by class."""
    return DEFINITIONS.get
