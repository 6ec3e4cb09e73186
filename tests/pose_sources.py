"""Poses as other programs write them, made from one known person: each with what has to come of it.

Nothing here is copied; every maker names the public file or function whose form it follows.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

WIDTH, HEIGHT = 320, 480
BODY, FEET, FACE = "pose_keypoints_2d", "foot_keypoints_2d", "face_keypoints_2d"
LEFT, RIGHT = "hand_left_keypoints_2d", "hand_right_keypoints_2d"
KEY_COUNTS = {BODY: 18, FEET: 6, FACE: 70, LEFT: 21, RIGHT: 21}
# A standing person in COCO-18's order, their right side at the left, and their feet in core's order.
STANDING = np.array([
    (160, 60), (162, 100), (122, 101), (105, 160), (100, 215), (202, 99), (218, 161), (224, 214), (138, 220),
    (135, 310), (131, 400), (184, 221), (188, 311), (192, 399), (152, 52), (168, 51), (143, 57), (177, 56),
], dtype=float)  # fmt: skip
TOES = np.array([(200, 425), (208, 423), (188, 412), (124, 426), (116, 424), (135, 413)], dtype=float)
FEATURES = np.array([(150 + index % 10, 50 + index // 5) for index in range(68)], dtype=float)
EYES = STANDING[[14, 15]]
FINGERS = np.array([(index % 5 * 2, index * 1.5 + 2) for index in range(21)])
LEFT_HAND, RIGHT_HAND = STANDING[7] + FINGERS, STANDING[4] + FINGERS
# COCO's 17 points among COCO-18's; its neck lies between the shoulders.
COCO = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]
NECK = (STANDING[2] + STANDING[5]) / 2


@dataclass
class Source:
    """A pose as somebody writes it, and per person the parts that have to come of it (pixels, NaN: absent).

    `notice` is a piece of the sentence that has to be told, `picture` the size to be given beside it.
    """

    data: Any
    people: list[dict[str, np.ndarray]]
    notice: str = ""
    picture: tuple[int, int] | None = None
    size: tuple[int, int] = (WIDTH, HEIGHT)
    frames: int = 1
    is_json: bool = True


def flat(points: np.ndarray, score: float = 1.0) -> list[float]:
    return np.column_stack([points, np.full(len(points), score)]).ravel().tolist()


def person(scale: float = 1.0, **more: Any) -> dict[str, Any]:
    return {BODY: flat(STANDING * scale), **more}


def frame(*people: Any, **more: Any) -> dict[str, Any]:
    return {"canvas_width": WIDTH, "canvas_height": HEIGHT, "people": list(people), **more}


def made_neck() -> np.ndarray:
    points = STANDING.copy()
    points[1] = NECK
    return points


ALL = {BODY: STANDING}


def sdpose() -> Source:
    """ComfyUI's comfy_extras/nodes_sdpose.py, _to_openpose_frames: the hands are named the other way round,
    and points that the heat map does not have are NaN."""
    face, scores = np.concatenate([FEATURES, EYES]), 0.87
    body = np.column_stack([STANDING, np.full(18, scores)])
    body[10] = (np.nan, np.nan, 0.0)
    lists = {
        BODY: body.ravel().tolist(),
        FEET: flat(TOES, scores),
        FACE: flat(face, scores),
        RIGHT: flat(LEFT_HAND, scores),
        LEFT: flat(RIGHT_HAND, scores),
    }
    wanted = STANDING.copy()
    wanted[10] = np.nan
    parts = {BODY: wanted, FEET: TOES, FACE: face, LEFT: LEFT_HAND, RIGHT: RIGHT_HAND}
    return Source([frame(lists)], [parts])


def annotator() -> Source:
    """comfyui_controlnet_aux' open_pose/__init__.py, encode_poses_as_dict: fractions, null for a hand that
    is not there, and -1 px for a finger that was not found."""
    size = np.array([WIDTH, HEIGHT])
    fingers = LEFT_HAND / size
    fingers[[3, 8]] = -1 / size
    lists = {BODY: flat(STANDING / size), FACE: None, LEFT: flat(fingers), RIGHT: None}
    wanted = LEFT_HAND.copy()
    wanted[[3, 8]] = np.nan
    return Source([frame(lists)], [{BODY: STANDING, LEFT: wanted}])


def dwpose() -> Source:
    """comfyui_controlnet_aux' dwpose/__init__.py: pixels, 0, 0, 0 for absent points, a face of 68."""
    body = np.column_stack([STANDING, np.ones(18)])
    body[[10, 13]] = 0
    wanted = STANDING.copy()
    wanted[[10, 13]] = np.nan
    lists = {
        BODY: body.ravel().tolist(),
        FACE: flat(FEATURES),
        LEFT: flat(LEFT_HAND),
        RIGHT: flat(RIGHT_HAND),
    }
    face = np.concatenate([FEATURES, EYES])
    return Source([frame(lists)], [{BODY: wanted, FACE: face, LEFT: LEFT_HAND, RIGHT: RIGHT_HAND}])


