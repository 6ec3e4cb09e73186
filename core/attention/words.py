"""Words of a prompt and the columns of its tokens.

A text encoder cuts a prompt into pieces, each of which is a column of the conditioning. Texts are compared
as runs of letters and digits and single other characters, so that "Blue-Eyed" is found in "blue - eyed" and
"art" is not found in "artist".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .ranges import shown

SEPARATORS = re.compile(r"[,;\n]")
NUMBERED = re.compile(r"(?P<text>.*\S)\s*#\s*(?P<number>\d{1,4})", re.DOTALL)
# Scripts without blanks between words: their characters are compared one by one.
WITHOUT_BLANKS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
# A list of more words than this in an error helps nobody.
MOST_LISTED = 60


class Piece(NamedTuple):
    """A piece of the text as UTF-8 bytes, with its blanks, and its columns."""

    text: bytes
    columns: tuple[int, ...]


class Atom(NamedTuple):
    """A run of letters and digits, or one other character, and the columns of the pieces it lies in."""

    text: str
    columns: tuple[int, ...]


class Word(NamedTuple):
    """A word or phrase that was asked for."""

    text: str  # as it was typed
    columns: tuple[int, ...]


def wanted(text: str) -> list[str]:
    """The words and phrases of a list that is separated by commas or lines."""
    return [" ".join(each.split()) for each in SEPARATORS.split(text) if each.strip()]


def text_of(words: str) -> str:
    """A text that has the listed words and no others, each as often as it is listed."""
    numbered = ((NUMBERED.fullmatch(each), each) for each in wanted(words))
    return ", ".join(match["text"] if match else each for match, each in numbered)


def found_in(pieces: Sequence[Piece], words: str, name: str) -> list[Word]:
    """The columns of each of the listed words, or of every word of the prompt if the list is empty.

    A word that is there several times has the columns of all; "dog#2" is its second place. ValueError, one
    sentence that begins with `name`, for a word that is not there; it lists those that are.
    """
    atoms = atoms_of(pieces)
    if not wanted(words):
        return every_word(atoms)
    return [Word(each, columns_of(atoms, each, name)) for each in wanted(words)]


def every_word(atoms: Sequence[Atom]) -> list[Word]:
    """The different words of a prompt in their order."""
    found: dict[str, tuple[int, ...]] = {}
    for atom in atoms:
        if is_word(atom.text):
            found[atom.text] = (*found.get(atom.text, ()), *atom.columns)
    return [Word(text, tuple(dict.fromkeys(columns))) for text, columns in found.items()]


def columns_of(atoms: Sequence[Atom], wanted: str, name: str) -> tuple[int, ...]:
    """The columns of a word or phrase among the atoms of a prompt; ValueError if it is not there."""
    numbered = NUMBERED.fullmatch(wanted)
    places = list(places_of(atoms, wanted))
    if numbered and not places:
        places = list(places_of(atoms, numbered["text"]))
        number = int(numbered["number"])
        if places and not 1 <= number <= len(places):
            count = "once" if len(places) == 1 else f"{len(places)} times"
            raise ValueError(
                f'{name}: "{shown(numbered["text"])}" is in the text {count} but #{number} was asked for; '
                f"write a number from 1 to {len(places)}, or none for all."
            )
        places = places[number - 1 : number]
    if not places:
        raise ValueError(f'{name}: "{shown(wanted)}" is not in the text; its words are {listed(atoms)}.')
    return tuple(dict.fromkeys(column for place in places for column in place))


def places_of(atoms: Sequence[Atom], wanted: str) -> Iterator[list[int]]:
    """The columns of each place at which a phrase stands, places that overlap left out."""
    phrase = [atom.text for atom in atoms_of([Piece(wanted.encode(), ())])]
    at = 0
    while phrase and at + len(phrase) <= len(atoms):
        here = atoms[at : at + len(phrase)]
        if [atom.text for atom in here] == phrase:
            yield [column for atom in here for column in atom.columns]
            at += len(phrase)
        else:
            at += 1


def listed(atoms: Sequence[Atom]) -> str:
    """The words of a prompt as a list to choose from."""
    words = [word.text for word in every_word(atoms)]
    more = ", …" if len(words) > MOST_LISTED else ""
    return ", ".join(words[:MOST_LISTED]) + more if words else "none"


def atoms_of(pieces: Sequence[Piece]) -> list[Atom]:
    """The runs and characters of a text, compatibility forms and capitals folded, accents apart."""
    found: list[Atom] = []
    joined = False
    for character, columns in characters(pieces):
        for each in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold()):
            if each.isspace():
                joined = False
                continue
            inside = is_word(each) and not WITHOUT_BLANKS.match(each)
            if inside and joined:
                last = found[-1]
                found[-1] = Atom(last.text + each, tuple(dict.fromkeys((*last.columns, *columns))))
            else:
                found.append(Atom(each, columns))
            joined = inside
    return found


def is_word(text: str) -> bool:
    """Whether a text is of letters, digits and marks on them."""
    return all(unicodedata.category(each)[0] in "LNM" for each in text)


def characters(pieces: Sequence[Piece]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The characters of a text, each with the columns of all pieces that its bytes are in."""
    # What a word is cut into may be parts of a character.
    places = [columns for piece in pieces for columns in [piece.columns] * len(piece.text)]
    text = b"".join(piece.text for piece in pieces)
    at = 0
    while at < len(text):
        length = next((n for n in range(1, 5) if decodes(text[at : at + n])), 1)
        columns = dict.fromkeys(column for place in places[at : at + length] for column in place)
        yield text[at : at + length].decode("utf-8", "replace"), tuple(columns)
        at += length


def decodes(some: bytes) -> bool:
    """Whether bytes are whole characters."""
    try:
        some.decode()
    except UnicodeDecodeError:
        return False
    return True
