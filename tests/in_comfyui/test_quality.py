"""The quick part of `cli quality`: the first pictures through a real server, beside the committed figures."""

from __future__ import annotations

from recompose.lab.commands import quality
from recompose.lab.evaluate.main_job import cases
from recompose.lab.evaluate.main_job.run import Runner
from recompose.lab.evaluate.main_job.statistics import fallen
from recompose.lab.toy.world.scenes import SCENES

PICTURES, METHODS = 8, ["c"]


def test_the_first_pictures_are_as_good_as_the_committed_ones(server, tmp_path) -> None:
    some = [cases.case(seed) for seed in cases.SEEDS[:PICTURES]]
    runner = Runner(server.process, tmp_path)
    for case in some:
        runner.make(case, METHODS)
    rows = quality.measure(runner, some, METHODS, None)
    assert [row["changed_pixels"] for row in rows] == [0] * PICTURES
    # The captioner is shown enough around the person to tell where that is.
    assert [name for row in rows for name in SCENES if name in row["caption"] and name != row["scene"]] == []
    committed = quality.committed_rows(quality.RESULTS / quality.DATA)
    assert {row["seed"] for row in rows} <= {row["seed"] for row in committed}
    assert fallen(rows, committed) == []
