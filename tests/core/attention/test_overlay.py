"""A row's maps as JSON for a page."""

from __future__ import annotations

import base64
import io
import json

import pytest
import torch
from PIL import Image
from recompose.core.attention.overlay import MOST_BYTES, levels, overlay, packed
from recompose.core.shapes import Size
from torch import Tensor


def unpacked(row: dict, word: int) -> list[int]:
    """The levels of a word, read by another way than they are written."""
    text = base64.b64decode(row["words"][word]["map"]).hex()
    width, height = row["grid"]
    assert len(text) == width * height + width * height % 2
    return [int(digit, 16) for digit in text[: width * height]]


def noise(words: int, height: int, width: int, seed: int = 3) -> Tensor:
    return torch.rand(words, height, width, generator=torch.Generator().manual_seed(seed))


def test_a_map_has_16_levels_from_its_lowest_to_its_highest() -> None:
    ramp = torch.linspace(2, 5, 16).reshape(1, 2, 8)
    assert levels(ramp).flatten().tolist() == list(range(16))
    assert levels(torch.tensor([[[0.0, 1.0, 0.49, 0.51, 0.9, 0.31]]])).tolist() == [[[0, 15, 7, 8, 14, 5]]]
    assert levels(torch.full((1, 2, 3), 0.7)).sum() == 0


def test_two_cells_are_a_byte_and_the_first_is_the_higher_half() -> None:
    cells = torch.tensor([[1, 15, 0], [10, 2, 7]], dtype=torch.uint8)
    assert packed(cells) == base64.b64encode(bytes([0x1F, 0x0A, 0x27])).decode()
    assert packed(cells[:1]) == base64.b64encode(bytes([0x1F, 0x00])).decode()


def test_a_row_has_the_words_their_maps_and_how_high_they_are() -> None:
    found = torch.zeros(3, 3, 5)
    found[0, 1, 4], found[1, 2, 0] = 0.25, 0.125
    found[1] += 0.5
    row = overlay(found, ["red ball", "ça", "flat"], Size(40, 24), None)
    assert json.loads(json.dumps(row)) == row and "picture" not in row
    assert row["size"] == [40, 24] and row["grid"] == [5, 3]
    assert [word["text"] for word in row["words"]] == ["red ball", "ça", "flat"]
    assert [[word["low"], word["high"]] for word in row["words"]] == [[0, 0.25], [0.5, 0.625], [0, 0]]
    assert unpacked(row, 0) == [0] * 9 + [15] + [0] * 5
    assert unpacked(row, 1) == [0] * 10 + [15] + [0] * 4
    assert unpacked(row, 2) == [0] * 15


def test_a_fine_map_is_the_mean_of_its_cells_in_at_most_64() -> None:
    found = torch.zeros(1, 32, 128)
    found[0, 4:6, 126:128] = 1
    row = overlay(found, ["corner"], Size(1024, 256), None)
    assert row["grid"] == [64, 16]
    assert [number for number, level in enumerate(unpacked(row, 0)) if level] == [2 * 64 + 63]


@pytest.mark.parametrize(
    ("words", "cells"),
    [(77, (64, 256)), (77, (128, 128)), (77, (4, 500)), (200, (128, 128)), (2000, (96, 96)), (77, (1, 1))],
)
@pytest.mark.parametrize("letter", ["a", "語", "🐕"])
def test_a_row_is_at_most_200_kb_whatever_its_words_and_picture(
    words: int, cells: tuple[int, int], letter: str
) -> None:
    picture = noise(3, 1024, 1024)
    row = overlay(noise(words, *cells), [letter * 90] * words, Size(2048, 2048), picture)
    assert len(json.dumps(row)) <= MOST_BYTES == 200_000
    assert len(row["words"]) >= 77 and max(row["grid"]) <= 64
    width, height = row["grid"]
    assert abs(width * cells[0] - height * cells[1]) <= max(cells)  # to a cell the aspect of the latent
    if letter == "a" and words == 77:
        assert len(row["words"]) == 77 and max(row["grid"]) >= min(48, *[max(cells)])


def test_more_words_get_coarser_maps_and_then_the_last_are_left_out() -> None:
    grids = {
        count: overlay(noise(count, 64, 64), ["word"] * count, Size(512, 512), None)["grid"][0]
        for count in (20, 120, 400)
    }
    assert grids[20] == 64 > grids[120] > grids[400] >= 8
    row = overlay(noise(5000, 16, 16), [f"w{number}" for number in range(5000)], Size(128, 128), None)
    kept = len(row["words"])
    assert 1000 < kept < 5000 and row["words"][-1]["text"] == f"w{kept - 1}" and row["grid"] == [8, 8]


def test_the_picture_is_a_small_jpeg_of_the_same_aspect() -> None:
    plain = torch.full((4, 600, 900), 0.5)
    plain[0] = 1
    row = overlay(noise(2, 8, 12), ["a", "b"], Size(900, 600), plain)
    shown = Image.open(io.BytesIO(base64.b64decode(row["picture"])))
    assert shown.format == "JPEG" and shown.size == (512, 341)
    middle = shown.convert("RGB").getpixel((256, 170))
    assert all(abs(one - other) <= 3 for one, other in zip(middle, (255, 128, 128), strict=True))
    assert len(overlay(noise(2, 8, 8), ["a", "b"], Size(9, 9), noise(3, 900, 900))["picture"]) <= 50_000
