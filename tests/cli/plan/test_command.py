"""`cli demo --plan-only`: a plan and its words, or a sentence where nothing can or need be done."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recompose.cli import demo, lab, planning
from recompose.cli.plan import drawing, find, make
from recompose.cli.plan.photo import opened
from recompose.core.pose import skeleton
from recompose.core.pose.person import Frame, Person, from_rows
from recompose.core.shapes import Padding, Size
from recompose.lab.toy import photo

PHOTO, POSE = photo.FOLDER / "photo.png", photo.FOLDER / "photo_pose.json"
# A standing person, 100 px from the eyes' height to the heels, head at 20 px.
STANDING = {
    skeleton.NOSE: (50, 22),
    skeleton.NECK: (50, 36),
    skeleton.R_SHOULDER: (40, 36),
    skeleton.L_SHOULDER: (60, 36),
    skeleton.R_HIP: (44, 65),
    skeleton.L_HIP: (56, 65),
    skeleton.R_KNEE: (44, 90),
    skeleton.L_KNEE: (56, 90),
    skeleton.R_ANKLE: (44, 114),
    skeleton.L_ANKLE: (56, 114),
    skeleton.R_HEEL: (43, 118),
    skeleton.L_HEEL: (57, 118),
    skeleton.R_BIG_TOE: (40, 119),
    skeleton.L_BIG_TOE: (60, 119),
    skeleton.R_SMALL_TOE: (38, 118),
    skeleton.L_SMALL_TOE: (62, 118),
}
TRUNK = {point: at for point, at in STANDING.items() if at[1] < 80}


def person(points: dict[int, tuple[int, int]], right: int = 0) -> Person:
    rows = np.zeros((skeleton.POINTS, 3))
    for point, (x, y) in points.items():
        rows[point] = x + right, y, 1
    return from_rows(rows)


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Runs the command on a photo of that size in which those people are found."""

    def run(size: tuple[int, int], *people: Person, file: Path | None = None) -> int:
        file = file or tmp_path / "photo.png"
        if not file.exists():
            Image.new("RGB", size, (40, 90, 60)).save(file)

        def found(picture: Image.Image) -> Frame:
            assert picture.size == size and picture.mode == "RGB"
            return Frame(Size(*size), people)

        monkeypatch.setattr(find, "people", found)
        return demo.main(["--plan-only", "--image", str(file), "--out", str(tmp_path / "out")])

    return run


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").iterdir()) if (folder / "out").exists() else []


def test_the_committed_photo_needs_no_options(tmp_path, capsys) -> None:
    assert demo.main(["--plan-only", "--out", str(tmp_path / "out")]) == 0
    assert left(tmp_path) == ["plan.png"]
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / "out" / "plan.png"),
        "People: 1; points seen 16, guessed 8",
        "Pixels to add: left 0, top 0, right 0, bottom 42",
        "Canvas: 128×184 for the photo's 128×142",
    ]


def test_people_are_found_completed_and_drawn(look, tmp_path, capsys) -> None:
    assert look((100, 80), person(TRUNK)) == 0
    said = capsys.readouterr().out
    assert "People: 1; points seen 6, guessed 10" in said
    assert "left 0, top 0, right 0, bottom 40" in said  # to the soles, 4 % of the body, a multiple of 8
    completed = make.plan(Frame(Size(100, 80), (person(TRUNK),)))
    people = [make.body(each) for each in completed.frame.people]
    plan = drawing.draw(opened(tmp_path / "photo.png"), people, Padding(bottom=40))
    assert (np.asarray(Image.open(tmp_path / "out" / "plan.png")) == np.asarray(plan)).all()


def test_nobody_leaves_nothing_and_says_what_to_do(look, tmp_path, capsys) -> None:
    assert look((100, 80)) == 1
    assert left(tmp_path) == [] and not (tmp_path / "out").exists()
    said = capsys.readouterr()
    assert said.out == ""
    assert "Expected a person in " in said.err and "found nobody; give the person's pose with" in said.err


def test_somebody_who_is_whole_needs_nothing_and_the_plan_shows_it(look, tmp_path, capsys) -> None:
    assert look((100, 140), person(STANDING)) == 1
    assert left(tmp_path) == ["plan.png"]
    said = capsys.readouterr()
    assert said.out == "" and "photo.png: nobody reaches beyond the picture, so nothing" in said.err
    assert f"{tmp_path / 'out' / 'plan.png'} shows what was found" in said.err


def test_a_cut_that_says_nothing_of_the_legs_is_told(look, tmp_path, capsys) -> None:
    face = {skeleton.NOSE: (50, 22), skeleton.R_EYE: (48, 20)}
    assert look((100, 80), person(face)) == 1
    assert left(tmp_path) == ["plan.png"]
    assert "too little of anybody is visible to say where the legs must be" in capsys.readouterr().err


def test_legs_too_far_outside_are_told(look, tmp_path, capsys) -> None:
    shoulders = {skeleton.R_SHOULDER: (-20, 30), skeleton.L_SHOULDER: (120, 30), skeleton.NECK: (50, 30)}
    assert look((100, 80), person(shoulders)) == 1
    assert left(tmp_path) == ["plan.png"]
    said = capsys.readouterr().err
    assert "The people need " in said and "px more at the bottom, over 2 times the picture's height" in said


