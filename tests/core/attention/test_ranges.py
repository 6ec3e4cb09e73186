"""Texts of steps and layers: what they name, and what is said of those that name nothing."""

from __future__ import annotations

import pytest
from recompose.core.attention.ranges import chosen, described, split

WORDS = {"encoder": range(0, 6), "decoder": range(7, 16), "all": range(16)}
TEXTS = {
    "4-": [*range(4, 16)],
    "4-40": [*range(4, 16)],
    "4-7": [4, 5, 6, 7],
    " 4 - 7 , 9": [4, 5, 6, 7, 9],
    "4,6,8-12": [4, 6, 8, 9, 10, 11, 12],
    "12,4,4": [4, 12],
    "8–10": [8, 9, 10],
    "0": [0],
    "-1": [15],
    "-4-": [12, 13, 14, 15],
    "-4--2": [12, 13, 14],
    "2--12": [2, 3, 4],
    "60-": [],
    "60": [],
    "9-5": [],
    "-40": [],
    "-40-1": [0, 1],
    "25%-": [*range(4, 16)],
    "25%-50%": [4, 5, 6, 7],
    "0%-100%": [*range(16)],
    "0%": [0],
    "100%": [15],
    "12.5%-25 %": [2, 3],
    "20%-30%": [4],
    "4-50%": [4, 5, 6, 7],
    "50%-9": [8, 9],
    "decoder": [*range(7, 16)],
    "Encoder, 15": [*range(6), 15],
    "all": [*range(16)],
}
WRONG = [
    "", " ", ",", "4-,", "a", "4..8", "4-8-12", "1.5", "--4", "%", "-50%", "4 8", "1e3", "9" * 400, "nan",
    "middle",
]  # fmt: skip


@pytest.mark.parametrize(("text", "numbers"), TEXTS.items(), ids=TEXTS)
def test_a_text_names_numbers(text: str, numbers: list[int]) -> None:
    assert chosen(text, 16, "layers", WORDS) == numbers


@pytest.mark.parametrize("text", WRONG)
def test_other_texts_are_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^layers cannot be read at [^\n]*4-40, [^\n]*decoder[^\n]*\.$"
    ) as caught:
        split(text, "layers", tuple(WORDS))
    assert len(str(caught.value)) < 250


def test_percents_name_the_same_share_of_any_count() -> None:
    assert chosen("8%-", 50, "steps") == [*range(4, 50)]
    for count in range(1, 90):
        halves = chosen("0%-50%", count, "steps"), chosen("50%-100%", count, "steps")
        assert halves[0] + halves[1] == [*range(count)]


def test_numbers_are_written_as_such_a_text() -> None:
    for numbers in ([0], [0, 2], [0, 1, 2], [4, 6, 8, 9, 10]):
        assert chosen(described(numbers), 16, "layers") == numbers
    assert described([4, 6, 8, 9, 10]) == "4, 6, 8-10"
