"""Shape Guard on ComfyUI's UNet with planted attention: only the region of the words is painted."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from recompose.tests.in_comfyui.attention import models
from recompose.tests.in_comfyui.attention.planted import TEXT, inpaint, planted
from recompose.tests.in_comfyui.attention.test_word_mask import Clip
from torch import Tensor

SAMPLERS = [
    "euler",
    "heun",
    "dpmpp_2m",
    "dpmpp_sde",
    "uni_pc",
    "lms",
    "lcm",
    "euler_ancestral",
    "euler_cfg_pp",
]
SIDE = 16
COARSE = torch.zeros(1, SIDE, SIDE)
COARSE[:, 3:13, 2:14] = 1
LOWER = COARSE.roll(3, 1)
BALL = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
BALL[:, 5:9, 4:9] = True
DOG = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
DOG[:, 9:12, 10:13] = True
HARD = {"start": 0.33, "least": 0.02, "threshold": 0.0, "grow": 0.0, "feather": 0.0}


@pytest.fixture(scope="module")
def world(comfy: ModuleType) -> models.World:
    return models.unet()


@pytest.fixture(scope="module")
def node(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.nodes.shape_guard")


def photo(rows: int = 1, seed: int = 7) -> Tensor:
    return torch.randn(rows, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def pixels(cells: Tensor) -> Tensor:
    return cells.float().repeat_interleave(8, -1).repeat_interleave(8, -2)


def guarded(node: ModuleType, model: Any, given: dict | None = None, **settings: Any) -> tuple[Any, Any]:
    latent = given or {"samples": photo(), "noise_mask": pixels(COARSE)}
    asked = {"clip": Clip(), "latent": latent, "text": TEXT, "words": "ball", **HARD, **settings}
    return node.ShapeGuard.execute(model=model, **asked).args


def sampled(
    model: Any, latent: dict, sampler: Any = "euler", steps: int = 6, cfg: float = 3.0, positive: Any = None,
    callback: Any = None, seed: int = 5,
) -> Tensor:  # fmt: skip
    """What SamplerCustom makes of a latent."""
    sample = importlib.import_module("comfy.sample")
    samplers, clip = importlib.import_module("comfy.samplers"), Clip()
    if isinstance(sampler, str):
        sampler = samplers.sampler_object(sampler)
    sigmas = samplers.calculate_sigmas(model.get_model_object("model_sampling"), "normal", steps)
    words = positive or clip.encode_from_tokens_scheduled(clip.tokenize(TEXT))
    with torch.inference_mode():
        noise = sample.prepare_noise(latent["samples"], seed)
        return sample.sample_custom(
            model, noise, cfg, sampler, sigmas, words, clip.encode_from_tokens_scheduled(clip.tokenize("")),
            latent["samples"], noise_mask=latent.get("noise_mask"), disable_pbar=True, seed=seed,
            callback=callback,
        )  # fmt: skip


def came_back(result: Tensor, where: Tensor, own: Tensor | None = None) -> bool:
    """Whether a result is the photo at these cells, to the bit as it comes back from the model's scale."""
    own = photo().expand_as(result) if own is None else own
    form = importlib.import_module("comfy.latent_formats").SD15()
    return same(result, form.process_out(form.process_in(own)), where)


def same(found: Tensor, expected: Tensor, where: Tensor) -> bool:
    """Whether all channels are the same to the bit at these cells (rows,height,width; bool)."""
    cells = where[:, None].expand_as(found)
    return torch.equal(found[cells], expected[cells])


def mask_of(node: ModuleType, guard: Any, result: Tensor) -> Tensor:
    return node.ShapeGuardMask.execute(guard=guard, latent={"samples": result}).args[0]


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("noise_mask", [True, False])
def test_only_the_region_of_the_words_is_painted(
    sampler: str, noise_mask: bool, world: models.World, node: ModuleType
) -> None:
    latent = {"samples": photo(), "noise_mask": pixels(COARSE)}
    model, guard = guarded(node, planted(world.model, [("ball", BALL)]), latent)
    given = latent if noise_mask else {"samples": photo()}
    result = sampled(model, given, sampler)
    rest = (COARSE > 0) & ~BALL
    assert came_back(result, rest)
    assert float((result - photo()).abs()[:, :, 5:9, 4:9].mean()) > 0.3
    found = mask_of(node, guard, result)
    assert found.shape == (1, 8 * SIDE, 8 * SIDE)
    assert torch.equal(found[:, 4::8, 4::8] > 0.5, BALL)


