"""Text from files and servers, made fit for a terminal."""

from __future__ import annotations

import unicodedata

LONGEST = 600  # characters of one text from a server
# They turn the direction of what follows, so that a name reads as another one.
TURNING = frozenset(map(chr, (*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def plain(text: str) -> str:
    """The text with "?" for everything that a terminal would obey instead of show; line breaks stay."""
    return "".join(
        character
        if character in "\n\t" or not (character in TURNING or unicodedata.category(character) in NOT_SHOWN)
        else "?"
        for character in text
    )


NOT_SHOWN = ("Cc", "Cs", "Zl", "Zp")


def line(text: object, longest: int = LONGEST) -> str:
    """The text as one plain line of at most `longest` characters."""
    words = plain(" ".join(str(text)[: 8 * longest].split()))
    return words if len(words) <= longest else f"{words[: longest - 1]}…"
