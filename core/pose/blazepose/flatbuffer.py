"""FlatBuffers, read-only: tables, vectors and texts inside one block of bytes, every offset checked.

A table starts with the distance back to its list of fields (vtable); field n of the list says how far behind
the table's start its value lies, 0 where it has its default. Texts, vectors and tables lie elsewhere, and the
field holds the distance to them. Format: flatbuffers.dev, "FlatBuffers binary format".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

_FIRST_FIELD = 4  # bytes of a vtable's head: its own size and the table's
_VECTOR_HEAD = 4  # bytes: the number of elements


class Damaged(ValueError):
    """An offset that leads out of the file."""


def _read(data: bytes, kind: str, at: int) -> int:
    if not 0 <= at <= len(data) - struct.calcsize(kind):
        raise Damaged(f"an offset leads to byte {at} of {len(data)}")
    return struct.unpack_from(kind, data, at)[0]


@dataclass(frozen=True)
class Table:
    """The table at byte `at` of a file."""

    data: bytes
    at: int

    def _place(self, field: int) -> int | None:
        """Where the field's value lies; None where the file leaves it at its default."""
        listed = self.at - _read(self.data, "<i", self.at)
        entry = _FIRST_FIELD + 2 * field
        if entry >= _read(self.data, "<H", listed):
            return None
        offset = _read(self.data, "<H", listed + entry)
        return self.at + offset if offset else None

    def _target(self, field: int) -> int | None:
        """Where what the field points to lies."""
        place = self._place(field)
        return None if place is None else place + _read(self.data, "<I", place)

    def number(self, field: int, default: int = 0, kind: str = "<i") -> int:
        """A whole number of that struct format."""
        place = self._place(field)
        return default if place is None else _read(self.data, kind, place)

    def table(self, field: int) -> Table | None:
        """The table that the field points to."""
        target = self._target(field)
        return None if target is None else Table(self.data, target)

    def _vector(self, field: int, size: int) -> tuple[int, int]:
        """Where the elements of a vector begin, each `size` bytes, and how many there are."""
        target = self._target(field)
        if target is None:
            return 0, 0
        count = _read(self.data, "<I", target)
        if target + _VECTOR_HEAD + count * size > len(self.data):
            raise Damaged(f"a list of {count} elements is longer than the file")
        return target + _VECTOR_HEAD, count

    def array(self, field: int, dtype: str) -> np.ndarray:
        """The vector of numbers, empty where it is left out; it shares the file's memory."""
        start, count = self._vector(field, np.dtype(dtype).itemsize)
        return np.frombuffer(self.data, dtype, count, start)

    def tables(self, field: int) -> list[Table]:
        """The vector of tables."""
        start, count = self._vector(field, 4)
        places = [start + 4 * index for index in range(count)]
        return [Table(self.data, place + _read(self.data, "<I", place)) for place in places]


def root(data: bytes) -> Table:
    """The table that a file starts with."""
    return Table(data, _read(data, "<I", 0))
