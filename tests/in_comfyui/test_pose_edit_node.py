"""Edit Pose as ComfyUI calls it, without a browser: blank canvas, photo, batches, changed poses, damage."""

from __future__ import annotations

import copy
import importlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from recompose.bridge import pose_record
from recompose.core.pose import edited
from recompose.core.pose.draw import draw

SIZE = (331, 457)
KEEP, TAKE = "keep my edit", "take the new one"
# Shoulders, hips and a knee: q = 600 by trunk and thigh.
SEEN = {
    1: (165, 110),
    2: (165 - 77.7, 110),
    5: (165 + 77.7, 110),
    8: (165 - 57.3, 282.8),
    11: (165 + 57.3, 282.8),
    9: (165 - 57.3, 429.8),
}


@pytest.fixture(scope="module")
def node(comfy: ModuleType) -> type:
    return importlib.import_module("recompose.nodes.pose_edit").EditPose


@pytest.fixture
def temporary(comfy: ModuleType, tmp_path: Path) -> Iterator[Path]:
    folder_paths = importlib.import_module("folder_paths")
    before = folder_paths.get_temp_directory()
    folder_paths.set_temp_directory(str(tmp_path / "temp"))
    yield tmp_path / "temp"
    folder_paths.set_temp_directory(before)


def frame(points: dict = SEEN, **more: object) -> dict:
    flat = [value for index in range(18) for value in ((*points[index], 1) if index in points else (0, 0, 0))]
    person = {"pose_keypoints_2d": flat, **more}
    return {"canvas_width": SIZE[0], "canvas_height": SIZE[1], "people": [person]}


def edit(
    *frames: dict, knee: tuple[float, float] = (100.0, 500.5), size: tuple[int, int] = SIZE, skip: int = 0
) -> str:
    """An edit that moved the right knee of these detected frames; `skip`: number of the first."""
    entries = {}
    for index, found in enumerate(frames):
        value = pose_record.read([found])[0]
        points = value.people[0].rows[:18]
        points[9] = (*knee, 1)
        present = points[:, 2] > 0
        entries[index + skip] = {
            "size": size,
            "fingerprint": edited.fingerprint(value),
            "people": [
                {
                    "from": 0,
                    "flags": "".join("1" if there else "0" for there in present),
                    "xy": np.floor(points[present, :2] * 16 + 0.5).astype(int).ravel().tolist(),
                }
            ],
        }
    return json.dumps({"version": 1, "frames": entries})


def run(node: type, value: str = "", when: str = KEEP, **more: object):
    drawing = {"stick_width": 4, "hands": True, "face": True, "feet": False, "threshold": 0.3}
    settings = {"when_pose_changes": when, "width": 128, "height": 192, **drawing, **more}
    return node.execute(edit=value, **settings)


def report(output) -> dict:
    found = json.loads(json.dumps(output.ui))["recompose"]
    assert len(found) == 1
    return found[0]


def knee(pose: list[dict], index: int = 0) -> list[float]:
    return pose_record.read(pose)[index].people[0].rows[9].tolist()


def test_alone_it_draws_a_standing_person_on_a_blank_canvas(node) -> None:
    output = run(node, feet=True)
    pose, image, *needed = output.args
    assert image.shape == (1, 192, 128, 3) and image.any()
    assert (pose[0]["canvas_width"], pose[0]["canvas_height"]) == (128, 192)
    assert needed == [0, 0, 0, 0]
    told = report(output)
    assert told["pictures"] == [] and told["notices"] == [] and told["pose"][0]["fingerprint"] == ""
    shown = told["pose"][0]["people"][0]["pose_keypoints_2d"]
    assert shown == pytest.approx(pose[0]["people"][0]["pose_keypoints_2d"], abs=0.0051)


def test_without_an_edit_the_pose_passes_and_is_drawn_as_draw_pose_draws_it(node) -> None:
    given = [frame(person_id=[3]), frame({1: (20, 30)})]
    kept = copy.deepcopy(given)
    pose, image, *needed = run(node, pose=given).args
    assert pose == given == kept
    assert pose[0] is not given[0]
    assert np.array_equal((image[0].numpy() * 255).round().astype(np.uint8), draw(pose_record.read(given)[0]))
    assert needed == [0, 0, 0, 0]


