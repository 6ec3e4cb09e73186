"""Extend Canvas, Crop to Region and Stitch Back as ComfyUI calls them: chains, batches, bad input."""

from __future__ import annotations

import importlib
import logging
from types import ModuleType

import numpy as np
import pytest
import torch

WIDTH, HEIGHT = 97, 151
# Neck, right hip, left knee, and a point outside the picture.
POINTS = {1: (40.5, 30.25), 8: (30, 90), 12: (60, 140), 10: (35, 170)}
SIDES = {"mode": "sides", "left": 0, "top": 0, "right": 0, "bottom": 61}
BODY = {"mode": "body", "margin": 4.0, "max_extension": 1.2}
SMOOTH = {"fill": "smooth"}


def pose(width: int = WIDTH, height: int = HEIGHT) -> list[dict]:
    flat = [value for i in range(18) for value in ((*POINTS[i], 1.0) if i in POINTS else (0, 0, 0))]
    person = {"pose_keypoints_2d": flat, "mine": "kept"}
    return [{"canvas_width": width, "canvas_height": height, "people": [person]}]


def points(moved: list[dict]) -> dict[int, tuple[float, float]]:
    flat = moved[0]["people"][0]["pose_keypoints_2d"]
    return {i: tuple(flat[3 * i : 3 * i + 2]) for i in range(18) if flat[3 * i + 2]}


