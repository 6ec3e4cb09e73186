"""The pose nodes as ComfyUI calls them: files, batches, headless reports, errors in a sentence."""

from __future__ import annotations

import asyncio
import copy
import importlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

SIZE = (331, 457)
# Standing with the ankles below the frame: q = 600 by trunk, thighs and shoulders.
STANDING = {
    0: (165, 48),
    1: (165, 110),
    2: (165 - 54, 110),
    5: (165 + 54, 110),
    8: (165 - 30, 285.2),
    11: (165 + 30, 285.2),
    9: (165 - 30, 414.8),
    12: (165 + 30, 414.8),
}


def frame(score: float = 1.0, **more: object) -> dict:
    flat = [
        value
        for index in range(18)
        for value in ((*STANDING[index], score) if index in STANDING else (0, 0, 0))
    ]
    return {
        "canvas_width": SIZE[0],
        "canvas_height": SIZE[1],
        "people": [{"pose_keypoints_2d": flat, "person_id": [7], **more}],
        "from": "elsewhere",
    }


@pytest.fixture(scope="module")
def nodes(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.nodes.pose")


@pytest.fixture
def input_folder(comfy: ModuleType, tmp_path: Path) -> Iterator[Path]:
    folder_paths = importlib.import_module("folder_paths")
    before = folder_paths.get_input_directory()
    folder_paths.set_input_directory(str(tmp_path))
    yield tmp_path
    folder_paths.set_input_directory(before)


@pytest.fixture(scope="module")
def folder_reads() -> list[str]:
    """The folders that were listed since the last clear; a hook stays as long as the process."""
    found: list[str] = []

    def hear(event: str, details: tuple) -> None:
        if event in ("os.listdir", "os.scandir"):
            found.append(str(details[0]))

    sys.addaudithook(hear)
    return found


@pytest.fixture
def folders_read(folder_reads: list[str]) -> list[str]:
    folder_reads.clear()
    return folder_reads


def load(nodes: ModuleType, text: str = "", file: str = "none", **more: object) -> list[dict]:
    settings = {"layout": "auto", "threshold": 0.3, "width": 0, "height": 0, **more}
    return nodes.LoadPose.execute(text=text, file=file, **settings).args[0]


def complete(nodes: ModuleType, pose: list[dict], max_extension: float = 1.2, threshold: float = 0.3):
    return nodes.CompletePose.execute(pose=pose, max_extension=max_extension, threshold=threshold)


def test_text_goes_before_the_file_and_both_give_the_same(nodes, input_folder) -> None:
    (input_folder / "deep").mkdir()
    (input_folder / "deep" / "a pose.json").write_text("\ufeff" + json.dumps(frame()), encoding="utf-8")
    (input_folder / "picture.png").write_bytes(b"")
    pose = load(nodes, file="deep/a pose.json")
    assert pose == load(nodes, json.dumps(frame()), file="deep/a pose.json")
    assert pose[0]["from"] == "elsewhere" and pose[0]["people"][0]["person_id"] == [7]
    assert load(nodes, json.dumps(frame(mine=1)), "deep/a pose.json")[0]["people"][0]["mine"] == 1


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("a.json", "utf-8-sig"), ("b.JSON", "utf-16"), ("c.Json", "utf-8"), ("d.json", "utf-16-le")],
)
def test_files_are_read_whatever_their_encoding_and_ending(nodes, input_folder, name, encoding) -> None:
    text = json.dumps(frame(), ensure_ascii=False) + "\n"
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    (input_folder / name).write_bytes((mark + text).encode(encoding))
    assert nodes.LoadPose.validate_inputs(file=name) is True
    assert name in dict(nodes.LoadPose.INPUT_TYPES()["required"])["file"][1]["options"]
    assert load(nodes, file=name) == load(nodes, "\ufeff" + text) == load(nodes, text)


def test_the_list_reads_one_folder_however_many_there_are(nodes, input_folder, folders_read) -> None:
    for number in range(20):
        (input_folder / f"sub {number}").mkdir()
        (input_folder / f"sub {number}" / "pose.json").write_text("")
    for name in ("b.json", "a pose.json", "picture.png"):
        (input_folder / name).write_text("")
    (input_folder / "folder.json").mkdir()
    folders_read.clear()
    options = dict(nodes.LoadPose.INPUT_TYPES()["required"])["file"][1]["options"]
    assert folders_read == [str(input_folder)]
    assert options == ["none", "a pose.json", "b.json"]
    input_folder.rename(input_folder.with_name("gone"))
    assert dict(nodes.LoadPose.INPUT_TYPES()["required"])["file"][1]["options"] == ["none"]


