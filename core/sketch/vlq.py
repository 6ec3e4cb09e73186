"""Whole numbers as text: base64 VLQ, as in source maps (ECMA-426).

A number's sign is its lowest bit, and each character holds five bits, the lowest first; its sixth bit says
that more follow.
"""

from __future__ import annotations

from collections.abc import Iterable

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
VALUES = {digit: value for value, digit in enumerate(DIGITS)}
LONGEST = 6  # characters of a number


def encode(numbers: Iterable[int]) -> str:
    """The numbers as one text."""
    return "".join(map(_one, numbers))


def _one(number: int) -> str:
    rest, text = abs(number) << 1 | (number < 0), ""
    while rest > 31:
        text += DIGITS[32 | rest & 31]
        rest >>= 5
    return text + DIGITS[rest]


def decode(text: str) -> list[int]:
    """The numbers of a text; ValueError where it holds anything else."""
    found, value, length = [], 0, 0
    for each in text:
        digit = VALUES.get(each, -1)
        if digit < 0 or length == LONGEST:
            raise ValueError("the text holds other things than numbers")
        value |= (digit & 31) << 5 * length
        length += 1
        if digit < 32:
            found.append(-(value >> 1) if value & 1 else value >> 1)
            value = length = 0
    if length:
        raise ValueError("the text ends within a number")
    return found
