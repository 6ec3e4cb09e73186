"""The templates of concepts, run as a program posts them, on the demo's models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from recompose.lab.toy import concept_templates, world

NAMES = {"ball": "kicked", "lamp": "lit"}


def reports(entry: dict) -> list[dict]:
    """What the pack's nodes have reported."""
    return [each for output in entry["outputs"].values() for each in output.get("recompose", ())]


def picture(server: Any, prompt: dict) -> np.ndarray:
    """What the template's SaveImage has saved."""
    entry = server.client.run(prompt)
    saved = next(number for number, node in prompt.items() if node["class_type"] == "SaveImage")
    file = entry["outputs"][saved]["images"][0]
    with Image.open(server.output_dir / file["subfolder"] / file["filename"]) as image:
        return np.asarray(image)


@pytest.fixture(scope="module")
def files(server: Any) -> dict[str, str]:
    """The files of two concepts, trained for a few steps by the template."""
    found = {}
    for start, name in ((0, "ball"), (20, "lamp")):
        pictures = [f"{name} {number}.png" for number in range(4)]
        for number, file in enumerate(pictures):
            Image.fromarray(world.closer(start + number, "test").image).save(server.input_dir / file)
        text = f"photo of a <new1> {name} on a beach"
        prompt = concept_templates.training(pictures, "<new1>", name, text, 3, 1e-3, 1)
        entry = server.client.run(prompt)
        (report,) = [each for each in reports(entry) if "files" in each]
        found[name] = Path(report["files"][0]).relative_to("concepts").as_posix()
        sheet = next(node for node, given in prompt.items() if given["class_type"] == "PreviewImage")
        image = entry["outputs"][sheet]["images"][0]
        with Image.open(server.output_dir.parent / "temp" / image["filename"]) as shown:
            assert shown.size == (4 * 128, 2 * 128)  # four prompts, before and after
    return found


def test_a_trained_concept_is_used_by_its_file(server: Any, files: dict[str, str]) -> None:
    made = {name: picture(server, concept_templates.use(file, f"photo of a <new1> {name} on a beach"))
            for name, file in files.items()}  # fmt: skip
    assert all(image.shape == (128, 128, 3) for image in made.values())
    prompt = concept_templates.use(files["ball"], "photo of a <new1> ball on a beach")
    assert (picture(server, prompt) == made["ball"]).all()
    loader = next(node for node in prompt.values() if node["class_type"] == "RecomposeLoadConcept")
    loader["inputs"]["strength"] = 2.0
    assert (picture(server, prompt) != made["ball"]).any()


def test_two_trained_concepts_are_in_one_picture(server: Any, files: dict[str, str]) -> None:
    text = "photo of a <new1> ball and a <new2> lamp on a beach"
    prompt = concept_templates.two(list(files.values()), "ball, lamp", text, ["a red ball on a beach"])
    entry = server.client.run(prompt)
    assert [each for each in reports(entry) if each.get("notices")] == []
    merged = picture(server, prompt)
    merge = next(node for node in prompt.values() if node["class_type"] == "RecomposeMergeConcepts")
    merge["inputs"]["method"] = "average"
    assert (picture(server, prompt) != merged).any()
