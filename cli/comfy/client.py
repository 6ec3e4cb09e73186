"""Speaks to a ComfyUI server: upload, queue, watch, fetch, cancel. Standard library only."""

from __future__ import annotations

import contextlib
import secrets
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

from ..words import line, plain
from . import address, answers
from .answers import items, record, text
from .connection import MOST_FILE, Connection, Refused, ServerError, Unreachable
from .websocket import WebSocket

POLL, CONNECT, GRACE, DRAIN = 0.5, 10.0, 5.0, 2.0
# No sign of life for so long: longer than a model takes to load or a node that tells of no progress.
# Without a WebSocket there are fewer signs.
PATIENCE, UNHEARD = 1800.0, 4
ENDS = ("execution_success", "execution_error", "execution_interrupted")
Watcher = Callable[[dict], None]

__all__ = ["Client", "Refused", "ServerError", "Unreachable"]


class Client:
    """A ComfyUI server at `url`, for example http://127.0.0.1:8188 or https://user:password@host/comfy.

    `patience` is how many seconds a prompt may show no sign of life, PATIENCE if None; 0 waits for ever.
    """

    def __init__(self, url: str, patience: float | None = None) -> None:
        try:
            self._address = address.read(url)
        except ValueError as error:
            raise ServerError(plain(str(error))) from error
        self._connection = Connection(self._address)
        self.url, self.id = self._address.url, uuid.uuid4().hex
        self.patience = patience

    def system(self) -> dict:
        """The server's versions and arguments."""
        return record(self._connection.json("/system_stats").get("system"))

    def nodes(self) -> dict:
        """The definition of every node the server knows, by class."""
        return self._connection.json("/object_info")

    def node(self, class_type: str) -> dict | None:
        """The definition of one node, or None when the server does not know it."""
        found = self._connection.json(f"/object_info/{quoted(class_type)}").get(class_type)
        return found if isinstance(found, dict) else None

    def upload(self, path: Path, name: str | None = None) -> str:
        """Put the file under the server's input folder and return the name nodes know it by."""
        boundary = secrets.token_hex(16)
        name = (name or path.name).replace('"', "_").replace("\n", "_").replace("\r", "_")
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode(errors="replace") + path.read_bytes()
        body += f"\r\n--{boundary}--\r\n".encode()
        data = self._connection.request("/upload/image", body, f"multipart/form-data; boundary={boundary}")
        try:
            answer = record(answers.parse(data))
        except ValueError:
            answer = {}
        if not text(answer.get("name")):
            raise ServerError(f"The server at {self.url} did not say where it put {path.name}.")
        return "/".join(part for part in (text(answer.get("subfolder")), answer["name"]) if part)

    def fetch(self, image: dict) -> bytes:
        """The bytes of one saved or previewed file, as named in an output of the history."""
        query = {key: text(image.get(key)) for key in ("filename", "subfolder", "type")}
        content = self._connection.request(f"/view?{urlencode(query, errors='replace')}", most=MOST_FILE)
        # A length that is too small cuts a file off without an error, and every PNG ends with this.
        if not content or (content.startswith(b"\x89PNG\r\n\x1a\n") and b"IEND" not in content[-4096:]):
            how = "cut off" if content else "empty"
            raise ServerError(f"The server at {self.url} sent {line(query['filename'], 80)} {how}.")
        return content

    def submit(self, prompt: dict, job: str, layout: dict | None = None) -> str:
        """Queue the prompt and return its id; raises Refused with the server's errors in `body`.

        `layout` is the same workflow in the editor's format; the pictures carry it beside the prompt.
        """
        body = {"prompt": prompt, "prompt_id": job, "client_id": self.id}
        body |= {"extra_data": {"extra_pnginfo": {"workflow": layout}}} if layout else {}
        answer = self._connection.json("/prompt", body)
        job = text(answer.get("prompt_id")) or job
        if answer.get("node_errors"):
            # Some outputs would run and others silently not; all or nothing is what a script expects.
            self.cancel(job)
            raise Refused("The server refused a part of the workflow.", answer)
        return job

    def run(self, prompt: dict, watch: Watcher = lambda message: None, layout: dict | None = None) -> dict:
        """Queue the prompt, wait for its end and return its history entry; leaving early cancels it.

        What the server only tells listeners, blocked nodes, is added to the entry's messages.
        """
        job, socket = str(uuid.uuid4()), self.listen()
        try:
            job = self.submit(prompt, job, layout)
            return self.wait(job, socket, watch)
        except KeyboardInterrupt:
            done = self.leave(job)
            raise KeyboardInterrupt(
                "the workflow was taken off the server"
                if done
                else f"the server at {self.url} did not answer, so the workflow may still run there"
            ) from None
        except SystemExit:
            self.leave(job)
            raise
        finally:
            if socket:
                socket.close()

    def leave(self, job: str) -> bool:
        """Cancel, soon or not at all; False where the server did not answer."""
        with contextlib.suppress(ServerError):
            self.cancel(job)
            return True
        return False

    def history(self, job: str = "") -> dict:
        """The entries of finished prompts by id, of one or of all."""
        return self._connection.json(f"/history/{quoted(job)}" if job else "/history")

    def queue(self) -> dict:
        """What runs (`queue_running`) and what waits (`queue_pending`); an entry's second item is its id."""
        return self._connection.json("/queue")

    def queued(self) -> list[str]:
        """The ids of all prompts that run or wait."""
        queue = self.queue()
        return [*ids(queue.get("queue_running")), *ids(queue.get("queue_pending"))]

    def waiting(self, job: str) -> bool:
        """True while the prompt runs or waits in the queue."""
        return job in self.queued()

    def cancel(self, job: str) -> None:
        """Take this prompt, and no other, from the queue or stop it while it runs."""
        try:
            self._connection.json(f"/api/jobs/{quoted(job)}/cancel", {}, patience=GRACE)
        except Refused:
            # Older servers: /interrupt there may not know prompt ids, so only when ours is the one running.
            self._connection.json("/queue", {"delete": [job]}, patience=GRACE)
            running = self._connection.json("/queue", patience=GRACE).get("queue_running")
            if job in ids(running):
                self._connection.json("/interrupt", {"prompt_id": job}, patience=GRACE)

    def listen(self) -> WebSocket | None:
        """The server's progress messages for this client, None where they cannot be had."""
        try:
            return WebSocket(self._address, f"clientId={self.id}", CONNECT)
        except (OSError, ValueError):
            return None  # Progress is a comfort; polling the history finds the end as well.

    def wait(self, job: str, socket: WebSocket | None = None, watch: Watcher = lambda message: None) -> dict:
        """Block until the prompt has ended and return its history entry; `watch` sees each message.

        Raises Unreachable when the server stays away and ServerError when it forgot the prompt or shows no
        sign of life.
        """
        return Waiting(self, job, socket, watch).entry()


