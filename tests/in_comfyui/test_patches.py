"""Several regions of one picture: each put in as if alone, every other pixel bit for bit as it was."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
import torch
from recompose.core.canvas.crop import Context
from recompose.core.shapes import Box, Size

WIDTH, HEIGHT = 397, 251
STRICT = {"mode": "strict"}
HOLES = [(slice(20, 90), slice(30, 101)), (slice(120, 231), slice(60, 200)), (slice(80, 140), slice(90, 390))]


@pytest.fixture(scope="module")
def nodes(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.nodes.canvas")


@pytest.fixture
def photo() -> torch.Tensor:
    return torch.rand(1, HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(3))


def mask_of(hole: tuple[slice, slice]) -> torch.Tensor:
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, hole[0], hole[1]] = 1
    return mask


def cropped(nodes: ModuleType, photo: torch.Tensor, mask: torch.Tensor, side: int) -> tuple:
    settings = {"crop_to": "mask", "width": side, "height": side, "fit": "area", "margin": 20.0}
    settings |= {"multiple_of": 8, "rescale_tolerance": 1.0}
    return nodes.CropToRegion.execute(image=photo, mask=mask, **settings).args


def parts(nodes: ModuleType, photo: torch.Tensor) -> list[tuple]:
    """Generated picture, mask and context of each hole, cropped at sizes that all need resizing."""
    found = []
    for number, hole in enumerate(HOLES):
        crop = cropped(nodes, photo, mask_of(hole), 64 + 40 * number)
        found.append((1 - crop[0], crop[1], crop[4]))
    return found


def patch(nodes: ModuleType, generated, mask, context):
    return nodes.MakePatch.execute(mask, context, generated).args[0]


def test_patches_are_one_stitch_after_the_other(nodes, photo) -> None:
    before, made = photo.clone(), parts(nodes, photo)
    patches = {f"patch{number}": patch(nodes, *part) for number, part in enumerate(made)}
    found, seam = nodes.StitchBack.execute(original=photo, mode=STRICT, patches=patches).args
    expected, seams = photo, []
    for generated, mask, context in made:
        expected, ratio = nodes.StitchBack.execute(expected, STRICT, generated, mask, None, context).args
        seams.append(ratio)
    assert torch.equal(found, expected) and torch.equal(photo, before)
    assert seam == pytest.approx(max(seams), rel=0.3)  # within the crop instead of the whole picture
    touched = torch.stack([mask_of(hole)[0] for hole in HOLES]).amax(0) > 0
    assert torch.equal(found[0][~touched], photo[0][~touched])
    assert (found[0][touched] != photo[0][touched]).float().mean() > 0.98


def test_masks_of_the_pictures_own_size_keep_every_other_bit(nodes, photo) -> None:
    patches = {
        f"patch{number}": patch(nodes, generated, mask_of(hole), context)
        for number, (hole, (generated, _, context)) in enumerate(zip(HOLES, parts(nodes, photo), strict=True))
    }
    found = nodes.StitchBack.execute(original=photo, mode=STRICT, patches=patches).args[0]
    untouched = torch.stack([mask_of(hole)[0] for hole in HOLES]).amax(0) == 0
    assert torch.equal(found[0][untouched], photo[0][untouched])


def test_patches_come_on_top_of_an_outpainted_canvas(nodes, photo) -> None:
    sides = {"mode": "sides", "left": 0, "top": 0, "right": 0, "bottom": 53}
    settings = {"multiple_of": 8, "fill": {"fill": "smooth"}, "feather": 0}
    canvas, _, region, _ = nodes.ExtendCanvas.execute(image=photo, mode=sides, **settings).args
    mask = torch.zeros(canvas.shape[:3])
    mask[:, 40:90, 50:120] = 1
    crop = cropped(nodes, canvas, mask, 96)
    given = {"patch0": patch(nodes, 1 - crop[0], mask, crop[4])}
    found = nodes.StitchBack.execute(
        canvas, STRICT, torch.zeros_like(canvas), region=region, patches=given
    ).args[0]
    plain = nodes.StitchBack.execute(canvas, STRICT, torch.zeros_like(canvas), region=region).args[0]
    changed = (found != plain).any(-1)
    assert changed[mask > 0].float().mean() > 0.98 and not changed[mask == 0].any()


def test_an_empty_mask_needs_no_picture_and_changes_nothing(nodes, photo) -> None:
    context = Context(Size(WIDTH, HEIGHT), Box(10, 10, 64, 64), Size(64, 64))
    empty = torch.zeros(1, 64, 64)
    assert nodes.MakePatch.check_lazy_status(empty, context) == []
    assert nodes.MakePatch.check_lazy_status(empty + 1, context) == ["generated"]
    assert patch(nodes, None, empty, context) is None
    found, seam = nodes.StitchBack.execute(original=photo, mode=STRICT, patches={"patch0": None}).args
    assert torch.equal(found, photo) and found.data_ptr() != photo.data_ptr() and seam == 1
    asked = nodes.StitchBack.check_lazy_status
    assert asked(photo, STRICT, patches={"patch0": (None, "patches.patch0")}) == []
    # ComfyUI asks so where no patch is connected.
    assert asked(photo, STRICT, mask=mask_of(HOLES[0]), patches=({}, "patches")) == ["generated"]


def test_a_batch_in_one_patch_makes_a_batch(nodes, photo) -> None:
    generated, mask, context = parts(nodes, photo)[0]
    three = torch.cat([generated, generated * 0.5, generated * 0])
    given = {"patch0": patch(nodes, three, mask, context), "patch1": patch(nodes, *parts(nodes, photo)[1])}
    found = nodes.StitchBack.execute(original=photo, mode=STRICT, patches=given).args[0]
    assert found.shape == (3, HEIGHT, WIDTH, 3)
    alone = nodes.StitchBack.execute(
        original=photo, mode=STRICT, patches=given | {"patch0": patch(nodes, three[2:], mask, context)}
    ).args[0]
    assert torch.equal(found[2], alone[0])


BAD = {
    "another picture's size": (
        lambda part, context: (part[0][:, :-8], part[1], context),
        "The generated picture is .* but must be .* the crop's working size",
    ),
    "another mask's size": (
        lambda part, context: (part[0], torch.ones(1, 33, 35), context),
        "The mask is 35×33 but its crop",
    ),
    "no picture": (lambda part, context: (None, part[1], context), "no generated picture; connect one"),
    "another batch": (
        lambda part, context: (part[0].repeat(2, 1, 1, 1), part[1].repeat(3, 1, 1), context),
        "batches do not fit together",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_patches_are_one_clear_sentence(nodes, photo, name: str) -> None:
    damage, words = BAD[name]
    part = parts(nodes, photo)[0]
    with pytest.raises(ValueError, match=words):
        patch(nodes, *damage(part, part[2]))


def test_patches_of_another_picture_are_refused(nodes, photo) -> None:
    given = {"patch0": patch(nodes, *parts(nodes, photo)[0])}
    with pytest.raises(ValueError, match=r"The original is .* but the canvas is"):
        nodes.StitchBack.execute(original=photo[:, :-1], mode=STRICT, patches=given)
