"""The pack adds next to nothing to ComfyUI's start."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from recompose.lab.evaluate.speed.startup import startup_work
from recompose.lab.setup.environment import Environment

SHARE = 0.01  # of ComfyUI's own start
LINES = 100_000  # of Python; where 71,000 are run in 36 ms, they take 50 ms, which is what `cli bench` wants


def test_a_warm_import_is_next_to_nothing_beside_comfyui_s_own_start(tmp_path: Path) -> None:
    share, lines = startup_work(Environment(Path(sys.executable), Path(os.environ["COMFYUI_PATH"]), tmp_path))
    assert 0 < share <= SHARE, share
    assert 0 < lines <= LINES, lines
