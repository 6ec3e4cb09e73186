"""Speaks HTTP to a ComfyUI server: upload, queue, watch, fetch, cancel. Standard library only."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener, getproxies

from .websocket import WebSocket

POLL, CONNECT, ANSWER, GRACE = 0.5, 10.0, 120.0, 5.0
Watcher = Callable[[dict], None]


class ServerError(RuntimeError):
    """A sentence for the user about what the server refused, failed at or did not answer."""


class Unreachable(ServerError):
    """Nothing that answers HTTP at the address."""


class Refused(ServerError):
    """The server answered with an HTTP error; `body` is its JSON, or {}."""

    def __init__(self, sentence: str, body: dict) -> None:
        super().__init__(sentence)
        self.body = body


def has_port(address: SplitResult) -> bool:
    """False where the text after the colon is no port."""
    try:
        return address.port is None or address.port > 0
    except ValueError:
        return False


class Client:
    """A ComfyUI server at `url`, for example http://127.0.0.1:8188."""

    def __init__(self, url: str) -> None:
        url = url if "://" in url else f"http://{url}"
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname or not has_port(address):
            raise ServerError(f"'{url}' is not the address of a server; give one like http://127.0.0.1:8188.")
        self.url = url.rstrip("/")
        self.id = uuid.uuid4().hex
        local = address.hostname in ("localhost", "127.0.0.1", "::1")
        self._opener = build_opener(ProxyHandler({} if local else getproxies()))

    def _request(self, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
        headers = {"Content-Type": kind} if body is not None else {}
        request = Request(self.url + path, data=body, headers=headers)
        try:
            with self._opener.open(request, timeout=ANSWER) as answer:
                return answer.read()
        except HTTPError as error:
            text = error.read()
            try:
                parsed = json.loads(text)
            except ValueError:
                parsed = {}
            sentence = (
                f"The server at {self.url} answered {error.code} {error.reason} to {path.split('?')[0]}."
            )
            raise Refused(sentence, parsed if isinstance(parsed, dict) else {}) from error
        except (URLError, OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error or type(error).__name__
            raise Unreachable(
                f"No answer from the server at {self.url} ({reason}); is ComfyUI running there?"
            ) from error

    def _json(self, path: str, body: object = None) -> dict:
        data = self._request(path, None if body is None else json.dumps(body).encode())
        if not data and body is not None:
            return {}
        try:
            parsed = json.loads(data)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise ServerError(f"What answers at {self.url} is not a ComfyUI server ({path} is not its JSON).")
        return parsed

    def system(self) -> dict:
        """The server's versions and arguments."""
        return self._json("/system_stats").get("system", {})

    def nodes(self) -> dict:
        """The definition of every node the server knows, by class."""
        return self._json("/object_info")

    def node(self, class_type: str) -> dict | None:
        """The definition of one node, or None when the server does not know it."""
        return self._json(f"/object_info/{quote(class_type, safe='')}").get(class_type)

    def upload(self, path: Path, name: str | None = None) -> str:
        """Put the file under the server's input folder and return the name nodes know it by."""
        boundary = secrets.token_hex(16)
        name = (name or path.name).replace('"', "_").replace("\n", "_").replace("\r", "_")
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode() + path.read_bytes()
        body += f"\r\n--{boundary}--\r\n".encode()
        data = self._request("/upload/image", body, f"multipart/form-data; boundary={boundary}")
        try:
            answer = json.loads(data)
            return "/".join(part for part in (answer.get("subfolder"), answer["name"]) if part)
        except (ValueError, KeyError, AttributeError) as error:
            raise ServerError(f"The server at {self.url} did not say where it put {path.name}.") from error

    def fetch(self, image: dict) -> bytes:
        """The bytes of one saved or previewed file, as named in an output of the history."""
        query = {key: image.get(key, "") for key in ("filename", "subfolder", "type")}
        return self._request(f"/view?{urlencode(query)}")

    def submit(self, prompt: dict, job: str) -> str:
        """Queue the prompt and return its id; raises Refused with the server's errors in `body`."""
        answer = self._json("/prompt", {"prompt": prompt, "prompt_id": job, "client_id": self.id})
        job = answer.get("prompt_id", job)
        if answer.get("node_errors"):
            # Some outputs would run and others silently not; all or nothing is what a script expects.
            self.cancel(job)
            raise Refused("The server refused a part of the workflow.", answer)
        return job

    def run(self, prompt: dict, watch: Watcher = lambda message: None) -> dict:
        """Queue the prompt, wait for its end and return its history entry; leaving early cancels it."""
        job, socket = str(uuid.uuid4()), self.listen()
        try:
            job = self.submit(prompt, job)
            return self.wait(job, socket, watch)
        except (KeyboardInterrupt, SystemExit):
            with contextlib.suppress(ServerError):
                self.cancel(job)
            raise
        finally:
            if socket:
                socket.close()

    def history(self, job: str = "") -> dict:
        """The entries of finished prompts by id, of one or of all."""
        return self._json(f"/history/{job}" if job else "/history")

    def queue(self) -> dict:
        """What runs (`queue_running`) and what waits (`queue_pending`); an entry's second item is its id."""
        return self._json("/queue")

    def waiting(self, job: str) -> bool:
        """True while the prompt runs or waits in the queue."""
        queue = self.queue()
        entries = [*queue.get("queue_running", []), *queue.get("queue_pending", [])]
        return any(entry[1] == job for entry in entries)

    def cancel(self, job: str) -> None:
        """Take this prompt, and no other, from the queue or stop it while it runs."""
        try:
            self._json(f"/api/jobs/{job}/cancel", {})
        except Refused:
            # Older servers: /interrupt there may not know prompt ids, so only when ours is the one running.
            self._json("/queue", {"delete": [job]})
            running = self.queue().get("queue_running", [])
            if any(entry[1] == job for entry in running):
                self._json("/interrupt", {"prompt_id": job})

    def listen(self) -> WebSocket | None:
        """The server's progress messages for this client, None where they cannot be had."""
        try:
            return WebSocket(f"{self.url}/ws?clientId={self.id}", CONNECT)
        except OSError:
            return None  # Progress is a comfort; polling the history finds the end as well.

    def wait(self, job: str, socket: WebSocket | None = None, watch: Watcher = lambda message: None) -> dict:
        """Block until the prompt has ended and return its history entry; `watch` sees each message.

        Raises Unreachable when the server stays away and ServerError when it forgot the prompt.
        """
        silent_since, checked = None, 0.0
        while True:
            ended = False
            try:
                message = socket.receive(POLL) if socket else time.sleep(POLL)
                ended = message is not None and self._tell(message, job, watch)
            except OSError:
                socket = None
            if not ended and time.monotonic() - checked < 2 * POLL:
                continue
            checked = time.monotonic()
            try:
                entry = self.history(job).get(job)
                if entry is None and not self.waiting(job):
                    entry = self.history(job).get(job) or self._forgotten()
                silent_since = None
            except Unreachable as error:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > GRACE:
                    raise Unreachable(
                        f"The server at {self.url} stopped answering during the work; nothing was saved."
                    ) from error
                entry = None
            if entry is not None:
                return entry

    def _forgotten(self) -> dict:
        raise ServerError(
            f"The server at {self.url} no longer knows the workflow (was it restarted, or its queue "
            "cleared?); nothing was saved."
        )

    @staticmethod
    def _tell(message: str, job: str, watch: Watcher) -> bool:
        """Pass a message of this prompt on; True when it says that the prompt has ended."""
        try:
            parsed = json.loads(message)
        except ValueError:
            return False
        if not isinstance(parsed, dict) or (parsed.get("data") or {}).get("prompt_id") != job:
            return False
        watch(parsed)
        return parsed.get("type") in ("execution_success", "execution_error", "execution_interrupted")
