"""The drawn world's people: their build, joints and place in the picture, and that they never change."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from math import hypot

import numpy as np
import pytest
from recompose.lab.toy import world
from recompose.lab.toy.world import body, labels, palette, poses, skeleton
from recompose.lab.toy.world.chance import Chance
from recompose.lab.toy.world.picture import example, rows
from recompose.lab.toy.world.scenes import SCENES

# Caption, person pixels, mean colour and left ankle of four pictures, to be met within rounding.
# fmt: off
KNOWN = {
    ('train', 0): (
        'a woman with long red hair in a purple vest, blue shorts and white sandals running facing '
        'left on a beach next to a yellow cone',
        2884, (179.15, 191.52, 188.34), (61.93, 162.93)),
    ('validation', 41): (
        'a man with curly black hair in a brown vest, green trousers and blue boots running facing '
        'left in a room next to an orange ball',
        3466, (184.64, 169.32, 163.72), (54.59, 144.5)),
    ('test', 3): (
        'a man with short blond hair in a green coat, orange trousers and yellow sneakers standing '
        'with both arms up in a room next to a black cone',
        2893, (183.3, 173.34, 159.31), (86.24, 139.83)),
    ('judge', 4294967295): (
        'a woman with tied black hair in an orange sweater, brown trousers and black sneakers '
        'standing with crossed legs in the snow next to a black balloon',
        3915, (198.69, 195.52, 195.24), (75.31, 163.13)),
}
# fmt: on
PEOPLE = [world.example(seed, "validation") for seed in range(150)]


def fingerprint(picture: world.Example) -> str:
    return hashlib.sha256(picture.image.tobytes() + picture.caption.encode()).hexdigest()


def point(picture: world.Example, name: str) -> tuple[float, float]:
    return picture.drawing.points[name]


@pytest.mark.parametrize(("key", "known"), KNOWN.items(), ids=str)
def test_pictures_are_the_committed_ones(key: tuple[str, int], known: tuple) -> None:
    picture = world.example(key[1], key[0])
    caption, pixels, colour, ankle = known
    assert picture.caption == caption
    assert abs(int(picture.masks["person"].sum()) - pixels) <= 2
    np.testing.assert_allclose(picture.image.mean(axis=(0, 1)), colour, atol=0.05)
    np.testing.assert_allclose(picture.pose[0]["people"][0]["pose_keypoints_2d"][39:41], ankle, atol=0.01)


def test_a_fresh_process_draws_the_same_bytes(root) -> None:
    code = (
        "import sys, types; pack = types.ModuleType('recompose'); pack.__path__ = [sys.argv[1]];"
        "sys.modules['recompose'] = pack; from recompose.lab.toy import world; import hashlib;"
        "p = world.example(7, 'test');"
        "print(hashlib.sha256(p.image.tobytes() + p.caption.encode()).hexdigest())"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    assert (
        ran.stdout.strip() == fingerprint(world.example(7, "test")) == fingerprint(world.example(7, "test"))
    )


def test_parts_share_no_stream_and_no_picture() -> None:
    streams = {}
    for part, seed, topic in itertools.product(world.PARTS, range(300), range(5)):
        chance = Chance(part, seed, topic)
        streams[part, seed, topic] = tuple(chance.uniform(0, 1) for _ in range(3))
    assert len(set(streams.values())) == len(streams)
    prints = [fingerprint(world.example(seed, part)) for part in world.PARTS for seed in range(12)]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize(("seed", "part"), [(-1, "train"), (2**32, "train"), (3, "holdout")])
def test_a_seed_or_part_that_does_not_exist_is_refused(seed: int, part: str) -> None:
    with pytest.raises(ValueError, match="Expected"):
        world.example(seed, part)


@pytest.mark.parametrize("height", [120, 130, 200])
def test_an_impossible_height_is_refused(height: int) -> None:
    with pytest.raises(ValueError, match="steps of 8"):
        world.example(0, height=height)


def test_prescribing_the_height_keeps_the_person_and_the_clothes() -> None:
    free, tall = world.example(11, "test"), world.example(11, "test", height=184)
    assert tall.image.shape == (184, 128, 3)
    clothes = ("subject", "hair colour", "top", "top colour", "bottom", "shoes", "pose")
    assert [free.attributes[name] for name in clothes] == [tall.attributes[name] for name in clothes]


@pytest.mark.parametrize("family", poses.FAMILIES)
def test_every_segment_has_winters_length_within_five_percent(family: str) -> None:
    table = body.PROPORTIONS
    pairs = {"thigh": ("hip", "knee"), "shank": ("knee", "ankle"), "upper arm": ("shoulder", "elbow")}
    pairs |= {"forearm": ("elbow", "wrist"), "foot": ("sole heel", "sole toe")}
    seen = []
    for seed in range(25):
        chance = Chance("test", seed, 1)
        joints = body.joints(body.proportions(chance), poses.FAMILIES[family](chance))

        def length(a: str, b: str, joints: body.Joints = joints) -> float:
            return float(np.linalg.norm(joints[a] - joints[b]))

        for name, (a, b) in pairs.items():
            left, right = length(f"left {a}", f"left {b}"), length(f"right {a}", f"right {b}")
            assert left == pytest.approx(right)
            seen.append(left / table[name])
        seen.append(length("left shoulder", "right shoulder") / (2 * table["half shoulder"]))
        seen.append(length("pelvis", "neck") / table["trunk"])
        assert min(
            joints[f"{s} sole {e}"][1] for s in ("left", "right") for e in ("heel", "toe")
        ) == pytest.approx(0)
    assert 0.95 <= min(seen) < 0.96 and 1.04 < max(seen) <= 1.05


def test_an_upright_person_is_one_stature_tall() -> None:
    upright = body.Limb((0, 0), (0, 0))
    still = body.Posture((upright, upright), (upright, upright), 0)
    joints = body.joints(dict(body.PROPORTIONS), still)
    assert joints["left shoulder"][1] == pytest.approx(0.818)
    assert joints["left hip"][1] == pytest.approx(0.530)
    assert joints["left knee"][1] == pytest.approx(0.285)
    assert joints["left ankle"][1] == pytest.approx(0.039)
    assert joints["chin"][1] == pytest.approx(0.870)
    assert joints["crown"][1] == pytest.approx(1.000)
    assert joints["left eye"][1] == pytest.approx(0.936, abs=0.004)
    # The person's left is at the right of the picture when facing us, and near us when facing left.
    assert body.Camera(0, 15).project(joints["left hip"])[0] > 0
    assert body.Camera(-90, 15).project(joints["left hip"])[2] > 0
    assert body.Camera(-90, 15).project(joints["nose"])[0] < 0


def test_the_whole_person_stands_inside_with_room_below_the_feet() -> None:
    for picture in PEOPLE:
        rows, columns = (np.flatnonzero(picture.masks["person"].any(axis=axis)) for axis in (1, 0))
        height, width = picture.image.shape[:2]
        assert picture.image.dtype == np.uint8 and width == 128 and height in range(128, 193, 8)
        assert 4 <= height - 1 - rows[-1] <= 16
        assert rows[0] >= 1 and columns[0] >= 1 and columns[-1] <= width - 2


def test_families_scenes_heights_views_and_things_all_occur() -> None:
    assert {picture.family for picture in PEOPLE} == set(poses.FAMILIES) and len(poses.FAMILIES) >= 6
    assert {picture.scene for picture in PEOPLE} == set(SCENES) and len(SCENES) >= 6
    assert {picture.image.shape[0] for picture in PEOPLE} == set(range(128, 193, 8))
    assert {picture.attributes.get("facing") for picture in PEOPLE} == {None, "left", "right"}
    things = {name for picture in PEOPLE for name, _ in picture.attributes.get("objects", ())}
    assert things == set(labels.OBJECTS)


def test_the_pose_frame_holds_body_and_feet_in_pixels() -> None:
    for picture in PEOPLE:
        (frame,) = picture.pose
        (person,) = frame["people"]
        assert (frame["canvas_height"], frame["canvas_width"]) == picture.image.shape[:2]
        flat = np.reshape(person["pose_keypoints_2d"], (18, 3))
        feet = np.reshape(person["foot_keypoints_2d"], (6, 3))
        assert (flat[:14, 2] == 1).all() and (feet[:, 2] == 1).all()
        np.testing.assert_allclose(flat[1, :2], (flat[2, :2] + flat[5, :2]) / 2, atol=1e-6)
        np.testing.assert_allclose(feet[0, :2], point(picture, "left big toe"))
        np.testing.assert_allclose(feet[5, :2], point(picture, "right heel"))


def test_joints_lie_on_the_person_and_feet_on_the_feet() -> None:
    for picture in PEOPLE:
        person = picture.masks["person"]
        for name in (*body.BODY[1:14], *body.FEET):
            x, y = point(picture, name)
            assert person[int(y), int(x)], (picture.seed, name)


def test_limbs_that_nothing_covers_show_their_own_joints() -> None:
    limbs = {"upper arm": ("shoulder", "elbow"), "forearm": ("elbow", "wrist")}
    limbs |= {"thigh": ("hip", "knee"), "shank": ("knee", "ankle"), "foot": ("big toe", "ball")}
    own, all_ = dict.fromkeys(limbs, 0), 0
    frontal = [p for p in PEOPLE if p.family in ("arms up", "waving", "hands on hips")]
    for picture in frontal:
        if picture.drawing.attributes["bottom"] == "skirt" or picture.drawing.attributes["top"] == "coat":
            continue
        all_ += 2
        for (limb, (a, b)), side in itertools.product(limbs.items(), ("left", "right")):
            (ax, ay), (bx, by) = point(picture, f"{side} {a}"), point(picture, f"{side} {b}")
            shown = picture.drawing.segment[int((ay + by) / 2), int((ax + bx) / 2)]
            own[limb] += labels.SEGMENTS[shown] == f"{side} {limb}"
    assert all_ > 20 and all(count >= 0.97 * all_ for count in own.values()), own


def test_limbs_are_at_least_five_pixels_wide_and_feet_are_seen() -> None:
    for picture in PEOPLE:
        for side in ("left", "right"):
            (ax, ay), (bx, by) = point(picture, f"{side} elbow"), point(picture, f"{side} wrist")
            across = hypot(bx - ax, by - ay)
            if across < 8 or picture.family not in ("arms up", "waving"):
                continue
            steps = np.arange(-6, 6.01, 0.25)
            xs = ((ax + bx) / 2 - steps * (by - ay) / across).astype(int)
            ys = ((ay + by) / 2 + steps * (bx - ax) / across).astype(int)
            assert picture.masks["person"][ys, xs].sum() * 0.25 >= 4.75
        assert picture.masks["shoes"].sum() >= 40


def test_crossed_legs_cross_and_running_feet_leave_the_ground() -> None:
    crossed = [p for p in PEOPLE if p.family == "crossed legs"]
    assert crossed and all(point(p, "left ankle")[0] < point(p, "right ankle")[0] for p in crossed)
    standing = [p for p in PEOPLE if p.family == "hands on hips"]
    assert standing and all(point(p, "left ankle")[0] > point(p, "right ankle")[0] for p in standing)
    for seed in range(50):
        chance = Chance("test", seed, 1)
        joints = body.joints(body.proportions(chance), poses.running(chance))
        soles = [
            min(joints[f"{side} sole {end}"][1] for end in ("heel", "toe")) for side in ("left", "right")
        ]
        assert max(soles) > 0.03


def test_masks_are_disjoint_and_sketch_follows_their_borders() -> None:
    for picture in PEOPLE[:20]:
        masks = dict(picture.masks)
        person = masks.pop("person")
        total = sum(mask.astype(int) for mask in masks.values())
        assert total.max() == 1
        parts = np.any([masks[name] for name in ("skin", *labels.GARMENTS)], axis=0)
        assert (parts == person).all()
        border = person[:, 1:] != person[:, :-1]
        assert (picture.sketch[:, 1:][border] == 255).all()
        assert set(np.unique(picture.sketch)) == {0, 255} and 0.01 < (picture.sketch > 0).mean() < 0.25


def test_named_colours_are_far_apart() -> None:
    np.testing.assert_allclose(palette.lab((255, 0, 0)), (53.24, 80.09, 67.20), atol=0.02)
    np.testing.assert_allclose(palette.lab((255, 255, 255)), (100, 0, 0), atol=0.02)
    for names in (palette.COLOURS, palette.HAIR):
        for a, b in itertools.combinations(names.values(), 2):
            assert palette.difference(a, b) > 30


def test_the_light_comes_from_one_side_and_the_shadow_falls_to_the_other() -> None:
    sides = []
    for picture in PEOPLE:
        for name, _ in picture.attributes.get("objects", ()):
            if name == "ball":
                ys, xs = np.nonzero(picture.masks["ball"])
                light = picture.image[ys, xs].sum(axis=1).astype(float)
                sides.append(np.corrcoef(light, xs)[0, 1])
    assert min(abs(side) for side in sides) > 0.15 and min(sides) < 0 < max(sides)


def test_the_second_skeleton_has_the_posture_and_other_lengths() -> None:
    ratios = []
    for seed in range(6):
        drawn = example(seed, "test", family="standing")
        painted, marked = rows(drawn.pose), skeleton.key_points(drawn)
        assert (painted[:, 2] == marked[:, 2]).all()
        # The pelvis stays, the thighs keep their directions.
        assert marked[[8, 11], :2].mean(axis=0) == pytest.approx(painted[[8, 11], :2].mean(axis=0), abs=1e-6)
        thighs = [each[[9, 12], :2] - each[[8, 11], :2] for each in (painted, marked)]
        turns = [np.arctan2(*thigh.T) for thigh in thighs]
        assert turns[0] == pytest.approx(turns[1], abs=1e-6)
        ratios.append([np.linalg.norm(b) / np.linalg.norm(a) for a, b in zip(*thighs, strict=True)])
        widths = [np.linalg.norm(each[5, :2] - each[2, :2]) for each in (painted, marked)]
        assert widths[1] / widths[0] == pytest.approx(0.09 / 0.1295)
    assert np.mean(ratios) == pytest.approx(0.218 / 0.245)
