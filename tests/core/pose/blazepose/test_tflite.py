"""Files read byte by byte: sparse tensors by hand, damage anywhere, and what is no such network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recompose.core.pose.blazepose import find, tflite
from recompose.core.pose.blazepose.flatbuffer import Damaged
from recompose.core.pose.blazepose.tflite import Axis
from recompose.tests.core.pose.blazepose.conftest import DETECTOR, FILES, LANDMARKS


def dense(size: int) -> Axis:
    return Axis(size, None, None)


def sparse(segments: list[int], indices: list[int]) -> Axis:
    return Axis(0, np.array(segments, np.int64), np.array(indices, np.int64))


# Rows, as the format lists them, and the array that they mean.
SPARSE = {
    "rows of columns": (
        [1, 2, 3],
        (3, 4),
        [0, 1],
        [],
        [dense(3), sparse([0, 1, 1, 3], [2, 0, 3])],
        [[0, 0, 1, 0], [0, 0, 0, 0], [2, 0, 0, 3]],
    ),
    "columns of rows": (
        [1, 2, 3],
        (3, 2),
        [1, 0],
        [],
        [dense(2), sparse([0, 2, 3], [0, 2, 1])],
        [[1, 0], [0, 3], [2, 0]],
    ),
    "blocks of two columns": (
        [1, 2, 3, 4],
        (2, 4),
        [0, 1, 2],
        [1],
        [dense(2), sparse([0, 1, 2], [1, 0]), dense(2)],
        [[0, 0, 1, 2], [3, 4, 0, 0]],
    ),
    "nothing": ([], (2, 2), [0, 1], [], [dense(2), sparse([0, 0, 0], [])], [[0, 0], [0, 0]]),
    "both axes sparse": (
        [5, 6],
        (4, 3),
        [0, 1],
        [],
        [sparse([0, 2], [1, 3]), sparse([0, 1, 2], [2, 0])],
        [[0, 0, 0], [0, 0, 5], [0, 0, 0], [6, 0, 0]],
    ),
}


@pytest.mark.parametrize("case", SPARSE.values(), ids=SPARSE)
def test_sparse_tensors(case: tuple) -> None:
    values, shape, order, blocks, axes, right = case
    made = tflite.densify(np.array(values, np.float16), shape, order, blocks, axes)
    assert made.dtype == np.float16 and made.tolist() == right


@pytest.mark.parametrize(
    ("values", "axes"),
    [
        ([1.0], [dense(2), sparse([0, 1, 2], [0, 1])]),  # fewer values than positions
        ([1.0, 2.0], [dense(2), sparse([0, 1], [0])]),  # fewer rows than the axis above
        ([1.0, 2.0], [dense(2), sparse([0, 1, 2], [0, 2])]),  # beyond the tensor
        ([1.0, 2.0], [dense(2), sparse([0, 1, 2], [0, -1])]),
        ([1.0, 2.0], [dense(2), sparse([0, 2, 1], [0, 1])]),  # backwards
        ([1.0, 2.0], [dense(2**31 - 1), sparse([0, 1, 2], [0, 1])]),  # more than any memory holds
        ([1.0, 2.0], [dense(-2), sparse([0, 1, 2], [0, 1])]),
    ],
)
def test_sparse_tensors_that_contradict_themselves(values: list[float], axes: list[Axis]) -> None:
    with pytest.raises(Damaged):
        tflite.densify(np.array(values, np.float16), (2, 2), [0, 1], [], axes)


def test_weights_stay_half_precision(graphs: dict[Path, tflite.Graph]) -> None:
    for graph in graphs.values():
        kinds = {values.dtype.str for values in graph.constants.values() if values.ndim == 4}
        assert kinds == {"<f2"}
        assert all(
            "DE" not in operator.kind[:2] for operator in graph.operators if "DEPTH" not in operator.kind
        )


def test_only_what_leads_to_the_wanted_outputs_is_kept(graphs: dict[Path, tflite.Graph]) -> None:
    graph = graphs[LANDMARKS]
    raw = next(number for number in graph.outputs if graph.shapes[number] == (1, 195))
    less = tflite.leading_to(graph, (raw,))
    assert less.outputs == (raw,) and len(less.operators) < len(graph.operators)
    made = {operator.output for operator in less.operators} | {*graph.inputs, *less.constants}
    assert all(number in made for operator in less.operators for number in operator.inputs)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_damage_is_an_error_of_one_sentence(path: Path, tmp_path: Path) -> None:
    """Cut short, and with bytes changed where offsets and sizes lie: ValueError or a file that is whole."""
    whole, random = path.read_bytes(), np.random.default_rng(11)
    hurt = [whole[:length] for length in (0, 7, 8, 40, 5000, len(whole) // 2, len(whole) - 9)]
    for _ in range(40):
        copy = bytearray(whole)
        # The tables lie at both ends, the weights between.
        start = int(random.choice([0, 0, len(copy) - 60000]))
        for place in start + random.integers(0, min(60000, len(copy) - start), 12):
            copy[place] = int(random.integers(256))
        hurt.append(bytes(copy))
    refused = 0
    for number, data in enumerate(hurt):
        damaged = tmp_path / f"{number}.tflite"
        damaged.write_bytes(data)
        try:
            (find.detector if path == DETECTOR else find.landmarker)(damaged)  # which runs it once
        except ValueError as error:
            assert str(damaged) in str(error) and "\n" not in str(error)
            refused += 1
        damaged.unlink()
    assert refused > 10


def test_other_files_are_named(tmp_path: Path) -> None:
    text = tmp_path / "notes.tflite"
    text.write_text("not a network, but longer than a few bytes")
    with pytest.raises(ValueError, match=r"notes\.tflite is no TensorFlow Lite file; choose a BlazePose"):
        find.detector(text)
    with pytest.raises(ValueError, match=r"landmark_full\.tflite holds another network"):
        find.detector(LANDMARKS)
    with pytest.raises(ValueError, match=r"pose_detection\.tflite holds another network"):
        find.landmarker(DETECTOR)
