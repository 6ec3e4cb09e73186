"""How the ControlNet steers the UNet in training, and what attention the training sees."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch


@pytest.fixture(scope="module")
def networks(comfy: ModuleType) -> ModuleType:
    from recompose.lab.toy.models import networks

    return networks


def test_written_out_attention_is_the_fused_one() -> None:
    from recompose.lab.toy.models.attention import attention

    q, k, v = (torch.randn(2, n, 24, generator=torch.Generator().manual_seed(n)) for n in (11, 7, 7))
    heads = [part.unflatten(-1, (3, 8)).transpose(1, 2) for part in (q, k, v)]
    mask = torch.randn(11, 7, generator=torch.Generator().manual_seed(5))
    for given in (None, mask):
        fused = torch.nn.functional.scaled_dot_product_attention(*heads, attn_mask=given)
        torch.testing.assert_close(attention(q, k, v, 3, given), fused.transpose(1, 2).flatten(2))


def test_residuals_are_the_controlnets_own(networks: ModuleType) -> None:
    from recompose.lab.toy.control import residuals

    control = networks.controlnet(seed=3).eval()
    with torch.no_grad():
        for layer in [*control.zero_convs, control.middle_block_out]:
            torch.nn.init.normal_(layer[0].weight, std=0.1)
        x, hint = torch.randn(2, 4, 16, 16), torch.rand(2, 3, 128, 128)
        steps, states = torch.tensor([10, 700]), torch.randn(2, 77, 64)
        own = control(x=x, hint=hint, timesteps=steps.float(), context=states)
        found, last = residuals(control, x, hint, steps, states, {})
    torch.testing.assert_close(last, own["middle"][0])
    for ours, theirs in zip(found, own["output"], strict=True):
        torch.testing.assert_close(ours, theirs)


def test_looks_are_kept_and_their_share_on_some_places_counted(networks: ModuleType) -> None:
    from recompose.lab.toy.models.attention import AttentionRecorder
    from recompose.lab.train.unet import attention_share

    unet, places = networks.unet(seed=1).eval(), torch.zeros(2, 77, dtype=torch.bool)
    places[0, :20], places[1, :5] = True, True
    recorder = AttentionRecorder(77)
    x, states = torch.randn(2, 4, 16, 16), torch.randn(2, 77, 64)
    options = {"optimized_attention_override": recorder.override}
    with torch.no_grad():
        plain = unet(x, torch.tensor([5.0, 5.0]), states)
        seen = unet(x, torch.tensor([5.0, 5.0]), states, transformer_options=options)
    torch.testing.assert_close(seen, plain, atol=1e-4, rtol=1e-4)
    assert [one.shape[1] for one in recorder.maps] == [256] * 2 + [64] * 2 + [16] * 2 + [4] + [16] * 3 + [
        64
    ] * 3 + [256] * 3
    # Fresh queries and keys look everywhere alike.
    only = torch.ones(2, 77, dtype=torch.bool)
    for row, share in ((0, 20 / 77), (1, 5 / 77)):
        one = only.clone()
        one[row] = places[row]
        assert float(attention_share(recorder.maps, one)) == pytest.approx(share, abs=0.03)
    assert float(attention_share(recorder.maps[:1] * 3, only)) == 0


def test_attention_on_words_for_what_is_elsewhere_costs(comfy: ModuleType) -> None:
    from recompose.lab.train.latent_cache import Batch
    from recompose.lab.train.unet import attention_map_loss

    shares = torch.zeros(1, 13, 4, 16)
    shares[0, 6, :, :8], shares[0, 0, :, 8:] = 1, 1  # a ball to the left, background to the right
    meant = torch.full((1, 77), -1)
    meant[0, 3:5], meant[0, 8] = 6, 0
    nothing = torch.zeros(1, 77, dtype=torch.bool)
    batch = Batch(*[torch.zeros(1)] * 2, torch.zeros(1, 77), nothing, meant, shares, *[torch.zeros(0)] * 2)
    right = torch.zeros(1, 4, 16, 77)
    right[..., :8, 3:5], right[..., 8:, 8] = 0.5, 1
    wrong, clean = right.flip(2), torch.ones(1)

    def cost(look: torch.Tensor, clean: torch.Tensor = clean) -> float:
        return float(attention_map_loss([look.flatten(1, 2)], batch, clean))

    assert cost(right) == pytest.approx(0, abs=2e-3)
    assert cost(wrong) == pytest.approx(6.9, abs=0.1)
    assert cost(wrong, 0 * clean) == 0
    coarse = right[:, ::2, ::2]
    assert cost(coarse) == pytest.approx(0, abs=2e-3) and cost(coarse.flip(2)) > 6
    # What no word speaks of costs nothing wherever one looks.
    batch.meant[0, 8] = -1
    assert cost(right.roll(1, -1)) == pytest.approx(cost(right[..., :8, :].roll(1, -1).repeat(1, 1, 2, 1)))
