"""Whether the things that words ask for are painted, of the kind and in the colour that they say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...toy import world
from ...toy.requests import Order
from ...toy.world.labels import OBJECTS
from ..evaluator import Evaluator, Seen
from ..rows import Figures

PART, COUNT = "test", 100
SEEDS = 2**16  # how far to look for pictures of a kind


class Asked(NamedTuple):
    """A picture of a kind, and the words that ask for it or for its things alone."""

    kind: str
    seed: int
    words: str
    example: world.Example


def asked() -> list[Asked]:
    """Captions of one and of two things, phrases of one thing alone, and pairs that no training saw."""
    found: list[Asked] = []
    wanted = dict.fromkeys(("one", "two", "phrase", "unseen"), COUNT)
    for seed in range(SEEDS):
        if not any(wanted.values()):
            break
        plain, unseen = world.closer(seed, PART), world.closer(seed, PART, unseen=True)
        two = len(plain.attributes["objects"]) == 2
        options = [("two" if two else "one", plain.caption, plain), ("unseen", unseen.caption, unseen)]
        if not two:
            options.append(("phrase", world.phrases(plain.attributes)[0], plain))
        for kind, words, example in options:
            if wanted[kind]:
                wanted[kind] -= 1
                found.append(Asked(kind, seed, words, example))
    return found


def colours(seen: Seen) -> dict[str, str]:
    """The objects that a picture shows and their colours."""
    return {name: seen.things[name].colour for name in OBJECTS if name in seen.things}


def described(some: Sequence[Asked], source: str, seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """One row per picture: what is asked for and what is seen."""
    return [
        {
            "kind": one.kind,
            "source": source,
            "seed": one.seed,
            "asked": dict(one.example.attributes["objects"]),
            "found": colours(what),
        }
        for one, what in zip(some, seen, strict=True)
    ]


def measure(folder: Path) -> Figures:
    """Paint all that is asked for and look; true pictures show the evaluator's own error."""
    from ...toy.pipeline import Painter  # needs ComfyUI

    evaluator, painter, some = Evaluator.load(folder), Painter(folder), asked()
    orders = [Order(one.words, *one.example.image.shape[:2], one.seed) for one in some]
    rows = described(some, "painted", evaluator.look(painter.paint(orders)))
    rows += described(some, "true", evaluator.look([one.example.image for one in some]))
    return Figures(rows, summary(rows))


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Things right, their kinds alone, their colours where the kind is right, and pictures wholly right."""
    found: dict[str, Any] = {}
    for source in ("painted", "true"):
        for kind in dict.fromkeys(row["kind"] for row in rows):
            some = [row for row in rows if (row["source"], row["kind"]) == (source, kind)]
            pairs = [
                (row["found"].get(name), colour) for row in some for name, colour in row["asked"].items()
            ]
            there = [pair for pair in pairs if pair[0] is not None]
            right = sum(seen == colour for seen, colour in pairs)
            whole = sum(row["found"].items() >= row["asked"].items() for row in some)
            more = sum(len(row["found"].keys() - row["asked"].keys()) for row in some)
            label = f"{source}, {kind}"
            found[f"{label}: kind and colour"] = share(right, len(pairs))
            found[f"{label}: kind"] = share(len(there), len(pairs))
            found[f"{label}: colour of those"] = share(right, len(there))
            found[f"{label}: all of a picture"] = share(whole, len(some))
            found[f"{label}: things not asked for"] = more
    return found


def share(count: int, of: int) -> str:
    """A share and the numbers behind it."""
    return f"{count / max(of, 1):.4f} ({count} of {of})"