def test_the_first_share_of_the_steps_paints_all_of_the_mask_and_the_prediction_stands_inside(
    world: models.World, node: ModuleType
) -> None:
    model, _ = guarded(node, planted(world.model, [("ball", BALL)]))
    answers: list[Tensor] = []

    def listen(told: dict) -> Tensor:
        answers.append(told["denoised"].clone())
        return told["denoised"]

    model.set_model_sampler_post_cfg_function(listen)
    found: list[Tensor] = []
    result = sampled(
        model, {"samples": photo()}, callback=lambda step, x0, x, total: found.append(x0.clone())
    )
    clean = world.model.model.process_latent_in(photo())
    rest = (COARSE > 0) & ~BALL
    for step, (own, answer) in enumerate(zip(found, answers, strict=True)):
        assert same(own, answer, BALL | (COARSE == 0))
        assert same(own, clean, rest) == (step >= 2), step
        assert same(own, answer, rest) == (step < 2), step
    assert torch.allclose(result, world.model.model.process_latent_out(found[-1]), atol=1e-5)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_sde", "uni_pc"])
@pytest.mark.parametrize("way", ["whole", "start"])
def test_the_picture_is_the_same_to_the_bit_where_the_shape_is_the_whole_mask(
    way: str, sampler: str, world: models.World, node: ModuleType
) -> None:
    soft = COARSE.clone()
    soft[:, 3] = 0.4
    latent = {"samples": photo(), "noise_mask": soft}
    region, given = (BALL, {"start": 1.0}) if way == "start" else (soft > 0, {"feather": 8.0})
    plain = planted(world.model, [("ball", region)])
    model, guard = guarded(node, plain, latent, **given)
    result = sampled(model, latent, sampler)
    assert torch.equal(result, sampled(plain, latent, sampler))
    assert torch.equal(mask_of(node, guard, result)[:, 4::8, 4::8] > 0.5, soft >= 0.5) or way == "whole"


def test_at_least_a_share_of_the_mask_is_painted(world: models.World, node: ModuleType) -> None:
    far = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    far[:, 14:, 14:] = True
    model, _ = guarded(node, planted(world.model, [("ball", far)]), least=0.1)
    changed = ((sampled(model, {"samples": photo()}) - photo()).abs() > 1e-5).any(1) & (COARSE > 0)
    assert int(changed.sum()) == 12  # of 120 cells


def test_each_picture_of_a_batch_has_its_own_mask_and_shape(world: models.World, node: ModuleType) -> None:
    regions, coarse = torch.cat([BALL, DOG]), torch.cat([COARSE, LOWER])
    latent = {"samples": photo(2), "noise_mask": pixels(coarse)}
    model, guard = guarded(node, planted(world.model, [("ball", regions)], rows=2), latent)
    result = sampled(model, latent)
    assert came_back(result, (coarse > 0) & ~regions, photo(2))
    found = mask_of(node, guard, result)
    assert torch.equal(found[:, 4::8, 4::8] > 0.5, regions & (coarse > 0))
    second = mask_of(node, guard, result[1:])
    assert torch.equal(second, found[1:])


def test_one_photo_serves_a_batch(world: models.World, node: ModuleType) -> None:
    model, guard = guarded(node, planted(world.model, [("ball", BALL)], rows=3))
    result = sampled(model, {"samples": photo().repeat(3, 1, 1, 1), "noise_mask": pixels(COARSE)})
    assert came_back(result, ((COARSE > 0) & ~BALL).expand(3, -1, -1))
    assert len(mask_of(node, guard, result)) == 3


