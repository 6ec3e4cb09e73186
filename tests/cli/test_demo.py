"""`cli demo`: its options, what a foreign server must have, the files it leaves, and its exit status."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from recompose.cli import demo, lab, large, main, report
from recompose.cli.comfy import workflow
from recompose.cli.plan import drawing
from recompose.core.shapes import Padding
from recompose.lab.toy import photo

NAMES = ("--checkpoint", "mine.safetensors", "--controlnet", "pose.pth", "--caption-model", "blip-base")
FAR = ("--server", "http://127.0.0.1:1")
REGION = {"x": 8, "y": 0, "width": 128, "height": 142, "canvas_width": 144, "canvas_height": 176}


def call(*arguments: object) -> int:
    return demo.main([str(argument) for argument in arguments])


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def result() -> np.ndarray:
    """The photo on its larger canvas, untouched."""
    canvas = np.full((176, 144, 3), 90, np.uint8)
    canvas[:142, 8:136] = np.asarray(Image.open(photo.FOLDER / "photo.png"))
    return canvas


@pytest.fixture
def studio(fake, result):
    """A fake server that has the nodes, the user's models, and the pictures of a finished main job."""
    prompt = workflow.read(demo.WORKFLOW)
    choices = {
        "CheckpointLoaderSimple": {"ckpt_name": [["mine.safetensors", "recompose_demo.safetensors"], {}]},
        "ControlNetLoader": {"control_net_name": [["pose.pth"], {}]},
        "RecomposeBlipCaption": {"model": ["COMBO", {"options": ["blip-base"]}]},
    }
    kinds = {node["class_type"] for node in prompt.values()} | {"RecomposeLoadPose"}
    fake.definitions = {kind: {"input": {"required": choices.get(kind, {})}} for kind in kinds}
    pictures = {
        "Full body": result,
        "Extended canvas": result,
        "Repaint mask": result // 2,
        "Skeleton": np.zeros((192, 128, 3), np.uint8),
    }
    for title, pixels in pictures.items():
        fake.files[f"{title}.png"] = report.png(Image.fromarray(pixels))
        images = [{"filename": f"{title}.png", "subfolder": "", "type": "temp"}]
        fake.outputs[workflow.find(prompt, title)] = {"images": images}
    fake.files["photo"] = (photo.FOLDER / "photo.png").read_bytes()
    fake.outputs[demo.REFERENCE] = {"images": [{"filename": "photo", "subfolder": "", "type": "temp"}]}
    said = {
        "Edit Pose": {"pose": photo.cropped().pose, "needed": [0, 0, 0, 25]},
        "Extend Canvas": {"padding": [8, 0, 8, 34], "region": REGION},
        "Stitch Back": {"seam_ratio": 1.25, "scale": 0.92, "region": REGION},
        "Caption": {"captions": ["a man in a meadow"]},
    }
    for title, words in said.items():
        fake.outputs[workflow.find(prompt, title)] = {"recompose": [words]}
    return fake


