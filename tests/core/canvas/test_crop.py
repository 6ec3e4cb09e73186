from __future__ import annotations

import math

import pytest
import torch
from recompose.core.canvas import crop
from recompose.core.canvas.crop import Context, Fit
from recompose.core.shapes import Box, Size

CANVAS = Size(701, 1103)
REGIONS = [
    Box(300, 400, 100, 150),
    Box(0, 700, 701, 403),
    Box(650, 10, 40, 90),
    Box(0, 0, 701, 1103),
    Box(350, 2, 1, 1),
    Box(20, 500, 660, 31),
]


def fit(exact: bool, margin: float = 15, multiple_of: int = 8, rescale_tolerance: float = 1.25) -> Fit:
    return Fit(Size(512, 768), exact, margin, multiple_of, rescale_tolerance)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("margin", [0, 15, 200])
@pytest.mark.parametrize("region", REGIONS)
def test_every_crop_holds_its_region_at_one_scale(region: Box, margin: float, exact: bool) -> None:
    context = crop.plan(region, CANVAS, fit(exact, margin))
    box, working = context.box, context.working
    assert box.x <= region.x and box.y <= region.y
    assert box.right >= region.right and box.bottom >= region.bottom
    assert working.width % 8 == 0 and working.height % 8 == 0
    across, down = context.scale
    assert across == pytest.approx(down, rel=0.51 / min(box.size) + 0.51 / max(box.size))
    if exact:
        assert working == (512, 768)
    else:
        assert 0.55 < working.width * working.height / (512 * 768) < 1.6
    if box.width <= CANVAS.width:
        assert box.x >= 0 and box.right <= CANVAS.width
    if box.height <= CANVAS.height:
        assert box.y >= 0 and box.bottom <= CANVAS.height


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("factor", [0.81, 0.95, 1.0, 1.2])
def test_a_scale_near_one_becomes_one(exact: bool, factor: float) -> None:
    side = Size(int(512 / factor * 0.9), int(768 / factor * 0.9))
    region = Box(30, 40, *side)
    margin = 100 * (0.05 * max(side)) / max(side)
    context = crop.plan(region, Size(2000, 2000), fit(exact, margin))
    expected = factor >= 0.9 or not exact
    assert (context.box.size == context.working) == expected
    other = crop.plan(region, Size(2000, 2000), fit(exact, margin, rescale_tolerance=1.0))
    assert exact is False or other.working == (512, 768)


def test_a_crop_larger_than_the_canvas_reaches_outside() -> None:
    context = crop.plan(Box(0, 0, 90, 40), Size(90, 40), Fit(Size(64, 128), True, 0, 8, 1.0))
    assert context.box == Box(0, -70, 90, 180)
    image = torch.rand(1, 40, 90, 3).permute(0, 3, 1, 2)
    cut = crop.crop_image(image, Context(Size(90, 40), Box(-3, -70, 99, 180), Size(99, 180)))
    expected = torch.nn.functional.pad(image, (3, 6 - 3 + 3, 70, 70), mode="replicate")
    assert torch.equal(cut, expected[..., : cut.shape[-1]])
    mask = crop.crop_mask(torch.ones(1, 1, 40, 90), context)
    assert mask.shape == (1, 1, 128, 64)
    assert (mask == 1).all()
    nothing = crop.crop_mask(torch.zeros(1, 1, 40, 90), context)
    assert (nothing == 0).all()
    spot = torch.zeros(2, 1, 40, 90)
    spot[0, :, 10:20, 30:40] = 1
    one, none = crop.crop_mask(spot, context)
    # What lies beyond is unknown, as long as there is anything to repaint.
    assert (one[:, :48] == 1).all() and (one[:, 80:] == 1).all() and none.sum() == 0
    inner = one[:, 52:76]
    assert inner.sum() > 0 and inner[:, :, :18].sum() == 0 and inner[:, :, 32:].sum() == 0


