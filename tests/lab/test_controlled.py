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


def test_the_share_of_attention_on_some_places_is_counted(networks: ModuleType) -> None:
    from recompose.lab.train.unet import Masses

    unet, places = networks.unet(seed=1).eval(), torch.zeros(2, 77, dtype=torch.bool)
    places[0, :20], places[1, :5] = True, True
    masses = Masses(places)
    x, states = torch.randn(2, 4, 16, 16), torch.randn(2, 77, 64)
    with torch.no_grad():
        plain = unet(x, torch.tensor([5.0, 5.0]), states)
        seen = unet(
            x,
            torch.tensor([5.0, 5.0]),
            states,
            transformer_options={"optimized_attention_override": masses.override},
        )
    torch.testing.assert_close(seen, plain, atol=1e-4, rtol=1e-4)
    assert len(masses.found) == 16 and all(mass.shape == (2,) for mass in masses.found)
    # Fresh queries and keys look everywhere alike.
    first, second = (float(masses.mean(torch.tensor(rows))) for rows in ([True, False], [False, True]))
    assert first == pytest.approx(20 / 77, abs=0.03) and second == pytest.approx(5 / 77, abs=0.03)