def test_a_workflow_may_name_a_file_in_a_subfolder(nodes, input_folder) -> None:
    (input_folder / "deep").mkdir()
    for name in ("a pose.json", "pose.txt"):
        (input_folder / "deep" / name).write_text(json.dumps(frame()))
    (input_folder.parent / "secret.json").write_text(json.dumps(frame()))
    validate = nodes.LoadPose.validate_inputs
    for file in (None, "none", "deep/a pose.json"):
        assert validate(file=file) is True
    for file in ("deep/b.json", "deep/pose.txt", "deep", "../secret.json", ""):
        assert f'The pose file "{file}" is not in ComfyUI' in validate(file=file)


def test_the_fingerprint_follows_the_file_that_is_read(nodes, input_folder) -> None:
    target = input_folder / "pose.json"
    target.write_text("[1]")
    linked = {"threshold": None, "layout": None, "width": None, "height": None, "image": None}
    first = nodes.LoadPose.fingerprint_inputs(text="", file="pose.json", **linked)
    assert nodes.LoadPose.fingerprint_inputs(text="", file="pose.json", **linked) == first
    target.write_text("[2]")
    assert nodes.LoadPose.fingerprint_inputs(text="", file="pose.json", **linked) != first
    with_text = nodes.LoadPose.fingerprint_inputs(text="{}", file="pose.json", **linked)
    target.write_text("[3]")
    assert nodes.LoadPose.fingerprint_inputs(text="{}", file="pose.json", **linked) == with_text
    target.unlink()
    assert nodes.LoadPose.fingerprint_inputs(text="", file="pose.json", **linked) != first
    assert nodes.LoadPose.fingerprint_inputs(text=None, file=None, **linked) == with_text
    assert nodes.LoadPose.fingerprint_inputs()


@pytest.mark.parametrize(
    ("text", "content", "complaint"),
    [
        ("", None, "paste OpenPose JSON as text or choose"),
        ("{", None, "not JSON"),
        ("", b"\x89PNG\r\n\x1a\n\xff\xfe", "not a text file"),
        ("", b"not json", "not JSON"),
    ],
)
def test_unreadable_poses_are_refused(nodes, input_folder, text, content, complaint) -> None:
    if content is not None:
        (input_folder / "pose.json").write_bytes(content)
    with pytest.raises(ValueError, match=complaint):
        load(nodes, text, "none" if content is None else "pose.json")


def test_files_outside_the_input_folder_are_refused(nodes, input_folder) -> None:
    (input_folder.parent / "secret.json").write_text(json.dumps(frame()))
    for file in ("../secret.json", str(input_folder.parent / "secret.json"), "gone.json"):
        with pytest.raises(ValueError, match="not in ComfyUI's input folder"):
            load(nodes, file=file)


def test_the_picture_gives_or_contradicts_the_size(nodes) -> None:
    bare = frame()
    del bare["canvas_width"], bare["canvas_height"]
    image = torch.zeros(2, 457, 331, 4)
    assert load(nodes, json.dumps(bare), image=image)[0]["canvas_height"] == 457
    assert load(nodes, json.dumps(bare), width=331, height=457)[0]["canvas_width"] == 331
    with pytest.raises(ValueError, match="331×457 but the picture is 457×331"):
        load(nodes, json.dumps(frame()), image=image.transpose(1, 2))
    with pytest.raises(ValueError, match="NaN"):
        load(nodes, json.dumps(bare), image=image * math.nan)


def test_complete_pose_reports_whole_pixels_per_side(nodes) -> None:
    given = load(nodes, json.dumps(frame(score=0.8)))
    kept = copy.deepcopy(given)
    output = complete(nodes, given)
    pose, *needed = output.args
    # q = 600: knee at 414.8, sole .273 below; frontal toes .0114 lower still. A detector's points leave .02
    # more doubt than the margin covers.
    assert needed == [0, 0, 0, math.ceil(414.8 + (0.273 + 0.0114 + 0.02) * 600 - 457)]
    assert all(type(side) is int for side in needed)
    assert output.ui == {"recompose": [{"estimated": 8, "needed": needed}]}
    assert json.loads(json.dumps(output.ui)) == output.ui
    assert nodes.CompletePose.GET_SCHEMA().has_intermediate_output
    person = pose[0]["people"][0]
    assert person["recompose"]["confidence"] == given[0]["people"][0]["recompose"]["confidence"]
    assert sum(person["recompose"]["estimated"]) == 8
    assert given == kept
    again = complete(nodes, pose)
    assert again.args[0] == pose and again.args[1:] == output.args[1:]


