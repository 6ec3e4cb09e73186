"""SmartBrush Sampler with small random weights: the clean background, the predicted mask, several things."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
from recompose.core.smartbrush.following import Rules
from recompose.tests.in_comfyui.smartbrush.conftest import CELL, COLUMNS, ROWS, Tiny, cells
from torch import Tensor

WHOLE = torch.ones(1, ROWS, COLUMNS)
ORACLE = cells(5, 9, 4, 8)
BOX = cells(3, 12, 2, 10)


class Watching:
    """What the network was given, and with an oracle the mask that it predicts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, oracle: Tensor | None = None) -> None:
        self.inputs: list[Tensor] = []
        self.levels: list[int] = []
        network = importlib.import_module("recompose.bridge.smartbrush.network")
        real, keep = network.UNetModel._forward, network.Brush.keep

        def forward(this: Any, x: Tensor, *rest: Any, **named: Any) -> Tensor:
            self.inputs.append(x.clone())
            return real(this, x, *rest, **named)

        def kept(brush: Any, logits: Tensor, chunks: list[int]) -> None:
            self.levels.append(int(brush.precision[0]))
            told = logits if oracle is None else (20 * oracle - 10)[:, None].expand_as(logits)
            keep(brush, told, chunks)

        monkeypatch.setattr(network.UNetModel, "_forward", forward)
        monkeypatch.setattr(network.Brush, "keep", kept)


def outside(values: Tensor, mask: Tensor) -> Tensor:
    return values.movedim(1, -1)[(mask < 1).expand(len(values), -1, -1)]


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "euler_ancestral"])
def test_outside_an_exact_mask_the_latent_is_clean_at_every_step(
    tiny: Tiny, trained: Any, photo: Tensor, monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    watching = Watching(monkeypatch)
    made, _ = tiny.run(trained, [tiny.thing(ORACLE, 0)], photo, sampler=sampler)
    assert torch.equal(outside(made["samples"], ORACLE), outside(photo, ORACLE))
    assert not torch.allclose(made["samples"], photo, atol=0.1)
    clean = trained.model.process_latent_in(photo)
    assert len(watching.inputs) == 5
    for x in watching.inputs:
        assert x.shape[1] == 5 and torch.equal(x[:, 4:], ORACLE.expand(len(x), 1, -1, -1))
        for row in x[:, :4].split(1):
            assert torch.equal(outside(row, ORACLE), outside(clean, ORACLE))


def test_the_sampler_keeps_the_clean_latent_outside(tiny: Tiny, trained: Any, photo: Tensor) -> None:
    guided = importlib.import_module("recompose.bridge.smartbrush.painting").BrushGuider
    thing = tiny.sample.of_cells(tiny.thing(ORACLE, 0), photo)
    states: list[tuple[Tensor, Tensor]] = []
    with torch.inference_mode():
        guider = guided(trained, [thing], tiny.base.prompt(2), 3.0, Rules())
        noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(1))
        euler = importlib.import_module("comfy.samplers").sampler_object("euler")
        guider.sample(
            noise, photo, euler, tiny.sigmas(), disable_pbar=True,
            callback=lambda _step, clean, x, _count: states.append((clean.clone(), x.clone())),
        )  # fmt: skip
    wanted = outside(trained.model.process_latent_in(photo), ORACLE)
    assert len(states) == 5
    for clean, x in states:
        assert torch.equal(outside(clean, ORACLE), wanted) and torch.equal(outside(x, ORACLE), wanted)


