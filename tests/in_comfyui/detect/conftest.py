"""The libraries of the detectors on the import path, nothing reaching the network, and people to plant."""

from __future__ import annotations

import importlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

HERE = ("127.0.0.1", "localhost", "::1")
SHAPES = {"body_pose_model.pth": "bodypose_model", "hand_pose_model.pth": "handpose_model"}
OVERLAYS = ("RECOMPOSE_OVERLAY_CONTROLNET_AUX", "RECOMPOSE_OVERLAY_DWPOSE")


@pytest.fixture(scope="package")
def libraries() -> Iterator[list[str]]:
    """The folders with controlnet_aux, rtmlib, onnxruntime and onnx, last on the import path."""
    folders = [os.environ.get(name, "") for name in OVERLAYS]
    assert all(folders), f"{' and '.join(OVERLAYS)} are not set; `python3 cli test` sets them."
    sys.path += folders
    yield folders
    for folder in folders:
        sys.path.remove(folder)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way out of this machine is poisoned."""
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError(f"a detector reached for the network: {arguments}")

    def look_up_here(host: str, *more: object, **named: object) -> list:
        return look_up(host, *more, **named) if host in HERE else refuse(host)

    def connect_here(self: socket.socket, address: tuple | str) -> None:
        return connect(self, address) if isinstance(address, str) or address[0] in HERE else refuse(address)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
    monkeypatch.setattr(socket.socket, "connect", connect_here)
    for name in ("huggingface_hub", "rtmlib.tools.base", "rtmlib.tools.file", "controlnet_aux.open_pose"):
        for function in ("hf_hub_download", "download_checkpoint", "download_url_to_file", "urlopen"):
            if hasattr(sys.modules.get(name), function):
                monkeypatch.setattr(sys.modules[name], function, refuse)


@pytest.fixture
def models(comfy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty models folder of ComfyUI."""
    folder_paths = importlib.import_module("folder_paths")
    monkeypatch.setattr(folder_paths, "models_dir", str(tmp_path / "models"))
    names = ("openpose", "dwpose", "keypoint_models", "blazepose")
    for name in names:
        monkeypatch.delitem(folder_paths.folder_names_and_paths, name, raising=False)
    yield tmp_path / "models"
    for name in names:
        folder_paths.folder_names_and_paths.pop(name, None)


def put_zeros(folder: Path) -> None:
    """OpenPose's three files under their public names, tensors of the public shapes, all of them zero."""
    from controlnet_aux.open_pose import face, model

    folder.mkdir(parents=True, exist_ok=True)
    with torch.device("meta"):
        networks = {name: getattr(model, kind)() for name, kind in SHAPES.items()}
        networks["facenet.pth"] = face.FaceNet()
    for name, network in networks.items():
        plain = name == "facenet.pth"
        # One number stands for all of a tensor's, so that the files are small.
        state = {
            key if plain else key.partition(".")[2]: torch.zeros(1).expand(value.shape)
            for key, value in network.state_dict().items()
        }
        torch.save(state, folder / name)


def put_onnx(folder: Path, boxes: np.ndarray, points: list[np.ndarray]) -> None:
    """DWPose's two files under their public names: networks that look at the picture and answer the same."""
    folder.mkdir(parents=True, exist_ok=True)
    answer(folder / "yolox_l.onnx", (1, 3, 640, 640), [boxes])
    answer(folder / "dw-ll_ucoco_384.onnx", (1, 3, 384, 288), points)


def answer(path: Path, given: tuple[int, ...], answers: list[np.ndarray]) -> None:
    """An ONNX network that takes an array of the shape given and returns these."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    constants = [numpy_helper.from_array(np.float32(0), "zero")]
    for index, array in enumerate(answers):
        constants.append(numpy_helper.from_array(array.astype(np.float32), f"planted{index}"))
        nodes.append(helper.make_node("Add", [f"planted{index}", "nothing"], [f"output{index}"]))
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, given)]
    outputs = [
        helper.make_tensor_value_info(f"output{index}", TensorProto.FLOAT, array.shape)
        for index, array in enumerate(answers)
    ]
    graph = helper.make_graph(nodes, "planted", inputs, outputs, constants)
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)
