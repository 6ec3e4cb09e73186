"""Being asked to leave shall clean up exactly like Ctrl-C does."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

SOON = 0.01  # seconds; by then the destructor has returned


class Leave(SystemExit):
    """Unwinds the stack after a signal; the exit status is the shell's for this signal."""


def leave(number: int, _: FrameType | None) -> None:
    """The handler of the signals that ask to leave."""
    raise Leave(128 + number)


def insist(unraisable: sys.UnraisableHookArgs) -> None:
    """Python drops exceptions in destructors and weak reference callbacks: raise ours again soon."""
    dropped = unraisable.exc_value
    if not isinstance(dropped, Leave | KeyboardInterrupt) or not hasattr(signal, "setitimer"):
        sys.__unraisablehook__(unraisable)
        return

    def again(*_: object) -> None:
        raise dropped

    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, SOON)


@contextlib.contextmanager
def as_exit() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack, so that every `with` and `finally` on it runs."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # Under nohup SIGHUP is ignored, and shall stay so.
    wanted = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, leave) for number in wanted}
    hook, sys.unraisablehook = sys.unraisablehook, insist
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
