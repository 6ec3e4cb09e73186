"""Captions of many things in many places, on which a merged model is to stay as its base is."""

from __future__ import annotations

THINGS = (
    "cat", "dog", "horse", "bird", "man", "woman", "child", "crowd of people", "house", "church", "bridge",
    "car", "bicycle", "boat", "train", "chair", "table", "lamp", "cup of coffee", "bowl of fruit", "cake",
    "flower", "tree", "mountain", "river", "beach", "street", "garden", "market", "kitchen", "bedroom",
    "book", "clock", "guitar", "teddy bear", "backpack", "hat", "shirt", "parasol", "ball",
)  # fmt: skip
WAYS = (
    "a photo of a {}",
    "a {} in the morning light",
    "an old {}",
    "a painting of a {}",
    "a red {} seen from afar",
)


def captions() -> list[str]:
    """Each thing in each way: 200 captions."""
    return [way.format(thing) for thing in THINGS for way in WAYS]
