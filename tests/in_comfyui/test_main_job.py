"""The main job on every kind of photo: all of the photo comes back, and new pixels beside it."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image
from recompose.cli.comfy import workflow
from recompose.core.canvas import preservation
from recompose.lab.toy import world
from recompose.tests.in_comfyui import main_job


def cut(seed: int, part: float, **wanted: object) -> world.Example:
    """A test picture of the world without what lies below `part` of the way from the hips to the ankles."""
    whole = world.example(seed, "test", **wanted)
    y = np.array(whole.pose[0]["people"][0]["pose_keypoints_2d"]).reshape(18, 3)[:, 1]
    hips, ankles = y[[8, 11]].mean(), y[[10, 13]].mean()
    return world.crop(whole, 0, int(hips + part * (ankles - hips)))


def scaled(example: world.Example, width: int, height: int) -> tuple[np.ndarray, list[dict]]:
    """The picture and its pose at another size, the aspect not kept."""
    picture = np.array(Image.fromarray(example.image).resize((width, height), Image.Resampling.LANCZOS))
    pose = json.loads(json.dumps(example.pose))
    frame = pose[0]
    factors = (width / frame["canvas_width"], height / frame["canvas_height"], 1)
    frame["canvas_width"], frame["canvas_height"] = width, height
    for key, flat in frame["people"][0].items():
        if key.endswith("keypoints_2d"):
            frame["people"][0][key] = (np.array(flat).reshape(-1, 3) * factors).ravel().tolist()
    return picture, pose


def beside(pictures: list[np.ndarray], poses: list[list[dict]]) -> tuple[np.ndarray, list[dict]]:
    """Several people in one picture, from left to right; the pictures are cut to the lowest one."""
    height = min(len(picture) for picture in pictures)
    people, x = [], 0
    for picture, pose in zip(pictures, poses, strict=True):
        points = np.array(pose[0]["people"][0]["pose_keypoints_2d"]).reshape(18, 3)
        points[points[:, 1] >= height] = 0
        points[points[:, 2] > 0, 0] += x
        people.append({"pose_keypoints_2d": points.ravel().tolist()})
        x += picture.shape[1]
    joined = np.concatenate([picture[:height] for picture in pictures], axis=1)
    return joined, [{"canvas_width": x, "canvas_height": height, "people": people}]


def knee_high() -> tuple[np.ndarray, list[dict]]:
    example = cut(5, 0.6, family="standing")
    return example.image, example.pose


def landscape() -> tuple[np.ndarray, list[dict]]:
    example = cut(8, 0.3, family="walking")
    width = example.image.shape[1]
    wide = np.pad(example.image, ((0, 0), (97, 60), (0, 0)), mode="reflect")
    pose = json.loads(json.dumps(example.pose))
    pose[0]["canvas_width"] = width + 157
    points = np.array(pose[0]["people"][0]["pose_keypoints_2d"]).reshape(18, 3)
    points[points[:, 2] > 0, 0] += 97
    pose[0]["people"] = [{"pose_keypoints_2d": points.ravel().tolist()}]
    return wide, pose


def couple() -> tuple[np.ndarray, list[dict]]:
    examples = [cut(2, 0.5, family="standing"), cut(4, 0.7, family="walking")]
    return beside([example.image for example in examples], [example.pose for example in examples])


PHOTOS = {
    "as drawn": knee_high,
    "large and odd": lambda: scaled(cut(11, 0.4, family="crossed legs"), 731, 559),
    "tiny": lambda: scaled(cut(5, 0.6, family="standing"), 37, 29),
    "landscape": landscape,
    "sitting": lambda: scaled(cut(3, 0.5, family="sitting"), 205, 177),
    "two people": couple,
}


@pytest.mark.parametrize("photo", PHOTOS.values(), ids=PHOTOS)
def test_no_pixel_of_the_photo_changes_and_new_ones_appear(photo, server) -> None:
    picture, pose = photo()
    done = main_job.run(server, main_job.prompt("drawn.png", pose), main_job.png(picture))
    assert main_job.changed(picture, done) == 0
    assert done.picture.shape[0] > picture.shape[0]
    assert done.executed.count("KSampler") == 2
    assert np.ptp(main_job.added(done).astype(int), axis=0).min() > 0
    box = done.region["canvas_width"], done.region["canvas_height"]
    scale = done.reports["Stitch Back"]["scale"]
    # At most the whole canvas is brought to about 64 x 80 pixels.
    assert 0 < scale <= 1.2 * max((box[0] * box[1] / (64 * 80)) ** 0.5, 1)


def test_transparency_does_not_disturb(server) -> None:
    picture, pose = knee_high()
    alpha = np.random.default_rng(0).integers(0, 256, picture.shape[:2], dtype=np.uint8)
    photo = main_job.png(np.dstack([picture, alpha]))
    done = main_job.run(server, main_job.prompt("seen_through.png", pose), photo)
    assert main_job.changed(picture, done) == 0


def test_a_mask_whose_black_is_not_quite_0_changes_nothing_else(server) -> None:
    """The photo's alpha is 254 where it is opaque, so its mask is 1/255 there, and 1 on one spot."""
    picture, pose = knee_high()
    alpha = np.full(picture.shape[:2], 254, np.uint8)
    spot = (slice(20, 40), slice(30, 50))
    alpha[spot] = 0
    prompt = main_job.prompt("faint.png", pose)
    canvas = prompt[workflow.find(prompt, "Extend Canvas")]["inputs"]
    canvas["mask"] = [workflow.find(prompt, "Photo"), 1]
    done = main_job.run(server, prompt, main_job.png(np.dstack([picture, alpha])))
    repainted = np.zeros(done.picture.shape[:2], bool)
    x, y = done.region["x"], done.region["y"]
    repainted[y + 20 : y + 40, x + 30 : x + 50] = True
    assert preservation.changed_pixels(done.picture, picture, done.region, repainted) == 0
    assert main_job.changed(picture, done) > 0.5 * picture[spot][..., 0].size


