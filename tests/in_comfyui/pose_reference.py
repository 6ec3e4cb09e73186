"""What all pose nodes make of fifty random poses, as hashes."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

COUNT = 50
KEYS = {
    "pose_keypoints_2d": 18,
    "foot_keypoints_2d": 6,
    "face_keypoints_2d": 70,
    "hand_left_keypoints_2d": 21,
    "hand_right_keypoints_2d": 21,
}
# A standing figure in thousandths of its stature, from the ground between the feet.
STANDING = [
    (0, -900), (0, -813), (-130, -813), (-170, -630), (-180, -490), (130, -813), (168, -631), (181, -487),
    (-50, -526), (-71, -283), (-93, -39), (50, -526), (71, -283), (93, -39), (-25, -924), (25, -924),
    (-60, -920), (60, -920), (100, 0), (137, -2), (85, -13), (-100, 0), (-137, -2), (-85, -13),
]  # fmt: skip
BODY_25 = [0, 1, 2, 3, 4, 5, 6, 7, -1, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]
WHOLEBODY = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10, 18, 19, 20, 21, 22, 23]
PARTS = ["estimated", "legs", "feet", "left leg", "right leg", "arms", "head", "torso", "whole body"]
LEGS = ["auto", "standing", "walking", "running", "sitting", "kneeling", "lying"]


def flat(points: np.ndarray, scores: np.ndarray, places: int) -> list[float]:
    """Triples with absent points at 0, 0."""
    at = np.where(scores[:, None] > 0, points, 0).round(places)
    return np.column_stack([at, scores]).ravel().tolist()


def person(chance: np.random.Generator, size: tuple[int, int], measured: bool) -> dict[str, Any]:
    """Somebody turned, narrowed, shaken and partly hidden, mostly with the legs below the frame."""
    stature = chance.uniform(0.4, 1.9) * size[1]
    turn = np.deg2rad(
        chance.choice([0, chance.uniform(-20, 20), chance.uniform(-180, 180)], p=[0.4, 0.4, 0.2])
    )
    points = np.array(STANDING) / 1000 * stature * [chance.choice([1, -1, chance.uniform(-1, 1)]), 1]
    points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points += chance.normal(0, chance.choice([0, 0.02, 0.05]) * stature, points.shape)
    points += [chance.uniform(0.2, 0.8) * size[0], chance.uniform(0.9, 1.7) * size[1]]
    scores = chance.uniform(0.1, 1, 24).round(3) if measured else np.ones(24)
    scores *= (points < size).all(axis=1) if chance.random() < 0.7 else chance.random(24) > 0.3
    places = int(chance.choice([0, 3, 12]))
    found: dict[str, Any] = {"pose_keypoints_2d": flat(points[:18], scores[:18], places)}
    if chance.random() < 0.6:
        found["foot_keypoints_2d"] = flat(points[18:], scores[18:], places)
    for key in list(KEYS)[2:]:
        cloud = points[chance.integers(0, 18)] + chance.normal(0, 0.05 * stature, (KEYS[key], 2))
        there = (chance.random(KEYS[key]) > 0.2) * (chance.random(KEYS[key]).round(2) if measured else 1.0)
        lists = [flat(cloud, there, places), [], None]
        if (which := chance.integers(0, 5)) < 3:
            found[key] = lists[which]
    if chance.random() < 0.3:
        found |= {"person_id": [int(chance.integers(0, 9))], "mine": {"deep": [[1, "two"], None]}}
    if chance.random() < 0.3:
        marks = ((chance.random(24) < 0.2) & (scores > 0)).astype(int).tolist()
        found["recompose"] = {"theirs": 3, "estimated": marks, "confidence": [0.25] * 24}
        found["recompose"] = {
            key: found["recompose"][key] for key in chance.permutation(list(found["recompose"]))
        }
    return {key: found[key] for key in chance.permutation(list(found))}


def pose(seed: int) -> list[dict[str, Any]]:
    """One to three frames of up to three people; scores are 0 and 1 for even seeds and measured for odd."""
    chance = np.random.default_rng(seed)
    size = tuple(int(side) for side in chance.integers(60, 320, 2))
    frames = []
    for _ in range(int(chance.choice([1, 1, 2, 3]))):
        found = [person(chance, size, bool(seed % 2)) for _ in range(int(chance.choice([1, 1, 1, 2, 3, 0])))]
        whole = {"people": found, "canvas_width": size[0], "canvas_height": size[1], "source": {"by": seed}}
        if seed % 10 in (6, 7):
            for key in [(one, key) for one in found for key in KEYS if one.get(key)]:
                shares = np.reshape(key[0][key[1]], (-1, 3)) / [*size, 1]
                key[0][key[1]] = shares.clip(-2.4, 2.4).ravel().tolist()
        frames.append({key: whole[key] for key in chance.permutation(list(whole))})
    return frames


def laid_out(frames: list[dict[str, Any]], rows: list[int], total: int) -> list[dict[str, Any]]:
    """The pose as a file of another layout lists it."""
    found = []
    for frame in frames:
        people = []
        for one in frame["people"]:
            body = np.reshape(one["pose_keypoints_2d"], (-1, 3))
            feet = np.reshape(one.get("foot_keypoints_2d") or [0.0] * 18, (-1, 3))
            listed = np.zeros((total, 3))
            listed[: len(rows)] = np.concatenate([body, feet, np.zeros((1, 3))])[rows]
            kept = {key: value for key, value in one.items() if key != "foot_keypoints_2d"}
            people.append(kept | {"pose_keypoints_2d": listed.ravel().tolist()})
        found.append({**frame, "people": people})
    return found


def value(frame: dict[str, Any], fingerprint: str, source: int) -> str:
    """An edit in which the frame's first person moved by 3 and 5 px; one point hidden, one guessed."""
    points = np.reshape(frame["people"][0]["pose_keypoints_2d"], (-1, 3))
    present = points[:, 2] > 0
    marks = np.where(present, 1, 0) | np.where(present & (np.arange(18) == 2), 2, 0)
    marks |= np.where(present & (np.arange(18) == 3), 8, 0)
    xy = np.floor((points[present, :2] + [3, 5]) * 16 + 0.5).astype(int).ravel().tolist()
    people = [{"from": source, "flags": "".join(f"{mark:x}" for mark in marks), "xy": xy}]
    size = [frame["canvas_width"], frame["canvas_height"]]
    return json.dumps(
        {"version": 1, "frames": {"0": {"size": size, "fingerprint": fingerprint, "people": people}}}
    )


