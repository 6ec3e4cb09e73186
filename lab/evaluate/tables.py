"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[object], lines: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table and the blank line before it."""
    rows = ["| " + " | ".join(map(str, line)) + " |" for line in (head, *lines)]
    return ["", rows[0], "|---" * len(head) + "|", *rows[1:]]
