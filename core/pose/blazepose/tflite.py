"""TensorFlow Lite files: the operators of their one graph, and their constants as arrays.

Field numbers and codes are those of the published schema (tensorflow/lite/schema/schema.fbs). Half-precision
weights stay as they are stored: DEQUANTIZE and DENSIFY of a constant are done here, as the file is read, and
are no operators of the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .flatbuffer import Damaged, Table, root

IDENTIFIER = b"TFL3"
_LARGEST = 2**28  # elements of one constant; the largest of these networks has 2**21
_DTYPES = {0: "<f4", 1: "<f2", 2: "<i4"}
_FURTHEST = 16  # pixels that a window, its steps and its gaps may have; the networks have 5, 2 and 1
_SAME_PADDING = 0
_ACTIVATIONS = {0: "none", 1: "relu", 3: "relu6"}
_INDEX_DTYPES = {1: "<i4", 2: "<u2", 3: "<u1"}


class Settings(NamedTuple):
    """What an operator's options say; an operator reads those that concern it."""

    same: bool = True
    stride: tuple[int, int] = (1, 1)  # rows, columns
    dilation: tuple[int, int] = (1, 1)
    window: tuple[int, int] = (1, 1)
    activation: str = "none"
    axis: int = 0
    block: int = 1
    align_corners: bool = False
    half_pixel_centers: bool = False


@dataclass(frozen=True)
class Operator:
    """One step of the graph: its kind, the numbers of the tensors it reads and makes (−1: left out)."""

    kind: str
    inputs: tuple[int, ...]
    output: int
    settings: Settings


@dataclass(frozen=True)
class Graph:
    """Operators in the order they run, constants by tensor number, and which tensors go in and come out."""

    operators: list[Operator]
    constants: dict[int, np.ndarray]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    shapes: list[tuple[int, ...]]


def _activation(options: Table, field: int) -> str:
    code = options.number(field, kind="<b")
    if code not in _ACTIVATIONS:
        raise ValueError(f"holds the activation {code}, which is not supported")
    return _ACTIVATIONS[code]


def _convolution(options: Table, activation: int) -> Settings:
    return Settings(
        same=options.number(0, kind="<b") == _SAME_PADDING,
        stride=(options.number(2), options.number(1)),
        dilation=(options.number(activation + 2, 1), options.number(activation + 1, 1)),
        activation=_activation(options, activation),
    )


def _pooling(options: Table) -> Settings:
    return Settings(
        same=options.number(0, kind="<b") == _SAME_PADDING,
        stride=(options.number(2), options.number(1)),
        window=(options.number(4), options.number(3)),
        activation=_activation(options, 5),
    )


def _resizing(options: Table) -> Settings:
    return Settings(
        align_corners=bool(options.number(2, kind="<b")),
        half_pixel_centers=bool(options.number(3, kind="<b")),
    )


_KINDS: dict[int, tuple[str, Callable[[Table], Settings]]] = {
    0: ("ADD", lambda options: Settings(activation=_activation(options, 0))),
    2: (
        "CONCATENATION",
        lambda options: Settings(axis=options.number(0), activation=_activation(options, 1)),
    ),
    3: ("CONV_2D", lambda options: _convolution(options, 3)),
    4: ("DEPTHWISE_CONV_2D", lambda options: _convolution(options, 4)),
    5: ("DEPTH_TO_SPACE", lambda options: Settings(block=options.number(0))),
    6: ("DEQUANTIZE", lambda _: Settings()),
    14: ("LOGISTIC", lambda _: Settings()),
    17: ("MAX_POOL_2D", _pooling),
    22: ("RESHAPE", lambda _: Settings()),
    23: ("RESIZE_BILINEAR", _resizing),
    34: ("PAD", lambda _: Settings()),
    124: ("DENSIFY", lambda _: Settings()),
}


def _checked(operator: Operator, constants: dict[int, np.ndarray], shapes: list[tuple[int, ...]]) -> Operator:
    """The operator, unless it asks for more memory than the shapes in the file tell."""
    settings, count = operator.settings, len(shapes)
    if any(number >= count for number in (*operator.inputs, operator.output)):
        raise Damaged(f"{operator.kind} reads or makes a tensor that is not listed")
    for side in (*settings.stride, *settings.dilation, *settings.window, settings.block):
        if not 1 <= side <= _FURTHEST:
            raise Damaged(f"{operator.kind} has a window or a step of {side}")
    if operator.kind == "PAD":
        read, *more = operator.inputs
        amounts = constants.get(more[0]) if more else None
        before, after = list(shapes[read]), list(shapes[operator.output])
        if amounts is None or amounts.shape != (4, 2) or len(before) != 4:
            raise Damaged("PAD lacks its amounts")
        if (amounts < 0).any() or (amounts.sum(axis=1) + before).tolist() != after:
            raise Damaged(f"PAD does not make {after} of {before}")
    return operator


