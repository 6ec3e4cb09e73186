"""Feather Mask and Snap Mask to Latent as ComfyUI calls them, and what its samplers see of the mask."""

from __future__ import annotations

import importlib
from types import ModuleType, SimpleNamespace

import pytest
import torch

WIDTH, HEIGHT = 104, 152


@pytest.fixture(scope="module")
def nodes(comfy: ModuleType) -> ModuleType:
    return importlib.import_module("recompose.nodes.mask")


def stroke(batch: int = 1) -> torch.Tensor:
    mask = torch.zeros(batch, HEIGHT, WIDTH)
    mask[:, 70, 10:90] = 1
    return mask


def vae(ratio: int) -> SimpleNamespace:
    return SimpleNamespace(spacial_compression_encode=lambda: ratio)


def snap(nodes: ModuleType, mask: torch.Tensor, grow_cells: int = 0, ratio: int = 8, **more):
    return nodes.SnapMaskToLatent.execute(mask=mask, grow_cells=grow_cells, ratio=ratio, **more).args


def feather(nodes: ModuleType, mask: torch.Tensor, **more) -> torch.Tensor:
    settings = {"grow": 0.0, "feather": 8.0, "direction": "outward", "shape": "linear", **more}
    return nodes.FeatherMask.execute(mask=mask, border_is_edge=False, **settings).args[0]


@pytest.mark.parametrize("batch", [1, 3])
def test_feather_keeps_shape_and_input(nodes, batch: int) -> None:
    mask = stroke(batch)
    before = mask.clone()
    soft = feather(nodes, mask)
    assert soft.shape == mask.shape and soft.is_contiguous()
    assert (soft[before == 1] == 1).all() and soft.sum() > before.sum()
    soft.zero_()
    assert torch.equal(mask, before)


def test_a_faint_mask_is_feathered_with_a_notice(nodes, caplog) -> None:
    mask = torch.zeros(2, HEIGHT, WIDTH)
    mask[0, 50:90, 30:70], mask[1, 50:90, 30:70] = 0.4, 1
    soft = feather(nodes, mask)
    assert soft[0, 70, 50] == 1 and "nowhere above 0.4" in caplog.text
    torch.testing.assert_close(soft[0], soft[1], rtol=0, atol=1e-5)
    caplog.clear()
    feather(nodes, mask[1:])
    feather(nodes, mask * 0)
    assert torch.equal(feather(nodes, mask, grow=0.0, feather=0.0), mask)
    assert not caplog.records


def test_feather_takes_a_mask_without_a_batch_and_an_empty_small_one(nodes) -> None:
    assert feather(nodes, stroke()[0]).shape == (1, HEIGHT, WIDTH)
    assert torch.equal(feather(nodes, torch.zeros(1, 64, 64)), torch.zeros(1, 64, 64))


def test_feather_grows_at_least_as_far_as_core_at_straight_edges(nodes) -> None:
    core = importlib.import_module("comfy_extras.nodes_mask").GrowMask
    ours = feather(nodes, stroke(), grow=6.0, feather=0.0)
    theirs = core.execute(stroke(), 6, True).args[0]
    assert torch.equal(ours[:, :, 40], theirs[:, :, 40])
    assert (ours >= theirs).all()


