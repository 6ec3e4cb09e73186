"""How painted objects are counted, by hand-made rows."""

from __future__ import annotations

from collections import Counter

from recompose.lab.evaluate.models import objects
from recompose.lab.toy import world


def row(kind: str, asked: dict[str, str], found: dict[str, str], source: str = "painted") -> dict:
    return {"kind": kind, "source": source, "seed": 0, "asked": asked, "found": found}


def test_kind_colour_and_whole_pictures_are_counted_apart() -> None:
    rows = [
        row("two", {"ball": "red", "dog": "blue"}, {"ball": "red", "dog": "blue", "cone": "pink"}),
        row("two", {"ball": "red", "dog": "blue"}, {"ball": "blue", "dog": "red"}),
        row("two", {"ball": "red", "dog": "blue"}, {"ball": "red"}),
        row("one", {"ball": "red"}, {}, "true"),
    ]
    found = objects.summary(rows)
    assert found["painted, two: kind and colour"] == "0.5000 (3 of 6)"
    assert found["painted, two: kind"] == f"{5 / 6:.4f} (5 of 6)"
    assert found["painted, two: colour of those"] == "0.6000 (3 of 5)"
    assert found["painted, two: all of a picture"] == f"{1 / 3:.4f} (1 of 3)"
    assert found["painted, two: things not asked for"] == 1
    assert found["true, one: kind and colour"] == "0.0000 (0 of 1)"
    assert found["true, one: colour of those"] == "0.0000 (0 of 0)"


def test_what_is_asked_for_is_what_the_pictures_show() -> None:
    some = objects.asked()
    assert Counter(one.kind for one in some) == dict.fromkeys(
        ("one", "two", "phrase", "unseen"), objects.COUNT
    )
    for one in some[::7]:
        said = world.parse(one.words)
        assert said["objects"] == one.example.attributes["objects"]
        pairs = set(said["objects"])
        assert bool(pairs & set(world.UNSEEN.items())) == (one.kind == "unseen")
        if one.kind == "phrase":
            assert set(said) == {"subject", "objects"} and len(pairs) == 1
