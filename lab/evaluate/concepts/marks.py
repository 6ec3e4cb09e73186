"""What an autoencoder leaves of a thing's marks."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ...toy.world.palette import lab


def middles(image: np.ndarray, marks: np.ndarray) -> dict[int, np.ndarray]:
    """The mean colour of each mark in CIELAB."""
    return {int(k): lab(image[marks == k]).mean(0) for k in np.unique(marks) if k}


def contrast_kept(image: np.ndarray, other: np.ndarray, marks: np.ndarray) -> float:
    """How far the colours of a thing's marks are apart in another picture, in shares of the first's: the
    least of all pairs of marks."""
    before, after = middles(image, marks), middles(other, marks)
    shares = [
        np.linalg.norm(after[a] - after[b]) / max(np.linalg.norm(before[a] - before[b]), 1e-6)
        for a, b in combinations(before, 2)
    ]
    return float(min(shares, default=1.0))


def psnr(image: np.ndarray, other: np.ndarray, mask: np.ndarray) -> float:
    """In dB, where the thing is, of pictures of 8 bits."""
    error = np.square(image[mask].astype(np.float64) - other[mask]).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-10)))