def test_the_sampler_sees_the_very_cells(nodes, comfy) -> None:
    utils = importlib.import_module("comfy.utils")
    samples = {"samples": torch.zeros(2, 4, HEIGHT // 8, WIDTH // 8), "batch_index": [4, 5]}
    mask, latent = snap(nodes, stroke(), 0, samples=samples)
    cells = latent["noise_mask"]
    assert cells.shape == (1, 1, HEIGHT // 8, WIDTH // 8)
    seen = utils.reshape_mask(cells, samples["samples"].shape)
    assert torch.equal(seen, cells.expand(2, 4, -1, -1))
    assert (seen[..., 70 // 8, 10 // 8 : 90 // 8 + 1] == 1).all() and seen.sum() == 2 * 4 * 11
    blurred = utils.reshape_mask(stroke()[:, None], samples["samples"].shape)
    assert blurred.max() < 1
    assert torch.equal(mask, cells[0].repeat_interleave(8, 1).repeat_interleave(8, 2))
    assert latent["batch_index"] == [4, 5] and "noise_mask" not in samples


@pytest.mark.parametrize("ratio", [4, 8, 16, 32])
def test_the_vae_tells_the_ratio(nodes, ratio: int) -> None:
    mask = torch.zeros(1, 96, 128)
    mask[0, 33, 65] = 1
    pixels, latent = snap(nodes, mask, vae=vae(ratio))
    assert pixels.sum() == ratio * ratio and pixels[0, 33, 65] == 1
    assert type(latent).__name__ == "ExecutionBlocker" and "latent" in latent.message
    own, cells = snap(
        nodes, mask, vae=vae(ratio), samples={"samples": torch.zeros(1, 4, 96 // ratio, 128 // ratio)}
    )
    assert torch.equal(own, pixels) and cells["noise_mask"].sum() == 1


@pytest.mark.parametrize("ratio", [8, 16])
def test_the_latent_tells_the_ratio_and_the_input_is_the_last_resort(nodes, ratio: int) -> None:
    mask = torch.zeros(1, 97, 131)
    mask[0, 40, 70] = 1
    samples = {"samples": torch.zeros(1, 16, 97 // ratio, 131 // ratio)}
    pixels, latent = snap(nodes, mask, ratio=3, samples=samples)
    assert pixels.shape == mask.shape and pixels.sum() == ratio * ratio
    assert latent["noise_mask"].shape == (1, 1, 97 // ratio, 131 // ratio)
    assert snap(nodes, mask, ratio=5)[0].sum() == 25


def test_growth_widens_both_outputs(nodes) -> None:
    mask = torch.zeros(1, 96, 96)
    mask[0, 44, 44] = 1
    pixels, latent = snap(nodes, mask, 2, samples={"samples": torch.zeros(1, 4, 12, 12)})
    assert latent["noise_mask"].sum() == 25 and pixels.sum() == 25 * 64


def test_video_latents_get_a_mask_of_their_axes(nodes) -> None:
    utils = importlib.import_module("comfy.utils")
    masks = torch.zeros(9, 64, 96)
    masks[6, 33, 50] = 1
    samples = {"samples": torch.zeros(1, 16, 3, 8, 12)}
    _, latent = snap(nodes, masks, samples=samples)
    seen = utils.reshape_mask(latent["noise_mask"], samples["samples"].shape)
    assert seen.shape == samples["samples"].shape
    # Which frame is in which latent frame only the VAE knows, so both neighbours are repainted, too.
    assert seen[0, 0].nonzero().tolist() == [[1, 4, 6], [2, 4, 6]]


def video_vae() -> SimpleNamespace:
    """The rules of a causal video VAE as ComfyUI's VAE holds them."""
    ratio = (lambda count: max(0, (count + 3) // 4), 8, 8)
    return SimpleNamespace(spacial_compression_encode=lambda: 8, downscale_ratio=ratio, crop_input=True)


@pytest.mark.parametrize(("number", "holder"), [(0, 0), (1, 1), (2, 1), (6, 2), (41, 11), (80, 20)])
def test_the_vae_tells_which_latent_frame_holds_a_frame(nodes, number: int, holder: int) -> None:
    masks = torch.zeros(81, 16, 24)
    masks[number, 9, 20] = 1
    pixels, latent = snap(nodes, masks, vae=video_vae(), samples={"samples": torch.zeros(1, 16, 21, 2, 3)})
    assert latent["noise_mask"][0, 0].nonzero().tolist() == [[holder, 1, 2]]
    assert pixels.shape == masks.shape and pixels[number, 8:, 16:].sum() == 64
    assert pixels.sum() == 64 * (1 if holder == 0 else 4)


@pytest.mark.parametrize("known", ["vae", "samples", "both"])
def test_strokes_are_in_the_cells_that_vae_encode_makes(nodes, caplog, known: str) -> None:
    """VAE Encode cuts (W % 8) // 2 on the left: of 135 px the cells begin at 3."""
    given = {"vae": vae(8), "samples": {"samples": torch.zeros(1, 4, 16, 16)}}
    given = given if known == "both" else {known: given[known]}
    for first, last, cells in ((128, 131, [15]), (8, 9, [0]), (11, 12, [1]), (0, 3, [])):
        mask = torch.zeros(1, 135, 135)
        mask[:, 64:70, first:last] = 1
        caplog.clear()
        pixels, latent = snap(nodes, mask, **given)
        columns = [x for cell in cells for x in range(3 + 8 * cell, 11 + 8 * cell)]
        assert pixels.amax((0, 1)).nonzero().flatten().tolist() == columns
        assert "from 135×135 to 128×128" in caplog.text and ("is not repainted" in caplog.text) == (not cells)
        if known != "vae":
            assert latent["noise_mask"].amax((0, 1, 2)).nonzero().flatten().tolist() == cells


def test_the_cells_are_those_of_comfyuis_own_cut(nodes) -> None:
    """Every pixel that VAE.vae_encode_crop_pixels keeps lies in the cell that Snap puts it into."""
    from comfy.sd import VAE

    for height, width, ratio in ((135, 141, 8), (97, 131, 16), (64, 96, 32), (71, 40, 8)):
        own = SimpleNamespace(
            crop_input=True, spacial_compression_encode=lambda ratio=ratio: ratio, output_channels=3
        )
        place = (
            torch.arange(height * width, dtype=torch.float32).view(1, height, width, 1).expand(-1, -1, -1, 3)
        )
        kept = VAE.vae_encode_crop_pixels(own, place)[0, :, :, 0].long()
        for row, column in ((0, 0), (5, 9), (kept.shape[0] - 1, kept.shape[1] - 1)):
            mask = torch.zeros(1, height * width)
            mask[0, kept[row, column]] = 1
            samples = {"samples": torch.zeros(1, 4, kept.shape[0] // ratio, kept.shape[1] // ratio)}
            _, latent = snap(nodes, mask.view(1, height, width), vae=own, samples=samples)
            assert latent["noise_mask"][0, 0].nonzero().tolist() == [[row // ratio, column // ratio]]


def test_a_vae_that_cuts_nothing_has_a_last_incomplete_cell(nodes) -> None:
    own = SimpleNamespace(spacial_compression_encode=lambda: 8, crop_input=False)
    mask = torch.zeros(1, 20, 21)
    mask[0, 18, 18] = 1
    _, latent = snap(nodes, mask, vae=own, samples={"samples": torch.zeros(1, 4, 3, 3)})
    assert latent["noise_mask"][0, 0].nonzero().tolist() == [[2, 2]]


def test_nested_latents_keep_the_other_parts_mask(nodes) -> None:
    nested = importlib.import_module("comfy.nested_tensor").NestedTensor
    picture, sound = torch.zeros(1, 16, 3, 8, 12), torch.zeros(1, 8, 20, 16)
    mask = torch.zeros(1, 64, 96)
    mask[0, 33, 50] = 1
    _, latent = snap(nodes, mask, samples={"samples": nested([picture, sound])})
    assert latent["noise_mask"].shape == (1, 1, 3, 8, 12)
    former = nested([torch.zeros(1, 1, 3, 8, 12), torch.full((1, 1, 20, 16), 0.25)])
    _, latent = snap(nodes, mask, samples={"samples": nested([picture, sound]), "noise_mask": former})
    first, second = latent["noise_mask"].unbind()
    assert first.sum() == 3 and (second == 0.25).all()
    assert former.unbind()[0].sum() == 0


BAD = {
    "latent size": (
        {"samples": {"samples": torch.zeros(1, 4, 10, 10)}},
        "104×152 and the latent 10×10 cells",
    ),
    "no whole ratio": ({"samples": {"samples": torch.zeros(1, 4, 101, 69)}}, "no whole number of pixels"),
    "vae and latent": (
        {"vae": vae(16), "samples": {"samples": torch.zeros(1, 4, 19, 13)}},
        "16 px per cell does not make the latent's 13×19",
    ),
    "sound": ({"samples": {"samples": torch.zeros(1, 8, 20)}}, "3 axes"),
    "batch": (
        {"mask": stroke(3), "samples": {"samples": torch.zeros(2, 4, 19, 13)}},
        "batch of 3 but 2 is needed",
    ),
    "NaN": ({"mask": stroke() * torch.nan}, "NaN"),
    "axes": ({"mask": torch.zeros(1, 2, 3, 4, 5)}, "must have the shape"),
}


@pytest.mark.parametrize(("inputs", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_clear_sentence(nodes, inputs: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        snap(nodes, **{"mask": stroke(), **inputs})
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_feather_refuses_nan(nodes) -> None:
    with pytest.raises(ValueError, match="NaN"):
        feather(nodes, stroke() * torch.nan)
