"""Files that appear whole or not at all, and lists of files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from recompose.bridge import files


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "a.txt"
    files.write_whole(target, lambda path: path.write_text("whole") and None)
    assert target.read_text() == "whole"

    def fail(path: Path) -> None:
        path.write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        files.write_whole(target, fail)
    assert target.read_text() == "whole" and list(target.parent.iterdir()) == [target]


def old(folder: Path) -> None:
    """Let the folder have changed long ago."""
    os.utime(folder, ns=(10**18, 10**18))


def listed(folder: Path) -> list[str]:
    return sorted(files.files_below(folder, ".json"))


def test_files_are_found_in_all_folders_and_changes_are_seen(tmp_path: Path) -> None:
    deep = tmp_path / "deep" / "er"
    deep.mkdir(parents=True)
    (tmp_path / "folder.json").mkdir()
    for path in (
        tmp_path / "a.json",
        tmp_path / "a.png",
        deep / "b.json",
        tmp_path / "folder.json" / "c.json",
    ):
        path.write_text("[]")
    assert listed(tmp_path) == ["a.json", "deep/er/b.json", "folder.json/c.json"]
    (deep / "d.json").write_text("[]")
    assert listed(tmp_path) == ["a.json", "deep/er/b.json", "deep/er/d.json", "folder.json/c.json"]
    (tmp_path / "a.json").unlink()
    assert listed(tmp_path) == ["deep/er/b.json", "deep/er/d.json", "folder.json/c.json"]
    assert listed(tmp_path / "nowhere") == []


def test_folders_that_did_not_change_are_not_read_again(tmp_path: Path, monkeypatch) -> None:
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "a.json").write_text("[]")
    for folder in (*tmp_path.iterdir(), tmp_path):
        old(folder)
    before, read, scandir = listed(tmp_path), [], os.scandir

    def counted(folder):
        read.append(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", counted)
    assert listed(tmp_path) == before and read == []
    (tmp_path / "3" / "b.json").write_text("[]")
    assert len(listed(tmp_path)) == 6 and read == [str(tmp_path / "3")]
