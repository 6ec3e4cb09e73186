"""What every node takes as IMAGE and MASK, and its one sentence for anything else: docs/inputs.md."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from recompose.core.canvas.crop import Context
from recompose.core.mask.values import LEAST
from recompose.core.pose.person import Frame
from recompose.core.shapes import Box, Size
from recompose.tests.in_comfyui.test_canvas_nodes import SIDES, SMOOTH, picture, pose

WIDTH, HEIGHT = 97, 151
CONTEXT = Context(Size(WIDTH, HEIGHT), Box(8, 16, 64, 96), Size(64, 96))
REGION = {"x": 0, "y": 0, "width": WIDTH, "height": 90, "canvas_width": WIDTH, "canvas_height": HEIGHT}
EXTEND = {"mode": SIDES, "multiple_of": 8, "fill": SMOOTH, "feather": 0}
CROP = {"crop_to": "mask and person", "width": 96, "height": 128, "fit": "area"}
CROP |= {"margin": 15.0, "multiple_of": 8, "rescale_tolerance": 1.25}
FEATHER = {"grow": 2.0, "feather": 8.0, "direction": "both", "shape": "linear", "border_is_edge": False}
STRICT = {"mode": "strict"}


@pytest.fixture(scope="module")
def nodes(comfy: ModuleType) -> SimpleNamespace:
    names = ("canvas", "mask", "pose", "pose_edit")
    found = {name: importlib.import_module(f"recompose.nodes.{name}") for name in names}
    return SimpleNamespace(**found)


def photo() -> torch.Tensor:
    return picture()


def spot() -> torch.Tensor:
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 60:85, 30:55] = 1
    return mask


def inside(values: torch.Tensor) -> torch.Tensor:
    """The part of a picture or mask that the context crops."""
    return values[:, 16:112, 8:72]


def generated() -> torch.Tensor:
    return 1 - photo()


def noise_masked(node: str) -> Callable:
    """What the sampler nodes make of a latent's noise mask before they sample."""

    def take(_nodes: SimpleNamespace, mask: torch.Tensor) -> object:
        masks = importlib.import_module("recompose.bridge.noise_mask")
        return masks.checked_mask({"samples": torch.zeros(1, 4, 18, 12), "noise_mask": mask}, node)

    return take


def detected(_nodes: SimpleNamespace, image: torch.Tensor) -> object:
    module = importlib.import_module("recompose.bridge.detectors.detect")
    with pytest.MonkeyPatch.context() as patch:

        def nobody(picture: torch.Tensor) -> Frame:
            return Frame(Size(picture.shape[3], picture.shape[2]))

        patch.setattr(module, "open_detector", lambda choice, threshold: nobody)
        return module.detect(image, {"detector": "DWPose"}, 0.3)


def captioned(_nodes: SimpleNamespace, image: torch.Tensor) -> object:
    """The pixels that BLIP is shown."""
    blip = importlib.import_module("recompose.bridge.models.blip")
    core = importlib.import_module("recompose.core.caption")
    found: list[torch.Tensor] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blip, "problem", lambda name: None)
        patch.setattr(blip, "load", lambda _: SimpleNamespace(tokenizer=SimpleNamespace(all_special_ids=[])))
        patch.setattr(blip, "prompt_ids", lambda *_: [])
        patch.setattr(blip, "text_config", lambda _: SimpleNamespace(bos_token_id=1, sep_token_id=2))
        patch.setattr(blip.folders, "model_folders", lambda _: {"small": "nowhere"})
        patch.setattr(blip, "generate", lambda _blip, pictures, *_: found.append(pictures) or [])
        blip.caption(image, "small", core.Wording("", 3, None, 5, 30, 1.0))
    return found[0]


