"""A progress bar that listens to a server's messages and keeps the seconds each node took."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from ..words import line as plain_line
from .answers import items, record, text
from .workflow import title

WIDTH, REDRAW, LOG_EVERY = 24, 0.1, 5.0
MOST_STEPS, LONGEST_NAME = 10_000, 60


def weight(prompt: dict, node: str) -> int:
    """How much of the bar a node gets: a sampler as much as it has steps, others one."""
    steps = record(record(prompt.get(node)).get("inputs")).get("steps", 1)
    return min(steps, MOST_STEPS) if isinstance(steps, int) and steps > 0 else 1


def whole(value: object) -> int:
    """A count of steps from 0 to a million, whatever came."""
    return int(min(max(value, 0), 10**6)) if isinstance(value, int | float) and value == value else 0


class Progress:
    """Call it with each message of one prompt; `seconds` has the time per node id, `finish` ends the line."""

    def __init__(self, prompt: dict, stream: TextIO | None = None) -> None:
        self.prompt, self.stream = prompt, stream or sys.stderr
        self.live = self.stream.isatty()
        self.seconds: dict[str, float] = {}
        self._done: set[str] = set()
        self._node, self._since, self._step = None, time.monotonic(), (0, 0)
        self._begin = self._since
        self._drawn = float("-inf")

    def __call__(self, message: dict) -> None:
        data = record(message.get("data"))
        match message.get("type"):
            case "execution_cached":
                self._done.update(filter(text, items(data.get("nodes"))))
            case "executing":
                self._enter(text(data.get("display_node")) or text(data.get("node")) or None)
            case "progress_state":
                self._follow(record(data.get("nodes")))
            case "execution_success" | "execution_error" | "execution_interrupted":
                self._enter(None)
        self._draw()

    def _enter(self, node: str | None) -> None:
        now = time.monotonic()
        if self._node is not None:
            self.seconds[self._node] = self.seconds.get(self._node, 0.0) + now - self._since
            if node != self._node:
                self._done.add(self._node)
        self._node, self._since, self._step = node, now, (0, 0)

    def _follow(self, nodes: dict) -> None:
        for state in map(record, nodes.values()):
            if state.get("display_node_id") == self._node and state.get("state") == "running":
                self._step = (whole(state.get("value", 0)), whole(state.get("max", 1)))

    def line(self) -> str:
        """The bar, the nodes done, the node at work and its step."""
        value, maximum = self._step
        done = sum(weight(self.prompt, node) for node in self._done)
        if self._node is not None and self._node not in self._done and maximum:
            done += weight(self.prompt, self._node) * value / maximum
        total = sum(weight(self.prompt, node) for node in self.prompt)
        share = min(done / max(total, 1), 1.0)
        bar = "#" * round(share * WIDTH)
        name = plain_line(title(self.prompt, self._node), LONGEST_NAME) if self._node is not None else ""
        step = f" {value}/{maximum}" if maximum > 1 else ""
        elapsed = int(time.monotonic() - self._begin)
        return f"[{bar:-<{WIDTH}}] {share:4.0%} {elapsed // 60}:{elapsed % 60:02d} {name}{step}"

    def _draw(self) -> None:
        now = time.monotonic()
        if now - self._drawn < (REDRAW if self.live else LOG_EVERY):
            return
        self._drawn = now
        if self.live:
            columns = shutil.get_terminal_size().columns - 1
            self.stream.write(f"\r{self.line()[:columns]}\x1b[K")
        else:
            self.stream.write(f"{self.line()}\n")
        self.stream.flush()

    def finish(self, success: bool) -> None:
        """Leave the line to whoever writes next; a log's last line is the whole if the run succeeded.

        What was not needed counts as done. The last messages may come too late to be heard.
        """
        if self.live:
            if self._drawn > float("-inf"):
                self.stream.write("\r\x1b[K")
        elif success:
            self._enter(None)
            self._done.update(self.prompt)
            self.stream.write(f"{self.line()}\n")
        self.stream.flush()