@pytest.mark.parametrize(
    "box", [Box(-7, 5, 50, 20), Box(3, -70, 20, 180), Box(-3, -4, 99, 50), Box(85, 3, 9, 9)]
)
def test_a_cut_beyond_the_picture_repeats_its_edge(box: Box) -> None:
    image = torch.rand(2, 4, 40, 90)
    cut = crop.crop_image(image, Context(Size(90, 40), box, box.size))
    rows = torch.arange(box.y, box.bottom).clamp(0, 39)
    columns = torch.arange(box.x, box.right).clamp(0, 89)
    assert torch.equal(cut, image[..., rows, :][..., columns])


@pytest.mark.parametrize("working", [Size(40, 30), Size(97, 55), Size(400, 300)])
def test_no_thin_stroke_is_lost(working: Size) -> None:
    context = Context(CANVAS, Box(100, 200, 400, 300), working)
    for x in range(100, 500, 37):
        mask = torch.zeros(1, 1, CANVAS.height, CANVAS.width)
        mask[..., x] = 0.4
        cut = crop.crop_mask(mask, context)
        assert (cut.amax(-1) == pytest.approx(0.4)) and cut.sum() > 0
        assert cut.amax(-1).min() > 0.39


def disc(radius: float, value: float = 1.0) -> torch.Tensor:
    rows, columns = torch.meshgrid(*(torch.arange(side) for side in reversed(CANVAS)), indexing="ij")
    inside = (rows - 351.3) ** 2 + (columns - 299.7) ** 2 < radius**2
    return inside.float()[None, None] * value


BOXES = [
    (Box(100, 200, 400, 300), Size(97, 73)),
    (Box(100, 200, 400, 300), Size(400, 300)),
    (Box(100, 200, 400, 300), Size(1000, 750)),
    (Box(-60, 100, 800, 700), Size(200, 176)),
]


@pytest.mark.parametrize(("box", "working"), BOXES)
@pytest.mark.parametrize("value", [1.0, 0.4])
@pytest.mark.parametrize("batch", [1, 3])
def test_the_crops_mask_comes_back_as_the_canvass(box: Box, working: Size, value: float, batch: int) -> None:
    masks = torch.cat([disc(90 + 20 * number, value) for number in range(batch)])
    context = crop.with_mask(Context(CANVAS, box, working), masks)
    cut = crop.crop_mask(masks, context)
    shown = context.shown
    expected = masks[..., shown.y : shown.bottom, shown.x : shown.right]
    assert torch.equal(crop.uncrop_mask(cut, context), expected)
    # Fainter or smaller, it stays within.
    faint = crop.uncrop_mask(cut * 0.5, context)
    assert (faint <= expected).all() and (faint[expected > 0] > 0).all()
    one = crop.uncrop_mask(cut[-1:], context)
    assert len(one) == 1 and (one <= expected.amax(0, keepdim=True)).all()


@pytest.mark.parametrize(("box", "working"), BOXES)
def test_what_is_added_to_the_crops_mask_is_added_on_the_canvas(box: Box, working: Size) -> None:
    context = crop.with_mask(Context(CANVAS, box, working), disc(90))
    grown = crop.crop_mask(disc(120), context)
    back = crop.uncrop_mask(grown, context)
    shown = context.shown
    part = (..., slice(shown.y, shown.bottom), slice(shown.x, shown.right))
    # Up to a pixel of the crop, its two ways together.
    reach = math.ceil(2 * max(1, 1 / min(context.scale))) + 1
    assert (back[disc(120 - reach)[part] > 0] == 1).all()
    assert back[disc(120 + reach)[part] == 0].sum() == 0


def test_points_follow_the_pixels() -> None:
    context = Context(CANVAS, Box(100, 200, 400, 300), Size(200, 150))
    image = torch.zeros(1, 3, CANVAS.height, CANVAS.width)
    image[..., 300:310, 220:230] = 1
    cut = crop.crop_image(image, context)[0, 0]
    rows, columns = (cut > 0.5).nonzero().float().mean(0) + 0.5
    (across, down), (left, top) = context.scale, context.offset
    assert columns.item() == pytest.approx(225 * across + left, abs=0.3)
    assert rows.item() == pytest.approx(305 * down + top, abs=0.3)


