"""Every common form of a pose gives the same people, as a file, by wire and in the editor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from recompose.bridge import notices, pose_fit, pose_json, pose_record
from recompose.core.pose.person import Frame
from recompose.core.shapes import Size
from recompose.tests import pose_sources
from recompose.tests.pose_sources import Source

Ask = Callable[..., list[Any]]
CASES = {name: make() for name, make in pose_sources.SOURCES.items()} | pose_sources.oddities()


def size_of(source: Source) -> Size | None:
    return None if source.picture is None else Size(*source.picture)


def check(source: Source, frames: list[Frame], told: list[str]) -> None:
    assert len(frames) == source.frames
    assert {tuple(frame.size) for frame in frames} == {source.size}
    people = [person for frame in frames for person in frame.people]
    assert len(people) == len(source.people)
    for person, wanted in zip(people, source.people, strict=True):
        for key, part in person.parts().items():
            points = wanted.get(key, np.full((len(part), 2), np.nan))
            assert (part.present == np.isfinite(points[:, 0])).all(), key
            np.testing.assert_allclose(part.points[part.present], points[part.present], atol=1e-4)
    assert any(source.notice in sentence for sentence in told) if source.notice else told == []


@pytest.mark.parametrize("name", CASES)
def test_by_wire(name: str) -> None:
    source = CASES[name]
    with notices.collect() as told:
        pose = pose_record.read(source.data, default=size_of(source))
        pose = pose_fit.on_one_size(pose)
    check(source, pose, told)


@pytest.mark.parametrize("name", CASES)
def test_as_a_file(name: str) -> None:
    source = CASES[name]
    with notices.collect() as told:
        pose = pose_json.read(pose_sources.text(source), picture=Size(*source.size))
    check(source, pose, told)
    again = pose_record.read(pose_record.write(pose, pose_record.Written.ALL))
    check(source, again, told)


def test_in_the_editor(ask: Ask) -> None:
    names = [name for name in CASES if "several sizes" not in name]
    questions = [
        {
            "text": pose_sources.text(CASES[name]),
            "size": {"width": CASES[name].size[0], "height": CASES[name].size[1]},
        }
        for name in names
    ]
    for name, found in zip(names, ask("read", questions), strict=True):
        assert "error" not in found, (name, found)
        frames = [
            pose_record.read({"canvas_width": each["width"], "canvas_height": each["height"], **each})[0]
            for each in found["frames"]
        ]
        check(CASES[name], frames, found["notices"])


def test_the_page_lists_everything_that_is_tolerated(root) -> None:
    page = (root / "docs" / "inputs.md").read_text()
    section = page.split("## POSE_KEYPOINT")[1].split("\n## ")[0]
    for name in [*pose_sources.oddities(), *pose_sources.SOURCES]:
        assert f"| {name} |" in section, name
