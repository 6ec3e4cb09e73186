"""The templates word_mask and attention_maps in a real server, with the demo's models and few steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from recompose.cli.comfy import workflow
from recompose.lab.toy import templates

PHOTO = Path(__file__).resolve().parents[3] / "docs" / "demo" / "photo.png"


def composed(name: str) -> dict:
    """The prompt of a template, quick; the mask's picture is shown under its own title."""
    prompt = templates.compose(name, "photo.png")
    for node in prompt.values():
        if node["class_type"] == "KSampler":
            node["inputs"] |= {"steps": 4, "sampler_name": "euler"}
    return prompt


def test_what_the_word_names_changes_and_no_pixel_outside_of_its_mask(server: Any) -> None:
    prompt = composed(templates.FOUND)
    outcome = server.run(prompt, {"photo.png": PHOTO})
    assert outcome.succeeded, outcome.error
    (result,) = outcome.images(workflow.find(prompt, "Repainted"))
    mask = outcome.images(workflow.find(prompt, "Mask"))[0][..., 0] > 0
    photo = np.asarray(Image.open(PHOTO).convert("RGB"))
    changed = (result != photo).any(-1)
    assert result.shape == photo.shape and mask.any() and not mask.all()
    assert not changed[~mask].any() and changed[mask].mean() > 0.5


def test_other_words_are_shown_without_sampling_again(server: Any) -> None:
    prompt = composed(templates.WATCHED)
    shown, masks, sampler = (workflow.find(prompt, title) for title in ("Maps", "Masks", "KSampler"))
    first = server.run(prompt)
    assert first.succeeded and len(first.images(shown)) == len(first.images(masks)) == 4
    prompt[workflow.find(prompt, "Attention Maps")]["inputs"]["words"] = "shirt"
    again = server.run(prompt)
    assert sampler in dict(again.entry["status"]["messages"])["execution_cached"]["nodes"]
    assert np.array_equal(again.images(shown)[0], first.images(shown)[1])