IMAGES: dict[str, Callable] = {
    "Extend Canvas": lambda n, image: n.canvas.ExtendCanvas.execute(image=image, **EXTEND),
    "Crop to Region": lambda n, image: n.canvas.CropToRegion.execute(image=image, mask=spot(), **CROP),
    "Crop to Region, control image": lambda n, image: n.canvas.CropToRegion.execute(
        image=photo(), mask=spot(), control_image=image, **CROP
    ),
    "Stitch Back, original": lambda n, image: n.canvas.StitchBack.execute(
        image, STRICT, generated(), mask=spot()
    ),
    "Stitch Back, generated": lambda n, image: n.canvas.StitchBack.execute(
        photo(), STRICT, image, mask=spot()
    ),
    "Stitch Back, original of patches": lambda n, image: n.canvas.StitchBack.execute(
        image,
        STRICT,
        patches={"patch0": n.canvas.MakePatch.execute(spot(), CONTEXT, inside(generated())).args[0]},
    ),
    "Patch": lambda n, image: n.canvas.StitchBack.execute(
        photo(),
        STRICT,
        patches={
            "patch0": n.canvas.MakePatch.execute(
                spot(), Context(Size(WIDTH, HEIGHT), Box(0, 0, WIDTH, HEIGHT), Size(WIDTH, HEIGHT)), image
            ).args[0]
        },
    ),
    "Load Pose": lambda n, image: n.pose.LoadPose.execute(
        text=json.dumps([{"people": [{"pose_keypoints_2d": [5, 5, 1] * 18}]}]),
        file="none", layout="auto", threshold=0.3, width=0, height=0, image=image,
    ),
    "Edit Pose": lambda n, image: n.pose_edit.EditPose.execute(
        when_pose_changes="keep my edit", width=64, height=64, stick_width=4, hands=True, face=True,
        feet=False, threshold=0.3, image=image, edit="",
    ),
    "Detect Pose": detected,
}  # fmt: skip

MASKS: dict[str, Callable] = {
    "Extend Canvas": lambda n, mask: n.canvas.ExtendCanvas.execute(image=photo(), mask=mask, **EXTEND),
    "Crop to Region": lambda n, mask: n.canvas.CropToRegion.execute(image=photo(), mask=mask, **CROP),
    "Stitch Back": lambda n, mask: n.canvas.StitchBack.execute(photo(), STRICT, generated(), mask=mask),
    "Stitch Back, blend": lambda n, mask: n.canvas.StitchBack.execute(
        photo(), {"mode": "blend", "width": 9}, generated(), mask=mask
    ),
    "Stitch Back, region": lambda n, mask: n.canvas.StitchBack.execute(
        photo(), STRICT, generated(), mask=mask, region=REGION
    ),
    "Stitch Back, context": lambda n, mask: n.canvas.StitchBack.execute(
        photo(), STRICT, inside(generated()), mask=mask, context=CONTEXT
    ),
    "Stitch Back, asked whether it needs a picture": lambda n, mask: n.canvas.StitchBack.check_lazy_status(
        photo(), STRICT, mask=mask
    ),
    "Patch": lambda n, mask: n.canvas.StitchBack.execute(
        photo(),
        STRICT,
        patches={"patch0": n.canvas.MakePatch.execute(mask, CONTEXT, inside(generated())).args[0]},
    ),
    "Patch, asked whether it needs a picture": lambda n, mask: n.canvas.MakePatch.check_lazy_status(
        mask, CONTEXT
    ),
    "Feather Mask": lambda n, mask: n.mask.FeatherMask.execute(mask=mask, **FEATHER),
    "Snap Mask to Latent": lambda n, mask: n.mask.SnapMaskToLatent.execute(
        mask=mask, grow_cells=0, ratio=8, samples={"samples": torch.zeros(1, 4, 18, 12)}
    ),
    "Limb Mask": lambda n, mask: n.pose.LimbMask.execute(
        pose=pose(), parts="whole body", width=20.0, allow_repainting_photo=False, threshold=0.3, within=mask
    ),
    "RePaint": noise_masked("RePaint"),
    "Lagrange Inpaint": noise_masked("Lagrange"),
}


def plain(output: object) -> list:
    """Every tensor and number of a node's output, in order."""
    if isinstance(output, torch.Tensor):
        return [output]
    if isinstance(output, dict):
        return [plain(output[key]) for key in sorted(output) if key != "pictures"]
    if isinstance(output, list | tuple):
        return [plain(item) for item in output]
    if hasattr(output, "args") and hasattr(output, "ui"):
        return plain(output.args)
    return [] if type(output).__name__ == "ExecutionBlocker" else [output]


def same(one: object, other: object) -> bool:
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def beyond(values: torch.Tensor) -> torch.Tensor:
    """0 becomes below 0 and 1 above 1."""
    return values + (values <= 0) * -0.3 + (values >= 1) * 0.4


def stretched() -> torch.Tensor:
    """A picture that uses the values 0 and 1, too."""
    image = photo()
    image[:, 10:14], image[:, 20:24] = 0, 1
    return image


