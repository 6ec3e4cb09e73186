"""What captions say: exactly the attributes, and of a crop only what it shows."""

from __future__ import annotations

import numpy as np
import pytest
from recompose.lab.toy import world
from recompose.lab.toy.world.captions import caption
from recompose.lab.toy.world.chance import Chance

PICTURES = [world.example(seed, "test") for seed in range(100)]
GARMENTS = ("hair", "top", "bottom", "shoes")


def windows(picture: world.Example, count: int) -> list[world.Example]:
    chance, (height, width) = Chance("judge", picture.seed, 9), picture.image.shape[:2]
    crops = []
    for _ in range(count):
        top, left = int(chance.uniform(0, height - 24)), int(chance.uniform(0, width - 24))
        bottom, right = int(chance.uniform(top + 20, height)), int(chance.uniform(left + 20, width))
        crops.append(world.crop(picture, top, bottom, left, right))
    return crops


def test_a_caption_reads_as_expected() -> None:
    said = {"subject": "man", "hair": "short", "hair colour": "brown", "top": "shirt", "top colour": "red"}
    said |= {"bottom": "trousers", "bottom colour": "blue", "shoes": "sneakers", "shoes colour": "white"}
    said |= {
        "pose": "walking",
        "facing": "left",
        "scene": "beach",
        "objects": (("ball", "orange"), ("dog", "brown")),
    }
    assert caption(said) == (
        "a man with short brown hair in a red shirt, blue trousers and white sneakers walking facing left "
        "on a beach next to an orange ball and a brown dog"
    )
    assert (
        caption({"top colour": "orange", "bottom colour": "blue"})
        == "a person in an orange top and blue bottoms"
    )
    assert caption({"subject": "nobody", "scene": "snow"}) == "nobody in the snow"
    assert (
        caption({"pose": "sitting", "seat": "bench", "seat colour": "orange"})
        == "a person sitting on an orange bench"
    )


def test_captions_and_attributes_say_the_same_in_whole_pictures_and_crops() -> None:
    for whole in PICTURES:
        for picture in (whole, world.crop_between(whole, whole.seed), *windows(whole, 4)):
            assert world.parse(picture.caption) == picture.attributes
            assert caption(picture.attributes) == picture.caption


def test_captions_use_a_small_fixed_vocabulary() -> None:
    words = {word for picture in PICTURES for word in picture.caption.replace(",", "").split()}
    assert words <= set(world.vocabulary()) and len(world.vocabulary()) < 100
    assert all(picture.caption == picture.caption.lower() for picture in PICTURES)


def test_whole_pictures_name_every_attribute() -> None:
    every = {
        "subject",
        "hair",
        "hair colour",
        "top",
        "top colour",
        "bottom",
        "bottom colour",
        "shoes",
        "pose",
        "scene",
    }
    complete = [picture for picture in PICTURES if every <= set(picture.attributes)]
    assert len(complete) >= 0.98 * len(PICTURES)


def test_named_colours_are_the_ones_in_the_masks() -> None:
    for whole in PICTURES:
        for picture in (whole, *windows(whole, 4)):
            named = {name: picture.attributes.get(f"{name} colour") for name in GARMENTS}
            seen = dict(picture.attributes.get("objects", ())) | {
                "seat": picture.attributes.get("seat colour")
            }
            for name, colour in (named | seen).items():
                if colour:
                    pixels = picture.image[picture.masks[name]]
                    assert len(pixels) >= 16
                    # Boxes show shaded sides and cones a band, so only clothes are judged by the median.
                    if name in GARMENTS:
                        names = world.HAIR if name == "hair" else world.COLOURS
                        assert world.nearest(np.median(pixels, axis=0), names) == colour


