"""Detect Pose as ComfyUI calls it: what is missing or damaged, odd pictures, batches, a server."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import math
import os
import pickle
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from recompose.bridge import pose_record
from recompose.cli.comfy.client import Refused
from recompose.core.pose import draw
from recompose.core.pose.person import Frame
from recompose.core.shapes import Size
from recompose.lab.setup.server import PrivateServer, demo_packs
from recompose.tests.in_comfyui import main_job
from recompose.tests.in_comfyui.conftest import Outcome
from recompose.tests.in_comfyui.detect import conftest, test_dwpose, test_openpose

DWPOSE = {"detector": "DWPose", "resolution": 1024, "person_score": 0.5}
OPENPOSE = {"detector": "OpenPose", "resolution": 128, "hands": True, "face": True}
BOTH = [DWPOSE, OPENPOSE]
NAMES = ["DWPose", "OpenPose"]
FILES = {
    "DWPose": ["yolox_l.onnx", "dw-ll_ucoco_384.onnx"],
    "OpenPose": ["body_pose_model.pth", "hand_pose_model.pth", "facenet.pth"],
}
SIZE = Size(307, 502)


@pytest.fixture
def node(comfy: ModuleType) -> type:
    return importlib.import_module("recompose.nodes.detect").DetectPose


@pytest.fixture
def filled(models: Path, libraries: list[str]) -> Path:
    """A models folder with all files; DWPose's networks always see the same person, OpenPose's nobody."""
    conftest.put_zeros(models / "openpose")
    put_person(models / "dwpose")
    return models


def put_person(folder: Path) -> np.ndarray:
    """DWPose's files that see one person in a picture of SIZE; her 133 points, counted from the corner."""
    ((box, points),) = test_dwpose.planted(0, SIZE)
    (answers,) = test_dwpose.answers_for([(box, points)])
    conftest.put_onnx(folder, test_dwpose.boxes_answer([box], [0], SIZE), answers)
    return points + test_dwpose.HALF


def image(count: int = 1, size: Size = SIZE) -> torch.Tensor:
    return torch.rand((count, size.height, size.width, 3), generator=torch.Generator().manual_seed(count))


def run(node: type, choice: dict, picture: torch.Tensor, threshold: float = 0.3) -> tuple:
    with torch.inference_mode():
        output = node.execute(image=picture, detector=choice, threshold=threshold)
    return (*output.args, output.ui["recompose"][0])


@pytest.mark.parametrize("choice", BOTH, ids=NAMES)
def test_missing_files_are_named_with_their_folder_and_source(choice: dict, node: type, models: Path) -> None:
    name = choice["detector"]
    with pytest.raises(
        ValueError, match=r"needs .* in .*models.*; download from https://huggingface\.co/"
    ) as raised:
        run(node, choice, image())
    assert str(models / name.lower()) in str(raised.value)
    assert all(file in str(raised.value) for file in FILES[name])
    assert "\n" not in str(raised.value)
    assert node.validate_inputs(detector=choice) == str(raised.value)
    if name == "OpenPose":
        assert "non-commercial" in str(raised.value)
        known = {"detector": name, "resolution": None, "hands": None, "face": None}
        assert "facenet" not in str(node.validate_inputs(detector=known)), "it may not be asked for"
    with pytest.raises(
        ValueError, match="auto, BlazePose, DWPose, OpenPose or keypoint model"
    ):  # ComfyUI dropped the choice
        node.validate_inputs(detector=None)
    assert "DWPose" in str(node.validate_inputs(detector={"detector": "other"}))