TOLERATED_IMAGES: dict[str, tuple[Callable, Callable]] = {
    "8-bit": (stretched, lambda image: (image * 255).round().byte()),
    "values outside 0…1": (stretched, beyond),
    "double precision": (stretched, lambda image: image.double()),
    "half precision": (lambda: stretched().half().float(), lambda image: image.half()),
    "a strided view": (stretched, lambda image: image.transpose(1, 2).contiguous().transpose(1, 2)),
}
TOLERATED_MASKS: dict[str, tuple[Callable, Callable]] = {
    "black is 1/255": (spot, lambda mask: mask.clamp(min=1 / 255)),
    "black is noise below 1.5/255": (
        spot,
        lambda mask: mask.maximum(0.99 * LEAST * torch.rand(mask.shape, generator=torch.manual_seed(0))),
    ),
    "8-bit": (spot, lambda mask: (mask * 255).byte()),
    "8-bit with black 1": (spot, lambda mask: (mask * 254).byte() + 1),
    "8-bit of 0 and 1": (spot, lambda mask: mask.byte()),
    "bool": (spot, lambda mask: mask.bool()),
    "whole numbers": (spot, lambda mask: mask.long()),
    "values outside 0…1": (spot, beyond),
    "half precision": (spot, lambda mask: mask.half()),
    "without a batch": (spot, lambda mask: mask[0]),
    "with a channel": (spot, lambda mask: mask[:, None]),
}


@pytest.mark.parametrize("case", TOLERATED_IMAGES)
@pytest.mark.parametrize("node", IMAGES)
def test_pictures_of_other_kinds_are_taken_alike(nodes, node: str, case: str) -> None:
    usual, change = TOLERATED_IMAGES[case]
    image = usual()
    given = change(image)
    before = given.clone()
    result = IMAGES[node](nodes, given)
    assert same(plain(result), plain(IMAGES[node](nodes, image)))
    assert torch.equal(given, before)


@pytest.mark.parametrize("case", TOLERATED_MASKS)
@pytest.mark.parametrize("node", MASKS)
def test_masks_of_other_kinds_are_taken_alike(nodes, node: str, case: str) -> None:
    usual, change = TOLERATED_MASKS[case]
    given = change(usual())
    before = given.clone()
    result = MASKS[node](nodes, given)
    assert same(plain(result), plain(MASKS[node](nodes, usual().reshape(before.shape))))
    assert torch.equal(given, before)


def nan(values: torch.Tensor, value: float = torch.nan) -> torch.Tensor:
    values = values.clone()
    values[0, 5, 7] = value
    return values