def picture(channels: int = 3, batch: int = 1, height: int = HEIGHT, width: int = WIDTH) -> torch.Tensor:
    generator = torch.Generator().manual_seed(11)
    coarse = 0.2 + 0.5 * torch.rand(batch, channels, 5, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return torch.round(smooth * 255).div(255).permute(0, 2, 3, 1).contiguous()


@pytest.fixture(scope="module")
def nodes(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.nodes.canvas")


def extend(nodes: ModuleType, image: torch.Tensor, mode: dict = SIDES, **more):
    settings = {"multiple_of": 8, "fill": SMOOTH, "feather": 0, **more}
    return nodes.ExtendCanvas.execute(image=image, mode=mode, **settings)


def crop(nodes: ModuleType, image: torch.Tensor, **more):
    settings = {"crop_to": "mask and person", "width": 96, "height": 128, "fit": "area"}
    settings |= {"margin": 15.0, "multiple_of": 8, "rescale_tolerance": 1.25, **more}
    return nodes.CropToRegion.execute(image=image, **settings).args


def stitch(nodes: ModuleType, original: torch.Tensor, generated: torch.Tensor | None, **more):
    return nodes.StitchBack.execute(
        original=original, generated=generated, **{"mode": {"mode": "strict"}, **more}
    )


def blocked(value: object) -> bool:
    return type(value).__name__ == "ExecutionBlocker"


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("fill", ["smooth", "edge", "mirror", "noise", "color"])
def test_extend_gives_picture_mask_region_pose_and_report(
    nodes, channels: int, batch: int, fill: str
) -> None:
    image, given = picture(channels, batch), pose()
    before = image.clone()
    output = extend(nodes, image, fill={"fill": fill, "seed": 3, "color": "#102030"}, pose=given)
    canvas, mask, region, moved = output.args
    assert canvas.shape == (batch, 216, WIDTH, channels) and canvas.is_contiguous()
    assert mask.shape == (batch, 216, WIDTH) and mask.is_contiguous()
    assert torch.equal(canvas[:, :HEIGHT], before)
    assert mask[:, :HEIGHT].sum() == 0 and (mask[:, HEIGHT:] == 1).all()
    expected = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT, "canvas_width": WIDTH, "canvas_height": 216}
    assert region == expected
    assert output.ui == {"recompose": [{"padding": [0, 0, 0, 65], "region": expected}]}
    assert points(moved) == POINTS and (moved[0]["canvas_width"], moved[0]["canvas_height"]) == (WIDTH, 216)
    assert moved[0]["people"][0]["mine"] == "kept"
    canvas.zero_()
    assert torch.equal(image, before) and given == pose()


def test_zero_extension_is_the_identity_but_not_the_same_memory(nodes) -> None:
    image, given = picture(), 0.01 + 0.99 * torch.rand(1, HEIGHT, WIDTH)
    before = given.clone()
    sides = {"mode": "sides", "left": 0, "top": 0, "right": 0, "bottom": 0}
    canvas, mask, region, moved = extend(nodes, image, sides, mask=given, pose=pose(), feather=40).args
    assert torch.equal(canvas, image) and torch.equal(mask, given)
    assert region["canvas_width"] == WIDTH and region["canvas_height"] == HEIGHT
    assert moved == pose()
    canvas.zero_(), mask.zero_()
    assert image.sum() > 0 and torch.equal(given, before)


@pytest.mark.parametrize(
    ("mode", "padding"),
    [
        ({"mode": "size", "width": 160, "height": 0, "anchor": "top right"}, [63, 0, 0, 0]),
        ({"mode": "aspect", "aspect_width": 1.0, "aspect_height": 1.0, "anchor": "center"}, [27, 0, 28, 0]),
    ],
)
def test_the_other_modes_pad_as_planned(nodes, mode: dict, padding: list[int]) -> None:
    output = extend(nodes, picture(), mode)
    assert output.ui["recompose"][0]["padding"] == padding
    moved = extend(nodes, picture(), mode, pose=pose()).args[3]
    assert points(moved)[1] == (POINTS[1][0] + padding[0], POINTS[1][1])


def test_a_size_that_is_no_multiple_gives_notice(nodes, caplog) -> None:
    mode = {"mode": "size", "width": 160, "height": 170, "anchor": "top"}
    assert extend(nodes, picture(), mode).args[0].shape[1:3] == (176, 160)
    assert "is 160×176 instead of 160×170 because multiple_of is 8" in caplog.text
    caplog.clear()
    assert extend(nodes, picture(), mode, multiple_of=1).args[0].shape[1:3] == (170, 160)
    extend(nodes, picture(), {**mode, "height": 168})
    assert not caplog.records


@pytest.mark.parametrize("aspect", [(1920.0, 1080.0), (16384.0, 9216.0), (16.0, 9.0)])
def test_an_aspect_may_be_given_in_pixels(nodes, aspect: tuple[float, float]) -> None:
    mode = {"mode": "aspect", "aspect_width": aspect[0], "aspect_height": aspect[1], "anchor": "center"}
    canvas = extend(nodes, picture(), mode, multiple_of=1).args[0]
    assert canvas.shape[1:3] == (HEIGHT, round(HEIGHT * 16 / 9))
    for option in nodes.modes():
        if option.key == "aspect":
            assert all(value <= option.inputs[0].max for value in aspect)


def test_a_faint_point_adds_no_canvas_and_is_in_no_crop(nodes) -> None:
    faint = pose()
    flat = faint[0]["people"][0]["pose_keypoints_2d"]
    flat[3 * 13 : 3 * 13 + 3] = [50.0, 700.0, 0.05]
    body = {"mode": "body", "margin": 0.0, "max_extension": 8.0}
    outputs = [extend(nodes, picture(), body, pose=given).args for given in (faint, pose())]
    assert [each[2]["canvas_height"] for each in outputs] == [outputs[1][2]["canvas_height"]] * 2
    assert points(outputs[0][3]) == points(outputs[1][3]) and 13 not in points(outputs[0][3])
    assert outputs[0][3][0]["people"][0]["recompose"]["confidence"][13] == 0.05
    crops = [crop(nodes, picture(), crop_to="person", pose=given)[4].box for given in (faint, pose())]
    assert crops[0] == crops[1]


def test_body_adds_what_the_pose_needs_and_a_margin(nodes) -> None:
    extension = importlib.import_module("recompose.core.pose.extension")
    shapes = importlib.import_module("recompose.core.shapes")
    record = importlib.import_module("recompose.bridge.pose_record")
    standing = importlib.import_module("recompose.core.pose.estimate.complete").complete(
        record.read([{**pose(331, 457)[0], "people": [{"pose_keypoints_2d": standing_points()}]}])
    )
    needed = extension.extension_needed(standing, shapes.Size(331, 457), 1.2)
    mode = {"mode": "body", "margin": 5.0, "max_extension": 1.2}
    output = extend(nodes, picture(height=457, width=331), mode, pose=record.write(standing), multiple_of=1)
    bottom = output.ui["recompose"][0]["padding"][3]
    assert needed.bottom > 50
    assert bottom == int(np.ceil(needed.bottom + needed.body * 0.05))
    assert output.ui["recompose"][0]["padding"][1] == 0


def standing_points() -> list[float]:
    known = {0: (165, 48), 1: (165, 110), 2: (87.3, 110), 5: (242.7, 110), 8: (107.7, 282.8)}
    known |= {11: (222.3, 282.8), 9: (107.7, 429.8), 12: (222.3, 429.8)}
    return [value for i in range(18) for value in ((*known[i], 1.0) if i in known else (0, 0, 0))]


def test_an_incoming_mask_lands_on_the_canvas(nodes) -> None:
    given = torch.zeros(2, HEIGHT, WIDTH)
    given[1, 10, 20] = 1
    canvas, mask, _, moved = extend(nodes, picture(), {**SIDES, "left": 8}, mask=given).args
    assert canvas.shape[0] == mask.shape[0] == 2
    assert mask[1, 10, 20 + mask.shape[2] - WIDTH] == 1 and mask[0, 10, 40] == 0
    assert blocked(moved)


def test_load_images_empty_mask_means_no_mask(nodes) -> None:
    mask = extend(nodes, picture(), mask=torch.zeros(1, 64, 64)).args[1]
    assert mask.sum() == 65 * WIDTH
    own = extend(nodes, picture(height=64, width=64), mask=torch.zeros(1, 64, 64), multiple_of=1).args[1]
    assert own.shape == (1, 125, 64)


def test_crop_takes_everything_along_and_stitch_undoes_it(nodes) -> None:
    image = picture(4, 2)
    canvas, mask, region, moved = extend(nodes, image, pose=pose()).args
    control = torch.rand(1, *canvas.shape[1:3], 3)
    cut, cut_mask, guide, small, context = crop(nodes, canvas, mask=mask, control_image=control, pose=moved)
    size = (context.working.height, context.working.width)
    assert cut.shape == (2, *size, 4) and cut_mask.shape == (2, *size) and guide.shape == (1, *size, 3)
    assert (small[0]["canvas_height"], small[0]["canvas_width"]) == size
    across, down = context.scale
    for name, (x, y) in points(small).items():
        assert x == pytest.approx((POINTS[name][0] - context.box.x) * across)
        assert y == pytest.approx((POINTS[name][1] - context.box.y) * down)
    again = crop(nodes, control, context=context)
    assert again[4] == context and torch.equal(again[0], guide)
    assert blocked(again[1]) and blocked(again[2]) and blocked(again[3])
    generated = (cut[..., :3] * 0.9 + 0.03).clamp(0, 1)
    for original in (image, canvas):
        output = stitch(nodes, original, generated, region=region, context=context)
        result, ratio = output.args
        assert result.shape == canvas.shape and result.is_contiguous()
        assert torch.equal(result[:, :HEIGHT], image)
        assert 0 < ratio < 1.5
        report = output.ui["recompose"][0]
        assert report["seam_ratio"] == ratio and report["region"] == region
        assert report["scale"] == pytest.approx(1 / across)


def test_a_saved_png_has_every_original_pixel(nodes, tmp_path) -> None:
    from PIL import Image

    canvas, mask, region, _ = extend(nodes, picture()).args
    generated = torch.rand(canvas.shape, generator=torch.Generator().manual_seed(2))
    result = stitch(nodes, canvas, generated, mask=mask, region=region).args[0]
    host = importlib.import_module("nodes")
    saver = host.SaveImage()
    saver.output_dir = str(tmp_path)
    saver.save_images(result, "stitched")
    (file,) = tmp_path.glob("*.png")
    saved = np.array(Image.open(file))[region["y"] : HEIGHT, region["x"] : WIDTH]
    assert np.array_equal(saved, np.rint(picture()[0].numpy() * 255).astype(np.uint8))


def test_all_256_values_survive_the_way_through_a_saved_png(nodes, tmp_path) -> None:
    from PIL import Image

    values = np.arange(256, dtype=np.uint8)
    tensor = torch.from_numpy(values.astype(np.float32) / 255.0).view(1, 1, 256, 1).expand(1, 2, 256, 3)
    saver = importlib.import_module("nodes").SaveImage()
    saver.output_dir = str(tmp_path)
    saver.save_images(extend(nodes, tensor, {**SIDES, "bottom": 2}, multiple_of=1).args[0], "values")
    (file,) = tmp_path.glob("*.png")
    assert np.array_equal(np.array(Image.open(file))[0], np.repeat(values[:, None], 3, 1))


def test_blend_changes_only_a_band(nodes) -> None:
    canvas, mask, region, _ = extend(nodes, picture()).args
    generated = torch.rand(canvas.shape)
    mode = {"mode": "blend", "width": 9}
    result = stitch(nodes, canvas, generated, mode=mode, mask=mask, region=region).args[0]
    assert torch.equal(result[:, : HEIGHT - 9], canvas[:, : HEIGHT - 9])
    assert torch.equal(result[:, HEIGHT:], generated[:, HEIGHT:])
    assert not torch.equal(result[:, HEIGHT - 9 : HEIGHT], canvas[:, HEIGHT - 9 : HEIGHT])


def test_nothing_to_repaint_needs_no_generated_picture(nodes) -> None:
    image = picture()
    sides = {"mode": "sides", "left": 0, "top": 0, "right": 0, "bottom": 0}
    canvas, mask, region, _ = extend(nodes, image, sides).args
    ask = nodes.StitchBack.check_lazy_status
    strict = {"mode": "strict"}
    assert ask(original=canvas, mode=strict, mask=mask, region=region) == []
    assert ask(original=canvas, mode=strict, region=region) == []
    output = stitch(nodes, canvas, None, region=region)
    assert torch.equal(output.args[0], image) and output.args[1] == 1.0
    output.args[0].zero_()
    assert canvas.sum() > 0
    canvas, mask, region, _ = extend(nodes, image).args
    for original in (image, canvas):
        assert ask(original=original, mode=strict, mask=mask, region=region) == ["generated"]
        assert ask(original=original, mode=strict, region=region) == ["generated"]
    assert ask(original=canvas, mode=strict, generated=canvas, mask=mask, region=region) == []
    assert ask(original=canvas, mode=strict, mask=mask * 0, region=region) == []
    assert ask(original=image, mode=strict, mask=mask * 0, region=region) == ["generated"]


def test_an_unextended_original_takes_all_it_does_not_show(nodes) -> None:
    image = picture()
    canvas, mask, region, _ = extend(nodes, image).args
    generated = torch.rand(canvas.shape)
    result = stitch(nodes, image, generated, mask=mask * 0, region=region).args[0]
    assert torch.equal(result[:, :HEIGHT], image)
    assert (result[:, HEIGHT:] - generated[:, HEIGHT:]).abs().mean() < 0.4 and result[:, HEIGHT:].std() > 0.1


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (slice(20, 30), "none of the new area"),
        (slice(0, 216), "most of the photo"),
        (slice(HEIGHT, 216), None),
    ],
)
def test_an_odd_mask_is_a_warning(nodes, caplog, rows: slice, words: str | None) -> None:
    canvas, mask, region, _ = extend(nodes, picture()).args
    mask = torch.zeros_like(mask)
    mask[:, rows] = 1
    with caplog.at_level(logging.WARNING, "recompose"):
        stitch(nodes, canvas, canvas.clone(), mask=mask, region=region)
    assert (words in caplog.text) if words else not caplog.records