def test_complete_pose_takes_batches_and_fractional_scores(nodes) -> None:
    output = complete(nodes, [frame(score=0.9), {**frame(), "people": []}, frame(score=1.0)], threshold=0.5)
    assert [len(each["people"]) for each in output.args[0]] == [1, 0, 1]
    assert output.ui["recompose"][0]["estimated"] == 16
    with pytest.raises(ValueError, match="Too few points"):
        complete(nodes, [frame(score=0.4)], threshold=0.5)
    with pytest.raises(ValueError, match="no person"):
        complete(nodes, [{**frame(), "people": []}])
    with pytest.raises(ValueError, match=r"over 0\.2 times the picture's height of 457 px"):
        complete(nodes, [frame()], max_extension=0.2)


def test_joints_on_the_border_are_cut_off_with_a_notice(nodes) -> None:
    clamped = frame()
    flat = clamped["people"][0]["pose_keypoints_2d"]
    for index in (9, 12, 10, 13):
        flat[3 * index : 3 * index + 3] = [165 - 30 if index < 11 else 165 + 30, 360, 1]
    clamped["canvas_height"] = 360
    output = complete(nodes, [clamped])
    assert output.args[4] == math.ceil(285.2 + (0.429 + 0.06 + 0.0114 + 0.015) * 600 - 360)
    (report,) = output.ui["recompose"]
    assert len(report["notices"]) == 1 and "4 points on or near the picture's border" in report["notices"][0]
    marks = output.args[0][0]["people"][0]["recompose"]["estimated"]
    assert [index for index in range(18) if marks[index]] == [9, 10, 12, 13]
    assert "notices" not in complete(nodes, [frame()]).ui["recompose"][0]


def test_a_detectors_guesses_are_mixed_once_kept_or_ignored(nodes) -> None:
    given = frame()
    person = given["people"][0]
    flat, confidence = person["pose_keypoints_2d"], [0.95] * 18 + [0.0] * 6
    for index, x in ((10, 180.0), (13, 240.0)):
        flat[3 * index : 3 * index + 3] = [x, 540.0, 1]
        confidence[index] = 0.1
    marks = [int(index in (10, 13)) for index in range(24)]
    person["recompose"] = {"estimated": marks, "confidence": confidence}

    def ankle(guesses: str) -> float:
        made = nodes.CompletePose.execute([given], 2.0, 0.3, "auto", guesses).args[0]
        again = nodes.CompletePose.execute(made, 2.0, 0.3, "auto", guesses).args[0]
        assert again == made
        return made[0]["people"][0]["pose_keypoints_2d"][3 * 10]

    assert ankle("keep") == 180
    assert ankle("ignore") == pytest.approx(135)
    assert ankle("mix") == pytest.approx(0.3 * 135 + 0.7 * 180)


def test_a_guess_carries_its_uncertainty_and_scaling_scales_it(nodes) -> None:
    made = complete(nodes, [frame()]).args[0]
    settings = made[0]["people"][0]["recompose"]
    assert settings["uncertainty"][10] == settings["uncertainty"][20] == pytest.approx(0.04 * 600)
    assert settings["uncertainty"][9] == 0
    large = torch.zeros(1, 914, 662, 3)
    twice = load(nodes, json.dumps(made), image=large)[0]["people"][0]["recompose"]
    assert twice["uncertainty"] == pytest.approx([2 * value for value in settings["uncertainty"]])


def test_complete_pose_seats_whom_it_is_told_to_seat(nodes) -> None:
    knees = [0, 0, 0]
    given = frame()
    flat = given["people"][0]["pose_keypoints_2d"]
    for index in (9, 12):
        flat[3 * index : 3 * index + 3] = knees
    stands, sits = (
        nodes.CompletePose.execute(pose=[given], max_extension=1.2, threshold=0.3, legs=legs).args
        for legs in ("auto", "sitting")
    )
    # Thigh .216 and shank .213 hang, or .35 of the one and .95 of the other show; the guess is as sure.
    assert stands[4] - sits[4] == pytest.approx((0.65 * 0.216 + 0.05 * 0.213) * 600, abs=1)


def test_draw_pose_gives_one_picture_per_frame(nodes) -> None:
    pose = complete(nodes, [frame(), {**frame(), "people": []}]).args[0]
    kept = copy.deepcopy(pose)
    image = nodes.DrawPose.execute(
        pose=pose, stick_width=4, hands=True, face=True, feet=False, threshold=0.3
    ).args[0]
    assert image.shape == (2, 457, 331, 3) and image.dtype == torch.float32 and image.is_contiguous()
    assert image[0, 110, 165].tolist() == pytest.approx([1, 85 / 255, 0])
    assert not image[1].any() and pose == kept
    hidden = nodes.DrawPose.execute(
        pose=[frame(score=0.4)], stick_width=4, hands=True, face=True, feet=False, threshold=0.5
    ).args[0]
    assert not hidden.any()
    with pytest.raises(ValueError, match="331×457, 335×457"):
        nodes.DrawPose.execute(
            pose=[frame(), {**frame(), "canvas_width": 335}],
            stick_width=4,
            hands=True,
            face=True,
            feet=False,
            threshold=0.3,
        )


