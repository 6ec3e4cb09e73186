"""Draw Sketch, Extract Sketch and Self Reference as ComfyUI calls them."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from recompose.core.shapes import Size
from recompose.core.sketch.strokes import Stroke, written

WIDTH, HEIGHT = 104, 88


@pytest.fixture(scope="module")
def nodes(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.nodes.sketch")


def line(layer: str, row: int, **more) -> Stroke:
    points = np.array([[160, 16 * row + 8, 63], [1440, 16 * row + 8, 63]], dtype=np.int64)
    return Stroke(layer, 80, points, **more)


VALUE = written(
    Size(WIDTH, HEIGHT), [line("sketch", 20), line("mask", 40), line("colour", 60, colour=(255, 128, 0))]
)


def drawn(nodes: ModuleType, strokes: str = VALUE, lines: str = "white on black", **more):
    made = nodes.DrawSketch.execute(width=WIDTH, height=HEIGHT, lines=lines, strokes=strokes, **more)
    return made.args, made.ui["recompose"]


def photo(batch: int = 1, height: int = HEIGHT) -> torch.Tensor:
    return torch.rand(batch, height, WIDTH, 3, generator=torch.Generator().manual_seed(3))


def told(report: list) -> str:
    return " ".join(sentence for one in report for sentence in one.get("notices", ()))


def test_each_layer_has_its_output(nodes) -> None:
    (sketch, mask, hints, mixed), report = drawn(nodes)
    assert not told(report) and sketch.shape == (1, HEIGHT, WIDTH, 3) and mask.shape == (1, HEIGHT, WIDTH)
    for picture, row in ((sketch[0, ..., 0], 20), (mask[0], 40)):
        assert (picture[row - 2 : row + 3, 20:80] == 1).all() and picture.sum() == picture[
            row - 2 : row + 3
        ].sum()
    orange = torch.tensor([255, 128, 0]) / 255
    assert torch.equal(hints[0, 60, 50], orange) and torch.equal(hints, mixed)
    assert torch.equal(hints[0, 20, 50], torch.full((3,), 128 / 255))


def test_black_lines_are_the_negative(nodes) -> None:
    (white, *_), _ = drawn(nodes)
    (black, *_), _ = drawn(nodes, lines="black on white")
    assert torch.equal(black, 1 - white)


@pytest.mark.parametrize("batch", [1, 3])
def test_the_hints_are_on_every_photo_and_no_other_pixel_changes(nodes, batch: int) -> None:
    pictures = photo(batch)
    (_, _, hints, mixed), _ = drawn(nodes, image=pictures)
    there = (hints != 128 / 255).any(-1).expand(batch, -1, -1)
    assert torch.equal(mixed[~there], pictures[~there]) and there.any()
    assert torch.equal(mixed[there], hints.expand(batch, -1, -1, -1)[there])


def test_the_editor_is_told_the_size_and_shown_the_photo(nodes) -> None:
    cases: list[tuple[dict[str, Any], int]] = [({}, 0), ({"image": photo(2)}, 1), ({"start": photo()}, 1)]
    for given, pictures in cases:
        (report,) = drawn(nodes, **given)[1]
        assert report["size"] == [WIDTH, HEIGHT] and len(report["pictures"]) == pictures


def test_two_runs_give_the_same_bits(nodes) -> None:
    for one, other in zip(drawn(nodes)[0], drawn(nodes)[0], strict=True):
        assert torch.equal(one, other)


def test_nothing_drawn_is_blank_without_a_notice(nodes) -> None:
    (sketch, mask, *_), report = drawn(nodes, strokes="")
    assert not sketch.any() and not mask.any() and not told(report)


def test_whole_strokes_of_a_damaged_drawing_are_drawn_with_a_notice(nodes) -> None:
    (sketch, mask, *_), report = drawn(nodes, strokes=VALUE.replace('"mask","width":80', '"mask","width":-8'))
    assert sketch.any() and not mask.any() and "Damaged strokes" in told(report)
    (sketch, *_), report = drawn(nodes, strokes=VALUE[:-9])
    assert not sketch.any() and "cannot be read" in told(report)


def test_a_drawing_of_another_size_is_scaled_with_a_notice(nodes) -> None:
    large = torch.zeros(1, 2 * HEIGHT, 2 * WIDTH, 3)
    (sketch, *_), report = drawn(nodes, image=large)
    assert (sketch[0, 36:46, 40:160] == 1).all() and "scaled to fit" in told(report)


@pytest.mark.parametrize("polarity", ["white on black", "black on white"])
def test_a_start_is_read_in_either_polarity(nodes, polarity: str) -> None:
    (start, *_), _ = drawn(nodes, lines=polarity)
    (again, *_), _ = drawn(nodes, strokes="", start=start)
    assert torch.equal(again, start if polarity == "white on black" else 1 - start)


def test_a_start_of_another_size_is_refused(nodes) -> None:
    with pytest.raises(ValueError, match=r"start is 104×24 px and the image 104×88 px; connect a sketch of"):
        drawn(nodes, image=photo(), start=photo(height=24))


def extracted(nodes: ModuleType, image: torch.Tensor, **more):
    settings = {"blur": 1.0, "threshold": 0.4, "line_width": 3, "model_size": 512, "lines": "white on black"}
    return nodes.ExtractSketch.execute(image=image, **(settings | more)).args


def halves(batch: int = 1, times: int = 1) -> torch.Tensor:
    picture = torch.full((batch, HEIGHT * times, WIDTH * times, 3), 0.2)
    picture[:, :, 50 * times :] = 0.9
    return picture


def test_a_line_is_three_pixels_wide_at_the_models_size(nodes) -> None:
    sketch, mask = extracted(nodes, halves(2))
    assert mask.shape == (2, HEIGHT, WIDTH) and (mask[:, 10:80].sum(-1) == 3).all()
    assert torch.equal(sketch, mask[..., None].expand(-1, -1, -1, 3))
    _, wide = extracted(nodes, halves(times=4), model_size=WIDTH)
    assert (wide[:, 40:300].sum(-1) == 12).all()


def test_a_sketch_is_within_its_mask(nodes) -> None:
    within = torch.zeros(1, HEIGHT, WIDTH)
    within[:, 30:60, :50] = 1
    sketch, mask = extracted(nodes, halves(), mask=within, lines="black on white")
    # The line along the mask's rim is as wide as any; no line is farther off than that.
    assert (mask[:, 31:59].sum(-1) == 3).all() and torch.equal(sketch[..., 0], 1 - mask)
    assert not mask[:, :28].any() and not mask[:, 62:].any()


def reference(nodes: ModuleType, image: torch.Tensor, **more):
    settings = {"margin": 0, "flip": "none", "scale": 1.0, "background": "photo"}
    return nodes.SelfReference.execute(image=image, **(settings | more)).args


def test_a_mask_and_a_box_name_the_same_part(nodes) -> None:
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 20:50, 30:80] = 1
    box = {"x": 30, "y": 20, "width": 50, "height": 30}
    for given in ({"mask": mask}, {"box": box}, {"mask": mask, "box": {**box, "x": -5, "width": 500}}):
        picture, inside = reference(nodes, photo(), **given)
        assert torch.equal(picture, photo()[:, 20:50, 30:80]) and inside.min() == 1
    mirrored, _ = reference(nodes, photo(), mask=mask, flip="horizontal")
    assert torch.equal(mirrored, photo()[:, 20:50, 30:80].flip(2))


def test_each_picture_of_a_batch_is_cut_by_its_own_mask(nodes) -> None:
    mask = torch.zeros(2, HEIGHT, WIDTH)
    mask[0, 20:50, 30:80], mask[1, 10:70, 5:25] = 1, 1
    picture, inside = reference(nodes, photo(2), mask=mask)
    assert picture.shape == (2, 60, 50, 3)
    assert torch.equal(picture[0, 15:45], photo(2)[0, 20:50, 30:80]) and inside[1].sum() == 60 * 20


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "needs a mask or a box"),
        ({"mask": torch.zeros(1, HEIGHT, WIDTH)}, "nothing of the photo is within"),
        ({"box": {"x": 500, "y": 0, "width": 50, "height": 30}}, "nothing of the photo is within"),
        ({"box": {"x": 5}}, "box must have x, y, width and height"),
        ({"box": {"x": 5, "y": 5, "width": 5, "height": 30}}, "the part is 5×30 px"),
    ],
)
def test_what_names_nothing_is_refused(nodes, given: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        reference(nodes, photo(), **given)