def test_a_grey_jpeg_comes_back_as_it_was_decoded(server) -> None:
    picture, pose = knee_high()
    file = io.BytesIO()
    Image.fromarray(picture).convert("L").save(file, "JPEG", quality=90)
    prompt = main_job.prompt("grey.jpg", pose)
    prompt["decoded"] = {
        "class_type": "SaveImage",
        "inputs": {"images": [workflow.find(prompt, "Photo"), 0], "filename_prefix": "decoded"},
    }
    (server.input_dir / "grey.jpg").write_bytes(file.getvalue())
    outcome = server.run(prompt)
    assert outcome.succeeded, outcome.error
    region = outcome.report(workflow.find(prompt, "Extend Canvas"))["region"]
    saved, decoded = outcome.images(workflow.find(prompt, "Full body"))[0], outcome.images("decoded")[0]
    assert preservation.changed_pixels(saved, decoded, region) == 0


def test_a_whole_person_comes_back_without_any_sampling(server) -> None:
    whole = world.example(7, "test", family="standing")
    assert np.array(whole.pose[0]["people"][0]["foot_keypoints_2d"])[2::3].all(), (
        "the feet must be in the picture"
    )
    prompt = main_job.prompt("whole.png", whole.pose, **{"Outpaint.seed": 4321})
    done = main_job.run(server, prompt, main_job.png(whole.image))
    assert np.array_equal(done.picture, whole.image)
    assert done.reports["Extend Canvas"]["padding"] == [0, 0, 0, 0]
    assert not {"KSampler", "VAEDecode", "InpaintModelConditioning"} & set(done.executed)
    assert "SaveImage" in done.executed


def test_a_plain_checkpoint_works_by_the_noise_mask(server) -> None:
    picture, pose = knee_high()
    prompt = main_job.prompt("plain.png", pose, **{"Checkpoint.ckpt_name": main_job.PLAIN_CHECKPOINT})
    done = main_job.run(server, prompt, main_job.png(picture))
    assert main_job.changed(picture, done) == 0
    assert done.executed.count("KSampler") == 2


def test_repainting_the_photo_is_a_switch(server) -> None:
    picture, pose = knee_high()
    settings = {"Limb Mask.allow_repainting_photo": True, "Limb Mask.parts": "legs", "Limb Mask.width": 15.0}
    prompt = main_job.prompt("drawn.png", pose, **settings)
    (server.input_dir / "drawn.png").write_bytes(main_job.png(picture))
    outcome = server.run(prompt)
    assert outcome.succeeded, outcome.error
    region = outcome.report(workflow.find(prompt, "Extend Canvas"))["region"]
    saved = outcome.images(workflow.find(prompt, "Full body"))[0]
    repainted = outcome.images(workflow.find(prompt, "Repaint mask"))[0][..., 0] > 0
    assert preservation.changed_pixels(saved, picture, region) > 0
    assert preservation.changed_pixels(saved, picture, region, repainted) == 0


def test_the_same_seed_gives_the_same_picture_and_another_one_another(server) -> None:
    picture, pose = knee_high()

    def result(run: int, seed: int, words: str = "") -> np.ndarray:
        settings = {"Outpaint.seed": seed, "ControlNet pass.seed": seed, "Your words.value": words}
        # Another file name, so that nothing comes out of ComfyUI's cache.
        prompt = main_job.prompt(f"run{run}.png", pose, **settings)
        return main_job.run(server, prompt, main_job.png(picture)).picture

    first = result(0, 1)
    assert np.array_equal(first, result(1, 1))
    assert not np.array_equal(first, result(2, 2))
    assert not np.array_equal(first, result(3, 1, "red boots"))
