"""Texts that hold one thing a line."""

from __future__ import annotations


def lines(text: str) -> list[str]:
    """The lines of a text that hold something, without the blanks around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]
