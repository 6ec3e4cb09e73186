"""An edit that the editor saved before the first release still gives the very same points.

The file holds the detection, the editor's events, the value it saved and what became of it then; it is never
written anew, for users' workflows hold such values.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from recompose.bridge import pose_record
from recompose.core.pose import edited

SAVED = json.loads((Path(__file__).resolve().parents[1] / "data" / "saved_edit.json").read_text())


@pytest.mark.parametrize("index", [0, 1])
def test_a_saved_edit_gives_the_same_points_as_when_it_was_saved(index: int) -> None:
    edit = edited.parse(SAVED["value"])
    assert edit.notices == [] and list(edit.frames) == [0, 1]
    (incoming,) = pose_record.read([SAVED["incoming"][index]])
    assert edit.frames[index].fingerprint == edited.fingerprint(incoming)
    applied = edited.applied(edit.frames[index], incoming)
    assert pose_record.frame_record(applied, pose_record.Written.NAMED) == SAVED["applied"][index]


def test_the_saved_edit_holds_every_kind_of_change() -> None:
    first, second = (edited.parse(SAVED["value"]).frames[index].people for index in (0, 1))
    incoming, applied = (pose_record.read(SAVED[key])[0].people for key in ("incoming", "applied"))
    before, after = incoming[0].rows, applied[0].rows
    assert after[9].tolist() == [131.3125, 470.6875, 1] and after[9].tolist() != before[9].tolist()  # moved
    assert before[3, 2] == 1 and after[3, 2] == 0 and first[0].flags[3] & edited.HIDDEN
    assert np.flatnonzero(first[0].flags & 4).tolist() == [2, 5]  # locked, as is the nose in the second frame
    assert np.flatnonzero(second[0].flags & 4).tolist() == [0]
    assert [person.source for person in first] == [0, 1, -1]  # the third was added
    assert first[1].flags[4] == 0 and incoming[1].present[4]  # deleted
    assert second[0].xy[6].tolist() == [-12.375, 33.3125]  # beyond the picture's edge