def test_the_crop_can_be_around_the_person_or_the_mask_alone(nodes) -> None:
    canvas, mask, _, moved = extend(nodes, picture(), pose=pose()).args
    mask = torch.zeros_like(mask)
    mask[:, 200:210, 5:9] = 1
    boxes = {
        names: crop(nodes, canvas, crop_to=names, mask=mask, pose=moved, margin=0.0, multiple_of=1)[4].box
        for names in ("mask", "person", "mask and person")
    }
    assert boxes["mask"].y > 150 and boxes["person"].y < 32 and boxes["person"].bottom < 200
    assert boxes["mask and person"].y < 32 and boxes["mask and person"].bottom >= 210


@pytest.mark.parametrize("wild", [(5000.0, 40.0), (40.0, -9e5), (1e9, 1e9), (-3e30, 60.0)])
def test_points_far_outside_are_not_the_person(nodes, caplog, wild: tuple[float, float]) -> None:
    """Such a crop would take minutes and all memory; the crop is that of the other points."""
    given = pose()
    flat = given[0]["people"][0]["pose_keypoints_2d"]
    flat[3 * 4 : 3 * 4 + 3] = [*wild, 1.0]
    for names in ("person", "mask and person"):
        caplog.clear()
        found = crop(nodes, picture(), crop_to=names, pose=given)[4]
        assert found.box == crop(nodes, picture(), crop_to=names, pose=pose())[4].box
        assert "1 points of the pose lie far outside" in caplog.text
    flat[:] = [*wild, 1.0] * 18
    with pytest.raises(ValueError, match="nothing to crop around"):
        crop(nodes, picture(), crop_to="person", pose=given)


