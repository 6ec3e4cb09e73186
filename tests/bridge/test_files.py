"""Files that appear whole or not at all."""

from __future__ import annotations

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
