"""Values are kept: a stopped run goes on, changed inputs are measured anew, and the page shows the worst."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from recompose.lab.commands import evaluate
from recompose.lab.evaluate.folders import measures, page, pixels, report
from recompose.lab.evaluate.folders.figures import Figure, Figures
from recompose.tests.lab.evaluate.conftest import Call, noise, save


def folders(root: Path, count: int = 3) -> None:
    for number in range(count):
        real = noise(number)
        made = real.copy()
        made[30, 40] ^= 1 << number
        save(real, root / f"real/p{number}.png")
        save(made, root / f"made/p{number}.png")


def test_nothing_is_measured_twice(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    folders(tmp_path)
    first = call("--metrics", "changed", "psnr", "fid")
    monkeypatch.setattr(pixels, "psnr", None)
    monkeypatch.setattr(measures.Look, "made", None)
    again = call("--metrics", "changed", "psnr", "fid")
    assert again.status == 0, again.errors
    assert again.json == first.json
    assert "measured anew" not in again.errors


def test_a_stopped_run_goes_on_where_it_stopped(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders(tmp_path)
    whole, seen = pixels.changed, []

    def stopped(made: np.ndarray, real: np.ndarray, mask: np.ndarray | None) -> int:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(0)
        return whole(made, real, mask)

    monkeypatch.setattr(pixels, "changed", stopped)
    said = call("--metrics", "changed")
    assert said.status == 130
    assert said.errors.endswith("evaluate: interrupted; what is measured is kept, run it again to go on.\n")
    assert not said.table
    seen.clear()
    assert call("--metrics", "changed").value("changed pixels, in all") == 3
    assert len(seen) == 1


def test_a_changed_picture_and_a_changed_caption_are_noticed(tmp_path: Path, call: Call) -> None:
    folders(tmp_path)
    assert call("--metrics", "changed").value("changed pixels, in all") == 3
    save(noise(1), tmp_path / "made/p1.png")
    said = call("--metrics", "changed")
    assert said.value("changed pixels, in all") == 2
    assert "measured anew, for they changed since the last run in this folder: p1\n" in said.errors
    # A mask that came, too.
    mask = np.zeros((64, 80), np.uint8)
    mask[30, 40] = 255
    for number in range(3):
        save(mask, tmp_path / f"masks/p{number}.png")
    assert call("--metrics", "changed", "--masks", "masks").value("changed pixels, in all") == 0


def test_whole_sets_need_no_counterparts(tmp_path: Path, call: Call) -> None:
    folders(tmp_path)
    save(noise(7, 50, 33), tmp_path / "real/other.png")
    assert call("--metrics", "kid").status == 2
    said = call("--unpaired")
    assert said.status == 0, said.errors
    assert [figure["name"] for figure in said.json["figures"]] == [
        "Fréchet distance of the evaluator's features",
        "kernel distance of the evaluator's features",
    ]
    assert {figure["pictures"] for figure in said.json["figures"]} == {3}


def test_one_picture_is_no_set(tmp_path: Path, call: Call) -> None:
    folders(tmp_path, 1)
    said = call("--metrics", "fid", "changed")
    assert said.status == 0
    assert [figure["name"] for figure in said.json["figures"]] == [
        "changed pixels, in all",
        "pictures with any",
    ]
    assert "need two pictures of each kind, got 1; add pictures." in "".join(said.json["notes"])


def test_the_page_shows_the_worst_pictures_first_and_needs_no_other_file(tmp_path: Path, call: Call) -> None:
    folders(tmp_path)
    (tmp_path / "captions.txt").write_text("".join(f"p{number}\t<b>ball</b>\n" for number in range(3)))
    said = call(
        "--metrics", "changed", "psnr", "--html", "site", "--worst", "2", "--captions", "captions.txt"
    )
    assert said.status == 0, said.errors
    text = (tmp_path / "site/index.html").read_text()
    psnr = text[text.index("PSNR: the worst") :]
    assert re.findall(r"<h3>(p\d): \d\d\.\d+ dB</h3>", psnr) == ["p2", "p1"]
    assert text.count("<img") == 2 * 2 * 3
    assert set(re.findall(r'src="(.{5})', text)) == {"data:"}
    assert "&lt;b&gt;ball&lt;/b&gt;" in text
    assert "<b>" not in text
    assert "http" not in re.sub(r"https://(github|download\.pytorch|huggingface)", "", text)
    assert f"wrote {Path('site/index.html')}" in said.errors


def test_pictures_without_changed_pixels_are_no_worst_ones() -> None:
    order = page.ORDERS[0]
    rows = [page.Row(None, {"changed pixels": count}) for count in (0, 5, 0, 9)]  # pyright: ignore[reportArgumentType]
    assert [value for value, _ in page.worst(rows, order, 6)] == [9, 5]


def test_the_table_is_aligned_and_fit_for_a_terminal() -> None:
    lines = [
        Figure("PSNR", 31.4159, "higher", 3, 30.0, 33.25, "dB"),
        Figure("changed\x1b", 12345, "lower", 3),
    ]
    assert report.table(Figures(lines, ["A note."])).splitlines() == [
        "          value     95 % interval  pictures",
        "PSNR      31.42 dB  30 … 33.25     3         higher is better",
        "changed?  12345                    3         lower is better",
        "",
        "A note.",
    ]


def test_the_command_is_listed_and_knows_all_its_metrics() -> None:
    from recompose.cli import lab, main
    from recompose.lab import start

    assert "evaluate" in lab.NAMES
    assert "measure a folder of made pictures beside a folder of real ones" in main.usage()
    path = Path(str(evaluate.__file__))
    assert start.constant(path, "OVERLAYS") == evaluate.OVERLAYS == ("torchmetrics",)
    assert start.needs(path) == "runtime"