def test_two_photos_are_repeated_in_the_sampler_s_batch(world: models.World, node: ModuleType) -> None:
    latent = {"samples": photo(2), "noise_mask": pixels(torch.cat([COARSE, LOWER]))}
    model, guard = guarded(node, planted(world.model, [("ball", BALL)], rows=4), latent)
    four = {"samples": photo(2).repeat(2, 1, 1, 1), "noise_mask": latent["noise_mask"].repeat(2, 1, 1)}
    result, rest = sampled(model, four, steps=3), (torch.cat([COARSE, LOWER]) > 0) & ~BALL
    assert came_back(result, rest.repeat(2, 1, 1), four["samples"])
    found = mask_of(node, guard, result)
    assert len(found) == 4 and torch.equal(found[:2], found[2:]) and not torch.equal(found[0], found[1])


def test_several_words_and_another_mask_than_the_noise_mask(world: models.World, node: ModuleType) -> None:
    wide = {"samples": photo(), "noise_mask": torch.ones(1, 8 * SIDE, 8 * SIDE)}
    plain = planted(world.model, [("ball", BALL), ("dog", DOG)])
    model, guard = guarded(node, plain, wide, words="red ball, dog", mask=pixels(COARSE))
    result = sampled(model, wide)
    assert came_back(result, (COARSE > 0) & ~(BALL | DOG))
    assert torch.equal(mask_of(node, guard, result)[:, 4::8, 4::8] > 0.5, BALL | DOG)
    assert float((result - photo()).abs()[:, :, 14:].mean()) > 0.1  # not in the coarse mask, so not held


def test_two_guards_hold_their_own_masks(world: models.World, node: ModuleType) -> None:
    left, right = COARSE.clone(), COARSE.clone()
    left[..., 9:], right[..., :9] = 0, 0
    plain = planted(world.model, [("ball", BALL), ("dog", DOG)])
    once, first = guarded(node, plain, mask=pixels(left))
    both, second = guarded(node, once, words="dog", mask=pixels(right))
    result = sampled(both, {"samples": photo(), "noise_mask": pixels(COARSE)})
    assert came_back(result, (COARSE > 0) & ~(BALL | DOG))
    for guard, region in ((first, BALL), (second, DOG)):
        assert torch.equal(mask_of(node, guard, result)[:, 4::8, 4::8] > 0.5, region)


@pytest.mark.parametrize("name", ["RePaint", "Lagrange"])
def test_the_samplers_that_repaint_without_an_inpaint_model(
    name: str, world: models.World, node: ModuleType
) -> None:
    sampling = importlib.import_module("recompose.nodes.sampling")
    made = {
        "RePaint": lambda: sampling.RePaintSampler.execute(
            jump_length=2, resamplings=2, eta=1.0, start=0.0, end=1.0
        ),
        "Lagrange": lambda: sampling.LagrangeSampler.execute(
            gain=0.5, momentum=0.9, eta=1.0, known_noise=1.0
        ),
    }[name]().args[0]
    model, _ = guarded(node, planted(world.model, [("ball", BALL)]))
    result = sampled(model, {"samples": photo(), "noise_mask": pixels(COARSE)}, made)
    assert came_back(result, (COARSE > 0) & ~BALL)
    assert float((result - photo()).abs()[:, :, 5:9, 4:9].mean()) > 0.1


def test_beside_other_patches_in_both_orders(world: models.World, node: ModuleType) -> None:
    mutual = importlib.import_module("recompose.nodes.attention").MutualAttention
    recording = importlib.import_module("recompose.nodes.attention_maps").RecordAttention
    record = {"detail": "all together", "steps": "", "layers": ""}
    shared = {"keep": 1.0, "mode": "replace", "source_rows": "0", "steps": "", "layers": ""}
    plain, found = planted(world.model, [("ball", BALL)], rows=2), []
    for first in (True, False):
        model = plain if first else guarded(node, plain)[0]
        model, records = recording.execute(model=mutual.execute(model=model, **shared).args[0], **record).args
        model = guarded(node, model)[0] if first else model
        found.append(sampled(model, {"samples": photo().repeat(2, 1, 1, 1), "noise_mask": pixels(COARSE)}))
        assert torch.equal(records.held[0].result, found[-1])
    assert torch.equal(*found)
    assert came_back(found[0], ((COARSE > 0) & ~BALL).expand(2, -1, -1))