def test_an_edit_moves_the_knee_below_the_frame_and_asks_for_canvas(node) -> None:
    given = [frame(person_id=[3])]
    output = run(node, edit(*given), pose=given)
    pose, image, *needed = output.args
    assert knee(pose) == [100, 500.5, 1]
    assert pose[0]["people"][0]["person_id"] == [3]
    # Half a leg's breadth of .06 q below the knee, q by the long thigh.
    below = 500.5 + 0.03 * math.hypot(7.7, 217.7) / 0.216 - 457
    assert needed == [0, 0, 0, math.ceil(below)]
    assert np.array_equal((image[0].numpy() * 255).round().astype(np.uint8), draw(pose_record.read(pose)[0]))
    assert report(output)["notices"] == [] and report(output)["kept"] == []
    # What the editor is told is the detection, not the edit.
    assert knee(report(output)["pose"]) == [107.7, 429.8, 1]
    assert report(output)["pose"][0]["fingerprint"] == edited.fingerprint(pose_record.read(given)[0])


def test_twice_gives_the_same_bit_for_bit(node) -> None:
    given = [frame()]
    first, second = (run(node, edit(*given), pose=given) for _ in range(2))
    assert first.args[0] == second.args[0] and torch.equal(first.args[1], second.args[1])
    assert first.ui == second.ui


def test_when_the_detection_changes_the_edit_stays_or_goes_and_says_so(node) -> None:
    value, other = edit(frame()), [frame({**SEEN, 1: (166, 110)}, person_id=[9])]
    kept, taken = run(node, value, KEEP, pose=other), run(node, value, TAKE, pose=other)
    assert knee(kept.args[0])[1] == 500.5 and "person_id" not in kept.args[0][0]["people"][0]
    assert taken.args[0] == other
    assert report(kept)["kept"] == [0] and report(kept)["replaced"] == []
    assert report(taken)["kept"] == [] and report(taken)["replaced"] == [0]
    assert "your edit was kept" in report(kept)["notices"][0]
    assert "the new one is used" in report(taken)["notices"][0]
    # The same detection: nothing to choose. No detection at all: nothing new to take.
    assert knee(run(node, value, TAKE, pose=[frame()]).args[0])[1] == 500.5
    assert knee(run(node, value, TAKE).args[0])[0] != 107.7


def test_every_frame_of_a_batch_has_its_own_edit(node) -> None:
    given = [frame(), frame({**SEEN, 9: (90, 430)}), frame()]
    value = edit(given[1], skip=1)
    pose, image, *_ = run(node, value, pose=given).args
    assert [knee(pose, index)[:2] for index in range(3)] == [[107.7, 429.8], [100, 500.5], [107.7, 429.8]]
    assert len(image) == 3 and torch.equal(image[0], image[2]) and not torch.equal(image[0], image[1])
    short = run(node, value, pose=given[:1])
    assert "Frame 2 was edited but is not in this batch" in report(short)["notices"][0]


def test_one_pose_serves_a_batch_of_pictures_and_frames_share_nothing(node, temporary) -> None:
    pose, image, *_ = run(node, pose=[frame()], image=torch.rand(2, 457, 331, 3)).args
    assert len(pose) == len(image) == 2
    pose[0]["people"][0]["pose_keypoints_2d"][0] = 1e3
    assert pose[1]["people"][0]["pose_keypoints_2d"][0] == 0
    with pytest.raises(ValueError, match="pose 2, image 3"):
        run(node, pose=[frame()] * 2, image=torch.rand(3, 457, 331, 3))
    with pytest.raises(ValueError, match="331×457 but the picture is 457×331"):
        run(node, pose=[frame()], image=torch.rand(1, 331, 457, 3))