def test_one_who_is_cut_off_is_enough(look, tmp_path, capsys) -> None:
    whole = {point: (x, y / 2) for point, (x, y) in STANDING.items()}
    assert look((200, 80), person(whole), person(TRUNK, right=90)) == 0
    assert "People: 2; points seen 22, guessed 10" in capsys.readouterr().out


def test_a_wide_thin_or_odd_photo_is_planned(look, tmp_path) -> None:
    for number, size in enumerate([(301, 80), (61, 83), (100, 67)]):
        assert look(size, person(TRUNK), file=tmp_path / f"{number}.png") == 0


def formats() -> dict[str, Image.Image]:
    """One picture, 40 x 30, in every way a file may hold it; red at the left, blue at the right."""
    colors = Image.new("RGB", (40, 30), (200, 40, 20))
    colors.paste((20, 40, 200), (20, 0, 40, 30))
    deep = (np.asarray(colors.convert("L")).astype(np.uint16) * 257).astype(np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn a quarter clockwise to see it upright.
    turned = colors.transpose(Image.Transpose.ROTATE_90)
    turned.info["exif"] = exif.tobytes()
    return {
        "plain.png": colors,
        "turned.png": turned,
        "grey.png": colors.convert("L"),
        "deep.png": Image.fromarray(deep),
        "deep.tif": Image.fromarray(deep),
        "transparent.png": colors.convert("RGBA"),
        "grey and transparent.png": colors.convert("LA"),
        "palette.png": colors.quantize(4),
        "print.tif": colors.convert("CMYK"),
    }


@pytest.mark.parametrize("name", formats())
def test_every_kind_of_picture_is_read_upright_in_its_colours(tmp_path: Path, name: str) -> None:
    picture = formats()[name]
    more = {"exif": picture.info["exif"]} if "exif" in picture.info else {}
    picture.save(tmp_path / name, **more)
    grey = picture.mode in ("L", "LA", "I;16", "I")
    plain = formats()["plain.png"]
    expected = np.asarray(plain.convert("L").convert("RGB") if grey else plain).astype(int)
    found = np.asarray(opened(tmp_path / name)).astype(int)
    assert found.shape == (30, 40, 3)
    assert np.abs(found - expected).max() <= 3


def test_a_pose_file_is_read_as_load_pose_reads_it(tmp_path, capsys) -> None:
    twice = json.loads(POSE.read_text())
    frame = twice[0] if isinstance(twice, list) else twice
    frame["canvas_width"] *= 2
    frame["canvas_height"] *= 2
    for each in frame["people"]:
        for key, flat in each.items():
            if isinstance(flat, list):
                each[key] = [value * (1 if at % 3 == 2 else 2) for at, value in enumerate(flat)]
    (tmp_path / "pose.json").write_text(json.dumps(twice))
    given = ["--plan-only", "--image", str(PHOTO), "--pose", str(tmp_path / "pose.json")]
    assert demo.main([*given, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "bottom 42" in said and "it was scaled to this picture of 128×142" in said
    (tmp_path / "pose.json").write_text('{"nobody": 1}')
    assert demo.main([*given, "--out", str(tmp_path / "other")]) == 2
    assert not (tmp_path / "other").exists() and "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--server", "http://127.0.0.1:1"], "leave out --server and --detector"),
        (["--detector", "DWPose"], "leave out --server and --detector"),
        (["--image", "none.png"], "No such file"),
        (["--pose", str(POSE)], "--pose belongs to a photo"),
    ],
)
def test_what_does_not_belong_to_a_plan_is_told(tmp_path, capsys, more: list[str], words: str) -> None:
    assert demo.main(["--plan-only", *more, "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err and left(tmp_path) == []


def test_a_python_without_torch_asks_the_lab_s_or_says_which_to_use(monkeypatch, capsys, tmp_path) -> None:
    whole, started = importlib.util.find_spec, []
    monkeypatch.setattr(
        planning.importlib.util, "find_spec", lambda name: None if name == "torch" else whole(name)
    )
    monkeypatch.setattr(lab, "start", lambda arguments: started.append(arguments) or 0)
    assert demo.main(["--plan-only"]) == 0
    assert started == [["demo", "--plan-only"]]
    monkeypatch.setattr(lab, "is_there", lambda: False)
    assert demo.main(["--plan-only"]) == 2
    said = capsys.readouterr().err
    assert "Expected the libraries torch, numpy, Pillow beside this Python, got no torch; start this" in said
    # The lab's own Python never asks the lab again.
    monkeypatch.setattr(lab, "is_there", lambda: True)
    assert planning.here(lambda: (PHOTO, None), tmp_path) == 2 and len(started) == 1


def test_it_starts_no_comfyui_and_loads_none(root: Path, tmp_path: Path) -> None:
    code = (
        "import sys, runpy; sys.argv[1:1] = ['demo', '--plan-only']; sys.path.insert(0, sys.argv[0])\n"
        "import types; alias = types.ModuleType('recompose'); alias.__path__ = [sys.argv.pop(3)]\n"
        "sys.modules['recompose'] = alias\n"
        "from recompose.cli.main import main\n"
        "status = main(sys.argv[1:])\n"
        "names = {'comfy', 'folder_paths', 'server', 'aiohttp', 'scipy', 'torchvision', 'transformers'}\n"
        "print(status, sorted({name.partition('.')[0] for name in sys.modules} & names))"
    )
    line = [sys.executable, "-c", code, str(root), "--out", str(tmp_path / "out")]
    said = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert said.stdout.splitlines()[-1:] == ["0 []"], said.stderr
