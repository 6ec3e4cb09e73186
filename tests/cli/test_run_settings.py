"""Reading workflows and setting their inputs, by hand-checked tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from recompose.cli.comfy import workflow
from recompose.cli.comfy.workflow import Upload, WorkflowError

Define = Callable[[str], dict | None]
VALUES = [
    ("1.width=50", "1", "width", 50),
    ("1.width=50.0", "1", "width", 50),
    ("1.scale=0.25", "1", "scale", 0.25),  # the file says 1, the node says FLOAT
    ("6.scale=2", "6", "scale", 2),
    ("Photo.image=b.png", "3", "image", "b.png"),
    ("LoadImage.image=2024", "3", "image", "2024"),
    ("Switch.on=true", "4", "on", True),
    ("Switch.text=345", "4", "text", "345"),
    ("Switch.text=a=b.c", "4", "text", "a=b.c"),
    ('Switch.text={"people": []}', "4", "text", '{"people": []}'),
    ('Switch.text="quoted \\u00e9"', "4", "text", "quoted é"),
    ("Switch.text=@@home", "4", "text", "@home"),
    ("Switch.text=", "4", "text", ""),
    ("Result v1.0.filename_prefix=y", "2", "filename_prefix", "y"),
    ("5.mode.margin=7", "5", "mode.margin", 7),
    ("Dynamic.mode=body", "5", "mode", "body"),
    ("5.extra=1.5", "5", "extra", 1.5),  # optional, not in the file
    ('2.images=["6", 0]', "2", "images", ["6", 0]),
    ('1.width=["6", 0]', "1", "width", ["6", 0]),
    ("Curve.points=[4, 5]", "7", "points", [4, 5]),
    ('7.settings={"b": 2}', "7", "settings", {"b": 2}),
]


@pytest.mark.parametrize(("setting", "node", "name", "value"), VALUES, ids=[row[0] for row in VALUES])
def test_a_setting_changes_one_value_and_only_in_the_copy(
    workflow_file: Path, define: Define, setting: str, node: str, name: str, value: object
) -> None:
    before = workflow.read(workflow_file)
    after = workflow.apply(before, [setting], define)
    assert after[node]["inputs"][name] == value
    assert type(after[node]["inputs"][name]) is type(value)
    assert before == workflow.read(workflow_file)
    after[node]["inputs"].pop(name)
    before[node]["inputs"].pop(name, None)
    assert after == before


REFUSED = [
    ("1.width=wide", r"width of EmptyImage \(node 1\): expected a whole number, got 'wide'"),
    ("1.width=0.5", "expected a whole number"),
    ("1.width=true", "expected a whole number"),
    ("1.scale=NaN", "expected a number"),
    ("1.scale=null", "expected a number"),
    ("Switch.on=1", "expected true or false, got '1'"),
    ("2.images=a.png", "expected a connection"),
    ('2.images=["99", 0]', "expected a connection"),
    ("7.points=5", "JSON of the same kind"),
    ("1.wdth=5", "has no input wdth; it has width, scale"),
    ("5.mode.border=5", "mode.border does not exist; with mode body there is mode.margin"),
    ("EmptyImage.width=5", "any of the nodes 1, 6"),
    ("Nobody.width=5", "no node for 'Nobody.width'"),
    ("width=5", "NODE.INPUT=VALUE"),
    ("1.width", "NODE.INPUT=VALUE"),
    ("Photo.image=@nowhere.png", "there is no file nowhere.png"),
]


@pytest.mark.parametrize(("setting", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_wrong_setting_is_refused_in_words(
    workflow_file: Path, define: Define, setting: str, words: str
) -> None:
    with pytest.raises(WorkflowError, match=words):
        workflow.apply(workflow.read(workflow_file), [setting], define)


def test_a_file_is_uploaded_where_files_are_chosen_and_read_where_text_is(
    workflow_file: Path, define: Define, tmp_path: Path
) -> None:
    file = tmp_path / "pose.json"
    file.write_text('{"people": []}', encoding="utf-8-sig")
    prompt = workflow.read(workflow_file)
    prompt = workflow.apply(prompt, [f"Photo.image=@{file}", f"Switch.text=@{file}"], define)
    assert prompt["3"]["inputs"]["image"] == Upload(file)
    assert prompt["4"]["inputs"]["text"] == '{"people": []}'
    assert workflow.uploads(prompt) == [("3", "image", file)]
    with pytest.raises(WorkflowError, match="takes a whole number"):
        workflow.apply(prompt, [f"1.width=@{file}"], define)


def test_an_unknown_node_is_checked_against_the_value_in_the_file(workflow_file: Path) -> None:
    prompt = workflow.read(workflow_file)
    assert workflow.apply(prompt, ["4.on=true"], lambda kind: None)["4"]["inputs"]["on"] is True
    with pytest.raises(WorkflowError, match="expected true or false"):
        workflow.apply(prompt, ["4.on=yes"], lambda kind: None)


NODE = {"class_type": "A", "inputs": {}}
NOT_WORKFLOWS = [
    ("", "is not JSON"),
    ("{", "is not JSON"),
    ("[]", "holds no workflow"),
    ("{}", "holds no workflow"),
    ('"text"', "holds no workflow"),
    (json.dumps({"nodes": [], "links": [], "version": 0.4}), r"editor's format.*Export \(API\)"),
    (json.dumps({"1": {"inputs": {}}}), "'1' is no node"),
    (json.dumps({"1": NODE, "extra": 3}), "'extra' is no node"),
    (
        json.dumps({"1": NODE, "2": {"class_type": "B", "inputs": {"x": ["7", 0]}}}),
        r"x of B \(node 2\).*node 7, which is not",
    ),
]


@pytest.mark.parametrize(("text", "words"), NOT_WORKFLOWS)
def test_a_file_that_is_no_workflow_is_named_for_what_it_is(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "some file.json"
    path.write_text(text)
    with pytest.raises(WorkflowError, match=words) as caught:
        workflow.read(path)
    assert "some file.json" in str(caught.value)


def test_pictures_and_missing_files_are_no_workflows(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(WorkflowError, match="binary data"):
        workflow.read(tmp_path / "photo.png")
    with pytest.raises(WorkflowError, match="No such file"):
        workflow.read(tmp_path / "none.json")
