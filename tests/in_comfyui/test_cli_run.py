"""`cli run` against a real ComfyUI: blocked nodes, what nodes report, choices with inputs of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recompose.cli import run

PLAIN = {"class_type": "EmptyImage", "inputs": {"width": 97, "height": 155, "batch_size": 1, "color": 7}}


def node(kind: str, title: str, **inputs: object) -> dict:
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": title}}


def call(prompt: dict, server, folder: Path, *more: str) -> int:
    file = folder / "workflow.json"
    file.write_text(json.dumps(prompt))
    return run.main([str(file), "--server", server.url, "--out", str(folder / "out"), *more])


def extended(**inputs: object) -> dict:
    sides = {"mode.left": 0, "mode.top": 0, "mode.right": 0, "mode.bottom": 61}
    canvas = {
        "image": ["photo", 0],
        "mode": "sides",
        **sides,
        "multiple_of": 8,
        "fill": "smooth",
        "feather": 0,
    }
    return {
        "photo": PLAIN,
        "canvas": node("RecomposeExtendCanvas", "Canvas", **{**canvas, **sides, **inputs}),
        "all": node("SolidMask", "All", value=1.0, width=97, height=216),
        "stitch": node(
            "RecomposeStitchBack", "Put back", original=["canvas", 0], generated=["canvas", 0],
            mask=["all", 0], region=["canvas", 2], mode="strict",
        ),
        "save": node("SaveImage", "Result", images=["stitch", 0], filename_prefix="run"),
    }  # fmt: skip


def blocked(start: float) -> dict:
    sampler = {"jump_length": 4, "resamplings": 2, "eta": 1.0, "start": start, "end": 1.0}
    return {
        "sampler": node("RecomposeRePaintSampler", "Sampler", **sampler),
        "calls": node("PreviewAny", "How many", source=["sampler", 1]),
    }


@pytest.mark.parametrize("times", [1, 2], ids=["fresh", "from the cache"])
def test_a_blocked_node_is_told_and_what_was_made_is_saved(server, tmp_path, capsys, times: int) -> None:
    prompt = {**blocked(0.1 * times), **extended()}
    for _ in range(times):
        capsys.readouterr()
        assert call(prompt, server, tmp_path) == 1
    said = capsys.readouterr()
    (line,) = [each for each in said.err.splitlines() if each.startswith("run: ")]
    assert '"How many" (PreviewAny, node calls) was not run: ' in line
    assert "Execution Blocked" not in said.err and line.endswith(".")
    assert ("connect" in line) == (times == 1)
    assert Path(said.out.strip()).is_file()


def test_notices_and_figures_are_printed_and_written(server, tmp_path, capsys) -> None:
    report = tmp_path / "new" / "report.json"
    assert call(extended(), server, tmp_path, "--report", str(report)) == 0
    said = capsys.readouterr()
    assert "Canvas: padding 0 0 0 61" in said.err
    assert "Put back: seam_ratio " in said.err
    (line,) = [each for each in said.err.splitlines() if "covers most of the photo" in each]
    assert line.startswith("Put back: ")
    written = json.loads(report.read_text())
    assert written["failure"] is None and written["files"] == said.out.split("\n")[:-1]
    by_title = {each["title"]: each for each in written["nodes"]}
    assert by_title["Canvas"]["reports"][0]["padding"] == [0, 0, 0, 61]
    assert by_title["Put back"]["class"] == "RecomposeStitchBack" and by_title["Put back"]["node"] == "stitch"
    assert "covers most of the photo" in by_title["Put back"]["notices"][0]
    assert by_title["Put back"]["reports"][0]["seam_ratio"] > 0


def test_a_choice_brings_its_inputs_with_their_defaults(server, tmp_path, capsys) -> None:
    settings = ["Canvas.mode=aspect", "Canvas.fill=color", "Canvas.fill.color=#ff0000", "Put back.mode=blend"]
    settings.append('Put back.mask=["canvas", 1]')
    more = [part for each in settings for part in ("--set", each)]
    assert call(extended(), server, tmp_path, *more) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("Canvas.mode=Sides", "expected one of body, sides, size, aspect; got 'Sides'"),
        ("Canvas.fill=colour", "expected one of smooth, edge, mirror, noise, color; got 'colour'"),
        ("Canvas.mode.margin=4", "belongs to mode body, but mode is sides; set mode as well"),
        ("Put back.mode.width=4", "belongs to mode blend, but mode is strict; set mode as well"),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_is_sent(server, tmp_path, capsys, setting, words) -> None:
    before = len(server.client.history())
    assert call(extended(), server, tmp_path, "--set", setting) == 2
    assert words in capsys.readouterr().err
    assert len(server.client.history()) == before


def test_a_nested_choice_and_one_in_the_file_are_checked_too(server, tmp_path, capsys) -> None:
    more = ["--set", "Canvas.mode=aspect", "--set", "Canvas.mode.anchor=middle"]
    assert call(extended(), server, tmp_path, *more) == 2
    assert "expected one of " in capsys.readouterr().err
    assert call(extended(mode="Sides"), server, tmp_path) == 2
    assert "Canvas" in capsys.readouterr().err


def test_a_link_that_would_end_comfyuis_worker_is_not_sent(server, tmp_path, capsys) -> None:
    assert call(extended(image=["photo", 7]), server, tmp_path) == 2
    assert "is connected to output 7 of EmptyImage (node photo), which has 1" in capsys.readouterr().err
    assert server.run(extended()).succeeded
