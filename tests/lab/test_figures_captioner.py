"""How captions are counted: what is shown must be said, and what is not shown must not."""

from __future__ import annotations

from recompose.lab.evaluate.models import captioner
from recompose.lab.toy import world

SHOWN = {"subject": "man", "top": "coat", "top colour": "red", "objects": (("dog", "black"), ("ball", "red"))}


def row(said: str) -> dict:
    wrong = captioner.compared(SHOWN, world.parse(said))
    return {"asked": sorted(captioner.flat(SHOWN)), "wrong": wrong}


def test_a_true_caption_is_all_right() -> None:
    found = row(world.caption(SHOWN))
    assert found == {"asked": ["ball", "dog", "subject", "top", "top colour"], "wrong": {}}
    assert captioner.score([found]) == "1.0000 (5 of 5, 0 invisible named)"


def test_each_way_of_being_wrong_counts_once() -> None:
    wrong = row("a man in a blue coat in the snow next to a white dog and a green cone")
    assert wrong["wrong"] == {
        "ball": ["red", None],
        "cone": [None, "green"],
        "dog": ["black", "white"],
        "scene": [None, "snow"],
        "top colour": ["red", "blue"],
    }
    assert captioner.score([wrong]) == f"{2 / 7:.4f} (2 of 5, 2 invisible named)"
    assert captioner.score([wrong], ("top colour",)) == "0.0000 (0 of 1, 0 invisible named)"
    assert captioner.score([wrong], ("cone", "dog", "ball")) == "0.0000 (0 of 2, 1 invisible named)"


def test_an_empty_caption_and_one_that_says_everything_are_both_poor() -> None:
    assert captioner.score([row("")]).startswith("0.0000 (0 of 5")
    everything = (
        "a man with short red hair in a red coat, blue trousers and green boots standing facing left "
        "in the snow next to a black dog and a red ball"
    )
    assert captioner.score([row(everything)]) == f"{5 / 14:.4f} (5 of 5, 9 invisible named)"
