"""How models noise a latent, x = signal · clean + noise · normal, and the one map that adds more noise."""

from __future__ import annotations

import math
from enum import Enum
from typing import NamedTuple

from torch import Tensor


class NoiseLevel(NamedTuple):
    """One noise level: how much of the clean latent and how much standard normal noise are in x."""

    signal: float
    noise: float

    @property
    def noise_to_signal(self) -> float:
        """The noise per clean latent, which is the sigma of exploding models; infinite for noise alone."""
        return self.noise / self.signal if self.signal else math.inf


class Kind(Enum):
    """What sigma means: the noise added to the clean latent, or the share of noise in a mixture."""

    VE = "exploding"  # x = clean + sigma · n (Karras et al. 2022), eps and v models in ComfyUI
    FLOW = "flow"  # x = (1 - sigma) · clean + sigma · n (rectified flow)


class NoiseSchedule(NamedTuple):
    """The noise levels of a model by sigma; some flow models scale their noise."""

    kind: Kind
    scale: float = 1.0

    def level(self, sigma: float) -> NoiseLevel:
        """The level at `sigma`, a flow's within 0…1."""
        return NoiseLevel(1 - sigma if self.kind is Kind.FLOW else 1.0, self.scale * sigma)

    def ancestral_sigma_down(self, sigma: float, below: float, eta: float) -> float:
        """The sigma to step down to from `sigma` before fresh noise leads up to `below`; `below` for eta 0.

        For exploding models the ancestral step in Karras et al.'s coordinates (Song et al. 2021, eq. 16),
        for flows its counterpart with a linear share: both are below² / sigma for eta 1.
        """
        if not eta or not below:
            return below
        if self.kind is Kind.FLOW:
            return below * (1 + (below / sigma - 1) * eta)
        up = min(below, eta * below * math.sqrt(max(0.0, 1 - (below / sigma) ** 2)))
        return math.sqrt(below**2 - up**2)


def renoise(x: Tensor, lower: NoiseLevel, upper: NoiseLevel, normal: Tensor) -> Tensor:
    """Bring `x` from a level up to one with more noise by independent normal noise of its shape.

    RePaint's equation 1 iterated; exploding, preserving and flow levels are all this map.
    """
    gain = upper.signal / lower.signal
    return gain * x + math.sqrt(max(0.0, upper.noise**2 - (gain * lower.noise) ** 2)) * normal
