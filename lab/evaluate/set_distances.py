"""How far two sets of features are from each other; the arithmetic is torchmetrics'."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

SUBSETS, LARGEST = 100, 1000  # of the kernel distance: how many, and pictures in each
FEW = 2048  # pictures below which a Fréchet distance of Inception's features says little


def lacking(names: str) -> str:
    """A sentence on the library that what is named needs, where it is not installed; else empty."""
    if importlib.util.find_spec("torchmetrics"):
        return ""
    return (
        f"Expected the library torchmetrics for {names}, got none; install it with "
        "`python -m pip install torchmetrics torch-fidelity`."
    )


class Given(nn.Module):
    """Stands where torchmetrics has a network: the features come as they are."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.num_features = dimensions

    def forward(self, features: Tensor) -> Tensor:
        return features


def frechet(real: Sequence[np.ndarray], made: Sequence[np.ndarray]) -> float:
    """The Fréchet distance (Heusel et al. 2017) of two sets of features, two or more of D each."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=Given(len(real[0])))
    for features, is_real in ((real, True), (made, False)):
        metric.update(torch.from_numpy(np.stack(features)).double(), real=is_real)
    return float(metric.compute())


def kernel(real: Sequence[np.ndarray], made: Sequence[np.ndarray]) -> float:
    """The kernel distance (Bińkowski et al. 2018), unbiased, of two sets of features, two or more of D each.

    Sets of the same size up to 1000 are taken whole; of others it is the mean over 100 subsets.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    size = min(LARGEST, len(real), len(made))
    whole = size == len(real) == len(made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it holds all features in memory
        metric = KernelInceptionDistance(
            feature=Given(len(real[0])), subsets=1 if whole else SUBSETS, subset_size=size
        )
    for features, is_real in ((real, True), (made, False)):
        metric.update(torch.from_numpy(np.stack(features)).double(), real=is_real)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return float(metric.compute()[0])
