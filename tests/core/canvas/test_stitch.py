from __future__ import annotations

import logging

import pytest
import torch
import torch.nn.functional as F
from recompose.core.canvas import seam, stitch, tone
from recompose.core.canvas.crop import Context, crop_image
from recompose.core.shapes import Box, Padding, Region, Size, region_of

PHOTO = Size(83, 67)
REGION = region_of(PHOTO, Padding(11, 0, 4, 42))
CANVAS = REGION.canvas


def world(channels: int = 3, batch: int = 1, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = 0.2 + 0.5 * torch.rand(batch, channels, 6, 5, generator=generator)
    size = (CANVAS.height, CANVAS.width)
    smooth = torch.nn.functional.interpolate(coarse, size, mode="bicubic")
    return smooth + 0.02 * torch.rand(smooth.shape, generator=generator)


def photo_of(canvas: torch.Tensor) -> torch.Tensor:
    box = REGION.box
    return canvas[..., box.y : box.bottom, box.x : box.right]


def outside() -> torch.Tensor:
    return stitch.repaint_mask(None, stitch.plan(PHOTO, REGION, None), True)


def test_the_mask_without_a_mask_is_what_is_new() -> None:
    mask = outside()
    assert mask.shape == (1, 1, CANVAS.height, CANVAS.width)
    assert photo_of(mask).sum() == 0
    assert mask.sum() == CANVAS.width * CANVAS.height - PHOTO.width * PHOTO.height


@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("batch", [1, 3])
def test_strict_leaves_every_known_bit_and_takes_the_tone_step_away(
    extended: bool, channels: int, batch: int
) -> None:
    truth = world(channels, batch)
    original = truth if extended else photo_of(truth)
    generated = (truth[:, :3] * 0.9 + 0.05).clamp(0, 1)
    before = original.clone(), generated.clone()
    job = stitch.plan(Size(original.shape[-1], original.shape[-2]), REGION, None)
    mask = outside()
    result = stitch.stitch(original, generated, mask, job, None)
    assert result.shape == (batch, channels, CANVAS.height, CANVAS.width)
    assert torch.equal(photo_of(result), photo_of(truth))
    assert torch.equal(original, before[0]) and torch.equal(generated, before[1])
    pasted = torch.where(mask > 0, generated, truth[:, :3])
    assert seam.measure(result, mask).ratio < seam.measure(pasted, mask).ratio
    assert seam.measure(result, mask).ratio < 1.25
    if channels == 4:
        assert (result[:, 3:][mask.expand_as(result[:, 3:]) > 0] == 1).all()
    result.zero_()
    assert torch.equal(original, before[0])


def test_a_constant_tone_step_is_removed_completely() -> None:
    truth = world()
    generated = truth + torch.tensor([0.05, -0.04, 0.02]).view(1, 3, 1, 1)
    result = stitch.stitch(truth, generated, outside(), stitch.plan(CANVAS, REGION, None), None)
    assert (result - truth).abs().max() < 1e-3


def test_a_hole_inside_is_corrected_from_all_sides() -> None:
    truth = world()
    ramp = torch.linspace(-0.08, 0.08, CANVAS.width).expand_as(truth)
    mask = torch.zeros(1, 1, CANVAS.height, CANVAS.width)
    mask[..., 30:80, 25:70] = 1
    result = stitch.stitch(truth, truth + ramp, mask, stitch.plan(CANVAS, None, None), None)
    assert (result - truth).abs().max() < 5e-3
    assert torch.equal(result[mask.expand_as(result) == 0], truth[mask.expand_as(truth) == 0])


@pytest.mark.parametrize("offset", [0.0, 0.03])
def test_an_edge_of_the_scene_along_the_seam_does_not_tint_what_is_repainted(offset: float) -> None:
    truth = torch.full((1, 3, 160, 96), 0.6)
    mask = torch.zeros(1, 1, 160, 96)
    mask[..., 80:, :] = 1
    photo, generated = truth.clone(), truth - offset
    photo[..., 78:80, :] = 0.1  # a skirting board, which the model draws two rows lower
    generated[..., 80:82, :] = 0.1
    result = stitch.stitch(photo, generated, mask, stitch.plan(Size(96, 160), None, None), None)
    assert torch.equal(result[..., :80, :], photo[..., :80, :])
    assert (result[..., 112:, :] - truth[..., 112:, :]).abs().max() < 0.02


BARS = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0), "red": (0.75, 0.1, 0.1), "blue": (0.1, 0.65, 1.0)}