def test_the_same_size_is_a_copy() -> None:
    image = torch.rand(1, 3, 30, 40)
    cut = crop.crop_image(image, Context(Size(40, 30), Box(3, 4, 16, 8), Size(16, 8)))
    assert torch.equal(cut, image[..., 4:12, 3:19])
    cut.zero_()
    assert image[..., 4:12, 3:19].sum() > 0


def test_a_union_holds_all_boxes() -> None:
    assert crop.union([Box(-4, 2, 5, 5), Box(3, -1, 2, 4)]) == Box(-4, -1, 9, 8)


PHOTO = Size(2003, 1501)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("at", [(1000, 700), (0, 0), (2002, 1500), (3, 1490)])
@pytest.mark.parametrize("side", [1, 5, 20])
def test_a_small_region_gets_surroundings(side: int, at: tuple[int, int], exact: bool) -> None:
    region = Box(min(at[0], 2003 - side), min(at[1], 1501 - side), side, side)
    context = crop.plan(region, PHOTO, fit(exact))
    assert max(context.scale) <= crop.MOST_ENLARGED * 1.05
    box = context.box
    assert box.x >= 0 and box.y >= 0 and box.right <= 2003 and box.bottom <= 1501
    assert box.x <= region.x and box.right >= region.right
    assert box.y <= region.y and box.bottom >= region.bottom


def test_a_small_picture_is_enlarged_as_far_as_it_needs() -> None:
    for exact in (False, True):
        context = crop.plan(Box(5, 5, 2, 2), Size(40, 30), fit(exact, multiple_of=1))
        box = context.box
        assert box.x >= 0 and box.y >= 0 and box.right <= 40 and box.bottom <= 30


@pytest.mark.parametrize(
    ("canvas", "region"),
    [
        (Size(1023, 769), Box(0, 0, 512, 700)),
        (Size(1023, 769), Box(500, 60, 400, 680)),
        (Size(4000, 3001), Box(1100, 90, 1900, 2850)),
        (Size(700, 1100), Box(1, 5, 698, 900)),
    ],
)
def test_the_margin_gives_way_before_the_crop_leaves_the_picture(canvas: Size, region: Box) -> None:
    for exact in (False, True):
        box = crop.plan(region, canvas, fit(exact)).box
        assert box.x >= 0 and box.y >= 0 and box.right <= canvas.width and box.bottom <= canvas.height
        assert box.x <= region.x and box.right >= region.right
        assert box.y <= region.y and box.bottom >= region.bottom


@pytest.mark.parametrize("region", [Box(0, 0, 701, 1103), Box(-5, -600000, 3, 600010), Box(0, 0, 90000, 5)])
def test_a_crop_too_large_to_hold_is_refused_before_anything_is_made(region: Box) -> None:
    extreme = Fit(Size(16, 16384), True, 0, 1, 1.0)
    with pytest.raises(ValueError, match="a side may have at most 16384"):
        crop.plan(region, CANVAS, extreme)


def test_a_thin_region_makes_no_endless_crop() -> None:
    context = crop.plan(Box(0, 50, 12000, 1), Size(12000, 200), fit(False, 0))
    assert max(context.working) <= 16384 and context.box.width >= 12000


def test_the_margin_is_a_share_of_the_longer_side() -> None:
    context = crop.plan(Box(300, 400, 100, 200), CANVAS, fit(False, 10, 1, 1.0))
    assert context.box.width == pytest.approx(140, abs=1) and context.box.height == pytest.approx(240, abs=1)
    assert context.box.x == pytest.approx(280, abs=1)
    assert math.isclose(context.working.width * context.working.height, 512 * 768, rel_tol=0.01)