LAYOUT = "must be a batch of RGB or RGBA pictures (batch, height, width, 3 or 4) but is"
BAD_IMAGES: dict[str, tuple[Callable, str]] = {
    "NaN": (lambda: nan(photo()), "holds NaN or infinite values"),
    "infinite": (lambda: nan(photo(), torch.inf), "holds NaN or infinite values"),
    "16-bit": (lambda: (photo() * 60000).int(), "holds whole numbers up to"),
    "complex": (lambda: photo() * 1j, "holds complex numbers"),
    "empty batch": (lambda: photo()[:0], f"{LAYOUT} [0,"),
    "no width": (lambda: photo()[:, :, :0], f"{LAYOUT} [1, {HEIGHT}, 0, 3]"),
    "grey": (lambda: photo()[..., :1], f"{LAYOUT} [1, {HEIGHT}, {WIDTH}, 1]"),
    "channels first": (lambda: photo().permute(0, 3, 1, 2), f"{LAYOUT} [1, 3, {HEIGHT}, {WIDTH}]"),
    "without a batch": (lambda: photo()[0], f"{LAYOUT} [{HEIGHT}, {WIDTH}, 3]"),
    "a mask": (lambda: spot(), f"{LAYOUT} [1, {HEIGHT}, {WIDTH}]"),
    "a video": (lambda: photo()[None], f"{LAYOUT} [1, 1, {HEIGHT}, {WIDTH}, 3]"),
    "numpy": (lambda: photo().numpy(), f"{LAYOUT} ndarray"),
    "a list": (lambda: [photo()], f"{LAYOUT} list"),
    "a latent": (lambda: {"samples": photo()}, f"{LAYOUT} dict"),
    "a text": (lambda: "photo.png", f"{LAYOUT} str"),
}
SHAPE = "must have the shape (batch, height, width) but is"
BAD_MASKS: dict[str, tuple[Callable, str]] = {
    "NaN": (lambda: nan(spot()), "holds NaN or infinite values"),
    "infinite": (lambda: nan(spot(), -torch.inf), "holds NaN or infinite values"),
    "16-bit": (lambda: (spot() * 60000).int(), "holds whole numbers up to 60000"),
    "complex": (lambda: spot() * 1j, "holds complex numbers"),
    "empty batch": (lambda: spot()[:0], f"{SHAPE} [0, {HEIGHT}, {WIDTH}]"),
    "no height": (lambda: spot()[:, :0], f"{SHAPE} [1, 0, {WIDTH}]"),
    "a picture": (lambda: photo(), f"{SHAPE} [1, {HEIGHT}, {WIDTH}, 3]"),
    "one row": (lambda: spot()[0, 0], f"{SHAPE} [{WIDTH}]"),
    "five axes": (lambda: spot()[None, None], f"{SHAPE} [1, 1, 1, {HEIGHT}, {WIDTH}]"),
    "numpy": (lambda: np.zeros((1, HEIGHT, WIDTH), np.float32), f"{SHAPE} ndarray"),
    "a list": (lambda: [spot()], f"{SHAPE} list"),
    "a text": (lambda: "mask.png", f"{SHAPE} str"),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
@pytest.mark.parametrize("node", [*IMAGES, "BLIP Caption"])
def test_what_is_no_picture_is_one_sentence(nodes, node: str, case: str) -> None:
    make, words = BAD_IMAGES[case]
    call = IMAGES.get(node, captioned)
    with pytest.raises(ValueError) as caught:
        call(nodes, make())
    check(str(caught.value), words)


@pytest.mark.parametrize("case", BAD_MASKS)
@pytest.mark.parametrize("node", [node for node in MASKS if node not in ("RePaint", "Lagrange Inpaint")])
def test_what_is_no_mask_is_one_sentence(nodes, node: str, case: str) -> None:
    make, words = BAD_MASKS[case]
    with pytest.raises(ValueError) as caught:
        MASKS[node](nodes, make())
    check(str(caught.value), words)


@pytest.mark.parametrize("case", ["NaN", "infinite", "16-bit", "complex"])
@pytest.mark.parametrize("node", ["RePaint", "Lagrange Inpaint"])
def test_noise_masks_hold_what_masks_hold(nodes, node: str, case: str) -> None:
    make, words = BAD_MASKS[case]
    with pytest.raises(ValueError) as caught:
        MASKS[node](nodes, make())
    check(str(caught.value), words)


def check(sentence: str, words: str) -> None:
    assert words in sentence
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 300


def test_captions_see_the_same_pixels(nodes) -> None:
    for usual, change in TOLERATED_IMAGES.values():
        image = usual()
        assert torch.equal(captioned(nodes, change(image)), captioned(nodes, image))


FAINT = "% of the mask are above 0 but only"
FULL = "invert it if the rest was to be repainted"


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (lambda: spot().clamp(min=5 / 255), FAINT),
        (lambda: 1 - spot(), FULL),
        (lambda: torch.ones(1, HEIGHT, WIDTH), FULL),
        (spot, None),
        (lambda: spot().clamp(min=1 / 255), None),
    ],
)
def test_a_mask_of_nearly_everything_gives_notice(nodes, caplog, mask: Callable, words: str | None) -> None:
    for node in ("Extend Canvas", "Crop to Region", "Stitch Back"):
        caplog.clear()
        MASKS[node](nodes, mask())
        assert (words in caplog.text) if words else not caplog.records, node
    for node in ("Snap Mask to Latent", "Patch", "RePaint"):
        caplog.clear()
        MASKS[node](nodes, mask())
        assert (FAINT in caplog.text) == (words == FAINT), node


def test_values_far_outside_give_notice(nodes, caplog) -> None:
    IMAGES["Extend Canvas"](nodes, photo() * 255)
    assert "Image holds values from" in caplog.text and "was clamped" in caplog.text
    caplog.clear()
    IMAGES["Extend Canvas"](nodes, photo() * 1.2)
    assert not caplog.records


def test_our_own_masks_hold_no_traces(nodes) -> None:
    """A soft edge ends where it can still be seen: no node takes fainter values as masked."""
    for shape in ("linear", "cosine", "gaussian"):
        settings = {**FEATHER, "feather": 120.0, "shape": shape}
        soft = nodes.mask.FeatherMask.execute(mask=spot(), **settings).args[0]
        assert soft[soft > 0].min() >= LEAST and (soft < 0.02).any()
    area = nodes.canvas.ExtendCanvas.execute(image=photo(), **{**EXTEND, "feather": 120}).args[1]
    assert area[area > 0].min() >= LEAST and (area[area > 0] < 0.02).any()


def test_a_blend_ends_where_masks_do(nodes) -> None:
    """The faintest part of the band is no change either."""
    from_black = nodes.canvas.StitchBack.execute(
        torch.zeros(1, HEIGHT, WIDTH, 3),
        {"mode": "blend", "width": 50},
        torch.ones(1, HEIGHT, WIDTH, 3),
        mask=spot(),
    ).args[0]
    assert from_black[from_black > 0].min() >= LEAST
