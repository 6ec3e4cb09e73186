"""Ranges and lists of numbers as text: "4-", "4-40", "4,6,8-12", "8%-50%", "-4-", words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

NUMBER = r"-?\d+|\d+(?:\.\d+)?\s*%"
PART = re.compile(rf"(?P<first>{NUMBER})(?P<open>\s*-\s*(?P<last>{NUMBER})?)?")
DASHES = str.maketrans({"\u2013": "-", "\u2014": "-", "\u2212": "-", ";": ",", "\n": ","})
EXAMPLES = "4-, 4-40, 4,6,8-12, 8%-50% or -4- (the last four)"
# Shares of a count are rounded to whole numbers; what a float adds to an exact one is no step.
ROUNDING = 1e-9
# Indices beyond any model's or sampler's, so that a number of a thousand digits is no work.
MOST_DIGITS = 9

Range = tuple[str, str | None]


def split(text: str, name: str, words: Sequence[str] = ()) -> list[str | Range]:
    """The parts of a text: words as they are, ranges as (first, last), with last "" where it is open.

    ValueError, one sentence that begins with `name`, for a text that is no list of such parts.
    """
    known = {word.lower(): word for word in words}
    found: list[str | Range] = []
    for part in text.translate(DASHES).split(","):
        word = part.strip().lower()
        match = PART.fullmatch(word)
        if word in known:
            found.append(known[word])
        elif match and max(map(len, re.findall(r"\d+", word))) <= MOST_DIGITS:
            last = (match["last"] or "") if match["open"] else None
            found.append((match["first"], last))
        else:
            offered = f"{EXAMPLES}{', or a word: ' if words else ''}{', '.join(words)}"
            raise ValueError(f'{name} cannot be read at "{shown(part)}"; write for example {offered}.')
    return found


def chosen(text: str, count: int, name: str, words: Mapping[str, Sequence[int]] | None = None) -> list[int]:
    """The numbers 0…count-1 that a text names, ascending; what lies beyond the end is left out.

    Both ends of a range belong to it; below 0 counts from the end; a percentage is a place in the whole
    count, and a range of them ends before its last one. `words` name numbers. ValueError as in `split`.
    """
    found: set[int] = set()
    for part in split(text, name, tuple(words or ())):
        if isinstance(part, str):
            found.update((words or {})[part])
        else:
            first, last = _ends(part, count)
            found.update(range(max(first, 0), min(last, count - 1) + 1))
    return sorted(number for number in found if 0 <= number < count)


def check_within(text: str, count: int, name: str) -> None:
    """ValueError, one sentence that begins with `name`, if the text names a number outside 0…count-1."""
    for part in split(text, name):
        for number in (each for each in part if each):
            if not number.endswith("%") and not 0 <= _place(number, count) < count:
                raise ValueError(
                    f"{name} names {number} but there are only 0 to {count - 1}; name one of these."
                )


def _ends(part: Range, count: int) -> tuple[int, int]:
    first, last = part
    start = _place(first, count)
    if last is None:
        return (min(start, count - 1), min(start, count - 1)) if first.endswith("%") else (start, start)
    if not last:
        return start, count - 1
    return start, _place(last, count) - last.endswith("%")


def _place(number: str, count: int) -> int:
    """Where a number points: itself, from the end if it is negative, or a share of the count, rounded up."""
    if number.endswith("%"):
        return math.ceil(float(number[:-1]) / 100 * count - ROUNDING)
    place = int(number)
    return place + count if number.startswith("-") else place


def shown(text: str) -> str:
    """A text on one short line that any program can print."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= 40 else f"{line[:39]}…"


def described(numbers: Sequence[int]) -> str:
    """Ascending numbers as such a text, "0, 3-5"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
