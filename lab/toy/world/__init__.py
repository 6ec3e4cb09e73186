"""A drawn world with known answers: people in many poses, scenes, objects, captions, masks."""

from .captions import caption, parse, phrases, vocabulary
from .chance import PARTS
from .closer import UNSEEN, closer, window_at_thing
from .palette import COLOURS, HAIR, lab, nearest
from .picture import Example, caption_visible, crop, crop_between, example, points_of

__all__ = [
    "COLOURS",
    "HAIR",
    "PARTS",
    "UNSEEN",
    "Example",
    "caption",
    "caption_visible",
    "closer",
    "crop",
    "crop_between",
    "example",
    "lab",
    "nearest",
    "parse",
    "phrases",
    "points_of",
    "vocabulary",
    "window_at_thing",
]
