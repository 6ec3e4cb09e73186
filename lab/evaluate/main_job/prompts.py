"""The same job for ComfyUI's own nodes and for ours, as API prompts: one canvas, caption, seed and model."""

from __future__ import annotations

import json

from ....cli import demo
from ....cli.comfy import workflow
from ...toy import prompt as toy

# Samplers of second order ask the model twice a step, but for the last.
TWICE = ("dpmpp_2s_ancestral", "dpm_2", "dpm_2_ancestral", "heun", "dpmpp_sde")
CAPTION, POSE, CORE, COMPOSITE = "Prompt as text", "Pose on the canvas", "Core nodes", "Core nodes, composite"
RESULT = "Full body"
WHOLE_CANVAS = 200.0  # a margin in % that no crop can give, so the crop is the canvas
SIDES = ("left", "top", "right", "bottom")


def sampling_seed(seed: int) -> int:
    """The noise of a picture; the ControlNet pass has the next number."""
    return 1000 + 2 * seed


def calls(sampler: str, steps: int) -> int:
    """How often a sampler asks the model (with guidance each of these is two)."""
    return 2 * steps - 1 if sampler in TWICE else steps


def single_pass_steps(sampler: str, steps: int) -> int:
    """Steps of one pass that asks the model as often as two passes of `steps`, never less often."""
    wanted, found = 2 * calls(sampler, steps), 2 * steps - 1
    return found if calls(sampler, found) >= wanted else found + 1


def pruned(prompt: dict, titles: list[str]) -> dict:
    """The nodes that the titled ones need, and no other."""
    kept: dict = {}
    waiting = [workflow.find(prompt, title) for title in titles]
    while waiting:
        identity = waiting.pop()
        if identity not in kept:
            kept[identity] = prompt[identity]
            inputs = prompt[identity]["inputs"].values()
            waiting += [value[0] for value in inputs if workflow.is_link(value)]
    return {identity: node for identity, node in prompt.items() if identity in kept}


def link(prompt: dict, title: str, output: int = 0) -> list:
    """The connection to a node's output."""
    return [workflow.find(prompt, title), output]


def add(prompt: dict, title: str, class_type: str, **inputs: object) -> None:
    """Put in a node under its title as id; ids are free text."""
    prompt[title] = {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}


def whole(photo: str, pose: list, seed: int) -> dict:
    """The demo's prompt for a photo under the server's input folder."""
    options = demo.parser().parse_args(["--seed", str(sampling_seed(seed))])
    prompt = toy.compose(options, json.dumps(pose))
    demo.put(prompt, "Photo.image", photo)
    return prompt


def plan(photo: str, pose: list, seed: int) -> dict:
    """What all methods share: photo as loaded, prompt with caption, canvas, completed pose; no sampling."""
    prompt = whole(photo, pose, seed)
    add(prompt, POSE, "PreviewAny", source=link(prompt, "Extend Canvas", 3))
    return pruned(prompt, [demo.REFERENCE, CAPTION, POSE])


def captioned(photo: str, pose: list, seed: int, caption: str) -> dict:
    """The demo's prompt with the caption written down."""
    prompt = whole(photo, pose, seed)
    demo.put(prompt, "Positive.text", caption)
    return prompt


def in_one_pass(prompt: dict) -> None:
    """Give the outpaint pass the steps of both passes, and no pose to follow."""
    for name in ("Positive", "Negative"):
        demo.put(prompt, f"Outpaint Conditioning.{name.lower()}", link(prompt, name))
    inputs = prompt[workflow.find(prompt, "Outpaint")]["inputs"]
    inputs["steps"] = single_pass_steps(inputs["sampler_name"], inputs["steps"])


def core_nodes(photo: str, pose: list, seed: int, caption: str, padding: list[int]) -> dict:
    """ComfyUI's own nodes: pad, inpaint, save; and the same composited with the same mask, from one run.

    Feathering is 0: its mask is then ours, exactly the new area.
    """
    prompt = captioned(photo, pose, seed, caption)
    in_one_pass(prompt)
    sides = dict(zip(SIDES, padding, strict=True))
    add(prompt, "Pad", "ImagePadForOutpaint", image=link(prompt, "Photo"), feathering=0, **sides)
    demo.put(prompt, "Outpaint Conditioning.pixels", ["Pad", 0])
    demo.put(prompt, "Outpaint Conditioning.mask", ["Pad", 1])
    decoded = link(prompt, "Decode the Outpaint")
    where = {"x": 0, "y": 0, "resize_source": False, "mask": ["Pad", 1]}
    add(prompt, "Paste", "ImageCompositeMasked", destination=["Pad", 0], source=decoded, **where)
    add(prompt, CORE, "SaveImage", images=decoded, filename_prefix="core")
    add(prompt, COMPOSITE, "SaveImage", images=["Paste", 0], filename_prefix="core_composite")
    return pruned(prompt, [CORE, COMPOSITE])


def without_pose(photo: str, pose: list, seed: int, caption: str, padding: list[int]) -> dict:
    """The demo's prompt on the same canvas without its pose nodes and its ControlNet pass."""
    prompt = captioned(photo, pose, seed, caption)
    in_one_pass(prompt)
    extend = prompt[workflow.find(prompt, "Extend Canvas")]["inputs"]
    for name in ("pose", "mode.margin", "mode.max_extension"):
        del extend[name]
    extend["mode"] = "sides"
    extend |= {f"mode.{side}": pixels for side, pixels in zip(SIDES, padding, strict=True)}
    crop = prompt[workflow.find(prompt, "Crop to Region")]["inputs"]
    del crop["pose"]
    crop |= {"crop_to": "mask", "margin": WHOLE_CANVAS}
    demo.put(prompt, "Stitch Back.generated", link(prompt, "Decode the Outpaint"))
    demo.put(prompt, "Stitch Back.mask", link(prompt, "Extend Canvas", 1))
    return pruned(prompt, [RESULT])


def with_pose(photo: str, pose: list, seed: int, caption: str, padding: list[int]) -> dict:
    """The demo's prompt: completed pose, outpaint and ControlNet pass on it. Its canvas is the plan's."""
    return pruned(captioned(photo, pose, seed, caption), [RESULT])


# Every run, and the saved results it gives by method.
RUNS = {
    core_nodes: {"a1": CORE, "a2": COMPOSITE},
    without_pose: {"b": RESULT},
    with_pose: {"c": RESULT},
}
