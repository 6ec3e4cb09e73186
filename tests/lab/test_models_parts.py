"""The committed weights' files: what is refused, what comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from recompose.lab.toy.models import parts
from torch import nn


def test_weights_and_notes_come_back_under_public_keys(tmp_path: Path) -> None:
    network, other = nn.Linear(5, 3), nn.Linear(5, 3)
    path = parts.write(tmp_path, "vae", network.state_dict(), {"steps": 17, "loss": 0.25})
    weights, _ = parts.read(tmp_path, "vae")
    assert sorted(weights) == ["first_stage_model.bias", "first_stage_model.weight"]
    assert all(value.dtype == torch.float16 for value in weights.values())
    assert parts.load(other, tmp_path, "vae") == {"steps": 17, "loss": 0.25}
    assert torch.equal(other.bias, network.bias.half().float())
    step = network.weight.abs().amax(1, keepdim=True) / 127
    assert ((other.weight - network.weight).abs() <= 0.51 * step + 2**-11 * network.weight.abs()).all()
    assert path.stat().st_mode & 0o444 == 0o444
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"openpose\.safetensors is missing"):
        parts.read(tmp_path, "openpose")


@pytest.mark.parametrize("keep", [0, 5, 100])
def test_a_cut_off_part_is_called_damaged(tmp_path: Path, keep: int) -> None:
    path = parts.write(tmp_path, "text", nn.Linear(5, 3).state_dict(), {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RuntimeError, match=r"text\.safetensors is damaged"):
        parts.read(tmp_path, "text")


@pytest.mark.parametrize("network", [nn.Linear(5, 4), nn.Linear(5, 3, bias=False), nn.Bilinear(5, 5, 3)])
def test_a_part_of_another_network_is_refused(tmp_path: Path, network: nn.Module) -> None:
    parts.write(tmp_path, "unet", nn.Linear(5, 3).state_dict(), {})
    with pytest.raises(RuntimeError, match=r"unet\.safetensors does not fit"):
        parts.load(network, tmp_path, "unet")


@pytest.mark.parametrize("value", [1e6, float("inf"), float("-inf"), float("nan")])  # 1e6 is beyond fp16
def test_weights_that_are_no_numbers_leave_the_old_file(tmp_path: Path, value: float) -> None:
    network = nn.Linear(5, 3)
    before = parts.write(tmp_path, "captioner", network.state_dict(), {}).read_bytes()
    with torch.no_grad():
        network.weight[1, 2] = value
    with pytest.raises(RuntimeError, match="finite weights but weight is not"):
        parts.write(tmp_path, "captioner", network.state_dict(), {})
    assert (tmp_path / "captioner.safetensors").read_bytes() == before
