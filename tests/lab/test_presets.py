"""The editor's presets are the demo's postures: the committed data is what they give, upright and whole.

`UPDATE_PRESETS=1` rewrites the committed file.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from recompose.core.pose import template
from recompose.lab.toy import presets

COMMITTED = Path(__file__).resolve().parents[2] / "js" / ".modules" / "pose" / "edit" / "preset_points.js"


def test_the_committed_presets_are_what_the_postures_give() -> None:
    if os.environ.get("UPDATE_PRESETS"):
        COMMITTED.write_text(presets.javascript(), encoding="utf-8")
    assert COMMITTED.read_text(encoding="utf-8") == presets.javascript()


def test_a_blank_canvas_starts_with_the_standing_one() -> None:
    standing = np.array(presets.points(presets.PRESETS["standing"])).reshape(-1, 2)
    assert standing.tolist() == [list(point) for point in template.STANDING]


def test_there_are_a_dozen_and_they_differ() -> None:
    found = {name: np.array(presets.points(preset)) for name, preset in presets.PRESETS.items()}
    assert len(found) == 12
    for name, some in found.items():
        assert some.shape == (48,) and some[1::2].max() == 0, name
        others = [np.abs(some - other).max() for key, other in found.items() if key != name]
        assert min(others) > 50, name
        # Nobody is longer than they are tall, up to a raised arm.
        assert np.ptp(some[::2]) < 1350 and np.ptp(some[1::2]) < 1350, name