@pytest.mark.parametrize("choice", BOTH, ids=NAMES)
@pytest.mark.parametrize("gone", ["rtmlib", "onnxruntime", "controlnet_aux"])
def test_a_missing_library_is_named_with_how_to_install_it(
    choice: dict, gone: str, node: type, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == gone]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, gone, None)
    concerned = (gone == "controlnet_aux") == (choice["detector"] == "OpenPose")
    with (
        pytest.raises(RuntimeError, match="python -m pip install")
        if concerned
        else contextlib.nullcontext() as raised
    ):
        run(node, choice, image())
    if concerned:
        assert gone in str(raised.value) and "\n" not in str(raised.value)


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(("name", "file"), [(name, file) for name in NAMES for file in FILES[name]])
def test_damaged_files_are_named_and_run_nothing(name: str, file: str, node: type, filled: Path) -> None:
    choice, path = BOTH[NAMES.index(name)], filled / name.lower() / file
    whole, trap = path.read_bytes(), filled / "ran"
    other = FILES[name][FILES[name].index(file) - 1]
    damages = [
        b"",
        b"not a network",
        whole[:1000],
        pickle.dumps(Evil(trap)),
        (path.parent / other).read_bytes(),
    ]
    for damage in damages:
        path.write_bytes(damage)
        with pytest.raises(ValueError, match="download") as raised:
            run(node, choice, image())
        assert file in str(raised.value) and "\n" not in str(raised.value)
    assert not trap.exists()
    path.write_bytes(whole)
    run(node, choice, image())


