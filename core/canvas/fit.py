"""Whether a generated picture of another size still belongs to its canvas or crop."""

from __future__ import annotations

from ..shapes import Box, Size

# Pixels per latent cell of today's VAEs.
CELLS = (8, 16, 32)


def placed(size: Size, expected: Size) -> Box | None:
    """Where a picture of `size` lies on one of the `expected` size; None if it cannot belong to it.

    A picture that was scaled as a whole, both sides alike up to rounding, fills it. One that VAE Encode cut
    to whole latent cells lacks half of the rest on each side.
    """
    if any(
        size != expected and size == (expected.width // cell * cell, expected.height // cell * cell)
        for cell in CELLS
    ):
        return Box((expected.width - size.width) // 2, (expected.height - size.height) // 2, *size)
    # The factors that each side allows, rounded to whole pixels.
    least = max((got - 0.5) / full for got, full in zip(size, expected, strict=True))
    most = min((got + 0.5) / full for got, full in zip(size, expected, strict=True))
    scaled = least <= most and size.width != expected.width and size.height != expected.height
    return Box(0, 0, *expected) if scaled or size == expected else None