def test_an_oracles_mask_in_a_box_leaves_the_rest_of_the_box_clean(
    tiny: Tiny, trained: Any, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Watching(monkeypatch, ORACLE)
    rules = Rules(start=0.4, grow=0)
    made, mask = tiny.run(trained, [tiny.thing(BOX, 5)], photo, rules=rules)
    assert torch.equal(outside(made["samples"], ORACLE), outside(photo, ORACLE))
    clean = trained.model.process_latent_in(photo)
    # Two of five steps paint in all of the box; the third predicts, and what follows is shown the shape.
    for number, x in enumerate(watching.inputs):
        shape = BOX if number < 3 else ORACLE
        assert torch.equal(outside(x[:1, :4], shape), outside(clean, shape))
        assert not torch.isclose(x[:1, :4].movedim(1, -1)[shape > 0], clean.movedim(1, -1)[shape > 0]).all()
        assert torch.equal(x[:1, 4], BOX)
    assert set(watching.levels) == {5}
    assert mask.shape == (1, ROWS * CELL, COLUMNS * CELL)
    inner = ORACLE.repeat_interleave(CELL, -1).repeat_interleave(CELL, -2)
    # Soft at its edge, and round at corners.
    assert ((mask >= 0.5).float() == inner).float().mean() > 0.995 and mask.max() == 1


def test_one_cell_is_left_around_a_predicted_shape(
    tiny: Tiny, trained: Any, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    Watching(monkeypatch, ORACLE)
    made, _ = tiny.run(trained, [tiny.thing(BOX, 3)], photo)
    grown = cells(4, 10, 3, 9)
    assert torch.equal(outside(made["samples"], grown), outside(photo, grown))
    assert not torch.isclose(made["samples"], photo)[..., 3, 5:8].any()


def test_too_small_a_prediction_is_not_used(
    tiny: Tiny, trained: Any, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    Watching(monkeypatch, 0 * ORACLE)
    thing = tiny.thing(BOX, 5)
    made, mask = tiny.run(trained, [thing], photo)
    assert not torch.isclose(made["samples"], photo).all(1)[BOX > 0].any()
    assert torch.equal(mask, thing.mask[:, 0])


def test_a_mask_of_ones_is_text_to_image(tiny: Tiny, trained: Any) -> None:
    empty = torch.zeros(1, 4, ROWS, COLUMNS)
    made, _ = tiny.run(trained, [tiny.thing(WHOLE, 0)], empty)
    sample = importlib.import_module("comfy.sample")
    euler = importlib.import_module("comfy.samplers").sampler_object("euler")
    noise = sample.prepare_noise(empty, 5)
    for model, same in ((trained, True), (tiny.base.model, False)):
        with torch.inference_mode():
            plain = sample.sample_custom(
                model, noise, 3.0, euler, tiny.sigmas(), tiny.base.prompt(1), tiny.base.prompt(2), empty,
                disable_pbar=True, seed=5,
            )  # fmt: skip
        assert torch.allclose(made["samples"], plain, rtol=1e-4, atol=1e-4) == same


def test_before_training_a_mask_of_ones_predicts_what_the_base_does(tiny: Tiny) -> None:
    empty = torch.zeros(1, 4, ROWS, COLUMNS)
    made, _ = tiny.run(tiny.model(), [tiny.thing(WHOLE, 3)], empty, rules=Rules(start=1.0))
    tiny.base.size = (ROWS, COLUMNS)
    plain = tiny.base.run(rows=1, sampler="euler", cfg=3.0, sigmas=tiny.sigmas())
    torch.testing.assert_close(made["samples"], plain, rtol=1e-4, atol=1e-4)


def test_several_things_are_painted_in_one_run_as_each_alone(
    tiny: Tiny, trained: Any, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, right = cells(1, 6), cells(9, 15)
    things = [tiny.thing(left, 0, seed=1), tiny.thing(right, 5, seed=7)]
    rules = Rules(start=1.0)
    watching = Watching(monkeypatch)
    both, mask = tiny.run(trained, things, photo, rules=rules)
    assert set(watching.levels) == {0, 5} and len(watching.inputs) == 10
    for thing, where in zip(things, (left, right), strict=True):
        alone, _ = tiny.run(trained, [thing], photo, rules=rules)
        inside = where.bool().expand(4, -1, -1)[None]
        torch.testing.assert_close(both["samples"][inside], alone["samples"][inside], rtol=1e-5, atol=1e-5)
    rest = outside(photo, left + right)
    assert torch.equal(outside(both["samples"], left + right), rest)
    assert torch.equal(mask, torch.maximum(things[0].mask, things[1].mask)[:, 0])


def test_a_later_thing_lies_over_an_earlier_one(tiny: Tiny, trained: Any, photo: Tensor) -> None:
    under, over = tiny.thing(cells(2, 10), 0, 1), tiny.thing(cells(6, 14), 0, 7)
    both, _ = tiny.run(trained, [under, over], photo)
    alone, _ = tiny.run(trained, [over], photo)
    torch.testing.assert_close(
        both["samples"][..., 3:9, 6:14], alone["samples"][..., 3:9, 6:14], rtol=1e-5, atol=1e-5
    )


def test_guidance_is_on_the_noise_alone(
    tiny: Tiny, trained: Any, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = importlib.import_module("recompose.bridge.smartbrush.network")
    kept: list[Tensor] = []
    real = network.Brush.logit

    def logit(brush: Any) -> Tensor:
        kept.append(real(brush))
        return kept[-1]

    monkeypatch.setattr(network.Brush, "logit", logit)
    for cfg in (1.0, 6.0):
        tiny.run(trained, [tiny.thing(BOX, 5)], photo, cfg=cfg, sigmas=tiny.sigmas(1))
    # The first call has the same input; its logit is that of the positive words whatever the guidance.
    torch.testing.assert_close(kept[0], kept[1], rtol=1e-4, atol=1e-5)


def test_rows_have_masks_of_their_own(tiny: Tiny, trained: Any, photo: Tensor) -> None:
    two = torch.cat([photo, -photo])
    masks = torch.cat([ORACLE, cells(9, 13)])
    made, mask = tiny.run(trained, [tiny.thing(masks, 0)], two)
    assert made["samples"].shape == two.shape and mask.shape[0] == 2
    for row in range(2):
        where = masks[row : row + 1]
        assert torch.equal(outside(made["samples"][row : row + 1], where), outside(two[row : row + 1], where))


def test_precisions_make_a_difference(tiny: Tiny, trained: Any, photo: Tensor) -> None:
    rules = Rules(start=1.0)
    some = [tiny.run(trained, [tiny.thing(BOX, level)], photo, rules=rules)[0] for level in (0, 5)]
    assert (some[0]["samples"] - some[1]["samples"]).abs().max() > 0.01


def test_other_models_and_unfitting_things_are_refused(tiny: Tiny, trained: Any, photo: Tensor) -> None:
    thing = tiny.thing(BOX, 5)
    with pytest.raises(
        ValueError, match="needs a model of Load SmartBrush or Train SmartBrush, got BaseModel"
    ):
        tiny.run(tiny.base.model, [thing], photo)
    with pytest.raises(ValueError, match=r"another aspect|no whole number of pixels"):
        tiny.run(trained, [thing], photo[..., :7])
    with pytest.raises(ValueError, match="the masks are 128×96 and 64×48 px"):
        tiny.run(trained, [thing, tiny.sample.thing_of(thing.words, thing.mask[..., ::2, ::2], 0)], photo)
    with pytest.raises(ValueError, match="SmartBrush Object: the mask is empty"):
        tiny.thing(0 * BOX, 5)
    with pytest.raises(ValueError, match="nothing to paint"):
        tiny.run(trained, [], photo)
    area = [[thing.words[0][0], {"area": (6, 8, 0, 0), "strength": 1.0}]]
    with pytest.raises(ValueError, match="a conditioning names an area"):
        tiny.run(trained, [tiny.sample.thing_of(area, thing.mask, 0)], photo)