def plain(made: Any) -> Any:
    """The result as JSON with numbers to six places, as processors differ in the last; pictures as hashes."""
    if isinstance(made, torch.Tensor):
        return [*made.shape, str(made.dtype), hashlib.sha256(made.numpy().tobytes()).hexdigest()]
    if isinstance(made, dict):
        return {key: plain(entry) for key, entry in made.items()}
    if isinstance(made, list | tuple):
        return [plain(entry) for entry in made]
    return round(float(made), 6) if isinstance(made, int | float) and not isinstance(made, bool) else made


def attempt(execute: Callable[..., Any], *values: Any, **more: Any) -> Any:
    """The outputs and the report, or that there are none."""
    try:
        output = execute(*values, **more)
    except ValueError:
        return ["refused"]
    return [*output.args, reported(output.ui)]


def reported(ui: dict[str, Any]) -> dict[str, Any] | None:
    """The nodes' reports, and of notices only those that Edit Pose's editor shows: sentences may change."""
    reports = [
        {name: value for name, value in report.items() if name != "notices" or "pose" in report}
        for report in ui["recompose"]
    ]
    return {"recompose": reports} if any(reports) else None


def modules() -> list[Any]:
    """The nodes' modules; ComfyUI must be importable."""
    return [importlib.import_module(f"recompose.nodes.{name}") for name in ("pose", "pose_edit", "canvas")]


