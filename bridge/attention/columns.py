"""The columns that the pieces of a prompt have in a conditioning, by ComfyUI's own tokenizers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from torch import Tensor

from ...core.attention.words import Piece, Word, atoms_of, every_word, found_in, wanted

# Encoders whose columns are joined on channels: every one cuts the prompt alike, so the first tells for all.
CLIPS = ("l", "g", "h")
T5 = "t5xxl"
# Encoders with a template around the prompt; that of the first kind is cut off after encoding.
CUT, KEPT = ("qwen25_7b",), ("qwen3_4b",)
TURN, TURN_END = "<|im_start|>", "<|im_end|>"
EMBEDDING = re.compile(r"embedding:([^\s,():<\[\]]+)")
BYTE = re.compile(r"<0x([0-9A-F]{2})>")
UNKNOWN = "\ufffd".encode()


def words_in(clip: Any, text: str, words: str, name: str) -> list[Word]:
    """The columns of the listed words, all of the text's if none is listed; ValueError by a sentence."""
    streams = streams_of(clip, text, name)
    atoms = [atoms_of(pieces) for pieces in streams]
    if not any(every_word(each) for each in atoms):
        raise ValueError(f"{name}: the text has no words; write the text of the picture.")
    found: dict[str, list[Word]] = {}
    refused = [each for pieces in streams for each in added(found, pieces, words, name)]
    asked = {each.text for some in found.values() for each in some}
    for text_of, error in refused:
        if text_of not in asked:  # one encoder may know a letter that another does not
            raise error
    return [joined(some) for some in found.values()]


def added(
    found: dict[str, list[Word]], pieces: Sequence[Piece], words: str, name: str
) -> Iterator[tuple[str, ValueError]]:
    """Add the words that are in one encoder's pieces; gives the others with what is said of them."""
    for each in wanted(words) or [""]:
        try:
            for word in found_in(pieces, each, name):
                found.setdefault(word.text, []).append(word)
        except ValueError as error:
            yield each, error


def joined(some: Sequence[Word]) -> Word:
    return Word(some[0].text, tuple(dict.fromkeys(column for each in some for column in each.columns)))


def streams_of(clip: Any, text: str, name: str) -> list[list[Piece]]:
    """The pieces of a text for each text encoder that has columns of its own."""
    tokens = clip.tokenize(text)
    # SD3's CLIP is given texts for all its encoders, whichever of them it has.
    kinds = [each for each in tokens if each not in missing(clip)]
    clips = [each for each in CLIPS if each in kinds]
    length = min((len(each) * len(each[0]) for kind, each in tokens.items() if kind in clips), default=0)
    if T5 in kinds:
        joined = clips if "g" in tokens else []  # Flux has CLIP's pooled state only
        first = [pieces_of(clip, each, tokens, text) for each in joined[:1]]
        return [*first, pieces_of(clip, T5, tokens, text, length if joined else 0)]
    for kind in (*clips, *CUT, *KEPT):
        if kind in kinds:
            return [pieces_of(clip, kind, tokens, text)]
    raise ValueError(
        f"{name}: the words of this CLIP ({', '.join(map(str, kinds))}) cannot be told; connect one of SD1, "
        "SD2, SDXL, SD3, Flux, Qwen-Image or Z-Image."
    )


def missing(clip: Any) -> list[str]:
    """The encoders that a CLIP of several was loaded without."""
    encoder = getattr(clip, "cond_stage_model", None)
    names = {"l": "clip_l", "g": "clip_g", T5: T5}
    return [kind for kind, name in names.items() if getattr(encoder, name, "") is None]


def pieces_of(clip: Any, kind: str, tokens: Mapping[str, Any], text: str, offset: int = 0) -> list[Piece]:
    """The pieces of a text without what its encoder puts around it."""
    tokenizer = getattr(clip.tokenizer, f"clip_{kind}", None) or getattr(clip.tokenizer, kind)
    ids = [
        (each[0], offset + number * len(chunk) + place)
        for number, chunk in enumerate(tokens[kind])
        for place, each in inner(chunk, tokenizer)
    ]
    if kind in (*CUT, *KEPT):
        start, stop = turn_of([tokenizer.inv_vocab.get(each) for each, _ in plain(ids)])
        cut = start if kind in CUT else 0
        ids = [(each, column - cut) for each, column in ids[start:stop]]
    return list(decoded(ids, tokenizer, names_of(tokenizer, text)))


