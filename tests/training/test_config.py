"""Settings: what is unknown, of another kind or too small is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from recompose.training import config
from recompose.training.loop import TrainConfig
from recompose.training.networks import delta

SETTINGS = {"steps": 10, "learning_rate": 0.1, "graphed": False, "kinds": {"a": 1}}


def test_a_setting_takes_another_value_of_its_kind() -> None:
    assert config.override(SETTINGS, {"steps": 3, "graphed": True}) == {
        **SETTINGS,
        "steps": 3,
        "graphed": True,
    }
    assert config.override(SETTINGS, {"learning_rate": 1})["learning_rate"] == 1
    assert SETTINGS["steps"] == 10


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"speed": 1}, "Expected one of the settings graphed, kinds, learning_rate, steps, got speed"),
        ({"steps": True}, "Expected a number for steps, got True"),
        ({"graphed": 1}, "Expected true or false for graphed, got 1"),
        ({"kinds": 3}, "Expected a dict for kinds, got 3"),
    ],
)
def test_other_changes_are_refused(changes: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        config.override(SETTINGS, changes)


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_file_without_settings_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(ValueError, match=r"Expected settings .* in .*x\.json"):
        config.load(tmp_path / "x.json")
    with pytest.raises(ValueError, match="Expected settings as JSON"):
        config.load(tmp_path / "none.json")


def test_a_missing_or_small_number_is_refused() -> None:
    config.require(SETTINGS, steps=1, learning_rate=0.01)
    for name, limit in (("steps", 11), ("graphed", 0), ("minutes", 0)):
        with pytest.raises(ValueError, match=f"Expected {name} of at least {limit}"):
            config.require(SETTINGS, **{name: limit})


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"learning_rate": 0.0}, {"warmup": 0}, {"weight_decay": -1.0}]
)
def test_a_training_needs_steps_and_a_learning_rate(wrong: dict) -> None:
    with pytest.raises(ValueError, match=f"Expected a larger {next(iter(wrong))}"):
        TrainConfig(**{"steps": 5, "learning_rate": 0.1, **wrong})


def test_a_delta_is_what_was_added() -> None:
    base = {"a": torch.tensor([1.0, 2.0]).half(), "b": torch.zeros(1)}
    found = delta({"a": torch.tensor([1.5, 1.0]).half()}, base)
    assert found.keys() == {"a"} and found["a"].tolist() == [0.5, -1.0] and found["a"].dtype == torch.float32
