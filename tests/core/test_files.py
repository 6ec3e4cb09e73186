"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from recompose.core.files import replacing


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "a.txt"
    with replacing(target) as unfinished:
        unfinished.write_text("whole")
    assert target.read_text() == "whole"
    with pytest.raises(ValueError, match="no"), replacing(target) as unfinished:
        unfinished.write_text("half")
        raise ValueError("no")
    assert target.read_text() == "whole" and list(target.parent.iterdir()) == [target]