@pytest.mark.parametrize("colour", BARS.values(), ids=BARS)
@pytest.mark.parametrize("rows", [1, 3, 10, 40])
@pytest.mark.parametrize("columns", [slice(0, 96), slice(20, 70)])
@pytest.mark.parametrize("patched", [False, True])
def test_a_frame_line_along_the_seam_is_no_tone(
    patched: bool, columns: slice, rows: int, colour: tuple[float, float, float]
) -> None:
    photo = torch.full((1, 3, 160, 96), 0.6)
    photo[..., 100 - rows : 100, columns] = torch.tensor(colour).view(1, 3, 1, 1)
    generated = torch.full((1, 3, 160, 96), 0.62)
    mask = torch.zeros(1, 1, 160, 96)
    mask[..., 100:, :] = 1
    size = Size(96, 160)
    if patched:
        result = photo.clone()
        patch = stitch.Patch(generated, mask, Context(size, Box(0, 0, *size), size))
        assert len(list(stitch.stitch_patches(result, [patch], None))) == 1
    else:
        result = stitch.stitch(photo, generated, mask, stitch.plan(size, None, None), None)
    assert torch.equal(result[..., :100, :], photo[..., :100, :])
    # The tone of the photo is 0.02 darker than the model's; the line gives none.
    assert (result[..., 100:, :] - 0.61).abs().max() < 0.011


def test_a_strong_tone_step_is_still_removed() -> None:
    truth = torch.full((1, 3, 160, 96), 0.6)
    mask = torch.zeros(1, 1, 160, 96)
    mask[..., 100:, :] = 1
    result = stitch.stitch(truth, truth + 0.15, mask, stitch.plan(Size(96, 160), None, None), None)
    assert (result - truth).abs().max() < 1e-3


def test_a_soft_mask_mixes_and_leaves_zeros_alone() -> None:
    truth, generated = world(), world(seed=1)
    mask = torch.zeros(1, 1, CANVAS.height, CANVAS.width)
    mask[..., 60:, :] = torch.linspace(0.1, 1, CANVAS.height - 60)[:, None]
    result = stitch.stitch(truth, generated, mask, stitch.plan(CANVAS, None, None), None)
    assert torch.equal(result[..., :60, :], truth[..., :60, :])
    assert (result[..., 60, :] - truth[..., 60, :]).abs().max() < 0.1


@pytest.mark.parametrize("width", [1, 9])
def test_blend_changes_a_band_of_the_stated_width_only(width: int) -> None:
    truth, generated = world(), world(seed=1)
    mask = torch.zeros(1, 1, CANVAS.height, CANVAS.width)
    mask[..., 60:, :] = 1
    result = stitch.stitch(truth, generated, mask, stitch.plan(CANVAS, None, None), width)
    assert torch.equal(result[..., : 60 - width, :], truth[..., : 60 - width, :])
    assert torch.equal(result[..., 60:, :], generated[..., 60:, :])
    band = (result - truth)[..., 60 - width : 60, :].abs().mean((0, 1, 3))
    assert (band > 0).all()
    share = ((result - truth) / (generated - truth))[0, 0, 60 - width : 60, 40]
    assert (share.diff() > 0).all()


@pytest.mark.parametrize("box", [Box(24, 20, 52, 52), Box(0, 20, 76, 52), Box(24, 20, 52, 80)])
@pytest.mark.parametrize("width", [4, 16, 60])
def test_a_band_wider_than_the_crop_fades_out_before_its_border(width: int, box: Box) -> None:
    size = Size(100, 100)
    photo = torch.full((1, 3, 100, 100), 0.4)
    mask = torch.zeros(1, 1, 100, 100)
    mask[..., 26:66, 30:70] = 1
    context = Context(size, box, box.size)
    job = stitch.plan(size, None, context)
    result = stitch.stitch(photo, crop_image(photo, context) + 0.2, mask, job, width)
    change = (result - photo)[0, 0]
    assert torch.equal(result[mask.expand_as(result) == 1], (photo + 0.2)[mask.expand_as(photo) == 1])
    outside = torch.ones(100, 100, dtype=torch.bool)
    outside[box.y : box.bottom, box.x : box.right] = False
    assert (change[outside] == 0).all()
    # Six pixels between the mask and the border are room for steps of half the difference at most twice.
    steepest = max(change.diff(dim=0).abs().max(), change.diff(dim=1).abs().max()).item()
    assert steepest < 0.2 * (0.45 if width == 4 else 0.3)
    border = change[box.y : box.bottom, box.x : box.right]
    for line, inside in (
        (border[:, 0], box.x > 0),
        (border[:, -1], True),
        (border[0], True),
        (border[-1], box.bottom < 100),
    ):
        assert not inside or line.abs().max() < 0.2 * 0.02


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.4])
def test_a_crop_comes_back_to_its_place(scale: float) -> None:
    truth = world()
    box = Box(3, 30, 90, 79)
    working = Size(round(box.width * scale / 8) * 8, round(box.height * scale / 8) * 8)
    context = Context(CANVAS, box, working if scale != 1 else box.size)
    mask = torch.zeros(1, 1, CANVAS.height, CANVAS.width)
    mask[..., 67:, 10:85] = 1
    generated = crop_image(truth, context)
    result = stitch.stitch(truth, generated, mask, stitch.plan(CANVAS, REGION, context), None)
    known = mask.expand_as(truth) == 0
    assert torch.equal(result[known], truth[known])
    assert (result - truth).abs().mean() < (0.001 if scale >= 1 else 0.01)