def results(seed: int) -> dict[str, Any]:
    """Every node's answer to one pose, by a name for the call."""
    nodes, edits, canvas = modules()
    given, chance = pose(seed), np.random.default_rng(1000 + seed)
    threshold, legs = float(chance.choice([0.1, 0.3, 0.6])), str(chance.choice(LEGS))
    files = {"18": given, "25": laid_out(given, BODY_25, 25), "133": laid_out(given, WHOLEBODY, 133)}
    found: dict[str, Any] = {
        f"load {name}": attempt(nodes.LoadPose.execute, json.dumps(file), "none", "auto", threshold, 0, 0)
        for name, file in files.items()
    }
    for name, source in {"raw": given, "loaded": found["load 18"][0]}.items():
        made = attempt(nodes.CompletePose.execute, source, 9.0, threshold, legs)
        known = made[0] if len(made) > 1 else found["load 18"][0]
        draws, masks = nodes.DrawPose.execute, nodes.LimbMask.execute
        calls = {
            "complete": made,
            "complete again": attempt(nodes.CompletePose.execute, known, 0.4, threshold),
            "draw": attempt(draws, source, 3, True, True, True, threshold),
            "draw completed": attempt(draws, known, 4, True, False, seed % 3 == 0, threshold),
            "mask": attempt(masks, known, PARTS[seed % len(PARTS)], 9.0, True, threshold),
            "moved": attempt(masks, known, "moved", 9.0, True, threshold, None, source),
        }
        size = given[0]["canvas_height"], given[0]["canvas_width"]
        picture = (torch.arange(size[0] * size[1] * 3) % 256).reshape(1, *size, 3) / 255
        calls |= on_canvas(canvas, known, picture) | edited(edits.EditPose.execute, source, threshold)
        found |= {f"{call} {name}": result for call, result in calls.items()}
    return found


def on_canvas(canvas: Any, known: Any, picture: torch.Tensor) -> dict[str, Any]:
    """Extend Canvas in two modes and Crop to Region; the pose's scores are 0 and 1."""
    found = {}
    for kind in ("body", "sides"):
        mode = {"mode": kind, "max_extension": 8.0, "margin": 4.0}
        mode |= {"left": 3, "top": 0, "right": 5, "bottom": 11}
        found[kind] = attempt(
            canvas.ExtendCanvas.execute, picture, mode, 8, {"fill": "edge", "seed": 1}, 0, None, known
        )
    settings = ("person", 64, 64, "exact", 20.0, 8, 1.1)
    crop = attempt(canvas.CropToRegion.execute, picture, *settings, None, None, known)
    return found | {"crop": crop if len(crop) == 1 else [crop[3], list(crop[4].box), list(crop[4].working)]}


def edited(execute: Callable[..., Any], source: Any, threshold: float) -> dict[str, Any]:
    """Edit Pose without an edit, with one of this detection and with one of another."""
    rest = (96, 64, 4, True, True, True, threshold, None, source)
    untouched = attempt(execute, "keep my edit", *rest)
    found = {"edit": untouched}
    if len(untouched) > 1 and untouched[0][0]["people"]:
        mark = untouched[-1]["recompose"][0]["pose"][0]["fingerprint"]
        for kind, fingerprint in {"mine": mark, "other": "0" * 16}.items():
            text = value(untouched[0][0], fingerprint, 0)
            found[f"edit {kind}"] = attempt(execute, "keep my edit", *rest, edit=text)
    return found


def digests(seed: int) -> dict[str, str]:
    """The hash of each call's result, shortened."""
    return {
        name: hashlib.sha256(json.dumps(plain(made)).encode()).hexdigest()[:10]
        for name, made in results(seed).items()
    }
