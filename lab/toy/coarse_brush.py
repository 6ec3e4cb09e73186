"""The template coarse_brush with the toy models and the settings that suit them."""

from __future__ import annotations

from ...cli import demo
from . import prompt as toy
from . import templates

NAME = "coarse_brush"


def compose(photo: str, text: str, words: str) -> dict:
    """The API prompt for a file of the server's input folder whose transparent part is the mask."""
    prompt = templates.compose(NAME)
    demo.put(prompt, "Checkpoint.ckpt_name", toy.MODELS["checkpoint"])
    demo.put(prompt, "Photo.image", photo)
    demo.put(prompt, "Your words.value", text)
    demo.put(prompt, "Shape Guard.words", words)
    return prompt