def test_a_crop_says_nothing_that_the_whole_does_not_and_nothing_unseen() -> None:
    fewer = 0
    for whole in PICTURES:
        for picture in (world.crop_between(whole, 5), *windows(whole, 4)):
            said = dict(picture.attributes)
            if said.get("subject") == "nobody":
                said.pop("subject")
                assert picture.masks["person"].sum() < 32 and not set(said) & {
                    "pose",
                    "hair",
                    "top",
                    "bottom",
                }
            fewer += len(said) < len(whole.attributes)
            things = set(said.pop("objects", ()))
            assert things <= set(whole.attributes.get("objects", ()))
            assert set(said.items()) <= set(
                (name, value) for name, value in whole.attributes.items() if name != "objects"
            )
            for name in GARMENTS:
                if not picture.masks[name].any():
                    assert f"{name} colour" not in said and name not in said
            for name, _ in things:
                assert picture.masks[name].sum() >= 0.5 * whole.masks[name].sum()
    assert fewer > 400


def test_legs_cut_above_the_hem_do_not_betray_trousers_or_shorts_or_the_pose() -> None:
    checked = 0
    for whole in PICTURES:
        points = whole.drawing.points
        if whole.family in ("running", "sitting"):
            continue
        above = min(
            points[f"{s} hip"][1] + 0.55 * (points[f"{s} knee"][1] - points[f"{s} hip"][1])
            for s in ("left", "right")
        )
        picture = world.crop(whole, 0, int(above))
        assert "bottom" not in picture.attributes and "shoes colour" not in picture.attributes
        assert picture.attributes.get("pose") not in ("standing", "walking", "crossed legs")
        checked += 1
    assert checked > 50


def test_a_crop_moves_the_pose_and_marks_what_is_outside_missing() -> None:
    whole, width = PICTURES[3], 128
    height = len(whole.image)
    cut = world.crop(whole, 9, height - 21, 5, width - 3)
    assert (cut.image == whole.image[9:-21, 5:-3]).all()
    assert (cut.pose[0]["canvas_width"], cut.pose[0]["canvas_height"]) == (width - 8, height - 30)
    for key in ("pose_keypoints_2d", "foot_keypoints_2d"):
        before = np.reshape(whole.pose[0]["people"][0][key], (-1, 3))
        after = np.reshape(cut.pose[0]["people"][0][key], (-1, 3))
        inside = (before[:, 2] == 1) & (before[:, 1] >= 9) & (before[:, 1] < height - 21)
        inside &= (before[:, 0] >= 5) & (before[:, 0] < width - 3)
        np.testing.assert_allclose(after[inside], before[inside] - (5, 9, 0))
        assert (after[~inside] == 0).all()
    assert (
        cut.masks["top"] == whole.masks["top"][9:-21, 5:-3]
    ).all() and cut.sketch.shape == cut.image.shape[:2]


def test_a_crop_of_a_crop_is_the_crop_and_the_full_window_the_picture() -> None:
    for whole in PICTURES[:10]:
        full = world.crop(whole, 0, len(whole.image))
        assert (full.caption, full.pose, full.attributes) == (whole.caption, whole.pose, whole.attributes)
        twice = world.crop(world.crop(whole, 4, 110, 3), 5, 90, 2, 100)
        once = world.crop(whole, 9, 94, 5, 103)
        assert (twice.image == once.image).all() and (twice.caption, twice.pose) == (once.caption, once.pose)
        assert world.caption_visible(whole, 9, 94, 5, 103) == once.caption


def test_cutting_between_hip_and_ankle_leaves_the_hips_and_takes_the_feet() -> None:
    rows = []
    for whole in PICTURES:
        for seed in (2 * whole.seed, 2 * whole.seed + 1):
            cut = world.crop_between(whole, seed)
            assert cut.image.shape == world.crop_between(whole, seed).image.shape
            feet = np.reshape(cut.pose[0]["people"][0]["foot_keypoints_2d"], (6, 3))
            body = np.reshape(cut.pose[0]["people"][0]["pose_keypoints_2d"], (18, 3))
            assert (feet[:, 2] == 0).all() and (body[[10, 13], 2] == 0).all() and body[1, 2] == 1
            rows.append(cut.image.shape[0] / whole.image.shape[0])
    assert np.std(rows) > 0.05


@pytest.mark.parametrize("window", [(0, 0), (10, 4000), (-1, 20), (5, 60, 90, 80), (5, 60, 0, 129)])
def test_a_window_outside_the_picture_is_refused(window: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="window inside"):
        world.crop(PICTURES[0], *window)