def test_a_box_that_reaches_outside_comes_back_too() -> None:
    truth = world()
    context = Context(CANVAS, Box(-7, -5, 120, 130), Size(120, 130))
    generated = crop_image(truth + 0.03, context)
    result = stitch.stitch(truth, generated, outside(), stitch.plan(CANVAS, REGION, context), None)
    assert torch.equal(photo_of(result), photo_of(truth))
    assert (result - truth).abs().max() < 1e-3


def test_a_mask_of_the_crops_size_goes_back_to_the_canvas() -> None:
    context = Context(CANVAS, Box(10, 20, 60, 40), Size(120, 80))
    job = stitch.plan(CANVAS, None, context)
    mask = torch.zeros(1, 1, 80, 120)
    mask[0, 0, 31, 71] = 1
    back = stitch.repaint_mask(mask, job, False)
    assert back.nonzero().tolist() == [[0, 0, 35, 45]]


@pytest.mark.parametrize("blend", [None, 5])
def test_patches_go_in_one_after_the_other_as_if_each_was_stitched_alone(blend: int | None) -> None:
    truth, new = world(), world(seed=1)
    small = Context(CANVAS, Box(3, 10, 40, 48), Size(40, 48))
    large = Context(CANVAS, Box(20, 25, 50, 60), Size(100, 120))
    own, whole = torch.zeros(1, 1, 48, 40), torch.zeros(1, 1, CANVAS.height, CANVAS.width)
    own[..., 9:33, 8:30] = 1
    whole[..., 38:70, 30:60] = 1
    first = stitch.Patch(crop_image(new, small), own, small)
    second = stitch.Patch(crop_image(new + 0.1, large), whole, large)
    expected = truth
    for patch in (first, second):
        job = stitch.plan(CANVAS, None, patch.context)
        mask = stitch.repaint_mask(patch.mask, job, False)
        expected = stitch.stitch(expected, patch.generated, mask, job, blend)
    canvas = truth.clone()
    steps = []
    for alpha in stitch.stitch_patches(canvas, [first, second], blend):
        steps.append((alpha, canvas.clone()))
    torch.testing.assert_close(canvas, expected, rtol=0, atol=1e-6)
    assert [alpha.shape[-2:] for alpha, _ in steps] == [(48, 40), (60, 50)]
    # The first step changed only what the first mask's crop shows, the second went on from there.
    assert (steps[0][1] != truth).any() and torch.equal(steps[0][1][..., 58:, :], truth[..., 58:, :])
    assert (canvas != steps[0][1]).any()


def test_a_mask_beyond_the_crop_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    truth = world()
    context = Context(CANVAS, Box(10, 20, 60, 40), Size(60, 40))
    mask = torch.ones(1, 1, CANVAS.height, CANVAS.width)
    with caplog.at_level(logging.WARNING, "recompose"):
        result = stitch.stitch(
            truth, crop_image(truth, context), mask, stitch.plan(CANVAS, None, context), None
        )
    assert "beyond the crop" in caplog.text
    assert torch.equal(result[..., :20, :], truth[..., :20, :])