def test_an_inpaint_model_is_told_that_the_rest_is_known(node: ModuleType, comfy: ModuleType) -> None:
    world, seen = inpaint(), []
    latent = {"samples": photo(), "noise_mask": pixels(COARSE)}
    model, _ = guarded(node, planted(world.model, [("ball", BALL)]), latent)
    patches = importlib.import_module("comfy.patcher_extension").WrappersMP

    def look(execute: Any, x: Tensor, *more: Any, **named: Any) -> Tensor:
        seen.append(x.clone())
        return execute(x, *more, **named)

    model.add_wrapper_with_key(patches.DIFFUSION_MODEL, "look", look)
    grey, clip = photo(seed=21), Clip()
    more = {"concat_latent_image": grey, "concat_mask": pixels(COARSE)}
    words = [
        [each[0], {**each[1], **more}] for each in clip.encode_from_tokens_scheduled(clip.tokenize(TEXT))
    ]
    sampled(model, latent, positive=words, steps=6, cfg=1.0)
    clean, hidden = (world.model.model.process_latent_in(each) for each in (photo(), grey))
    rest = ((COARSE > 0) & ~BALL)[:, None]
    for step, x in enumerate(seen):
        known = rest & (step > 2)
        assert torch.equal(x[:, 4:5], COARSE[:, None] * ~known), step
        assert torch.equal(x[:, 5:], torch.where(known, clean, hidden)), step


def test_each_run_begins_anew(world: models.World, node: ModuleType, comfy: ModuleType) -> None:
    latent = {"samples": photo(), "noise_mask": pixels(COARSE)}
    plain = planted(world.model, [("ball", BALL)])
    model, guard = guarded(node, plain, latent)
    first = sampled(model, latent)

    def stop(step: int, *_more: Any) -> None:
        if step == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        sampled(model, latent, callback=stop, seed=6)
    assert len(guard.held) == 1
    assert torch.equal(sampled(model, latent), first)
    other = sampled(model, latent, seed=9)
    assert len(guard.held) == 2
    assert torch.equal(mask_of(node, guard, first), mask_of(node, guard, other))


