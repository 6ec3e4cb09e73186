"""A loss and its gradients, computed step by step or replayed as CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

WARM_UP = 3  # runs before a capture, in which libraries choose their kernels


class EagerStep:
    """The mean loss of batches, taken one after the other; its gradients are left in the parameters.

    `around` gives the context in which each batch's loss and its gradients are computed.
    """

    def __init__(
        self,
        loss_of: Callable[[Any], Tensor],
        parameters: Sequence[nn.Parameter],
        around: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self.loss_of, self.parameters, self.around = loss_of, parameters, around

    def __call__(self, *batches: Any) -> Tensor:
        for parameter in self.parameters:
            parameter.grad = None
        return torch.stack([self.once(batch, len(batches)) for batch in batches]).sum()

    def once(self, batch: Any, count: int) -> Tensor:
        """The loss of one of several batches, as its share of the mean."""
        with self.around():
            loss = self.loss_of(batch) / count
            loss.backward()
        return loss.detach()


class GraphedStep:
    """The same, as one CUDA graph per shape of batch: small networks wait for Python, not for the GPU.

    A batch is a tensor or a named tuple of tensors; the loss must not depend on anything else that changes
    but torch's own random numbers. RuntimeError when something in it cannot be captured.
    """

    def __init__(self, loss_of: Callable[[Any], Tensor], parameters: Sequence[nn.Parameter]) -> None:
        self.loss_of, self.parameters = loss_of, parameters
        self.found: dict[tuple, tuple[torch.cuda.CUDAGraph, list[Tensor], Tensor]] = {}
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)

    def __call__(self, batch: Any) -> Tensor:
        given = [batch] if isinstance(batch, Tensor) else list(batch)
        shapes = tuple(part.shape for part in given)
        if shapes not in self.found:
            self.found[shapes] = self.capture(batch, given)
        graph, inputs, loss = self.found[shapes]
        for own, part in zip(inputs, given, strict=True):
            own.copy_(part, non_blocking=True)
        graph.replay()
        return loss

    def capture(self, batch: Any, given: list[Tensor]) -> tuple[torch.cuda.CUDAGraph, list[Tensor], Tensor]:
        """The graph of one shape, the tensors it reads and the loss it writes."""
        inputs = [part.to(self.parameters[0].device, copy=True) for part in given]
        own = inputs[0] if isinstance(batch, Tensor) else type(batch)(*inputs)

        def once() -> Tensor:
            for parameter in self.parameters:
                if parameter.grad is not None:
                    parameter.grad.zero_()
            loss = self.loss_of(own)
            loss.backward()
            return loss.detach()

        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                once()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = once()
        return graph, inputs, loss
