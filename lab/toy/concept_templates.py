"""The templates of concepts with the toy models and the settings that suit them."""

from __future__ import annotations

from collections.abc import Sequence

from ...cli import demo
from . import templates

TRAINING, USE, TWO = "train_concept", "use_concept", "two_concepts"
SIZE = 128
LOADERS = ("First Picture", "Second Picture", "Third Picture", "Fourth Picture")


def training(
    pictures: Sequence[str], token: str, class_word: str, text: str, steps: int, learning_rate: float,
    prior_pictures: int,
) -> dict:  # fmt: skip
    """The API prompt that learns a thing from four files of the server's input folder."""
    prompt = templates.compose(TRAINING)
    for title, name in zip(LOADERS, pictures, strict=True):
        demo.put(prompt, f"{title}.image", name)
    settings = {
        "token": token,
        "class_word": class_word,
        "size": SIZE,
        "steps": steps,
        "save_every": steps,
        "learning_rate": learning_rate,
        "prior_pictures": prior_pictures,
    }
    for name, value in settings.items():
        demo.put(prompt, f"Train Concept.{name}", value)
    demo.put(prompt, "Save Concept.filename_prefix", f"concepts/{class_word}")
    demo.put(prompt, "Positive.text", text)
    return prompt


def use(file: str, text: str) -> dict:
    """The API prompt that paints with a concept's file."""
    prompt = templates.compose(USE)
    demo.put(prompt, "Load Concept.file", file)
    demo.put(prompt, "Positive.text", text)
    return prompt


def two(files: Sequence[str], classes: str, text: str, captions: Sequence[str]) -> dict:
    """The API prompt that paints with two concepts' files, whose words are <new1> and <new2>.

    The toy text encoder knows the world's words alone, so the captions are the world's.
    """
    prompt = templates.compose(TWO)
    for title, name in zip(("First Concept", "Second Concept"), files, strict=True):
        demo.put(prompt, f"{title}.file", name)
    demo.put(prompt, "Merge Concepts.classes", classes)
    demo.put(prompt, "Merge Concepts.captions", "\n".join(captions))
    demo.put(prompt, "Positive.text", text)
    return prompt
