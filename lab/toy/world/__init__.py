"""A drawn world with known answers: people in many poses, scenes, objects, captions, masks."""

from .captions import caption, parse, vocabulary
from .chance import PARTS
from .palette import COLOURS, HAIR, lab, nearest
from .picture import Example, caption_visible, crop, crop_between, example, points_of

__all__ = [
    "COLOURS",
    "HAIR",
    "PARTS",
    "Example",
    "caption",
    "caption_visible",
    "crop",
    "crop_between",
    "example",
    "lab",
    "nearest",
    "parse",
    "points_of",
    "vocabulary",
]
