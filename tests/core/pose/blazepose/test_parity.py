"""Our reading of the files beside LiteRT's: operator by operator, whole networks, and a person's points."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recompose.core.pose.blazepose import find, landmarks, tflite
from recompose.core.pose.blazepose.network import Network
from recompose.tests.core.pose.blazepose.conftest import DETECTOR, FILES, LANDMARKS

EVERY_KIND = {
    "ADD",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "DEPTH_TO_SPACE",
    "LOGISTIC",
    "MAX_POOL_2D",
    "PAD",
    "RESHAPE",
    "RESIZE_BILINEAR",
}


def planted(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Coarse and fine structure, 0 … 1."""
    random = np.random.default_rng(seed)
    batch, height, width, channels = shape
    coarse = random.random((batch, height // 8, width // 8, channels)).repeat(8, 1).repeat(8, 2)
    return (0.8 * coarse + 0.2 * random.random(shape)).astype(np.float32)


@pytest.fixture(scope="module")
def reference(litert: Callable[[bytes], Any], graphs: dict[Path, tflite.Graph]) -> dict[Path, Any]:
    """Both files run by LiteRT on planted pictures."""
    run = {}
    for path in FILES:
        run[path] = litert(path.read_bytes())
        (number,) = graphs[path].inputs
        run[path].set_tensor(number, planted(graphs[path].shapes[number], 7))
        run[path].invoke()
    return run


def inside(values: np.ndarray) -> torch.Tensor:
    tensor = torch.from_numpy(values.copy())
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor


def test_every_operator_alone_makes_what_litert_makes_of_the_same_tensors(
    reference: dict[Path, Any], graphs: dict[Path, tflite.Graph]
) -> None:
    seen = set()
    for path in FILES:
        graph, network = graphs[path], Network(graphs[path])
        for operator in graph.operators:
            given = {
                number: inside(reference[path].get_tensor(number))
                for number in operator.inputs
                if number not in graph.constants
            }
            made = network.run(operator, given)
            right = inside(reference[path].get_tensor(operator.output))
            assert made.shape == right.shape, (path.name, operator)
            scale = float(right.abs().max()) + 1e-6
            assert float((made - right).abs().max()) / scale < 2e-5, (path.name, operator)
            seen.add(operator.kind)
    assert seen == EVERY_KIND


def test_unpacked_weights_are_litert_s(reference: dict[Path, Any], graphs: dict[Path, tflite.Graph]) -> None:
    """DEQUANTIZE and DENSIFY: what is done as the file is read."""
    sparse = 0
    for path in FILES:
        for number, values in graphs[path].constants.items():
            right = reference[path].get_tensor(number)
            assert np.array_equal(values.astype(right.dtype), right), (path.name, number)
            sparse += path == DETECTOR and values.ndim == 4 and bool((values == 0).mean() > 0.5)
    assert sparse > 30, "the detector's weights are sparse"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_whole_network_makes_what_litert_makes(
    path: Path, reference: dict[Path, Any], graphs: dict[Path, tflite.Graph]
) -> None:
    graph = graphs[path]
    with torch.inference_mode():
        made = Network(graph)(torch.from_numpy(reference[path].get_tensor(graph.inputs[0]).copy()))
    assert len(made) == len(graph.outputs)
    for number, values in zip(graph.outputs, made, strict=True):
        right = reference[path].get_tensor(number)
        assert values.shape == right.shape
        # A thousandth of the outputs' range: the segmentation's logits reach a thousand.
        assert np.abs(values.numpy() - right).max() <= 1e-3 * max(np.abs(right).max(), 1.0)


def test_a_photographed_person_s_points_are_within_half_a_pixel(
    litert: Callable[[bytes], Any], graphs: dict[Path, tflite.Graph], astronaut: torch.Tensor
) -> None:
    theirs = {}
    for path in FILES:
        interpreter, graph = litert(path.read_bytes()), graphs[path]

        def run(pictures: torch.Tensor, interpreter: Any = interpreter, graph: Any = graph) -> tuple:
            interpreter.set_tensor(graph.inputs[0], pictures.contiguous().numpy())
            interpreter.invoke()
            made = [torch.from_numpy(interpreter.get_tensor(number).copy()) for number in graph.outputs]
            return tuple(made)

        theirs[path] = run

    def three(pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        raw, presence, _, heat, _ = theirs[LANDMARKS](pictures)
        return raw, presence, heat

    reference = find.Finder(theirs[DETECTOR], three, torch.device("cpu"))
    (right,) = find.people(astronaut, reference)
    (ours,) = find.people(astronaut, find.open_finder(DETECTOR, LANDMARKS))
    apart = np.hypot(*(ours.points - right.points)[: landmarks.POINTS, :2].T)
    assert apart.max() < 0.5
    assert np.abs(ours.points - right.points)[:, 2:].max() < 1e-3
    assert ours.score == pytest.approx(right.score, abs=1e-3)


def test_the_networks_open_in_a_second() -> None:
    """The detector's sparse weights are unpacked without a loop over them."""
    begin = time.process_time()
    find.open_finder(DETECTOR, LANDMARKS)
    assert time.process_time() - begin < 1.0
