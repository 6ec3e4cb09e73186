"""Averaged weights: what is kept of a noisy run."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """An exponential moving average of a network's weights that forgets its first steps sooner."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self._weights = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the network's weights of now; early on the average forgets faster."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self._weights[name].lerp_(value.detach(), 1 - decay)
            else:
                self._weights[name].copy_(value)

    def weights(self) -> Mapping[str, Tensor]:
        """The averaged weights by name; they change with the next update."""
        return self._weights