def test_the_files_and_figures_of_a_finished_job(studio, result, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    assert call("--server", studio.url, *NAMES, "--seed", 7, "--out", out) == 0
    assert written(out) == ["full_body.png", "plan.png", "report.json", "strip.png"]
    assert (np.asarray(Image.open(out / "full_body.png")) == result).all()
    assert Image.open(out / "strip.png").width > 4 * 300
    people = drawing.bodies(photo.cropped().pose[0])
    plan = drawing.draw(Image.open(photo.FOLDER / "photo.png"), people, Padding(8, 0, 8, 34))
    assert (np.asarray(Image.open(out / "plan.png")) == np.asarray(plan)).all()
    figures = json.loads((out / "report.json").read_text())
    assert figures["caption"] == "a man in a meadow"
    assert figures["pixels_added"] == {"left": 8, "top": 0, "right": 8, "bottom": 34}
    assert (figures["changed_pixels"], figures["seam_ratio"], figures["scale"]) == (0, 1.25, 0.92)
    assert figures["sizes"] == {"photo": [128, 142], "canvas": [144, 176], "model": [128, 192]}
    assert figures["seed"] == 7 and figures["models"]["checkpoint"] == "mine.safetensors"
    seconds = figures["seconds"]
    assert seconds.pop("total") == pytest.approx(sum(seconds.values()), abs=0.05)
    said = capsys.readouterr().out
    for line in ("Caption: a man in a meadow", "bottom 34", "pixels of the original: 0", "ratio: 1.25"):
        assert line in said


def test_the_prompt_carries_photo_pose_models_and_seeds(studio, tmp_path) -> None:
    assert call("--server", studio.url, *NAMES, "--seed", 7, "--out", tmp_path) == 0
    (prompt,) = studio.prompts
    values = {workflow.title(prompt, key): node["inputs"] for key, node in prompt.items()}
    assert values["Photo"]["image"] == "up/stored.png"
    assert (photo.FOLDER / "photo.png").read_bytes() in studio.uploads[0]
    assert json.loads(values["Load Pose"]["text"]) == photo.cropped().pose
    assert (values["Outpaint"]["seed"], values["ControlNet pass"]["seed"]) == (7, 8)
    assert values["Checkpoint"]["ckpt_name"] == "mine.safetensors"
    assert values["Crop to Region"]["width"] == 512  # The user's models are of full size.


def test_one_changed_pixel_fails_but_the_pictures_are_kept(studio, result, tmp_path, capsys) -> None:
    result[100, 50, 2] ^= 1
    studio.files["Full body.png"] = report.png(Image.fromarray(result))
    assert call("--server", studio.url, *NAMES, "--out", tmp_path / "out") == 1
    assert "1 pixels of the photo changed; none may" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "report.json").read_text())["changed_pixels"] == 1


def test_of_a_large_photo_only_small_previews_and_the_result_come_back(
    studio, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "LARGE", 10_000)
    monkeypatch.setattr(large, "PREVIEW", 71)
    del studio.outputs[demo.REFERENCE]
    assert call("--server", studio.url, *NAMES, "--out", tmp_path) == 0
    (prompt,) = studio.prompts
    assert demo.REFERENCE not in prompt
    for title in large.PREVIEWS:
        shown = prompt[prompt[workflow.find(prompt, title)]["inputs"]["images"][0]]
        assert shown["class_type"] == "ImageScaleBy" and shown["inputs"]["scale_by"] == 0.5
        assert shown["inputs"]["upscale_method"] == "bilinear"
    figures = json.loads((tmp_path / "report.json").read_text())
    assert figures["changed_pixels"] == 0 and figures["sizes"]["photo"] == [128, 142]


def test_where_a_large_photo_is_decoded_differently_the_server_decides(
    studio, result, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "LARGE", 10_000)
    other = np.array(Image.open(photo.FOLDER / "photo.png"))
    other[3, 4, 0] ^= 1
    Image.fromarray(other).save(tmp_path / "other.png")
    given = ("--image", tmp_path / "other.png", "--pose", photo.FOLDER / "photo_pose.json")
    assert call("--server", studio.url, *NAMES, *given, "--out", tmp_path / "out") == 0
    assert [set(prompt) == {workflow.find(prompt, "Photo"), demo.REFERENCE} for prompt in studio.prompts] == [
        False,
        True,
    ]
    result[100, 50, 2] ^= 1  # also by the server's own decoder
    studio.files["Full body.png"] = report.png(Image.fromarray(result))
    assert call("--server", studio.url, *NAMES, *given, "--out", tmp_path / "out") == 1
    assert json.loads((tmp_path / "out" / "report.json").read_text())["changed_pixels"] == 1


def test_nothing_repainted_is_null_in_the_report(studio, tmp_path, capsys) -> None:
    stitch = workflow.find(workflow.read(demo.WORKFLOW), "Stitch Back")
    studio.outputs[stitch]["recompose"][0] |= {"seam_ratio": float("nan"), "scale": None}
    assert call("--server", studio.url, *NAMES, "--out", tmp_path) == 0
    text = (tmp_path / "report.json").read_text()
    assert "NaN" not in text and json.loads(text)["seam_ratio"] is None
    assert "nothing was repainted" in capsys.readouterr().out


