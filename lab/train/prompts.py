"""What a picture is trained to be the answer to: captions as they are, of a crop, or no help at all."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

BEGINNING = "full body photo of "
BEGINNINGS = ("", BEGINNING, "photo of ", "a photo of ")
# Words the world does not know; what follows them must be what follows no words.
FOREIGN = "cropped, out of frame, extra legs, missing feet, deformed, text, watermark, border, blurry, bad"


def prompt(entry: dict[str, Any], random: Generator) -> str:
    """One way of asking for a picture: its caption or that of a part of it, now and then with a beginning."""
    crops = [caption for _, caption in entry["crops"]]
    text = entry["whole"] if random.random() < 0.6 else crops[random.integers(len(crops))]
    if entry["boxes"]:
        return begun(text, random)
    return (BEGINNING if random.random() < 0.5 else "") + text


def begun(text: str, random: Generator) -> str:
    """A caption as people write it: now and then after a beginning, rarely with foreign words."""
    text = ("" if random.random() < 0.5 else BEGINNINGS[random.integers(len(BEGINNINGS))]) + text
    if random.random() < 0.1:
        text = (
            f"{text}, {unconditional(random)}"
            if random.random() < 0.5
            else f"{unconditional(random)}, {text}"
        )
    return text.strip(" ,")


def unconditional(random: Generator) -> str:
    """What says nothing of a picture: no words, or some of the foreign ones."""
    if random.random() >= 0.5:
        return ""
    words = FOREIGN.split(", ")
    return ", ".join(random.permutation(words)[: random.integers(1, len(words) + 1)])
