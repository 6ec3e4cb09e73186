"""The judge of completed real people, on made-up people whose answer is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from recompose.core.shapes import Padding
from recompose.lab.commands import completion
from recompose.lab.evaluate.completion import people, people_page
from recompose.lab.evaluate.completion.people import Guess
from recompose.lab.evaluate.completion.straight import WINTER, straight_down

FILE = Path(__file__).parent.parent / "data" / "people.json"


def cuts() -> list[people.Cut]:
    return people.read(FILE)


def moved(cut: people.Cut, down: float, asked: Padding) -> Guess:
    return Guess(cut.truth + np.array([0, down, 0]), asked)


def test_only_points_in_the_cut_picture_are_given() -> None:
    first = cuts()[0]
    given = first.given().people[0]
    assert given.measured[[8, 11]].all() and not given.present[[9, 12, 10, 13]].any()
    assert first.size == (400, 400)


def test_a_detectors_points_beyond_the_picture_are_estimates_and_doubtful_ones_inside_are_not_there() -> None:
    first = cuts()[0]
    found = first.found().people[0]
    assert found.estimated[[10, 13]].all() and found.present[[10, 13]].all()
    assert not found.estimated[[8, 11]].any() and found.points[8, 1] == first.truth[8, 1] + 3
    first.detected[0, 2] = 0.3
    assert not first.found().people[0].present[0]
    assert cuts()[1].found() is None


def test_distances_and_canvas_are_shares_of_the_length() -> None:
    first = cuts()[0]
    asked = Padding(7, 0, 0, 250 - 61)
    row = people.measured(first, moved(first, 30.5, asked))
    # The soles lie 250 px below the cut; 30.5 and 61 px of 610 are .05 and .1.
    assert row == {"away": [0.05, 0.05], "extension": -0.1, "grown": 1}
    assert people.measured(first, None) == {"away": [None, None], "extension": None, "grown": 0}
    beside = moved(first, 0, Padding(7, 0, 0, 250))
    beside.points[10, 2] = 0
    assert people.measured(first, beside)["away"] == [None, 0.0]


def test_straight_legs_hang_by_the_table() -> None:
    person = cuts()[0].given().people[0]
    # Winter's trunk is .288; the made-up one is .3 of 600 px, and its hips are 60 px apart.
    hung = straight_down(person, winter=True)
    q = hung.points[9, 1] - person.points[8, 1]
    q /= WINTER.thigh
    assert hung.points[10] == pytest.approx([170, 326 + q * (WINTER.thigh + WINTER.shank)])
    assert hung.estimated.nonzero()[0].tolist() == [9, 10, 12, 13]
    whole = straight_down(people.Frame(person.points, (person,)).people[0], winter=False)
    assert (whole.points[:9] == person.points[:9]).all()


def rows() -> list[people.Row]:
    ways = {}
    for name, far in (("near", 0.0), ("far", 30.5)):
        ways[name] = {(cut.person, cut.row): moved(cut, far, Padding(0, 0, 0, 500)) for cut in cuts()}
    return people.rows(cuts(), ways)


def test_the_summary_pairs_people_and_counts_families() -> None:
    found = people_page.summary(rows(), ["near", "far"])
    assert list(found) == ["standing", "sitting", "all"]
    standing, everybody = found["standing"], found["all"]
    assert (standing["people"], standing["cuts"], everybody["cuts"]) == (1, 2, 4)
    assert standing["ways"]["far"]["median"] == pytest.approx((0.05, 0.05, 0.05))
    assert standing["ways"]["far"]["pck"] == {0.05: 1.0, 0.1: 1.0, 0.2: 1.0}
    assert found["sitting"]["ways"]["far"]["pck"][0.1] == 0.0
    assert standing["differences"]["far"] == pytest.approx((-0.05, -0.05, -0.05))
    assert everybody["differences"]["far"].value == pytest.approx(-(0.05 + 30.5 / 270) / 2, abs=1e-5)
    assert everybody["ways"]["near"]["too short"] == 0


def test_a_median_is_that_of_all_ankles_and_its_interval_resamples_people() -> None:
    one = {"person": "a", "way": {"away": [0.1] * 9}}
    other = {"person": "b", "way": {"away": [0.3, None]}}
    found = people_page.median([one, other], "way")
    assert found == pytest.approx((0.1, 0.1, 0.3))


@pytest.mark.parametrize("text", ["[]", "{", '{"people": [{"id": 1}]}', '{"people": 3}'])
def test_another_file_is_refused_in_one_sentence(tmp_path, capsys, text) -> None:
    (tmp_path / "x.json").write_text(text)
    assert completion.main(["--people", str(tmp_path / "x.json")], None) == 1
    error = capsys.readouterr().err
    assert "is no file of people" in error and error.count("\n") == 1


def test_the_command_judges_itself_and_saved_guesses_alike(tmp_path, capsys) -> None:
    saved = tmp_path / "guesses.json"
    assert completion.main(["--people", str(FILE), "--save", str(saved)], None) == 0
    text = capsys.readouterr().out
    assert "## Ankles, median in % of L" in text and "| all | 2 | 4 |" in text
    given = ["--people", str(FILE), "--beside", f"again={saved}", "--json"]
    assert completion.main(given, None) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["summary"]["all"]["differences"]["again"] == pytest.approx([0, 0, 0], abs=1e-4)
    assert completion.main([*given, "--detected"], None) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 3


def test_kept_figures_are_on_the_page_without_anybodys_points(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(people_page, "KEPT", tmp_path / "kept.json")
    assert people_page.section() == []
    assert completion.main(["--people", str(FILE), "--keep"], None) == 0
    assert completion.main(["--people", str(FILE), "--keep", "--detected"], None) == 0
    capsys.readouterr()
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert list(kept) == ["given", "detected"] and kept["given"]["all"]["cuts"] == 4
    assert "points" not in (tmp_path / "kept.json").read_text()
    page = "\n".join(people_page.section())
    assert "## Real people, the true points above the cut given: 2 people, 4 cuts" in page
    assert "## Real people, a detector's points given: 2 people, 3 cuts" in page


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="24 points"):
        people._rows(np.zeros((18, 3)), "The points")