def test_a_photo_that_needs_nothing_is_told_and_is_no_success(studio, tmp_path, capsys) -> None:
    prompt = workflow.read(demo.WORKFLOW)
    whole = Image.open(photo.FOLDER / "photo.png")
    region = {"x": 0, "y": 0, "width": 128, "height": 142, "canvas_width": 128, "canvas_height": 142}
    studio.files["Full body.png"] = studio.files["Extended canvas.png"] = report.png(whole)
    studio.files["Repaint mask.png"] = report.png(Image.new("L", whole.size))
    for title, said in {
        "Extend Canvas": {"padding": [0, 0, 0, 0], "region": region},
        "Stitch Back": {"seam_ratio": None, "scale": None, "region": region},
    }.items():
        studio.outputs[workflow.find(prompt, title)]["recompose"] = [said]
    assert call("--server", studio.url, *NAMES, "--out", tmp_path / "out") == 1
    assert "nobody reaches beyond the picture, so nothing was added; plan" in capsys.readouterr().err
    assert "plan.png" in written(tmp_path / "out")


def test_the_demo_models_are_for_the_private_server_alone(studio, tmp_path, capsys) -> None:
    assert call("--server", studio.url, "--out", tmp_path / "out") == 2
    words = capsys.readouterr().err
    assert "--checkpoint NAME (the server has: mine.safetensors, recompose_demo.safetensors)" in words
    assert "--controlnet NAME (the server has: pose.pth)" in words
    assert "--caption-model NAME (the server has: blip-base)" in words
    assert studio.prompts == [] and studio.uploads == []


def test_a_model_the_server_does_not_have_is_named(studio, tmp_path, capsys) -> None:
    arguments = [*NAMES[:1], "other.ckpt", *NAMES[2:]]
    assert call("--server", studio.url, *arguments, "--out", tmp_path / "out") == 2
    words = capsys.readouterr().err
    assert "--checkpoint" in words and "--controlnet" not in words


def test_a_server_without_the_pack_is_told_so(studio, tmp_path, capsys) -> None:
    del studio.definitions["RecomposeStitchBack"]
    assert call("--server", studio.url, *NAMES, "--out", tmp_path / "out") == 2
    assert "lacks the nodes RecomposeStitchBack; install this pack" in capsys.readouterr().err


def test_a_result_that_is_missing_writes_nothing(studio, tmp_path, capsys) -> None:
    del studio.files["Skeleton.png"]
    assert call("--server", studio.url, *NAMES, "--out", tmp_path / "out") == 1
    assert "404" in capsys.readouterr().err
    assert written(tmp_path / "out") == []


def test_nobody_at_the_address(tmp_path, capsys) -> None:
    assert call("--server", "http://127.0.0.1:9", *NAMES, "--out", tmp_path / "out") == 1
    assert "No answer from the server" in capsys.readouterr().err


@pytest.mark.parametrize("reader", ["av", "pillow"])
@pytest.mark.parametrize("here", [True, False])
def test_a_large_jpeg_is_compared_with_what_either_decoder_of_load_image_gives(
    studio, result, tmp_path, monkeypatch: pytest.MonkeyPatch, reader: str, here: bool
) -> None:
    monkeypatch.setattr(large, "LARGE", 10_000)
    image = tmp_path / "photo.jpg"
    Image.open(photo.FOLDER / "photo.png").convert("RGB").save(image, quality=80)
    with av.open(str(image)) as container:
        by_av = next(container.decode(video=0)).to_ndarray(format="rgb24")
    read = {"av": by_av, "pillow": np.asarray(Image.open(image))}
    assert (read["av"] != read["pillow"]).any()
    result[:142, 8:136] = read[reader]
    studio.files["Full body.png"] = report.png(Image.fromarray(result))
    studio.files["photo"] = report.png(Image.fromarray(read[reader]))
    if not here:
        monkeypatch.setitem(sys.modules, "av", None)
    asked = []
    monkeypatch.setattr(
        studio, "get", lambda *given, get=studio.get: (asked.append(given[1]), get(*given))[1]
    )
    given = ("--image", image, "--pose", photo.FOLDER / "photo_pose.json")
    assert call("--server", studio.url, *NAMES, *given, "--out", tmp_path / "out") == 0
    assert len(studio.prompts) == (2 if reader == "av" and not here else 1)
    assert sum(query.get("filename") == ["Full body.png"] for query in asked) == 1