@pytest.mark.parametrize("choice", BOTH, ids=NAMES)
def test_nobody_is_an_empty_list_and_a_warning(
    choice: dict, node: type, filled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = test_dwpose.boxes_answer([], [], SIZE)
    conftest.answer(filled / "dwpose" / "yolox_l.onnx", (1, 3, 640, 640), [nobody])
    with caplog.at_level(logging.WARNING, "recompose"):
        pose, preview, report = run(node, choice, image(2, Size(61, 47)))
    assert [frame["people"] for frame in pose] == [[], []]
    assert [(frame["canvas_width"], frame["canvas_height"]) for frame in pose] == [(61, 47)] * 2
    assert report == {"people": [0, 0], "notices": ["Detect Pose: nobody was found in picture 1, 2 of 2."]}
    assert preview.shape == (2, 47, 61, 3)
    assert [record.message for record in caplog.records] == [
        "Detect Pose: nobody was found in picture 1, 2 of 2."
    ]


@pytest.mark.parametrize("choice", BOTH, ids=NAMES)
@pytest.mark.parametrize("size", [(1, 1), (1, 700), (900, 2), (9, 5)])
def test_tiny_and_narrow_pictures_are_looked_at(
    choice: dict, size: tuple, node: type, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = {"body_pose_model.pth": test_openpose.Body([], Size(1, 1))}
    monkeypatch.setattr(
        importlib.import_module("recompose.bridge.detectors.openpose"), "load", lambda *_: nobody
    )
    pose, preview, _ = run(node, choice, image(1, Size(*size)))
    assert preview.shape == (1, size[1], size[0], 3)
    json.dumps(pose, allow_nan=False)
    transparent = torch.cat([image(1, Size(*size)), torch.zeros(1, size[1], size[0], 1)], dim=3)
    assert run(node, choice, transparent)[0] == pose


@pytest.mark.parametrize("choice", BOTH, ids=NAMES)
def test_a_picture_that_is_not_finite_is_refused(choice: dict, node: type, filled: Path) -> None:
    with pytest.raises(ValueError, match="NaN"):
        run(node, choice, image() * math.nan)


def test_networks_that_say_nan_find_nobody(node: type, filled: Path) -> None:
    conftest.answer(
        filled / "dwpose" / "dw-ll_ucoco_384.onnx",
        (1, 3, 384, 288),
        [np.full((1, 133, 576), math.nan), np.full((1, 133, 768), math.nan)],
    )
    nobody = "Detect Pose: nobody was found in picture 1 of 1."
    assert run(node, DWPOSE, image())[2] == {"people": [0], "notices": [nobody]}


def test_the_preview_is_the_dimmed_picture_with_the_drawn_people_on_it(node: type, filled: Path) -> None:
    picture = image(2)
    kept = picture.clone()
    pose, preview, report = run(node, DWPOSE, picture)
    assert report == {"people": [1, 1]} and torch.equal(picture, kept)
    drawn = torch.from_numpy(draw.draw(pose_record.read(pose)[1], 2, feet=True)).float() / 255
    shown = drawn.amax(-1) > 0
    assert 500 < shown.sum() < shown.numel() / 2
    assert torch.equal(preview[1][shown], drawn[shown])
    assert torch.allclose(preview[1][~shown], picture[1][~shown] / 2)
    (person,) = pose[0]["people"]
    assert len(person["recompose"]["confidence"]) == 24
    assert any(person["foot_keypoints_2d"]), "feet, too"
    nobody = "Detect Pose: nobody was found in picture 1, 2 of 2."
    assert run(node, DWPOSE, picture, threshold=0.98)[2] == {"people": [0, 0], "notices": [nobody]}


def test_files_that_change_are_noticed(node: type, filled: Path) -> None:
    for choice in BOTH:
        before = node.fingerprint_inputs(detector=choice, image=None, threshold=None)
        assert len(before) == len(FILES[choice["detector"]])
        file = filled / choice["detector"].lower() / FILES[choice["detector"]][-1]
        os.utime(file, ns=(1, 1))
        assert node.fingerprint_inputs(detector=choice) != before
        file.unlink()
        assert len(node.fingerprint_inputs(detector=choice)) == len(before) - 1
    assert node.fingerprint_inputs() == []


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_batch_goes_on_picture_by_picture_until_it_is_interrupted(
    interrupted: bool, node: type, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    management = importlib.import_module("comfy.model_management")
    detector = importlib.import_module("recompose.bridge.detectors.detect")
    utils = importlib.import_module("comfy.utils")
    open_detector, seen, told = detector.open_detector, [], []

    def opened(*arguments: object) -> object:
        assert open_detector(*arguments)

        def look(picture: torch.Tensor) -> Frame:
            seen.append(picture.shape)
            management.interrupt_current_processing(interrupted)
            return Frame(Size(picture.shape[3], picture.shape[2]))

        return look

    monkeypatch.setattr(detector, "open_detector", opened)
    monkeypatch.setattr(
        utils, "PROGRESS_BAR_HOOK", lambda value, total, *rest, **more: told.append((value, total))
    )
    with contextlib.suppress(management.InterruptProcessingException):
        run(node, DWPOSE, image(3))
        assert not interrupted
    assert len(seen) == (1 if interrupted else 3)
    assert {told[0], told[-1]} == ({(1, 3)} if interrupted else {(1, 3), (3, 3)})
    management.interrupt_current_processing(False)


def test_comfyui_knows_openposes_networks_while_they_run_and_nothing_holds_them_afterwards(
    node: type, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    management = importlib.import_module("comfy.model_management")
    bridge = importlib.import_module("recompose.bridge.detectors.openpose")
    load, looker, made, known = bridge.load, bridge.looker, [], []

    def loaded(*arguments: object) -> dict:
        networks = load(*arguments)
        made.extend(weakref.ref(network) for network in networks.values())
        return networks

    def looking(networks: dict) -> Callable:
        look = looker(networks)
        known.append([entry.model.model.inner for entry in management.current_loaded_models])
        assert any(len(list(inner)) == 3 for inner in known.pop() if isinstance(inner, torch.nn.ModuleList))
        return look

    monkeypatch.setattr(bridge, "load", loaded)
    monkeypatch.setattr(bridge, "looker", looking)
    run(node, OPENPOSE, image())
    gc.collect()
    assert len(made) == 3 and [reference() for reference in made] == [None] * 3


def test_only_the_files_that_are_asked_for_are_needed(node: type, filled: Path) -> None:
    for file in FILES["OpenPose"][1:]:
        (filled / "openpose" / file).unlink()
    run(node, {**OPENPOSE, "hands": False, "face": False}, image())
    with pytest.raises(ValueError, match=r"needs facenet\.pth in"):
        run(node, {**OPENPOSE, "hands": False}, image())


def prompt(choice: dict, names: list[str]) -> dict:
    """Pictures in a batch, looked at; the pose shown as text and the preview kept."""
    detector, *more = choice.items()
    inputs = dict([detector, *((f"detector.{key}", value) for key, value in more)])
    graph = {name: {"class_type": "LoadImage", "inputs": {"image": name}} for name in names}
    link = [names[0], 0]
    for name in names[1:]:
        graph[f"with {name}"] = {"class_type": "ImageBatch", "inputs": {"image1": link, "image2": [name, 0]}}
        link = [f"with {name}", 0]
    graph["detect"] = {
        "class_type": "RecomposeDetectPose",
        "inputs": {"image": link, "threshold": 0.3, **inputs},
    }
    graph["text"] = {"class_type": "PreviewAny", "inputs": {"source": ["detect", 0]}}
    graph["shown"] = {"class_type": "PreviewImage", "inputs": {"images": ["detect", 1]}}
    return graph


def png(seed: int) -> bytes:
    return main_job.png(
        np.random.default_rng(seed).integers(0, 256, (SIZE.height, SIZE.width, 3), dtype=np.uint8)
    )


@pytest.fixture(scope="module")
def equipped(
    libraries: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[PrivateServer, np.ndarray]]:
    """A ComfyUI in whose environment the libraries are installed, with the files; and whom DWPose sees."""
    folder = tmp_path_factory.mktemp("equipped")
    person = put_person(folder / "models" / "dwpose")
    conftest.put_zeros(folder / "models" / "openpose")
    server = PrivateServer(
        sys.executable, os.environ["COMFYUI_PATH"], folder / "cache", demo_packs(), folder / "models"
    )
    with contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            for library in libraries:
                patch.setenv("PYTHONPATH", library, prepend=os.pathsep)
            stack.enter_context(server)
        for name, seed in (("one.png", 1), ("two.png", 2)):
            (server.input_dir / name).write_bytes(png(seed))
        yield server, person


def test_onnxruntime_itself_sees_the_person_in_a_running_comfyui(equipped) -> None:
    server, person = equipped
    done = Outcome(server.run(prompt(DWPOSE, ["one.png", "two.png"])), server.client)
    assert done.succeeded, done.error
    assert done.report("detect") == {"people": [1, 1]}
    pose = json.loads(done.outputs["text"]["text"][0])
    for frame in pose:
        assert (frame["canvas_width"], frame["canvas_height"]) == SIZE
        test_dwpose.check(frame["people"][0], person)
    first, second = done.images("shown")
    assert first.shape == second.shape == (SIZE.height, SIZE.width, 3) and (first != second).any()


def test_openposes_networks_run_in_a_running_comfyui(equipped) -> None:
    server, _ = equipped
    done = Outcome(server.run(prompt(OPENPOSE, ["one.png", "two.png"])), server.client)
    assert done.succeeded, done.error
    nobody = "Detect Pose: nobody was found in picture 1, 2 of 2."
    assert done.report("detect") == {"people": [0, 0], "notices": [nobody]}
    assert "nobody was found in picture 1, 2 of 2" in server.log.read_text("utf-8", "replace")


def test_without_files_the_prompt_is_refused_before_anything_runs(server) -> None:
    for choice in BOTH:
        with pytest.raises(Refused) as refused:
            server.run(prompt(choice, ["one.png"]), {"one.png": png(1)})
        (complaint,) = refused.value.body["node_errors"]["detect"]["errors"]
        assert "huggingface.co" in complaint["details"]
        assert str(server.models_dir / choice["detector"].lower()) in complaint["details"]


def test_without_the_library_the_node_says_how_to_install_it(server, libraries: list[str]) -> None:
    put_person(server.models_dir / "dwpose")
    done = server.run(prompt(DWPOSE, ["one.png"]), {"one.png": png(1)})
    assert not done.succeeded and done.error["node_id"] == "detect"
    assert "python -m pip install rtmlib onnxruntime" in done.error["exception_message"]
    for file in FILES["DWPose"]:
        (server.models_dir / "dwpose" / file).unlink()


def test_other_inputs_keep_their_limits(equipped) -> None:
    server, _ = equipped
    for name, value in (("detector.resolution", 8), ("threshold", 1.5), ("detector.person_score", 0.0)):
        graph = prompt(DWPOSE, ["one.png"])
        graph["detect"]["inputs"][name] = value
        with pytest.raises(Refused) as refused:
            server.run(graph)
        (complaint,) = refused.value.body["node_errors"]["detect"]["errors"]
        assert complaint["extra_info"]["input_name"] == name