def test_what_a_crop_shows_beyond_the_picture_is_unknown(nodes, caplog) -> None:
    image, mask = picture(), torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 20:140, 5:90] = 1
    settings = {"crop_to": "mask", "fit": "exact", "width": 128, "height": 64}
    _, cut, _, _, context = crop(nodes, image, mask=mask, **settings)
    beyond = context.box.width - context.shown.width
    assert beyond > 100 and "% of the crop lie beyond the picture (the mask is 1 there)" in caplog.text
    left = int((context.shown.x - context.box.x) * context.scale[0])
    assert (cut[:, :, :left] == 1).all()
    # Back on the photo only the mask changes, bit for bit, whatever was made beyond.
    generated = torch.rand(1, *cut.shape[1:], 3)
    result = stitch(nodes, image, generated, mask=cut, context=context).args[0]
    assert torch.equal(result[mask == 0], image[mask == 0]) and not torch.equal(result, image)
    caplog.clear()
    crop(nodes, image, mask=mask, crop_to="mask")
    assert not caplog.records


def test_a_tiny_mask_gets_surroundings_and_a_notice(nodes, caplog) -> None:
    image = picture(height=1500, width=2000)
    mask = torch.zeros(1, 1500, 2000)
    mask[:, 700, 900] = 1
    context = crop(nodes, image, mask=mask, crop_to="mask", width=512, height=512)[4]
    assert min(context.box.size) >= 60 and "enlarged 8 times" in caplog.text
    caplog.clear()
    mask[:, 600:800, 800:1000] = 1
    crop(nodes, image, mask=mask, crop_to="mask", width=512, height=512)
    assert not caplog.records