def cmu_body_25() -> Source:
    """CMU OpenPose, doc/02_output.md: 1.3, BODY_25 with the middle of the hips and the feet, no size."""
    hips = (STANDING[8] + STANDING[11]) / 2
    points = np.concatenate([STANDING[:8], hips[None], STANDING[8:], TOES])
    lists = {
        "person_id": [-1],
        BODY: flat(points, 0.71),
        FACE: [],
        LEFT: [],
        RIGHT: [],
        "pose_keypoints_3d": [],
    }
    data = {"version": 1.3, "people": [lists]}
    return Source(data, [{BODY: STANDING, FEET: TOES}], picture=(WIDTH, HEIGHT))


def cmu_old() -> Source:
    """CMU OpenPose before 1.2: version 1.1, COCO-18 under keys without "_2d"."""
    lists = {"pose_keypoints": flat(STANDING, 0.6), "hand_left_keypoints": flat(LEFT_HAND, 0.5)}
    return Source(
        {"version": 1.1, "people": [lists]}, [{BODY: STANDING, LEFT: LEFT_HAND}], picture=(WIDTH, HEIGHT)
    )


def cmu_scale(lowest: int) -> Callable[[], Source]:
    """CMU OpenPose's flag keypoint_scale, 3 (0…1) and 4 (-1…1); include/openpose/core/enumClasses.hpp."""

    def make() -> Source:
        shares = STANDING / (WIDTH, HEIGHT)
        points = shares if lowest == 0 else 2 * shares - 1
        notice = "keypoint scale" if lowest else ""
        return Source({"version": 1.3, "people": [{BODY: flat(points, 0.7)}]}, [ALL], notice, (WIDTH, HEIGHT))

    return make


def rtmlib() -> Source:
    """rtmlib's tools/solution/wholebody.py: keypoints (people, 133, 2) and scores (people, 133)."""
    whole = np.concatenate([STANDING[COCO], TOES, FEATURES, LEFT_HAND, RIGHT_HAND])
    other = whole + np.array([20, 5])
    scores = np.full((2, 133), 0.8)
    data = {"keypoints": np.stack([whole, other]), "scores": scores, "width": WIDTH, "height": HEIGHT}
    parts = {BODY: made_neck(), FEET: TOES, FACE: np.concatenate([FEATURES, EYES])}
    parts |= {LEFT: LEFT_HAND, RIGHT: RIGHT_HAND}
    return Source(
        data, [parts, {key: points + np.array([20, 5]) for key, points in parts.items()}], is_json=False
    )


def rtmlib_feet() -> Source:
    """rtmlib's tools/solution/body_with_feet.py: Halpe's 26 points."""
    crown, hips = STANDING[0] - (0, 30), (STANDING[8] + STANDING[11]) / 2
    feet = TOES[[0, 3, 1, 4, 2, 5]]
    points = np.concatenate([STANDING[COCO], crown[None], STANDING[1][None], hips[None], feet])
    data = {"keypoints": points.tolist(), "scores": [0.9] * 26, "width": WIDTH, "height": HEIGHT}
    return Source(data, [{BODY: STANDING, FEET: TOES}])


def mmpose() -> Source:
    """mmpose's apis/inferencers, predictions/*.json: a list of people with keypoints and keypoint_scores."""
    scores = [0.9] * 16 + [0.1]
    one = {"keypoints": STANDING[COCO].tolist(), "keypoint_scores": scores, "bbox": [[90, 40, 230, 430]]}
    wanted = made_neck()
    wanted[10] = np.nan
    return Source([{**one, "bbox_score": 0.98}], [{BODY: wanted}], picture=(WIDTH, HEIGHT))


def mmpose_video() -> Source:
    """mmpose's demo/inferencer_demo.py for videos: meta_info and instance_info with the frames' instances."""
    one = {"keypoints": STANDING[COCO].tolist(), "keypoint_scores": [0.9] * 17}
    data = {"meta_info": {"dataset_name": "coco"}, "instance_info": [{"frame_id": 1, "instances": [one]}] * 2}
    return Source(data, [{BODY: made_neck()}] * 2, picture=(WIDTH, HEIGHT), frames=2)


