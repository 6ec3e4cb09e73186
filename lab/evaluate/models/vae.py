"""How true the autoencoder is to pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ....training.losses import psnr
from ...toy import world
from ...toy.models import parts
from ...toy.tensors import stacked
from ..rows import Figures

PART, SEEDS = "test", range(0, 200)


@torch.inference_mode()
def measure(folder: Path) -> Figures:
    """Code and decode all pictures with the committed autoencoder."""
    from ...toy.models import networks  # needs ComfyUI

    network = networks.autoencoder().eval()
    parts.load(network, folder, "vae")
    rows: list[dict[str, Any]] = []
    for seed in SEEDS:
        image = stacked([world.example(seed, PART).image])
        again = networks.decode(network, networks.encode(network, image)).clamp(0, 1)
        rows.append({"seed": seed, "decibel": round(float(psnr(again, image)), 3)})
    return Figures(rows, summary(rows))


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean, least and most."""
    values = [row["decibel"] for row in rows]
    mean = round(sum(values) / len(values), 2)
    return {"decibel": mean, "least": min(values), "most": max(values), "pictures": len(values)}
