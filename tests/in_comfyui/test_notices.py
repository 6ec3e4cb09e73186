"""Notices reach whoever asked for the result: the page, the history that programs read, and the log."""

from __future__ import annotations

import importlib
import io
from types import ModuleType

import pytest
from PIL import Image
from recompose.tests.in_comfyui.test_canvas_nodes import picture


@pytest.fixture(scope="module")
def notices(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.bridge.notices")


def test_notices_are_collected_once_each_beside_the_report(notices) -> None:
    with notices.collect() as found:
        notices.notice("The mask is nearly full.")
        notices.notice("Two joints were left out.")
        notices.notice("The mask is nearly full.")
    said = ["The mask is nearly full.", "Two joints were left out."]
    assert found.ui() == {"recompose": [{"notices": said}]}
    assert found.ui({"scale": 1.0}) == {"recompose": [{"scale": 1.0, "notices": said}]}
    assert found.ui({"notices": ["Kept."]}) == {"recompose": [{"notices": ["Kept.", *said]}]}


def test_without_notices_only_the_report_is_left(notices) -> None:
    with notices.collect() as found:
        pass
    assert found.ui() == {"recompose": []}
    assert found.ui({"scale": 1.0}) == {"recompose": [{"scale": 1.0}]}


def test_an_execution_that_failed_leaves_no_notice_to_the_next(notices) -> None:
    with pytest.raises(ValueError), notices.collect():
        notices.notice("Of the first.")
        raise ValueError
    with notices.collect() as found:
        notices.notice("Of the second.")
    assert found == ["Of the second."]


def test_a_notice_without_a_collector_goes_to_the_log(notices, caplog) -> None:
    notices.notice("Nobody collects.")
    assert "Nobody collects." in caplog.text


def photo() -> bytes:
    file = io.BytesIO()
    Image.fromarray((picture()[0] * 255).round().byte().numpy()).save(file, "PNG")
    return file.getvalue()


def test_programs_read_notices_from_the_history(server) -> None:
    canvas = {"image": ["photo", 0], "mode": "sides", "multiple_of": 8, "fill": "smooth", "feather": 0}
    sides = {"mode.left": 0, "mode.top": 0, "mode.right": 0, "mode.bottom": 61}
    stitched = {"original": ["canvas", 0], "generated": ["canvas", 0], "mask": ["all", 0]}
    prompt = {
        "photo": {"class_type": "LoadImage", "inputs": {"image": "notices.png"}},
        "canvas": {"class_type": "RecomposeExtendCanvas", "inputs": {**canvas, **sides}},
        "all": {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 97, "height": 216}},
        "stitch": {
            "class_type": "RecomposeStitchBack",
            "inputs": {**stitched, "region": ["canvas", 2], "mode": "strict"},
        },
        "save": {"class_type": "PreviewImage", "inputs": {"images": ["stitch", 0]}},
    }
    done = server.run(prompt, {"notices.png": photo()})
    assert done.succeeded
    (said,) = done.report("stitch")["notices"]
    assert "covers most of the photo" in said and "notices" not in done.report("canvas")
    again = server.run(prompt)  # from ComfyUI's cache
    assert again.report("stitch")["notices"] == [said]


def test_a_node_that_runs_over_a_list_leaves_the_notices_of_every_item(server) -> None:
    """The first item of the list is fine, the second gives a notice."""
    solid = {"width": 97, "height": 216}
    prompt = {
        "photo": {"class_type": "LoadImage", "inputs": {"image": "notices.png"}},
        "canvas": {
            "class_type": "RecomposeExtendCanvas",
            "inputs": {
                "image": ["photo", 0], "multiple_of": 8, "fill": "smooth", "feather": 0,
                "mode": "sides", "mode.left": 0, "mode.top": 0, "mode.right": 0, "mode.bottom": 61,
            },
        },
        "all": {"class_type": "SolidMask", "inputs": {"value": 1.0, **solid}},
        "list": {
            "class_type": "CreateList",
            "inputs": {"inputs.input0": ["canvas", 1], "inputs.input1": ["all", 0]},
        },
        "stitch": {
            "class_type": "RecomposeStitchBack",
            "inputs": {
                "original": ["canvas", 0], "generated": ["canvas", 0], "mask": ["list", 0],
                "region": ["canvas", 2], "mode": "strict",
            },
        },
        "save": {"class_type": "PreviewImage", "inputs": {"images": ["stitch", 0]}},
    }  # fmt: skip
    done = server.run(prompt, {"notices.png": photo()})
    assert done.succeeded
    first, second = done.outputs["stitch"]["recompose"]
    assert "notices" not in first and "covers most of the photo" in second["notices"][0]
