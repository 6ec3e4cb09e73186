"""The pack adds next to nothing to ComfyUI's start."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from recompose.lab.evaluate.speed.startup import startup_seconds
from recompose.lab.setup.environment import Environment


def test_a_warm_start_takes_at_most_fifty_milliseconds_longer(tmp_path: Path) -> None:
    seconds = startup_seconds(Environment(Path(sys.executable), Path(os.environ["COMFYUI_PATH"]), tmp_path))
    # Processor time: another program on the machine must not decide; `cli bench` reports the clock's.
    assert 0 < seconds["warm, processor time"] <= 0.05, seconds