@pytest.mark.parametrize("factor", [0.5, 1.5, 2, 4])
@pytest.mark.parametrize("cropped", [False, True])
def test_a_generated_picture_that_was_scaled_comes_back_to_its_place(cropped: bool, factor: float) -> None:
    size = Size(120, 96)
    truth = torch.nn.functional.interpolate(world(), (96, 120), mode="bicubic")
    context = Context(size, Box(8, 16, 80, 64), Size(80, 64)) if cropped else None
    made = crop_image(truth, context) if context else truth
    scaled = torch.nn.functional.interpolate(made, scale_factor=factor, mode="bicubic", antialias=True)
    mask = torch.zeros(1, 1, 96, 120)
    mask[..., 30:70, 20:75] = 1
    result = stitch.stitch(truth, scaled.clamp(0, 1), mask, stitch.plan(size, None, context), None)
    known = mask.expand_as(truth) == 0
    assert torch.equal(result[known], truth[known])
    assert (result - truth).abs().mean() < 0.01


def test_a_generated_picture_that_the_vae_cut_lies_where_it_was_cut() -> None:
    truth = world()[..., :103, :].contiguous()  # 98 x 103, cut to 96 x 96 from 1, 3 on
    cut = truth[..., 3:99, 1:97] + 0.03
    mask = torch.zeros(1, 1, 103, 98)
    mask[..., 50:, 30:] = 1
    result = stitch.stitch(truth, cut, mask, stitch.plan(Size(98, 103), None, None), None)
    known = mask.expand_as(truth) == 0
    assert torch.equal(result[known], truth[known])
    inner = (..., slice(0, 99), slice(0, 97))
    assert (result[inner] - truth[inner]).abs().max() < 0.01
    # Beside the known pixels the rim's repeated edge is matched to them.
    rim = result[..., 99:, 46:97]
    assert (rim - truth[..., 98:99, 46:97]).abs().max() < 0.01


def test_sizes_that_do_not_fit_are_refused() -> None:
    context = Context(Size(50, 60), Box(0, 0, 50, 60), Size(64, 64))
    with pytest.raises(ValueError, match="canvas of 50×60 but the region to one of 98×109"):
        stitch.plan(CANVAS, REGION, context)
    with pytest.raises(ValueError, match="original is 80×67 but the canvas is 98×109"):
        stitch.plan(Size(80, 67), REGION, None)
    with pytest.raises(ValueError, match="needs a mask or a region"):
        stitch.repaint_mask(None, stitch.plan(CANVAS, None, None), False)
    with pytest.raises(ValueError, match=r"is 98×104 but must be 98×109, the canvas; .* VAE Encode"):
        stitch.stitch(world(), world()[..., :104, :], outside(), stitch.plan(CANVAS, REGION, None), None)
    with pytest.raises(ValueError, match="original 2, generated 3"):
        stitch.stitch(world(batch=2), world(batch=3), outside(), stitch.plan(CANVAS, REGION, None), None)


def test_region_of_the_whole_canvas_repaints_nothing() -> None:
    whole = Region(0, 0, *PHOTO, *PHOTO)
    mask = stitch.repaint_mask(None, stitch.plan(PHOTO, whole, None), True)
    assert mask.sum() == 0


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("scale", [1, 3])
def test_tiles_meet_without_a_trace(monkeypatch: pytest.MonkeyPatch, flip: bool, scale: int) -> None:
    """Smooth differences, and large ones beside the seam, on more tiles than one in both directions."""
    generator = torch.Generator().manual_seed(5)
    truth = torch.rand(2, 3, 690, 900, generator=generator)
    small = F.avg_pool2d(truth, scale)
    generated = (small + 0.05 * torch.rand(small.shape, generator=generator)).clamp(0, 1)
    mask = torch.zeros(1, 1, 690, 900)
    mask[..., 40:680, 30:800] = 1
    if flip:
        truth, generated, mask = truth.mT.contiguous(), generated.mT.contiguous(), mask.mT.contiguous()
    size = Size(truth.shape[-1], truth.shape[-2])
    context = Context(size, Box(0, 0, *size), Size(generated.shape[-1], generated.shape[-2]))
    job = stitch.plan(size, None, context)
    monkeypatch.setattr(tone, "COLUMNS", 256)
    tiles = stitch.stitch(truth, generated, mask, job, None)
    monkeypatch.setattr(tone, "ROWS", 1024)
    monkeypatch.setattr(tone, "COLUMNS", 1024)
    whole = stitch.stitch(truth, generated, mask, job, None)
    assert (tiles - whole).abs().max() < 1e-4
    assert torch.equal(tiles[mask.expand_as(tiles) == 0], truth[mask.expand_as(truth) == 0])