def test_a_turned_jpeg_is_read_as_it_is_shown(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    upright, turned = tmp_path / "upright.jpg", tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    with Image.open(photo.FOLDER / "photo.png").convert("RGB") as picture:
        picture.save(upright, quality=95)
        picture.transpose(Image.Transpose.ROTATE_90).save(turned, quality=95, exif=exif)
    for wanted, found in zip(large.Readings(upright), large.Readings(turned), strict=True):
        assert found.size == wanted.size
        assert abs(np.asarray(found).astype(int) - np.asarray(wanted)).mean() < 3


def test_a_cut_jpeg_is_found_before_anything_starts(tmp_path, capsys, monkeypatch) -> None:
    half = tmp_path / "half.jpg"
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(half)
    half.write_bytes(half.read_bytes()[:-3000])
    assert call("--image", half, "--pose", photo.FOLDER / "photo_pose.json", *FAR, "--out", tmp_path) == 2
    assert "Cannot read the picture" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "av", None)
    assert list(large.Readings(half)) == []  # the server may still read it


def bad_files(folder: Path) -> list[tuple[list[object], str]]:
    """Options with files that are not what they should be, and what is said about each."""
    good, pose = photo.FOLDER / "photo.png", photo.FOLDER / "photo_pose.json"
    text, half, empty = folder / "note.png", folder / "half.png", folder / "empty.json"
    text.write_text("not a picture")
    half.write_bytes(good.read_bytes()[:3000])
    empty.write_text("")
    return [
        (["--image", good, "--pose", pose, "--detector", "DWPose", *FAR], "leave one out"),
        (["--pose", pose, *FAR], "--pose belongs to a photo"),
        (["--image", text, "--pose", pose, *FAR], "note.png is not a picture"),
        (["--image", half, "--pose", pose, *FAR], "Cannot read the picture"),
        (["--image", folder / "none.png", "--pose", pose, *FAR], "No such file"),
        (["--image", folder, "--pose", pose, *FAR], "Is a directory"),
        (["--image", good, "--pose", empty, *FAR], "empty.json is not JSON"),
        (["--image", good, "--pose", good, *FAR], "is not JSON"),
        (["--image", good, "--pose", folder / "none.json", *FAR], "No such file"),
    ]


@pytest.mark.parametrize("case", range(9))
def test_wrong_files_are_named_before_anything_starts(tmp_path, capsys, case: int) -> None:
    options, words = bad_files(tmp_path)[case]
    assert call(*options, "--out", tmp_path / "out") == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "detector", "more"),
    [
        ([], "auto", {}),
        (["--detector", "BlazePose"], "BlazePose", {"detector.network": "largest"}),
        (["--detector", "mine.safetensors"], "keypoint model", {"detector.model": "mine.safetensors"}),
        (["--detector", "DWPose"], "DWPose", {"detector.resolution": 1024}),
        (["--detector", "OpenPose"], "OpenPose", {"detector.hands": True}),
    ],
)
def test_without_a_pose_the_photo_is_looked_at(arguments: list, detector: str, more: dict) -> None:
    prompt = demo.compose(demo.parser().parse_args(arguments), None)
    pose = prompt[workflow.find(prompt, "Detect Pose")]
    assert pose["class_type"] == "RecomposeDetectPose"
    assert pose["inputs"]["image"] == [workflow.find(prompt, "Photo"), 0]
    assert pose["inputs"]["detector"] == detector and pose["inputs"].items() >= more.items()


def test_a_server_of_the_users_gets_the_committed_photos_pose_unless_told_to_look(tmp_path: Path) -> None:
    def pose(*arguments: str) -> str | None:
        return demo.check_files(demo.parser().parse_args(arguments))[1]

    assert pose() is None and pose("--image", str(photo.FOLDER / "photo.png")) is None
    assert json.loads(pose("--server", "http://127.0.0.1:1") or "") == photo.cropped().pose
    assert pose("--server", "http://127.0.0.1:1", "--detector", "DWPose") is None


def test_without_a_server_the_lab_is_started_and_its_absence_told(tmp_path, capsys, monkeypatch) -> None:
    started = []
    monkeypatch.setattr(lab, "start", lambda arguments: started.append(arguments) or 0)
    assert call("--seed", 3) == 0
    assert started == [["demo", "--seed", "3"]]
    monkeypatch.undo()
    assert lab.start(["demo"], tmp_path) == 2
    assert "clone the repository" in capsys.readouterr().err


def test_what_the_lab_offers_is_known_without_it() -> None:
    assert sorted(lab.summaries()) == sorted(lab.NAMES)
    assert all(lab.summaries().values())
    assert lab.summaries(Path("nowhere")) == {}
    assert not set(lab.NAMES) - set(main.COMMANDS) - set(lab.summaries())
