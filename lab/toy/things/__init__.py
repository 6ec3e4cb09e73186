"""Things of one's own that the drawn world has not, new shapes, patterns and people, to teach to models."""

from .catalogue import CHARACTER, FURTHER, GARMENT, OBJECT, PAIRS, THINGS, Thing
from .picture import Shown, plain, shown
from .words import asked, caption, known

__all__ = [
    "CHARACTER",
    "FURTHER",
    "GARMENT",
    "OBJECT",
    "PAIRS",
    "THINGS",
    "Shown",
    "Thing",
    "asked",
    "caption",
    "known",
    "plain",
    "shown",
]
