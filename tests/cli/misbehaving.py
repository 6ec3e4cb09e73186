"""A server on a raw socket that answers each route as a test says: bytes, JSON, or what a function sends."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

Handler = Callable[[socket.socket], None]
SUCCESS = {"status_str": "success", "completed": True, "messages": []}
PICTURE = {"filename": "x.png", "subfolder": "", "type": "output"}


def answer(content: Any, status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer; headers replace the usual ones."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    head = {
        "Content-Length": str(len(body)),
        **{key.replace("_", "-"): text for key, text in headers.items()},
    }
    lines = [f"HTTP/1.1 {status}", *(f"{key}: {text}" for key, text in head.items() if text)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """One unmasked WebSocket frame, a whole text message by default."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    return bytes([first]) + length + payload


class Misbehaving:
    """`routes` maps the beginning of a path to what is sent; the rest is as ComfyUI's."""

    def __init__(self, **routes: bytes | Handler | Any) -> None:
        self.routes = {f"/{name.replace('__', '/')}": sent for name, sent in routes.items()}
        self.job, self.done = "", True
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.outputs: Any = {"2": {"images": [PICTURE]}}
        self.status: Any = SUCCESS
        self.told: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._closing = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._closing = True
        for each in [self._socket, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, IndexError), connection:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            first, *rest = head.decode("latin-1").split("\r\n")
            path = first.split(" ")[1]
            headers = dict(each.split(": ", 1) for each in rest)
            while len(body) < int(headers.get("Content-Length", 0)):
                body += connection.recv(65536)
            self.asked.append((path, headers))
            sent = self.sent(path, body)
            if callable(sent):
                sent(connection)
            else:
                connection.sendall(sent)

    def sent(self, path: str, body: bytes) -> bytes | Handler:
        """What goes back for a path."""
        if path.startswith("/prompt"):
            self.job = json.loads(body)["prompt_id"]
        for name, told in self.routes.items():
            if path.startswith(name):
                return told if isinstance(told, bytes) or callable(told) else answer(told)
        queue = {"queue_running": [[0, self.job, {}, {}, []]] if not self.done else [], "queue_pending": []}
        entry = {self.job: {"outputs": self.outputs, "status": self.status}} if self.done else {}
        usual = {
            "/system_stats": {"system": {"argv": []}},
            "/object_info": {"LoadImage": {"input": {"required": {"image": [["a.png"], {}]}}}},
            "/prompt": {"prompt_id": self.job, "node_errors": {}},
            "/history": entry,
            "/queue": queue,
            "/view": b"picture",
            "/upload": {"name": "stored.png"},
            "/api/jobs": {},
        }
        found = next((content for name, content in usual.items() if path.startswith(name)), None)
        return answer(found) if found is not None else answer({}, "404 Not Found")


def websocket(*parts: bytes, then: Callable[[], bool] = lambda: False) -> Handler:
    """A WebSocket that opens and sends these bytes, the last of them for ever while `then` says so."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        for part in parts:
            connection.sendall(part)
        while then():
            connection.sendall(parts[-1])
        connection.recv(1 << 16)

    return serve


def endless(start: bytes, more: bytes) -> Handler:
    """Sends `start` and then `more` until the other side has had enough."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(more)

    return serve


def silent(connection: socket.socket) -> None:
    """Takes the request and never answers."""
    while connection.recv(65536):
        pass