def _kind(code: Table) -> tuple[str, Callable[[Table], Settings]]:
    # Newer files state codes above 127 in a field of their own, older ones know only the first.
    number = max(code.number(0, kind="<b"), code.number(3))
    if number not in _KINDS:
        raise ValueError(f"holds the operator {number}, which is not supported")
    return _KINDS[number]


def _shape(tensor: Table) -> tuple[int, ...]:
    shape = tuple(int(side) for side in tensor.array(0, "<i4"))
    if any(side < 0 for side in shape) or math.prod(shape) > _LARGEST:
        raise Damaged(f"a tensor has the shape {shape}")
    return shape


class Axis(NamedTuple):
    """One axis of a sparse tensor: dense of a size, or which positions of each row above have values."""

    size: int
    segments: np.ndarray | None
    indices: np.ndarray | None


def _indices(table: Table, kind: int, value: int) -> np.ndarray:
    code, vector = table.number(kind, kind="<B"), table.table(value)
    if code not in _INDEX_DTYPES or vector is None:
        raise Damaged("a sparse tensor lacks its positions")
    return vector.array(0, _INDEX_DTYPES[code]).astype(np.int64)


def _axis(table: Table) -> Axis:
    if table.number(0, kind="<b") == 0:
        return Axis(table.number(1), None, None)
    return Axis(0, _indices(table, 2, 3), _indices(table, 4, 5))


def densify(
    values: np.ndarray, shape: tuple[int, ...], order: list[int], blocks: list[int], axes: list[Axis]
) -> np.ndarray:
    """The dense array of a sparse one, zero where it has no value.

    `order` lists the axes as they are nested, the block's own axes (numbers from len(shape) on) behind those
    of the tensor; `blocks` says which tensor axis each block axis divides. TensorFlow Lite's format of
    hybrid sparse tensors, after TACO (Kjolstad et al. 2017).
    """
    at: dict[int, np.ndarray] = {}  # per axis, the position along it of everything nested so far
    rows = np.zeros(1, dtype=np.int64)
    sizes = {}
    for axis, layout in zip(order, axes, strict=True):
        if layout.segments is None or layout.indices is None:
            if layout.size < 0 or layout.size * len(rows) > _LARGEST:
                raise Damaged(f"a sparse tensor has an axis of {layout.size}")
            each, repeats = np.tile(np.arange(layout.size), len(rows)), layout.size
            sizes[axis] = layout.size
        else:
            counts = np.diff(layout.segments)
            if len(counts) != len(rows) or (counts < 0).any() or counts.sum() != len(layout.indices):
                raise Damaged("a sparse tensor's positions do not fit its rows")
            each, repeats = layout.indices, counts
        at = {known: np.repeat(places, repeats) for known, places in at.items()}
        at[axis] = each
        rows = each
    if len(rows) != len(values):
        raise Damaged(f"a sparse tensor has {len(values)} values for {len(rows)} positions")
    for block, axis in enumerate(blocks):
        inner = len(shape) + block
        if inner not in sizes:
            raise Damaged("a sparse tensor's blocks are sparse themselves")
        at[axis] = at[axis] * sizes[inner] + at[inner]
    places = [at[axis] for axis in range(len(shape))]
    if any((place < 0).any() or (place >= side).any() for place, side in zip(places, shape, strict=True)):
        raise Damaged("a sparse tensor's position lies outside of it")
    dense = np.zeros(shape, values.dtype)
    dense[tuple(places)] = values
    return dense


