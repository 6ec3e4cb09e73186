"""A TensorFlow Lite graph as a torch module: pictures N,H,W,C in, the graph's outputs out.

Inside, four-axis tensors are N,C,H,W. Weights are kept as the file has them (half precision) and computed
with in float32, so that results do not depend on the device.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from .tflite import Graph, Operator, Settings

_SPATIAL = 4  # axes of what has rows and columns


def _inside(tensor: Tensor) -> Tensor:
    """From the file's order of axes to torch's."""
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == _SPATIAL else tensor


def _outside(tensor: Tensor) -> Tensor:
    """From torch's order of axes to the file's."""
    return tensor.permute(0, 2, 3, 1) if tensor.ndim == _SPATIAL else tensor


def _activated(tensor: Tensor, name: str) -> Tensor:
    if name == "relu":
        return functional.relu(tensor)
    return functional.relu6(tensor) if name == "relu6" else tensor


def same_padding(sides: tuple[int, int], window: tuple[int, int], settings: Settings) -> tuple[int, ...]:
    """What TensorFlow's SAME adds (left, right, top, bottom), the odd pixel behind."""
    added: list[int] = []
    for side, width, step, apart in zip(sides, window, settings.stride, settings.dilation, strict=True):
        reach = (width - 1) * apart + 1
        total = max((math.ceil(side / step) - 1) * step + reach - side, 0)
        added = [total // 2, total - total // 2, *added]
    return tuple(added)


def _padded(x: Tensor, window: tuple[int, int], settings: Settings, value: float = 0.0) -> Tensor:
    if not settings.same:
        return x
    added = same_padding((x.shape[2], x.shape[3]), window, settings)
    return functional.pad(x, added, value=value) if any(added) else x


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, settings: Settings, groups: int) -> Tensor:
    """CONV_2D and DEPTHWISE_CONV_2D with weights in torch's order."""
    x = _padded(x, (weight.shape[2], weight.shape[3]), settings)
    x = functional.conv2d(x, weight, bias, settings.stride, 0, settings.dilation, groups)
    return _activated(x, settings.activation)


def pool(x: Tensor, settings: Settings) -> Tensor:
    """MAX_POOL_2D."""
    x = _padded(x, settings.window, settings, value=-math.inf)
    return _activated(functional.max_pool2d(x, settings.window, settings.stride), settings.activation)


def resize(x: Tensor, size: tuple[int, int], settings: Settings) -> Tensor:
    """RESIZE_BILINEAR to `size` (rows, columns) in its three ways to place the samples."""
    if settings.align_corners or settings.half_pixel_centers:
        return functional.interpolate(x, size, mode="bilinear", align_corners=settings.align_corners)
    for axis, count in ((2, size[0]), (3, size[1])):
        length = x.shape[axis]
        at = torch.arange(count, device=x.device, dtype=torch.float32) * (length / count)
        low = at.floor().long().clamp(max=length - 1)
        share = (at - low).view([-1 if each == axis else 1 for each in range(_SPATIAL)])
        high = (low + 1).clamp(max=length - 1)
        x = x.index_select(axis, low) * (1 - share) + x.index_select(axis, high) * share
    return x


def depth_to_space(x: Tensor, block: int) -> Tensor:
    """DEPTH_TO_SPACE: the channels of a pixel become its block of pixels, rows first, channels innermost."""
    batch, channels, height, width = x.shape
    kept = channels // block**2
    x = x.view(batch, block, block, kept, height, width).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(batch, kept, height * block, width * block)


def reshape(x: Tensor, shape: list[int]) -> Tensor:
    """RESHAPE in the file's order of axes; the first axis stays the batch's."""
    return _inside(_outside(x).reshape(x.shape[0], *shape[1:]))


def pad(x: Tensor, amounts: np.ndarray) -> Tensor:
    """PAD with zeros; `amounts` says for each of the file's axes how many before and behind."""
    batch, rows, columns, channels = ((int(before), int(behind)) for before, behind in amounts)
    return functional.pad(x, (*columns, *rows, *channels, *batch))


class Network(nn.Module):
    """A graph with its weights as parameters.

    Raises ValueError for an operator whose tensors do not fit it.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.weights = nn.ParameterDict()
        for operator in graph.operators:
            for place, number in enumerate(operator.inputs):
                value = graph.constants.get(number)
                if value is not None and value.dtype.kind == "f" and str(number) not in self.weights:
                    tensor = torch.from_numpy(_ordered(operator.kind, place, value))
                    self.weights[str(number)] = nn.Parameter(tensor, requires_grad=False)
        last = {number: step for step, operator in enumerate(graph.operators) for number in operator.inputs}
        self._last = {number: step for number, step in last.items() if number not in graph.outputs}

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """The graph's outputs for pictures N,H,W,C, in the file's order of axes."""
        found: dict[int, Tensor] = {self.graph.inputs[0]: _inside(pictures)}
        for step, operator in enumerate(self.graph.operators):
            found[operator.output] = self.run(operator, found)
            for number in set(operator.inputs):
                if self._last.get(number) == step:
                    found.pop(number, None)
        return tuple(_outside(found[number]) for number in self.graph.outputs)

    def run(self, operator: Operator, found: dict[int, Tensor]) -> Tensor:
        """What one operator makes of the tensors found so far, by their numbers; four axes are N,C,H,W."""
        values = [self._value(number, found) for number in operator.inputs if number >= 0]
        x, settings = values[0], operator.settings
        match operator.kind:
            case "CONV_2D":
                return convolve(x, values[1], _third(values), settings, 1)
            case "DEPTHWISE_CONV_2D":
                return convolve(x, values[1], _third(values), settings, x.shape[1])
            case "ADD":
                return _activated(x + values[1], settings.activation)
            case "CONCATENATION":
                axis = (0, 2, 3, 1)[settings.axis] if x.ndim == _SPATIAL else settings.axis
                return _activated(torch.cat(values, axis), settings.activation)
            case "MAX_POOL_2D":
                return pool(x, settings)
            case "RESIZE_BILINEAR":
                _, rows, columns, _ = self.graph.shapes[operator.output]
                return resize(x, (rows, columns), settings)
            case "DEPTH_TO_SPACE":
                return depth_to_space(x, settings.block)
            case "LOGISTIC":
                return torch.sigmoid(x)
            case "RESHAPE":
                return reshape(x, list(self.graph.shapes[operator.output]))
            case "PAD":
                return pad(x, self.graph.constants[operator.inputs[1]])
        raise ValueError(f"The operator {operator.kind} is not supported.")

    def _value(self, number: int, found: dict[int, Tensor]) -> Tensor:
        """A tensor found so far or constant; lists of whole numbers, which shapes tell too, are empty."""
        if number in found:
            return found[number]
        name = str(number)
        return self.weights[name].float() if name in self.weights else torch.empty(0)


def _third(values: list[Tensor]) -> Tensor | None:
    """The bias, None where the convolution has none."""
    return values[2] if len(values) > 2 else None


def _ordered(kind: str, place: int, value: np.ndarray) -> np.ndarray:
    """A constant in torch's order of axes."""
    if kind == "CONV_2D" and place == 1:
        value = value.transpose(0, 3, 1, 2)
    elif kind == "DEPTHWISE_CONV_2D" and place == 1:
        value = value.transpose(3, 0, 1, 2)
    elif value.ndim == _SPATIAL:
        value = value.transpose(0, 3, 1, 2)
    return np.array(value, order="C")