def nan(image: torch.Tensor) -> torch.Tensor:
    image = image.clone()
    image[0, 5, 7, 1] = float("nan")
    return image


BAD = {
    "NaN": (lambda n: extend(n, nan(picture())), "NaN"),
    "grey": (lambda n: extend(n, picture()[..., :1]), "RGB or RGBA"),
    "mask size": (
        lambda n: extend(n, picture(), mask=torch.ones(1, 31, 17)),
        "17×31 but the picture is 97×151",
    ),
    "mask NaN": (lambda n: extend(n, picture(), mask=picture()[..., 0] * torch.nan), "Mask holds NaN"),
    "pose size": (lambda n: extend(n, picture(), pose=pose(90, 151)), "90×151 but the picture is 97×151"),
    "no pose": (lambda n: extend(n, picture(), BODY), "needs a pose"),
    "no person": (
        lambda n: extend(n, picture(), BODY, pose=[{**pose()[0], "people": []}]),
        "person|anybody|nobody",
    ),
    "too small": (
        lambda n: extend(n, picture(), {"mode": "size", "width": 90, "height": 200, "anchor": "top"}),
        "smaller than the picture",
    ),
    "batches": (lambda n: extend(n, picture(batch=2), mask=torch.zeros(3, HEIGHT, WIDTH)), "image 2, mask 3"),
    "nothing to crop": (lambda n: crop(n, picture()), "nothing to crop around"),
    "no alpha channel, crop": (
        lambda n: crop(n, picture(), mask=torch.zeros(1, 64, 64)),
        "its picture has no alpha channel; paint a mask",
    ),
    "no alpha channel, stitch": (
        lambda n: stitch(n, picture(), picture(), mask=torch.zeros(1, 64, 64)),
        "its picture has no alpha channel; paint a mask",
    ),
    "empty mask": (
        lambda n: crop(n, picture(), mask=torch.zeros(1, HEIGHT, WIDTH), crop_to="mask"),
        "nothing to crop around",
    ),
    "control size": (
        lambda n: crop(n, picture(), pose=pose(), control_image=picture(height=150)),
        "control image is 97×150",
    ),
    "crop pose size": (lambda n: crop(n, picture(), pose=pose(97, 150)), "97×150 but the picture"),
    "other context": (
        lambda n: crop(n, picture(height=150), context=crop(n, picture(), pose=pose())[4]),
        "canvas of 97×151",
    ),
    "no mask, no region": (lambda n: stitch(n, picture(), picture()), "needs a mask or a region"),
    "generated size": (
        lambda n: stitch(n, picture(), picture(height=150), mask=torch.ones(1, HEIGHT, WIDTH)),
        "97×150 but must be 97×151",
    ),
    "generated NaN": (
        lambda n: stitch(n, picture(), nan(picture()), mask=torch.ones(1, HEIGHT, WIDTH)),
        "Generated holds NaN",
    ),
    "missing generated": (
        lambda n: stitch(n, picture(), None, mask=torch.ones(1, HEIGHT, WIDTH)),
        "no generated picture",
    ),
    "bare region": (
        lambda n: stitch(n, picture(), picture(), region={"x": 0, "y": 0, "width": 5, "height": 5}),
        "lacks canvas_width, canvas_height",
    ),
}


@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_clear_sentence(nodes, call, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        call(nodes)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 300


def test_a_person_is_cropped_as_far_as_the_picture_shows_them(nodes) -> None:
    def around(points: dict[int, tuple[float, float]]):
        flat = [value for i in range(18) for value in ((*points[i], 1.0) if i in points else (0, 0, 0))]
        people = [{"pose_keypoints_2d": flat}]
        frame = [{"canvas_width": WIDTH, "canvas_height": HEIGHT, "people": people}]
        return crop(nodes, picture(), crop_to="person", pose=frame, margin=10.0)[4]

    inside = {1: (40.5, 30.25), 8: (30, 90), 12: (60, 150)}
    beyond = inside | {13: (58, HEIGHT + 60), 10: (30, HEIGHT + 64)}
    context = around(beyond)
    assert context.box.bottom <= HEIGHT and context.box == around(inside | {12: (60, HEIGHT - 1)}).box
    # Beyond on every side: the whole picture is what there is to crop.
    assert around({1: (-5, -9), 8: (WIDTH + 3, HEIGHT + 7)}).shown.size == (WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="There is nothing to crop around"):
        around({1: (-20, 30), 8: (-10, 90)})
