"""Being asked to leave shall clean up exactly like Ctrl-C does."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


def leave(number: int, _: FrameType | None) -> None:
    """Unwind the stack; the exit status is the shell's for this signal."""
    raise SystemExit(128 + number)


@contextlib.contextmanager
def as_exit() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack, so that every `with` and `finally` on it runs."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
