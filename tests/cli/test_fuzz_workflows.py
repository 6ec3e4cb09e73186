"""Damaged workflow files and odd settings: one sentence and exit status 2, never a traceback."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from recompose.cli import models, run
from recompose.cli.comfy import workflow
from recompose.cli.comfy.workflow import WorkflowError

FOLDER = Path(__file__).resolve().parents[2] / "workflows"
FILES = sorted([*FOLDER.glob("*.json"), *FOLDER.glob("api/*.json")])
NOWHERE = ("--server", "http://127.0.0.1:9")
ODD: list[Any] = [
    *(
        None,
        True,
        -1,
        1e308,
        float("nan"),
        "",
        "\x1b[2J\u202e",
        "\ud800",
        [],
        {},
        [[]],
        [None, 0],
        ["1", True],
    ),
    *(["1", True], ["1", 10**30], ["nobody", 0], {"class_type": 5}, {"inputs": []}, 10**400),
]


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The path of every part of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def damaged(value: Any, chance: random.Random) -> Any:
    """A copy with some parts replaced, taken away or named otherwise."""
    value = json.loads(json.dumps(value))
    for _ in range(chance.randrange(1, 4)):
        path = chance.choice(
            [place for place in places(value) if len(place) < chance.randrange(1, 7)] or [()]
        )
        if not path:
            value = chance.choice([value, value, value, chance.choice(ODD)])
            continue
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        kind = chance.randrange(4)
        if kind == 0:
            del holder[path[-1]]
        elif kind == 1 and isinstance(holder, dict):
            holder[chance.choice(["", "\x1b", "nodes", "9" * 300])] = holder.pop(path[-1])
        else:
            holder[path[-1]] = chance.choice(ODD)
    return value


def torn(text: bytes, chance: random.Random) -> bytes:
    """The bytes cut, with some flipped, or with others put in."""
    place = chance.randrange(len(text))
    rest = text[place + chance.randrange(3) :]
    middle = chance.choice(
        [b"", b"\xff", b"\x00", b"{", b"]", b'"', b"\\ud8", b"1e9999", b"NaN", b"[" * 3000]
    )
    return chance.choice([text[:place], text[:place] + middle + rest])


def ends(file: Path, capsys: pytest.CaptureFixture, *more: str) -> int:
    """The exit status of `cli run`, which said one plain line; 1 is the server that is not there."""
    status = run.main([str(file), *NOWHERE, "--out", str(file.parent / "out"), *more])
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.rstrip("\n").split("\n")
    assert line.startswith("run: ") and line.isprintable() and len(line) < 2000
    assert not (file.parent / "out").exists()
    return status


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_damaged_file_is_one_sentence(path: Path, tmp_path, capsys) -> None:
    chance, whole = random.Random(path.stem), json.loads(path.read_text("utf-8"))
    file = tmp_path / "file.json"
    for _ in range(150):
        if chance.random() < 0.5:
            file.write_bytes(json.dumps(damaged(whole, chance)).encode())
        else:
            file.write_bytes(torn(path.read_bytes(), chance))
        status = ends(file, capsys)
        assert status == (1 if readable(file) else 2)
    models.main([str(file), *NOWHERE])
    assert "Traceback" not in capsys.readouterr().err


def readable(file: Path) -> bool:
    try:
        workflow.read(file)
    except WorkflowError:
        return False
    return True


DEEP = [
    '{"1":' * 5000,
    "[" * 100_000,
    '{"1": {"class_type": "A", "inputs": {"a": ' + "[" * 400 + "]" * 400 + "}}}",
]


@pytest.mark.parametrize("text", DEEP, ids=["objects", "lists", "whole"])
def test_deep_nesting_is_one_sentence(tmp_path, capsys, text: str) -> None:
    file = tmp_path / "deep.json"
    file.write_text(text)
    assert ends(file, capsys) == 2


SOUND = {
    "1": {"class_type": "A", "inputs": {"width": 3, "text": "a", "on": True, "list": [1], "none": None}},
    "2": {"class_type": "Dynamic", "inputs": {"mode": "body", "mode.margin": 4, "image": ["1", 0]}},
}
SIDES = {"left": ["INT", {"default": 7}], "how": [["soft", "hard"], {}]}
OPTIONS = [
    {"key": "body", "inputs": {"required": {"margin": ["INT", {"default": 4}]}}},
    {"key": "sides", "inputs": {"required": SIDES}},
    {"key": "deep", "inputs": {"required": {"inner": ["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "x", "inputs": {"required": {"color": ["COLOR", {"default": "#808080"}]}}},
        {"key": "y", "inputs": {"optional": {"image": ["IMAGE", {}]}}}]}]}}},
]  # fmt: skip
DYNAMIC = {"input": {"required": {"mode": ["COMFY_DYNAMICCOMBO_V3", {"options": OPTIONS}]}}}


def define(kind: str) -> dict | None:
    return DYNAMIC if kind == "Dynamic" else None


def set_(*settings: str) -> dict:
    return workflow.apply(SOUND, list(settings), define)["2"]["inputs"]


def test_a_choice_brings_its_inputs_in_any_order_and_takes_the_old_ones_away() -> None:
    image = {"image": ["1", 0]}
    assert set_("2.mode=sides") == {"mode": "sides", "mode.left": 7, "mode.how": "soft", **image}
    assert set_("2.mode.left=9", "2.mode=sides") == {
        "mode": "sides",
        "mode.left": 9,
        "mode.how": "soft",
        **image,
    }
    assert set_("2.mode=deep") == {"mode": "deep", "mode.inner": "x", "mode.inner.color": "#808080", **image}
    colour = set_("2.mode.inner.color=#ff0000", "2.mode=deep")
    assert colour["mode.inner.color"] == "#ff0000"
    assert set_("2.mode.inner=y", "2.mode=deep") == {"mode": "deep", "mode.inner": "y", **image}
    assert set_("2.mode=body") == SOUND["2"]["inputs"]
    assert set_("2.mode=sides", "2.mode=body") == SOUND["2"]["inputs"]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("2.mode=Sides", "expected one of body, sides, deep; got 'Sides'"),
        ('2.mode=["1", 0]', "expected one of body, sides, deep"),
        ("2.mode=@@body2", "expected one of body, sides, deep"),
        ("2.mode.left=3", "belongs to mode sides, but mode is body; set mode as well"),
        ("2.mode.inner=x", "belongs to mode deep, but mode is body; set mode as well"),
        ("2.mode.nothing=3", "does not exist; with mode body there is mode.margin"),
        ("2.mode.margin.more=3", "has no input|does not exist"),
    ],
)
def test_a_choice_that_is_none_is_one_sentence(setting: str, words: str) -> None:
    with pytest.raises(WorkflowError, match=words):
        set_(setting)


def test_nested_choices_are_checked() -> None:
    with pytest.raises(WorkflowError, match="expected one of soft, hard; got 'sift'"):
        set_("2.mode=sides", "2.mode.how=sift")
    with pytest.raises(WorkflowError, match="expected one of x, y; got 'z'"):
        set_("2.mode=deep", "2.mode.inner=z")


PIECES = [
    *(
        "1",
        "2",
        ".",
        "=",
        "width",
        "mode",
        ".mode",
        "@",
        "@@",
        "~nouser/x",
        "~",
        "\x00",
        "\x1b[2J",
        "\ud800",
        "[",
    ),
    *(
        "[",
        "{" * 3000,
        "9" * 5000,
        "NaN",
        "1e999",
        '["1", 0]',
        "a" * 5000,
        " ",
        "\n",
        "/",
        "@/dev",
        "-0",
        "null",
    ),
]
TARGETS = ("1.width=", "1.text=", "1.list=", "1.none=", "2.mode=", "2.image=")


def test_random_settings_are_one_sentence_or_set_something() -> None:
    chance = random.Random(11)
    for _ in range(4000):
        setting = "".join(chance.choices(PIECES, k=chance.randrange(1, 7)))
        if chance.random() < 0.6:
            setting = (
                chance.choice(["1.width=", "1.text=", "1.list=", "1.none=", "2.mode=", "2.image="]) + setting
            )
        try:
            workflow.apply(SOUND, [setting], define)
        except WorkflowError as error:
            assert "\n" not in str(error).strip() or "\n" in setting
            assert len(str(error)) < 2000


@pytest.mark.parametrize("name", ["@~nouser/photo.png", "@" + "a" * 5000, "@/dev/null/x", "@.", "@a\x00b"])
def test_a_file_that_cannot_be_is_not_there(name: str) -> None:
    with pytest.raises(WorkflowError, match="there is no file"):
        workflow.apply(SOUND, [f"1.text={name}"], define)
