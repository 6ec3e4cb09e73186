"""The templates of persons and of words, with the toy models and the settings that suit them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...cli import demo, lab
from ...cli.comfy import workflow
from . import prompt as toy

Point = tuple[float, float]
SAME, PACKED, POSED, EDITED = (
    "same_person_new_pose",
    "same_person_new_pose_subgraph",
    "same_person_posed",
    "edit_photo",
)
FOUND, WATCHED = "word_mask", "attention_maps"
NAMES = (SAME, PACKED, POSED, EDITED, FOUND, WATCHED)
CHECKPOINT = "recompose_demo.safetensors"
WORDS = (
    "a man with curly white hair in a pink shirt and purple trousers standing with both arms up in a meadow"
)
# What the demo photo shows, and what is to be where its trousers are.
SHOWN = "a man with curly white hair in a pink shirt and {} trousers standing with hands on hips in a meadow"
DRAWN = "a woman with long red hair in a green shirt, blue trousers and white boots standing on a beach"
WANTED = "hair, shirt, trousers, boots"
# The mask's edge in the small photo, and how much is around it: the toy models know whole persons best.
GROW, MARGIN = 4.0, 200.0
# The demo photo's pose as Edit Pose knows it again, and its elbows and wrists in pixels with both arms up.
DETECTED = "b852eadf7d560bd5"
ARMS_UP = {3: (34.0, 34.0), 4: (27.0, 12.0), 6: (94.0, 34.0), 7: (101.0, 12.0)}
SETTINGS: dict[str, dict[str, object]] = {
    "CheckpointLoaderSimple": {"ckpt_name": CHECKPOINT},
    "ControlNetLoader": {"control_net_name": toy.MODELS["controlnet"]},
    "KSampler": toy.SAMPLING,
    "KSamplerSelect": {"sampler_name": "dpmpp_2m"},
    "CFGGuider": {"cfg": toy.SAMPLING["cfg"]},
    "RecomposeInvertLatent": {"steps": toy.SAMPLING["steps"], "scheduler": toy.SAMPLING["scheduler"]},
    "RecomposeDrawPose": {"stick_width": toy.STICK_WIDTH},
    "RecomposeEditPose": {"stick_width": toy.STICK_WIDTH * toy.SHRINK},
}
SIZED = ("EmptyLatentImage", "RecomposeCropToRegion")


def compose(name: str, photo: str = "", pose: str = "") -> dict:
    """The API prompt of a template; edit_photo and word_mask get a photo of the server's input folder, the
    first its pose, too.
    """
    prompt = workflow.read(lab.ROOT / "workflows" / "api" / f"{name}.json")
    for node in prompt.values():
        node["inputs"].update(SETTINGS.get(node["class_type"], {}))
        if node["class_type"] in SIZED:
            node["inputs"].update({side: node["inputs"][side] // toy.SHRINK for side in ("width", "height")})
    if name == EDITED:
        demo.load(prompt, pose)
        demo.put(prompt, "Photo.image", photo)
        demo.put(prompt, "Edit Pose.stick_width", toy.STICK_WIDTH)
        demo.put(prompt, "Edit Pose.edit", edit(pose, DETECTED, ARMS_UP))
        demo.put(prompt, "Rows.target_prompts", WORDS)
    for target, value in words(photo).get(name, {}).items():
        demo.put(prompt, target, value)
    return prompt


def words(photo: str) -> dict[str, dict[str, object]]:
    """What the templates that find words are given, by their names."""
    return {
        FOUND: {
            "Photo.image": photo,
            "Checkpoint.ckpt_name": toy.MODELS["checkpoint"],
            "Word Mask.text": SHOWN.format("purple"),
            "Word Mask.words": "trousers",
            "Word Mask.one_piece": True,
            "Word Mask.grow": GROW,
            "Crop to Region.margin": MARGIN,
            "Positive.text": SHOWN.format("blue"),
        },
        WATCHED: {
            "Prompt.value": DRAWN,
            "Attention Maps.words": WANTED,
            "Attention Maps.layers": "decoder",
        },
    }


def edit(pose: str, fingerprint: str, moved: Mapping[int, Point]) -> str:
    """Edit Pose's value that puts points of the body of OpenPose JSON's first person elsewhere."""
    frame = json.loads(pose)[0]
    flat = frame["people"][0]["pose_keypoints_2d"]
    body = [flat[3 * point : 3 * point + 3] for point in range(len(flat) // 3)]
    seen = [(moved.get(point, (x, y)), score > 0) for point, (x, y, score) in enumerate(body)]
    person = {
        "from": 0,
        "flags": "".join(str(int(present)) for _, present in seen),
        "xy": [round(16 * value) for place, present in seen if present for value in place],
    }
    size = [frame["canvas_width"], frame["canvas_height"]]
    return json.dumps(
        {"version": 1, "frames": {"0": {"size": size, "fingerprint": fingerprint, "people": [person]}}}
    )
