"""What the text encoder is taught: which words of a caption say what, and that nothing else says anything."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import torch


@pytest.fixture
def phrases(comfy: ModuleType) -> ModuleType:
    from recompose.lab.train import phrases

    return phrases


def said(phrases: ModuleType, text: str) -> list[tuple[str, dict]]:
    return [(phrases.alone(text, one), one.attributes) for one in phrases.phrases(text)]


def test_a_caption_falls_into_phrases(phrases: ModuleType) -> None:
    text = (
        "a woman with long red hair in a black top, white trousers and boots sitting on a red box facing "
        "left in the snow next to an orange box and a blue dog"
    )
    assert said(phrases, text) == [
        ("woman", {"subject": "woman"}),
        ("long red hair", {"hair": "long", "hair colour": "red"}),
        ("black top", {"top colour": "black"}),
        ("white trousers", {"bottom colour": "white", "bottom": "trousers"}),
        ("sitting on a red box", {"seat colour": "red", "seat": "box", "pose": "sitting"}),
        ("facing left", {"facing": "left"}),
        ("in the snow", {"scene": "snow"}),
        ("orange box", {"objects": (("box", "orange"),)}),
        ("blue dog", {"objects": (("dog", "blue"),)}),
    ]
    assert said(phrases, "standing with both arms up") == [
        ("standing with both arms up", {"pose": "arms up"})
    ]


def test_phrases_and_parser_agree(phrases: ModuleType) -> None:
    from recompose.lab.toy import world

    random = np.random.default_rng(3)
    for _ in range(300):
        text = world.caption(phrases.attributes(random))
        found: dict = {}
        for one in phrases.phrases(text):
            objects = found.get("objects", ()) + one.attributes.get("objects", ())
            found |= one.attributes | ({"objects": objects} if objects else {})
        want = world.parse(text)
        assert {k: v for k, v in found.items() if k != "subject"} == {
            k: v for k, v in want.items() if k != "subject"
        }, text


def test_tokens_are_the_stock_tokenizers(phrases: ModuleType) -> None:
    from recompose.lab.toy.models.tokenizer import Tokenizer
    from recompose.lab.train import prompts

    random, tokenizer = np.random.default_rng(4), Tokenizer()
    texts = [prompts.begun(phrases.caption(random), random) for _ in range(100)]
    for text in [*texts, "", "a red ball, " * 40]:
        found = phrases.tokens(text, tokenizer)
        assert found.ids == tokenizer.ids(text), text
        meant = {place for places, _ in found.phrases for place in places}
        assert [place not in meant for place in range(77)] == found.nothing
    places = dict(
        (tuple(attributes), places)
        for places, attributes in phrases.tokens("a red ball in a room", tokenizer).phrases
    )
    assert places == {("objects",): range(2, 4), ("scene",): range(4, 7)}


def test_a_batch_pairs_each_phrase_with_itself_alone(phrases: ModuleType) -> None:
    from recompose.lab.toy.models.tokenizer import Tokenizer
    from recompose.lab.train import text

    batch = text.said(["a man in a red shirt in a room", "a blue dog"], Tokenizer(), np.random.default_rng(0))
    for row, place, single, at in batch.same.tolist():
        assert row < 2 <= single and batch.words[row, place] == batch.words[single, at]
    assert batch.nothing[-1].all() and not batch.nothing[2:-1].all(1).any()
    assert len(batch.last) == len(batch.answers) and (batch.answers > 0).any(1).all()


def test_what_leaks_into_other_words_costs(phrases: ModuleType) -> None:
    from recompose.lab.toy.models.tokenizer import Tokenizer
    from recompose.lab.train import text

    batch = text.said(["a red ball", "a blue dog"], Tokenizer(), np.random.default_rng(0))
    own = torch.randn(len(batch.words), 77, 8, generator=torch.Generator().manual_seed(1))
    own[batch.nothing] = 0.5
    row, place, single, at = batch.same.unbind(1)
    own[single, at] = own[row, place]
    assert text.apart(own, batch)[0] == 0 and text.apart(own, batch)[1] == 0
    leaked = own.clone()
    leaked[0, -1] += 1  # the padding of the first prompt
    assert text.apart(leaked, batch)[0] == 0 and text.apart(leaked, batch)[1] > 0
    leaked = own.clone()
    leaked[row[0], place[0]] += 1
    assert text.apart(leaked, batch)[0] > 0
    # Smaller states are no way out.
    scaled = text.apart(own * 0.01 + 0, batch), text.apart(leaked * 0.01, batch)
    assert scaled[1][0] > 0.5 * text.apart(leaked, batch)[0]