def coco() -> Source:
    """COCO's annotations (person_keypoints_*.json): 17 triples with visibility 0, 1 or 2, sizes in images."""
    points = np.column_stack([STANDING[COCO], np.full(17, 2.0)])
    points[16] = 0
    wanted = made_neck()
    wanted[10] = np.nan
    people = [{"image_id": 7, "category_id": 1, "keypoints": points.ravel().tolist(), "num_keypoints": 16}]
    images = [{"id": 7, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}]
    return Source({"images": images, "annotations": people}, [{BODY: wanted}])


def ultralytics() -> Source:
    """Ultralytics' Results.to_json: x, y and visible one list each, clamped, 0, 0 where not found."""
    points = np.clip(STANDING[COCO], 0, (WIDTH, HEIGHT))
    points[[15, 16]] = 0
    visible = [0.9] * 15 + [0.05] * 2
    keypoints = {"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), "visible": visible}
    wanted = made_neck()
    wanted[[10, 13]] = np.nan
    data = [{"name": "person", "class": 0, "confidence": 0.9, "box": {"x1": 9.0}, "keypoints": keypoints}]
    return Source(data, [{BODY: wanted}], picture=(WIDTH, HEIGHT))


def web_editor() -> Source:
    """fkunn1326/openpose-editor, javascript/main.js, and its port: width, height, keypoints as pairs."""
    data = {"width": WIDTH, "height": HEIGHT, "keypoints": [STANDING.tolist(), (STANDING + 9).tolist()]}
    return Source(data, [ALL, {BODY: STANDING + 9}])


def editor_dictionary() -> Source:
    """huchenlei/ComfyUI-openpose-editor's node: one dictionary instead of a list of frames."""
    return Source(frame(person(), person(1.1)), [ALL, {BODY: STANDING * 1.1}])


def studio_gallery() -> Source:
    """andreszs/ComfyUI-OpenPose-Studio, poses/gestures.json: frames by name."""
    data = {
        "heart hands": frame(person()),
        "peace sign": frame(person(1.05, **{LEFT: flat(LEFT_HAND * 1.05)})),
    }
    wanted = [ALL, {BODY: STANDING * 1.05, LEFT: LEFT_HAND * 1.05}]
    return Source(data, wanted, "2 named poses (heart hands, peace sign)", frames=2)


def studio_collection() -> Source:
    """andreszs/ComfyUI-OpenPose-Studio, nodes.py: poses in a list, sizes as width and height."""
    poses = [{"width": WIDTH, "height": HEIGHT, "people": [person()]}, frame(person(1.1))]
    return Source({"poses": poses}, [ALL, {BODY: STANDING * 1.1}], frames=2)


SOURCES: dict[str, Callable[[], Source]] = {
    "core's SDPose": sdpose,
    "controlnet_aux OpenPose": annotator,
    "controlnet_aux DWPose": dwpose,
    "CMU OpenPose BODY_25": cmu_body_25,
    "CMU OpenPose 1.1": cmu_old,
    "CMU OpenPose scale 0 to 1": cmu_scale(0),
    "CMU OpenPose scale -1 to 1": cmu_scale(-1),
    "rtmlib": rtmlib,
    "rtmlib with feet": rtmlib_feet,
    "mmpose": mmpose,
    "mmpose, a video": mmpose_video,
    "COCO": coco,
    "Ultralytics": ultralytics,
    "a web editor": web_editor,
    "a dictionary for a list": editor_dictionary,
    "OpenPose Studio's gallery": studio_gallery,
    "OpenPose Studio's collection": studio_collection,
}


def _hand(count: int) -> dict[str, Any]:
    return person(**{LEFT: flat(np.resize(LEFT_HAND, (count, 2)))})


def _body(change: Callable[[np.ndarray], None]) -> dict[str, Any]:
    """The person with a changed list of body points, N,3."""
    points = np.column_stack([STANDING, np.ones(18)]).astype(object)
    change(points)
    return {BODY: points.ravel().tolist()}


def _without(*points: int) -> dict[str, np.ndarray]:
    wanted = STANDING.copy()
    wanted[list(points)] = np.nan
    return {BODY: wanted}


def _row(point: int, *values: Any) -> dict[str, Any]:
    def change(points: np.ndarray) -> None:
        points[point] = values

    return _body(change)


@dataclass
class Oddity(Source):
    """A single thing that is tolerated; docs/inputs.md lists it under the same name."""

    people: list[dict[str, np.ndarray]] = field(default_factory=lambda: [ALL])


def oddities() -> dict[str, Oddity]:
    """Everything that every node with a pose tolerates, by the words of docs/inputs.md."""
    nan, infinite, seen = float("nan"), float("inf"), [_without(10)]
    texts = [str(value) for value in flat(STANDING)]
    arrays = {
        BODY: np.array(flat(STANDING)).reshape(18, 3),
        LEFT: np.array(flat(LEFT_HAND), dtype=np.float32),
    }
    shares = flat(STANDING / (WIDTH, HEIGHT))
    mixed = [{BODY: shares, LEFT: flat(LEFT_HAND)}, person(1.1)]
    in_pixels = [{BODY: STANDING, LEFT: LEFT_HAND}, {BODY: STANDING * 1.1}]
    double = {"canvas_width": 2 * WIDTH, "canvas_height": 2 * HEIGHT, "people": [person(2.0)]}
    return {
        "one frame instead of a list": Oddity(frame(person())),
        "frames in a list of lists": Oddity([[frame(person())]]),
        "a list of people": Oddity([person()], picture=(WIDTH, HEIGHT)),
        "NaN coordinates": Oddity([frame(_row(10, nan, nan, 0.0))], seen),
        "NaN with a score": Oddity([frame(_row(10, nan, 5.0, 1.0))], seen),
        "infinite coordinates": Oddity([frame(_row(10, infinite, -infinite, 1.0))], seen),
        "null coordinates": Oddity([frame(_row(10, None, None, 1))], seen),
        "-1, -1 with a score": Oddity([frame(_row(10, -1, -1, 1))], seen),
        "a point over a million pixels away": Oddity(
            [frame(_row(10, 9e9, 5.0, 1.0))], seen, notice="1 points of the pose lie far outside"
        ),
        "a negative score": Oddity([frame(_row(10, 131.0, 400.0, -1.0))], seen),
        "fractions and pixels mixed": Oddity([frame(*mixed)], in_pixels),
        "a hand of 20 points": Oddity([frame(_hand(20))], notice="hand_left_keypoints_2d holds 60 numbers"),
        "a hand of 22 points": Oddity([frame(_hand(22))], notice="hand_left_keypoints_2d holds 66 numbers"),
        "a face of 56 points": Oddity(
            [frame(person(**{FACE: flat(FEATURES[:56])}))], notice="face_keypoints_2d holds 168 numbers"
        ),
        "a face of 69 points": Oddity(
            [frame(person(**{FACE: flat(np.resize(FEATURES, (69, 2)))}))],
            notice="face_keypoints_2d holds 207",
        ),
        "feet of 5 points": Oddity(
            [frame(person(**{FEET: flat(TOES[:5])}))], notice="foot_keypoints_2d holds 15"
        ),
        "numpy arrays": Oddity([frame(arrays)], [{BODY: STANDING, LEFT: LEFT_HAND}], is_json=False),
        "points listed one by one": Oddity([frame({BODY: np.reshape(flat(STANDING), (18, 3)).tolist()})]),
        "numbers as text": Oddity([frame({BODY: texts})]),
        "sizes as text": Oddity(
            [{**frame(person()), "canvas_width": f"{WIDTH}", "canvas_height": f" {HEIGHT}.0"}]
        ),
        "width and height for the size": Oddity([{"width": WIDTH, "height": HEIGHT, "people": [person()]}]),
        "people null": Oddity([frame(person()), {**frame(), "people": None}], frames=2),
        "null among the people": Oddity([frame(None, person(), None)]),
        "people by name": Oddity([{**frame(), "people": {"Ann": person()}}]),
        "17 points": Oddity([frame({BODY: flat(STANDING[COCO])})], [{BODY: made_neck()}]),
        "hands that changed places": Oddity(
            [frame(person(**{LEFT: flat(RIGHT_HAND), RIGHT: flat(LEFT_HAND)}))],
            [{BODY: STANDING, LEFT: LEFT_HAND, RIGHT: RIGHT_HAND}],
        ),
        "frames of several sizes of one aspect": Oddity(
            [frame(person()), double], [ALL, ALL], "scaled", frames=2
        ),
    }


def clean(source: Source) -> list[dict[str, Any]]:
    """The same pose as POSE_KEYPOINT is written by ComfyUI: one person after another in as many frames."""
    people = []
    for wanted in source.people:
        lists = {}
        for key, points in wanted.items():
            rows = np.zeros((KEY_COUNTS[key], 3))
            there = np.isfinite(points[:, 0])
            rows[there, :2], rows[there, 2] = points[there], 1
            lists[key] = rows.ravel().tolist()
        people.append(lists)
    frames: list[dict[str, Any]] = [frame() for _ in range(source.frames)]
    share = 1 if source.frames > 1 else len(people)
    for index, one in enumerate(people):
        frames[index // share]["people"].append(one)
    return frames


def text(source: Source) -> str:
    """As a file; numpy's arrays as lists."""
    return json.dumps(copy.deepcopy(source.data), default=lambda value: value.tolist())
