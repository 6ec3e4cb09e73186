"""How every command ends: with one sentence where something is wrong, and with its exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from . import signals
from .words import plain

FAILED, MISUSED, INTERRUPTED = 1, 2, 130


class Misuse(ValueError):
    """A sentence for the user about the options or the files that were given."""


class Failure(RuntimeError):
    """A sentence for the user about what went wrong although everything given was right."""


def tell(command: str, sentence: str) -> None:
    """Print a sentence of a command where errors belong."""
    print(plain(f"{command}: {sentence}"), file=sys.stderr)


def status_of(command: str, work: Callable[[], int | None], stopped: str = "") -> int:
    """Do the work of a command and return its exit status; `stopped` is added when Ctrl-C ends it."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    try:
        with signals.as_exit():
            status = work() or 0
            sys.stdout.flush()
            return status
    except Misuse as error:
        tell(command, str(error))
        return MISUSED
    except Failure as error:
        tell(command, str(error))
        return FAILED
    except BrokenPipeError:
        # Whoever read the output has left; what Python still holds for it must not raise once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt as error:
        why = str(error) or stopped
        tell(command, f"interrupted; {why}." if why else "interrupted.")
        return INTERRUPTED
