"""Sizes, boxes and paddings in whole pixels; x to the right, y down."""

from __future__ import annotations

from typing import NamedTuple


class Size(NamedTuple):
    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


class Padding(NamedTuple):
    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0


class Box(NamedTuple):
    """A rectangle of pixels; it may reach outside the picture it belongs to."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


class Region(NamedTuple):
    """Where the original lies on its extended canvas, in pixels of the canvas."""

    x: int
    y: int
    width: int
    height: int
    canvas_width: int
    canvas_height: int

    @property
    def box(self) -> Box:
        return Box(self.x, self.y, self.width, self.height)

    @property
    def canvas(self) -> Size:
        return Size(self.canvas_width, self.canvas_height)


def padded(size: Size, padding: Padding) -> Size:
    """The size of a picture after `padding` was added around it."""
    return Size(
        size.width + padding.left + padding.right,
        size.height + padding.top + padding.bottom,
    )


def region_of(size: Size, padding: Padding) -> Region:
    """Where a picture of `size` lies on the canvas that `padding` makes of it."""
    return Region(padding.left, padding.top, *size, *padded(size, padding))