class Waiting:
    """Waits for the end of one prompt."""

    def __init__(self, client: Client, job: str, socket: WebSocket | None, watch: Watcher) -> None:
        self.client, self.job, self.socket, self.watch = client, job, socket, watch
        self.blocked: list[dict] = []
        self.ended = False
        self.sign = time.monotonic()  # of life, the last one
        self.silent_since: float | None = None
        self.queue: list[str] = []

    def entry(self) -> dict:
        """The history entry; ServerError as Client.wait says."""
        checked = 0.0
        while True:
            hurry = self._hear(POLL)
            if not hurry and time.monotonic() - checked < 2 * POLL:
                continue
            checked = time.monotonic()
            found = self._look()
            if found is not None:
                return self._with_blocked(found)
            patience = self._patience()
            if patience and time.monotonic() - self.sign > patience:
                self.client.leave(self.job)
                raise ServerError(
                    f"The server at {self.client.url} showed no sign of work for {patience:g} s; "
                    "restart ComfyUI there, or allow more with --timeout."
                )

    def _patience(self) -> float:
        if self.client.patience is not None:
            return self.client.patience
        return PATIENCE if self.socket else PATIENCE * UNHEARD

    def _hear(self, seconds: float) -> bool:
        """Take one message; True when it says that the prompt has ended."""
        if self.socket is None:
            time.sleep(seconds)
            return False
        try:
            message = self.socket.receive(seconds)
        except (OSError, ValueError):
            self.socket.close()
            self.socket = None
            return False
        return message is not None and self._tell(message)

    def _tell(self, message: str) -> bool:
        """Pass a message of this prompt on; True when it says that the prompt has ended."""
        try:
            parsed = record(answers.parse(message))
        except ValueError:
            return False
        data = record(parsed.get("data"))
        if data.get("prompt_id") != self.job:
            return False
        self.sign = time.monotonic()
        kind = parsed.get("type")
        if kind == "execution_error" and data.get("exception_type") == "ExecutionBlocked":
            # The other nodes go on; ComfyUI tells listeners of it, but leaves nothing in the history.
            self.blocked.append(data)
            return False
        self.watch(parsed)
        self.ended = self.ended or kind in ENDS
        return kind in ENDS

    def _look(self) -> dict | None:
        """The history entry if there is one; Unreachable once the server was away for too long."""
        try:
            found = self.client.history(self.job).get(self.job)
            if found is None:
                queue = self.client.queued()
                if queue != self.queue:
                    self.queue, self.sign = queue, time.monotonic()
                if self.job not in queue:
                    found = self.client.history(self.job).get(self.job) or self._forgotten()
            self.silent_since = None
        except (Unreachable, Refused) as error:
            self.silent_since = self.silent_since or time.monotonic()
            if time.monotonic() - self.silent_since > GRACE:
                if isinstance(error, Refused):
                    raise
                raise Unreachable(
                    f"The server at {self.client.url} stopped answering during the work; nothing was saved."
                ) from error
            return None
        if found is not None and not isinstance(found, dict):
            raise ServerError(f"The server at {self.client.url} keeps a history that is not ComfyUI's.")
        return found

    def _with_blocked(self, entry: dict) -> dict:
        """The entry with the blocked nodes among its messages; the last may still be on their way."""
        until = time.monotonic() + DRAIN
        while self.socket is not None and not self.ended and time.monotonic() < until:
            self._hear(until - time.monotonic())
        if self.blocked:
            status = dict(record(entry.get("status")))
            told = [["execution_error", data] for data in self.blocked]
            status["messages"] = [*items(status.get("messages")), *told]
            entry = {**entry, "status": status}
        return entry

    def _forgotten(self) -> dict:
        raise ServerError(
            f"The server at {self.client.url} no longer knows the workflow (was it restarted, or its queue "
            "cleared?); nothing was saved."
        )


def quoted(part: str) -> str:
    """One part of a path."""
    return quote(part, safe="", errors="replace")


def ids(entries: object) -> list[str]:
    """The prompts of a queue's list; an entry's second item is its id."""
    pairs = [entry for entry in items(entries) if isinstance(entry, list) and len(entry) > 1]
    return [entry[1] for entry in pairs if isinstance(entry[1], str)]