def test_the_photo_is_saved_once_for_the_editor_and_small(node, temporary) -> None:
    image = torch.zeros(2, 61, 4099, 4)
    image[1, :, :2000] = torch.tensor([1.0, 0.5, 0.0, 0.0])
    output = run(node, image=image)
    assert output.args[1].shape == (2, 61, 4099, 3)
    told = report(output)["pictures"]
    assert [set(each) for each in told] == [{"filename", "subfolder", "type"}] * 2
    assert told == report(run(node, image=image))["pictures"]
    assert sorted(path.name for path in temporary.iterdir()) == sorted(each["filename"] for each in told)
    with Image.open(temporary / told[1]["filename"]) as picture:
        assert picture.size == (2048, 30)
        assert picture.getpixel((10, 10)) == pytest.approx((255, 128, 0), abs=4)
        assert picture.getpixel((1900, 10)) == pytest.approx((0, 0, 0), abs=4)


def test_on_a_photo_of_another_size_the_edit_is_scaled_with_a_notice(node, temporary) -> None:
    output = run(node, edit(frame(), size=SIZE), image=torch.rand(1, 914, 662, 3))
    assert knee(output.args[0]) == [200, 1001, 1]
    assert "scaled to fit" in report(output)["notices"][0]


@pytest.mark.parametrize(
    "value", ["{", '{"version": 9, "frames": {}}', '{"version":1,"frames":{"0":[]}}', "nul\0"]
)
def test_a_damaged_edit_warns_and_lets_the_pose_pass(node, value: str, caplog) -> None:
    given = [frame()]
    output = run(node, value, pose=given)
    assert output.args[0] == given
    assert len(report(output)["notices"]) == 1
    assert report(output)["notices"][0] in caplog.text


def test_nobody_left_is_an_empty_picture(node) -> None:
    entry = {"size": SIZE, "fingerprint": "", "people": []}
    output = run(node, json.dumps({"version": 1, "frames": {"0": entry}}), pose=[frame()])
    assert output.args[0][0]["people"] == [] and not output.args[1].any()
    assert output.args[2:] == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"pose_keypoints_2d": [1.0] * 5}, "whole triples"),
        ({"pose_keypoints_2d": [1.0] * 60}, "points but holds 20"),
        ({"pose_keypoints_2d": [1.0] * 3_000_000}, "holds 1000000"),
        ({"face_keypoints_2d": "hello"}, "flat list of numbers"),
    ],
    ids=["cut", "20", "million", "words"],
)
def test_a_malformed_pose_is_refused_in_a_sentence(node, bad: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        run(node, pose=[frame(**bad)])


def test_a_pose_without_frames_or_size_is_explained(node, temporary) -> None:
    with pytest.raises(ValueError, match="no frame"):
        run(node, pose=[])
    bare = frame()
    del bare["canvas_width"], bare["canvas_height"]
    assert run(node, pose=[bare], image=torch.rand(1, 457, 331, 3)).args[1].shape == (1, 457, 331, 3)
    assert run(node, pose=[bare]).args[1].shape == (1, 192, 128, 3)


def test_a_number_far_away_makes_no_frames(node) -> None:
    whole = json.loads(edit(frame()))
    far = json.dumps({**whole, "frames": {"0": whole["frames"]["0"], "4095": whole["frames"]["0"]}})
    output = run(node, far)
    assert len(output.args[0]) == len(output.args[1]) == 1 and knee(output.args[0])[0] > 0
    assert report(output)["notices"][-1].startswith("Frame 4096 was edited but is not in this batch")
    near = json.dumps({**whole, "frames": {"2": whole["frames"]["0"]}})
    assert len(run(node, near).args[0]) == 3


def test_people_after_the_hundredth_pass_an_edit_and_are_drawn(node) -> None:
    given = frame()
    given["people"] = [copy.deepcopy(given["people"][0]) for _ in range(130)]
    for index, person in enumerate(given["people"]):
        person["pose_keypoints_2d"][3] = 100 + index
    entry = {"size": SIZE, "fingerprint": "", "people": []}
    output = run(node, json.dumps({"version": 1, "frames": {"0": entry}}), pose=[given])
    found = output.args[0][0]["people"]
    assert [person["pose_keypoints_2d"][3] for person in found] == list(range(200, 230))
    assert "the editor shows the first 100" in report(output)["notices"][-1]
