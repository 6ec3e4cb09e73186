"""Things of one's own that the drawn world has not: where they are, their marks, and what captions say."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from recompose.lab.toy import things, world
from recompose.lab.toy.things import picture, words, worn
from recompose.lab.toy.things.catalogue import BLOCKS, HALVES, STRIPES, Thing
from recompose.lab.toy.world.figure import Figure, Wardrobe
from recompose.lab.toy.world.palette import COLOURS, difference

EVERY = (*things.THINGS, *things.FURTHER)
HERS = Wardrobe("woman", "long", "vest", "skirt", "boots", *[(0, 0, 0)] * 5)


def test_there_are_twelve_things_in_pairs_that_fit_into_one_picture_and_two_further_ones() -> None:
    assert len(things.THINGS) == 12 and len(things.FURTHER) == 2
    assert len({thing.name for thing in EVERY}) == 14
    for first, second in things.PAIRS:
        assert first.sort == things.OBJECT and second.sort in (things.GARMENT, things.CHARACTER)
    assert not {thing.name for thing in things.FURTHER} & {thing.name for thing in things.THINGS}
    vocabulary = set(world.vocabulary())
    assert all(thing.class_word in vocabulary for thing in EVERY)


@pytest.mark.parametrize("thing", EVERY, ids=lambda thing: thing.name)
def test_a_picture_shows_every_mark_of_its_thing_within_its_mask(thing: Thing) -> None:
    for seed in range(2):
        shown = things.shown((thing,), seed)
        mask, marks = shown.masks[thing.name], shown.marks[thing.name]
        assert shown.image.shape == (128, 128, 3) and mask.shape == marks.shape == (128, 128)
        assert not marks[~mask].any()
        for number, colour in enumerate(thing.colours, 1):
            middle = np.median(shown.image[marks == number], axis=0)
            others = [name for name in thing.colours if name != colour]
            nearer = difference(tuple(middle), COLOURS[colour])
            assert all(nearer < difference(tuple(middle), COLOURS[name]) for name in others)
        assert set(np.unique(marks)) == {0, 1, 2, *((3, 4) if thing.hat else ())}


def test_pictures_of_a_seed_are_the_same_and_of_others_not() -> None:
    thing = things.THINGS[0]
    one, again, other = (things.shown((thing,), seed).image for seed in (3, 3, 4))
    assert (one == again).all() and (one != other).any()


def test_two_things_of_a_pair_are_in_one_picture() -> None:
    pair = things.PAIRS[0]
    shown = things.shown(pair, 0)
    first, second = (shown.masks[thing.name] for thing in pair)
    assert first.any() and second.any() and not (first & second).any()
    text = things.caption(shown.attributes, dict(zip(pair, ("<new1>", "<new2>"), strict=True)))
    assert "a <new2> sweater" in text and "a <new1> ball" in text and "red ball" not in text


FIELD = {"scene": "meadow", "objects": (("ball", "red"), ("dog", "black"))}
HIM = {"subject": "man", "hair": "curly", "hair colour": "black", "top": "coat", "top colour": "blue"}
STAR, SWEATER, KING = things.PAIRS[0][0], things.PAIRS[0][1], things.PAIRS[3][1]
CAPTIONS = [
    ({**FIELD, "subject": "things"}, STAR, "a <new1> ball and a black dog in a meadow"),
    ({**HIM, "scene": "snow"}, SWEATER, "a man with curly black hair in a <new1> sweater in the snow"),
    (
        {**HIM, "bottom": "shorts", "bottom colour": "pink", "scene": "snow"},
        KING,
        "a <new1> man in pink shorts in the snow",
    ),
]


@pytest.mark.parametrize(("attributes", "thing", "text"), CAPTIONS)
def test_the_new_word_stands_before_the_class_and_no_look_of_the_thing_is_said(
    attributes: dict, thing: Thing, text: str
) -> None:
    assert things.caption(attributes, {thing: "<new1>"}) == text
    assert things.caption(attributes, {thing: ""}) == text.replace("<new1> ", "")


def test_what_is_asked_for_leaves_the_things_themselves_out() -> None:
    assert things.asked(FIELD, (STAR,)) == {"scene": "meadow", "objects": (("dog", "black"),)}
    assert things.asked({**HIM, "scene": "snow"}, (SWEATER,)) == {"scene": "snow", "hair colour": "black"}
    assert things.asked({**HIM, "bottom colour": "pink"}, (KING,)) == {"bottom colour": "pink"}


def test_known_things_take_the_places_of_new_ones() -> None:
    found = things.known({**HIM, **FIELD}, (STAR, SWEATER), 1)
    assert found["top"] == "sweater" and found["top colour"] in COLOURS
    assert dict(found["objects"]).keys() == {"ball", "dog"} and dict(found["objects"])["dog"] == "black"
    assert found["hair colour"] == "black" and words.STAND_IN == "red"
    assert things.known(HIM, (KING,), 0)["hair"] == "short"


@pytest.mark.parametrize("zoom", picture.WORN_ZOOMS)
def test_stripes_are_16_pixels_wide_and_more(zoom: float) -> None:
    figure = Figure({"pelvis": (50.0, 90.0), "neck": (50.0, 40.0)}, {}, 140.0, HERS)
    y = np.arange(int(40 * zoom), int(90 * zoom)) + 0.5
    stripes = worn.places(figure, zoom, STRIPES, np.full_like(y, 50 * zoom), y)
    lengths = [len(list(some)) for _, some in groupby(stripes.tolist())]
    assert len(lengths) >= 3 and min(lengths[:-1]) >= 16


def test_halves_and_blocks_part_the_trunk_along_and_across() -> None:
    figure = Figure({"pelvis": (50.0, 90.0), "neck": (50.0, 40.0)}, {}, 140.0, HERS)
    x, y = np.array([45.0, 55.0, 45.0, 55.0]), np.array([50.0, 50.0, 80.0, 80.0])
    assert worn.places(figure, 1.0, HALVES, x, y).tolist() == [0, 1, 0, 1]
    assert worn.places(figure, 1.0, BLOCKS, x, y).tolist() == [0, 0, 1, 1]