def plain(ids: Sequence[tuple[Any, int]]) -> list[tuple[Any, int]]:
    """The ids with None in place of embeddings and pictures."""
    return [(each if isinstance(each, int) else None, column) for each, column in ids]


def inner(chunk: Sequence[Any], tokenizer: Any) -> Iterator[tuple[int, Any]]:
    """The tokens of a chunk with their places, without start, end and padding."""
    for place, each in enumerate(chunk):
        is_id = isinstance(each[0], int)
        if is_id and place == 0 and each[0] == tokenizer.start_token:
            continue
        if is_id and tokenizer.end_token is not None and each[0] == tokenizer.end_token:
            return
        if is_id and tokenizer.end_token is None and each[0] == tokenizer.pad_token:
            continue
        yield place, each


def turn_of(pieces: Sequence[str | None]) -> tuple[int, int]:
    """From where to where the user's turn goes in a chat; all where there is none."""
    starts = [at for at, each in enumerate(pieces) if each == TURN and pieces[at + 1 : at + 2] == ["user"]]
    if not starts:
        return 0, len(pieces)
    start = starts[0] + 3  # the mark, "user" and the line's end
    ends = [at for at, each in enumerate(pieces) if each == TURN_END and at >= start]
    return start, ends[-1] if ends else len(pieces)


def decoded(ids: Sequence[tuple[Any, int]], tokenizer: Any, names: list[str]) -> Iterator[Piece]:
    """The pieces' texts as UTF-8 bytes; an embedding's vectors are one piece with its name."""
    bytes_of = decoder_of(tokenizer.inv_vocab)
    groups = [(key, list(some)) for key, some in groupby(ids, lambda each: source(each[0]))]
    count = sum(key is not None for key, _ in groups)
    left = iter(names if len(names) == count else ["embedding"] * count)
    for key, some in groups:
        if key is not None:
            yield Piece(f" embedding:{next(left)} ".encode(), tuple(column for _, column in some))
        else:
            yield from (Piece(bytes_of(tokenizer.inv_vocab[each]), (column,)) for each, column in some)


def source(token: Any) -> int | None:
    """What an embedding's vectors have in common; None for a plain id."""
    if isinstance(token, Tensor):
        return token.untyped_storage().data_ptr()
    return None if isinstance(token, int) else id(token)


def names_of(tokenizer: Any, text: str) -> list[str]:
    """The names of the embeddings in a text that are there; ComfyUI leaves others out."""
    names = [each.strip(",") for each in EMBEDDING.findall(text)]
    if not names or not tokenizer.embedding_directory:
        return []
    return [each for each in names if tokenizer._try_get_embedding(each)[0] is not None]


def decoder_of(vocabulary: Mapping[int, str]) -> Any:
    """A function from a piece as it is in the vocabulary to its bytes."""
    pieces = vocabulary.values()
    if "▁the" in pieces:
        return sentence_bytes
    table = byte_table()
    if "the</w>" in pieces:
        return lambda piece: table_bytes(piece.removesuffix("</w>"), table) + b" " * piece.endswith("</w>")
    return lambda piece: table_bytes(piece, table)


def sentence_bytes(piece: str) -> bytes:
    """A piece of a SentencePiece vocabulary."""
    single = BYTE.fullmatch(piece)
    if single:
        return bytes([int(single[1], 16)])
    return UNKNOWN if piece == "<unk>" else piece.replace("▁", " ").encode()


def table_bytes(piece: str, table: Mapping[str, int]) -> bytes:
    """A piece of a byte-level vocabulary, in which every byte is one printable character."""
    return b"".join(bytes([table[each]]) if each in table else each.encode() for each in piece)


def byte_table() -> dict[str, int]:
    """The bytes by the characters that stand for them: printable Latin-1 itself, the others from 256 on."""
    same = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [each for each in range(256) if each not in same]
    return {chr(each): each for each in same} | {chr(256 + n): each for n, each in enumerate(others)}
