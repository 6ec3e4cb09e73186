"""Averaged weights: what is kept of a noisy run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .networks import learned


class EMA:
    """An exponential moving average of what a network learns, which forgets its first steps sooner.

    Frozen parameters are left out: they take memory and never change.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self._weights = {name: value.detach().clone() for name, value in learned(network).items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the network's weights of now; early on the average forgets faster."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in learned(network).items():
            if value.is_floating_point():
                self._weights[name].lerp_(value.detach(), 1 - decay)
            else:
                self._weights[name].copy_(value)

    def weights(self) -> Mapping[str, Tensor]:
        """The averaged weights by name; they change with the next update."""
        return self._weights

    def state_dict(self) -> dict[str, Any]:
        """The average and its number of updates."""
        return {"updates": self.updates, "weights": self._weights}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved average of the same network."""
        self.updates = state["updates"]
        for name, value in self._weights.items():
            value.copy_(state["weights"][name])
