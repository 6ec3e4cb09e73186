"""One request to a server and its whole answer, in bounded time. Standard library only."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener, getproxies

from ..ending import Failure
from ..words import line
from . import address, answers

ANSWER = 120.0  # seconds of silence, and for the whole of an answer that is slower than SLOWEST
SLOWEST = 1024  # bytes per second
CHUNK = 1 << 16
MOST_JSON, MOST_FILE, MOST_ERROR = 1 << 28, 1 << 32, 1 << 22  # bytes


class ServerError(Failure):
    """A sentence for the user about what the server refused, failed at or did not answer."""


class Unreachable(ServerError):
    """Nothing that answers HTTP at the address."""


class Refused(ServerError):
    """The server answered with an HTTP error; `body` is its JSON, or {}."""

    def __init__(self, sentence: str, body: dict) -> None:
        super().__init__(sentence)
        self.body = body


class Stay(HTTPRedirectHandler):
    """Follows no redirection: it could lead anywhere, and the password would go with it."""

    def redirect_request(self, *_: Any) -> None:
        return None

    def http_error_302(self, *_: Any) -> None:
        return None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class Connection:
    """Asks the server at an address; every failure is a ServerError with a sentence."""

    def __init__(self, where: address.Address) -> None:
        self.address, self.url = where, where.url
        self._opener = build_opener(ProxyHandler({} if where.local else getproxies()), Stay)

    def request(
        self, path: str, body: bytes | None = None, kind: str = "application/json", most: int = MOST_JSON,
        patience: float | None = None,
    ) -> bytes:  # fmt: skip
        """The answer's bytes, at most `most`; `patience` in seconds, ANSWER if None."""
        headers = {"Content-Type": kind} if body is not None else {}
        request = Request(self.url + path, data=body, headers={**headers, **self.address.headers})
        seconds = ANSWER if patience is None else patience
        with self._understood():
            try:
                with self._opener.open(request, timeout=seconds) as answer:
                    return received(answer, most, seconds)
            except HTTPError as error:
                with error:
                    raise self._refused(error, path) from error

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except (URLError, OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, http.client.IncompleteRead):
                raise Unreachable(f"The server at {self.url} broke off its answer; try again.") from error
            reason = line(getattr(error, "reason", None) or error or type(error).__name__)
            raise Unreachable(
                f"No answer from the server at {self.url} ({reason}); is ComfyUI running there?"
            ) from error

    def _refused(self, error: HTTPError, path: str) -> Refused:
        target = urlsplit(error.headers.get("Location") or "") if 300 <= error.code < 400 else None
        if target and target.hostname:
            place = line(target._replace(netloc=target.netloc.rpartition("@")[2]).geturl())
            return Refused(
                f"The server at {self.url} answers from {place} instead; give that server's address.", {}
            )
        try:
            body = answers.record(answers.parse(received(error, MOST_ERROR, ANSWER)))
        except (OSError, http.client.HTTPException, ValueError):
            body = {}
        asked = path.partition("?")[0]
        return Refused(
            f"The server at {self.url} answered {error.code} {line(error.reason)} to {asked}.", body
        )

    def json(self, path: str, body: object = None, patience: float | None = None) -> dict:
        """The object that the server answers; ServerError where it is something else."""
        sent = None if body is None else answers.dumps(body)
        data = self.request(path, sent, patience=patience)
        if not data and body is not None:
            return {}
        try:
            parsed = answers.parse(data)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise ServerError(f"What answers at {self.url} is not a ComfyUI server ({path} is not its JSON).")
        return parsed


def received(answer: Any, most: int, patience: float) -> bytes:
    """All bytes of an answer; IncompleteRead where it is cut, OSError where it is endless or far too slow."""
    expected, size, parts, begin = answer.length, 0, [], time.monotonic()
    while expected is None or size < expected:
        part = answer.read1(CHUNK)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > most:
            raise OSError(f"more than {most >> 20} MiB came")
        if time.monotonic() - begin > patience + size / SLOWEST:
            raise TimeoutError("the answer comes far too slowly")
    if expected is not None and size < expected:
        raise http.client.IncompleteRead(b"", expected - size)
    return b"".join(parts)
