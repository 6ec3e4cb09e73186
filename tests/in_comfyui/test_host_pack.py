"""Only the host pack teaches ComfyUI the small sizes, and it cannot get in the way of real models."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

# A fresh process: what other tests imported must not count.
PROGRAM = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from comfy.cli_args import args
args.cpu = True
import nodes
from comfy import supported_models
before = list(supported_models.models)
for folder in sys.argv[2:]:
    assert asyncio.run(nodes.load_custom_node(folder)), folder
print(len(before), *[model.__name__ for model in supported_models.models if model not in before])
print(supported_models.models[: len(before)] == before)
"""


@pytest.fixture
def demo_sizes(comfy: ModuleType) -> Iterator[None]:
    """The small sizes registered, and taken back afterwards."""
    from comfy import supported_models
    from recompose.lab.toy.model_pack.registration import HostPack

    before = list(supported_models.models)
    asyncio.run(HostPack().on_load())
    yield
    supported_models.models[:] = before


def added(comfyui: Path, *packs: Path) -> list[str]:
    """Names of the models that loading the packs adds to ComfyUI's list; its own must come first."""
    command = [sys.executable, "-c", PROGRAM, str(comfyui), *map(str, packs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    names, first = done.stdout.splitlines()[-2:]
    assert first == "True"
    return names.split()[1:]


def test_the_pack_alone_leaves_the_list_untouched(comfy: ModuleType, root: Path) -> None:
    comfyui = Path(os.environ["COMFYUI_PATH"])
    assert added(comfyui, root) == []
    assert added(comfyui, root, root / "lab" / "toy" / "model_pack") == ["DemoSD15"]


def test_loading_twice_registers_once(comfy: ModuleType, demo_sizes: None) -> None:
    from comfy import supported_models
    from recompose.lab.toy.model_pack.registration import HostPack

    before = list(supported_models.models)
    asyncio.run(HostPack().on_load())
    assert supported_models.models == before


REAL = {
    "SD15": {"context_dim": 768, "model_channels": 320},
    "SD20": {"context_dim": 1024, "model_channels": 320, "use_linear_in_transformer": True},
}


@pytest.mark.parametrize("name", REAL)
def test_real_checkpoints_are_matched_as_before(comfy: ModuleType, demo_sizes: None, name: str) -> None:
    from comfy.model_detection import model_config_from_unet_config

    found = model_config_from_unet_config(
        {
            "use_linear_in_transformer": False,
            "adm_in_channels": None,
            "use_temporal_attention": False,
            **REAL[name],
        }
    )
    assert type(found).__name__ == name


def test_the_tokenizer_is_the_stock_one(comfy: ModuleType) -> None:
    from comfy.sd1_clip import SD1Tokenizer
    from recompose.lab.toy.model_pack.registration import DemoTokenizer

    text = "a woman in a (red:1.3) coat, café № 7"
    assert DemoTokenizer().tokenize_with_weights(text) == SD1Tokenizer().tokenize_with_weights(text)
