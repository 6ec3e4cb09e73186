"""Words of a prompt: which columns they have, and what is said of those that are not there."""

from __future__ import annotations

import pytest
from recompose.core.attention.words import Piece, atoms_of, found_in, text_of, wanted


def pieces(*texts: str | bytes) -> list[Piece]:
    """Pieces of which the n-th has column n + 1, as after a start token."""
    return [
        Piece(each if isinstance(each, bytes) else each.encode(), (n + 1,)) for n, each in enumerate(texts)
    ]


SKATE = pieces("a ", "skate", "boarder ", "with ", "a ", "dog ", "'s ", "blue ", "- ", "eyed ", "dog ", ", ",
               "red ", "ball ")  # fmt: skip
INU = "白い犬と犬".encode()
COLUMNS = {
    "skateboarder": (2, 3),
    "Skateboarder": (2, 3),
    "dog": (6, 11),
    "dog#2": (11,),
    "dog #1": (6,),
    "dog's": (6, 7),
    "blue-eyed": (8, 9, 10),
    "Blue - Eyed  DOG": (8, 9, 10, 11),
    "eyed": (10,),
    "red ball": (13, 14),
    "red\tball": (13, 14),
    "a": (1, 5),
    "a#2": (5,),
    "dog, ": (6, 11),
}


@pytest.mark.parametrize(("word", "columns"), COLUMNS.items())
def test_columns_of_words_and_phrases(word: str, columns: tuple[int, ...]) -> None:
    (found,) = found_in(SKATE, word, "Node: words")
    assert found.columns == columns


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("dog", "dog"),
        (" red  ball,\nshirt;", "red ball, shirt"),
        ("dog, dog#2", "dog, dog"),
        ("dog #2", "dog"),
        ("#2", "#2"),
        ("", ""),
    ],
)
def test_listed_words_as_a_text_of_their_own(words: str, text: str) -> None:
    assert text_of(words) == text


@pytest.mark.parametrize("word", ["skate", "boarder", "art", "dogs", "redball", "ball red", "犬"])
def test_a_word_that_is_not_there_lists_those_that_are(word: str) -> None:
    with pytest.raises(
        ValueError, match="is not in the text; its words are a, skateboarder, with, dog, s, blue"
    ):
        found_in(SKATE, f"dog, {word}", "Node: words")


def test_a_number_beyond_the_places_says_how_many_there_are() -> None:
    with pytest.raises(ValueError, match='"dog" is in the text 2 times but #3 was asked for; write a number'):
        found_in(SKATE, "dog#3", "Node: words")
    with pytest.raises(ValueError, match="#0 was asked for"):
        found_in(SKATE, "dog#0", "Node: words")


def test_an_empty_list_is_every_word_once() -> None:
    found = found_in(SKATE, " , ", "Node: words")
    assert [word.text for word in found] == [
        "a", "skateboarder", "with", "dog", "s", "blue", "eyed", "red", "ball",
    ]  # fmt: skip
    assert dict((word.text, word.columns) for word in found)["dog"] == (6, 11)


def test_characters_in_pieces_of_bytes_and_scripts_without_blanks() -> None:
    """The three bytes of a character may be three pieces, and a piece may hold parts of two."""
    by_byte = [Piece(INU[n : n + 1], (n,)) for n in range(len(INU))]
    assert found_in(by_byte, "犬", "x")[0].columns == (6, 7, 8, 12, 13, 14)
    assert found_in(by_byte, "犬#2", "x")[0].columns == (12, 13, 14)
    assert found_in(by_byte, "白い犬", "x")[0].columns == tuple(range(9))
    across = [Piece(INU[:7], (0,)), Piece(INU[7:], (1,))]
    assert found_in(across, "犬#1", "x")[0].columns == (0, 1)


@pytest.mark.parametrize(
    ("text", "word"),
    [("un café noir", "CAFÉ"), ("un cafe\u0301 noir", "café"), ("STRASSE", "straße"), ("ｆｕｌｌ", "full"),
     ("привет мир", "МИР"), ("big:1.3", "1.3"), ("ﬁne", "fine"), ("İz", "i̇z")],
)  # fmt: skip
def test_capitals_accents_and_forms_of_letters_are_the_same(text: str, word: str) -> None:
    assert found_in(pieces(text), word, "x")[0].columns == (1,)


def test_an_accent_is_part_of_its_word() -> None:
    with pytest.raises(ValueError, match="is not in the text"):
        found_in(pieces("un café noir"), "caf", "x")


def test_broken_bytes_are_no_error() -> None:
    assert [atom.text for atom in atoms_of([Piece(b"a\xff ", (1,)), Piece(b"b", (2,))])] == [
        "a",
        "\ufffd",
        "b",
    ]


def test_a_list_of_words() -> None:
    assert wanted("red  ball, shirt ;dog#2\n hat,,") == ["red ball", "shirt", "dog#2", "hat"]


def test_a_sign_that_is_in_the_text_is_no_number() -> None:
    assert found_in(pieces("number ", "#", "2 "), "number #2", "x")[0].columns == (1, 2, 3)