def mask_of(
    nodes: ModuleType, pose: list[dict], parts: str, allow: bool = False, **more: object
) -> torch.Tensor:
    settings = {"width": 12.0, "threshold": 0.3, "allow_repainting_photo": allow, **more}
    return nodes.LimbMask.execute(pose=pose, parts=parts, **settings).args[0]


def test_limb_mask_stays_within_unless_the_photo_may_be_repainted(nodes) -> None:
    pose = complete(nodes, [frame()]).args[0]
    area = torch.zeros(1, 457, 331)
    area[:, 440:] = 1
    free, limited = mask_of(nodes, pose, "estimated"), mask_of(nodes, pose, "estimated", within=area)
    assert free.shape == (1, 457, 331) and free[0, 429, 107] == 1
    assert torch.equal(limited, free * area) and limited.any()
    assert torch.equal(mask_of(nodes, pose, "estimated", allow=True, within=area), free)
    assert not mask_of(nodes, pose, "whole body", within=torch.zeros(1, 457, 331)).any()
    assert torch.equal(mask_of(nodes, pose, "estimated", within=torch.zeros(1, 64, 64)), free)
    with pytest.raises(ValueError, match="331×457"):
        mask_of(nodes, pose, "estimated", within=torch.ones(1, 331, 457))
    with pytest.raises(ValueError, match="NaN"):
        mask_of(nodes, pose, "estimated", within=area * math.nan)


def test_limb_mask_compares_poses(nodes) -> None:
    pose = complete(nodes, [frame()]).args[0]
    moved = copy.deepcopy(pose)
    moved[0]["people"][0]["pose_keypoints_2d"][9 * 3] -= 60
    mask = mask_of(nodes, moved, "moved", other_pose=pose)
    assert mask[0, 429, 107] == 1 and mask[0, 429, 47] == 1 and mask[0, 429, 222] == 0
    assert not mask_of(nodes, pose, "moved", other_pose=pose).any()
    with pytest.raises(ValueError, match="connect other_pose"):
        mask_of(nodes, pose, "moved")


def test_core_draws_what_load_pose_gives(nodes) -> None:
    sdpose = importlib.import_module("comfy_extras.nodes_sdpose")
    pose = complete(nodes, load(nodes, json.dumps(frame()))).args[0]
    image = sdpose.SDPoseDrawKeypoints.execute(pose, True, True, True, True, 4, 3, 0.3, True).args[0]
    assert image.shape == (1, 457, 331, 3) and image.any()


def test_what_core_detects_is_read_with_each_hand_at_its_wrist(nodes) -> None:
    """Frames made by core's own function from points as its model gives them: COCO-WholeBody's order."""
    sdpose = importlib.import_module("comfy_extras.nodes_sdpose")
    chance = np.random.default_rng(8)
    points = chance.uniform(40, 300, (133, 2)).astype(np.float32)
    # The wrists stand apart; the left hand (91 …) hangs at the left wrist (9), the other at the right (10).
    points[[9, 10]] = [(250, 200), (60, 210)]
    points[91:112], points[112:133] = points[9] + 4, points[10] + 4
    scores = np.full(133, 0.9, dtype=np.float32)
    points[15], scores[15] = np.nan, 0.0
    given = sdpose._to_openpose_frames([[points]], [[scores]], SIZE[1], SIZE[0])
    # What this test guards against: core lists the left hand as the right one.
    assert given[0]["people"][0]["hand_right_keypoints_2d"][0] == pytest.approx(254)
    edit = importlib.import_module("recompose.nodes.pose_edit").EditPose
    output = edit.execute("keep my edit", 64, 64, 4, True, True, True, 0.3, None, given, "")
    loaded = load(nodes, json.dumps(given))
    for person in (
        output.args[0][0]["people"][0],
        output.ui["recompose"][0]["pose"][0]["people"][0],
        loaded[0]["people"][0],
    ):
        assert person["hand_left_keypoints_2d"][:3] == pytest.approx([254, 204, 1])
        assert person["hand_right_keypoints_2d"][:3] == pytest.approx([64, 214, 1])
        assert person["pose_keypoints_2d"][3 * 13 : 3 * 13 + 3] == [0, 0, 0]
        assert all(math.isfinite(value) for value in person["pose_keypoints_2d"])


def test_the_nodes_are_listed_and_loadable(comfy) -> None:
    package = importlib.import_module("recompose.nodes")
    listed = asyncio.run(package.RecomposeExtension().get_node_list())
    ids = [node.GET_SCHEMA().node_id for node in listed]
    assert {"RecomposeLoadPose", "RecomposeCompletePose", "RecomposeDrawPose", "RecomposeLimbMask"} <= set(
        ids
    )
