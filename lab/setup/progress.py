"""Lines that say what the set-up is doing, how far it is and how long it has taken."""

from __future__ import annotations

import sys
import time

QUIET_SECONDS = 15.0  # between two lines when nobody watches a terminal
LIVE_SECONDS = 0.5


class Progress:
    """The steps of one set-up, written to standard error."""

    def __init__(self, steps: int) -> None:
        self.steps, self.step = steps, 0
        self.live = sys.stderr.isatty()
        self.started = self.shown = time.monotonic()
        self.label = ""

    def begin(self, label: str) -> None:
        """Start the next step."""
        self.step += 1
        self.started = time.monotonic()
        self.label = label
        self.shown = 0.0
        self.show("")

    def show(self, detail: str, last: bool = False) -> None:
        """Say how far the step is; quiet when the last line is too recent."""
        now = time.monotonic()
        if not last and now - self.shown < (LIVE_SECONDS if self.live else QUIET_SECONDS):
            return
        self.shown = now
        minutes, seconds = divmod(int(now - self.started), 60)
        told = ", ".join(filter(None, [detail, f"{minutes}:{seconds:02d}"]))
        line = f"[{self.step}/{self.steps}] {self.label}: {told}"
        end = "\n" if last or not self.live else ""
        sys.stderr.write(f"\r{line:<100}{end}" if self.live else line + end)
        sys.stderr.flush()


def megabytes(count: int) -> str:
    """A size in the unit people read: 940 MB, 2.1 GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