def _constant(tensor: Table, buffers: list[Table]) -> np.ndarray | None:
    """The tensor's values, None where it is made as the graph runs."""
    number = tensor.number(2, kind="<I")
    if number >= len(buffers):
        raise Damaged(f"a tensor names the block {number} of {len(buffers)}")
    raw, shape = buffers[number].array(0, "<u1"), _shape(tensor)
    if not raw.size:
        return None
    code = tensor.number(1, kind="<b")
    if code not in _DTYPES:
        raise ValueError(f"holds constants of the type {code}, which is not supported")
    dtype = np.dtype(_DTYPES[code])
    if raw.size % dtype.itemsize:
        raise Damaged(f"a constant has {raw.size} bytes, no multiple of {dtype.itemsize}")
    values = np.frombuffer(raw.tobytes(), dtype)
    sparsity = tensor.table(6)
    if sparsity is None:
        if values.size != math.prod(shape):
            raise Damaged(f"a constant of the shape {shape} has {values.size} values")
        return values.reshape(shape)
    order, blocks = (list(map(int, sparsity.array(field, "<i4"))) for field in (0, 1))
    if sorted(order) != list(range(len(shape) + len(blocks))) or any(
        b not in range(len(shape)) for b in blocks
    ):
        raise Damaged("a sparse tensor's axes do not fit its shape")
    axes = [_axis(each) for each in sparsity.tables(2)]
    if len(axes) != len(order):
        raise Damaged("a sparse tensor's axes do not fit its shape")
    return densify(values, shape, order, blocks, axes)


def _operators(
    subgraph: Table, codes: list[Table], constants: dict[int, np.ndarray], shapes: list[tuple[int, ...]]
) -> list[Operator]:
    """The operators that remain once constants are unpacked, which are added to `constants`."""
    found = []
    kinds = [_kind(code) for code in codes]
    for entry in subgraph.tables(3):
        index = entry.number(0, kind="<I")
        if index >= len(kinds):
            raise Damaged(f"an operator is of the kind {index} of {len(kinds)}")
        kind, settings = kinds[index]
        inputs = tuple(map(int, entry.array(1, "<i4")))
        output = tuple(map(int, entry.array(2, "<i4")))
        if not inputs or len(output) != 1:
            raise Damaged(f"{kind} reads {len(inputs)} tensors and makes {len(output)}")
        if kind in ("DEQUANTIZE", "DENSIFY"):
            if inputs[0] not in constants:
                raise ValueError(f"holds {kind} of what is computed, which is not supported")
            constants[output[0]] = constants[inputs[0]]
            continue
        options = entry.table(4)
        # A kind whose options all have their defaults may come without any.
        operator = Operator(kind, inputs, output[0], settings(options) if options else Settings())
        found.append(_checked(operator, constants, shapes))
    return found


def leading_to(graph: Graph, outputs: tuple[int, ...]) -> Graph:
    """The graph with these outputs alone, without the operators that they do not need."""
    needed, kept = set(outputs), []
    for operator in reversed(graph.operators):
        if operator.output in needed:
            kept.append(operator)
            needed.update(operator.inputs)
    constants = {number: value for number, value in graph.constants.items() if number in needed}
    return replace(graph, operators=kept[::-1], constants=constants, outputs=outputs)


def parse(data: bytes) -> Graph:
    """The graph of a file's bytes; ValueError, said of the file, for damage or what is not supported."""
    if data[4:8] != IDENTIFIER:
        raise ValueError("is no TensorFlow Lite file")
    model = root(data)
    subgraphs, buffers = model.tables(2), model.tables(4)
    if len(subgraphs) != 1:
        raise ValueError(f"holds {len(subgraphs)} graphs, expected one")
    graph = subgraphs[0]
    tensors = graph.tables(0)
    values = [_constant(tensor, buffers) for tensor in tensors]
    constants = {index: value for index, value in enumerate(values) if value is not None}
    shapes = [_shape(tensor) for tensor in tensors]
    operators = _operators(graph, model.tables(1), constants, shapes)
    used = {number for operator in operators for number in operator.inputs}
    inputs, outputs = (tuple(map(int, graph.array(field, "<i4"))) for field in (1, 2))
    if not all(0 <= number < len(shapes) for number in (*inputs, *outputs)):
        raise Damaged("what goes in or comes out is not listed")
    return Graph(
        operators,
        {index: value for index, value in constants.items() if index in used},
        inputs,
        outputs,
        shapes,
    )


def read(path: Path) -> Graph:
    """The graph of a .tflite file; ValueError naming the file where it is damaged or another kind."""
    try:
        return parse(path.read_bytes())
    except Damaged as error:
        raise ValueError(f"{path} is damaged ({error}); download it again.") from error
    except ValueError as error:
        raise ValueError(f"{path} {error}; choose a BlazePose network.") from error