def test_prompts_for_parts_of_the_picture_are_a_notice(
    world: models.World, node: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    clip = Clip()
    words = clip.encode_from_tokens_scheduled(clip.tokenize(TEXT))
    area = [[words[0][0], {"area": (8, 8, 0, 0), "strength": 1.0}]]
    latent = {"samples": photo(), "noise_mask": pixels(COARSE)}
    plain = planted(world.model, [("ball", BALL)])
    model, _ = guarded(node, plain, latent)
    result = sampled(model, latent, positive=area)
    assert torch.equal(result, sampled(plain, latent, positive=area))
    assert "nothing was guarded in this run, as its prompts are for areas" in caplog.text


def test_prompts_of_masks_and_of_times(world: models.World, node: ModuleType) -> None:
    clip = Clip()
    (ball,), (grass,) = (
        clip.encode_from_tokens_scheduled(clip.tokenize(each)) for each in (TEXT, "green grass")
    )
    masked = [[ball[0], {"mask": COARSE, "mask_strength": 1.0}], [grass[0], {}]]
    timed = [
        [ball[0], {"start_percent": 0.0, "end_percent": 0.6}],
        [grass[0], {"start_percent": 0.6, "end_percent": 1.0}],
    ]
    model, _ = guarded(node, planted(world.model, [("ball", BALL)]))
    for words in (masked, timed):
        result = sampled(model, {"samples": photo(), "noise_mask": pixels(COARSE)}, positive=words)
        assert came_back(result, (COARSE > 0) & ~BALL)


def test_a_photo_whose_last_pixels_fill_no_cell(world: models.World, node: ModuleType) -> None:
    mask = torch.zeros(1, 131, 133)
    mask[:, 1:129, 2:130] = pixels(COARSE)  # a VAE cuts one row above and two columns on the left
    latent = {"samples": photo(), "noise_mask": pixels(COARSE)}
    model, guard = guarded(node, planted(world.model, [("ball", BALL)]), latent, mask=mask)
    found = mask_of(node, guard, sampled(model, latent))
    assert found.shape == (1, 131, 133)
    assert torch.equal(found[:, 5:129:8, 6:130:8] > 0.5, BALL)


BAD = [
    ({"clip": None}, "clip is missing; connect a CLIP"),
    ({"words": " , "}, "words is empty"),
    ({"words": "cat"}, '"cat" is not in the text; its words are a, red, ball'),
    ({"text": ""}, "the text has no words"),
    ({"latent": {"samples": photo()}}, "needs to know what to repaint, but the latent has no noise mask"),
    ({"latent": {"samples": photo()[:, :3], "noise_mask": COARSE}}, "with 3 channels but the model takes"),
    ({"latent": {"samples": photo(), "noise_mask": torch.ones(1, 64, 90)}}, "another aspect"),
    ({"latent": {"samples": photo(), "noise_mask": torch.ones(3, 16, 16)}}, "has a batch of 3"),
    ({"mask": torch.full((1, 16, 16), torch.nan)}, "NaN"),
    ({"mask": torch.ones(2, 3, 16, 16)}, "must have the shape"),
    ({"latent": {}}, "needs a LATENT with samples"),
]


@pytest.mark.parametrize(("given", "words"), BAD, ids=[words for _, words in BAD])
def test_wrong_inputs_are_one_sentence(
    given: dict, words: str, world: models.World, node: ModuleType
) -> None:
    with pytest.raises(ValueError, match=r"Shape Guard|mask") as caught:
        guarded(node, world.model, **({"given": given["latent"] or {"x": 1}} if "latent" in given else given))
    message = str(caught.value)
    assert words in message and message.endswith(".") and "\n" not in message


def test_a_model_without_cross_attention_is_refused(node: ModuleType, comfy: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^Shape Guard works with SD1, SD2 and SDXL but the model is a"):
        latent = {"samples": torch.zeros(1, 16, SIDE, SIDE), "noise_mask": pixels(COARSE)}
        guarded(node, models.joint("SD3").model, latent)


@pytest.mark.parametrize(
    ("latent", "words"),
    [
        (
            {"samples": torch.zeros(1, 4, 12, 16)},
            "the photo's latent has 16×16 cells but the sampler's has 16×12",
        ),
        ({"samples": torch.zeros(3, 4, 16, 16)}, "there are 2 photos but the sampler has 3 rows"),
    ],
)
def test_another_latent_in_the_sampler_is_refused(
    latent: dict, words: str, world: models.World, node: ModuleType
) -> None:
    model, _ = guarded(node, world.model, {"samples": photo(2), "noise_mask": pixels(COARSE)})
    with pytest.raises(ValueError, match="Shape Guard: ") as caught:
        sampled(model, latent)
    assert words in str(caught.value)


def test_the_mask_of_a_thing_at_the_edge_is_full_and_within_the_mask_that_was_given(
    world: models.World, node: ModuleType
) -> None:
    mask, edge = torch.zeros(1, 128, 128), torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    mask[:, 27:101, 19:110] = 1  # within cells
    edge[:, 2:8, 1:9] = True
    latent = {"samples": photo(), "noise_mask": mask}
    model, guard = guarded(node, planted(world.model, [("ball", edge)]), latent)
    found = mask_of(node, guard, sampled(model, latent))
    assert not found[mask == 0].any()
    assert torch.equal(found[:, 27:60, 19:68], torch.ones(1, 33, 49))
    assert not found[:, 72:, :].any() and not found[..., 80:].any()


def test_the_mask_needs_a_run(world: models.World, node: ModuleType) -> None:
    _, guard = guarded(node, world.model)
    with pytest.raises(ValueError, match="nothing was guarded: the sampler has not run"):
        mask_of(node, guard, photo())
    with pytest.raises(ValueError, match="needs the guard of Shape Guard but got a int"):
        mask_of(node, 3, photo())
