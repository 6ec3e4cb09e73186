"""Files of a training, each replaced only when the new one is whole."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..core.files import replacing

FORMAT = 1


def save_weights(
    path: Path, weights: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write a safetensors file of a network's weights, of selected ones or of a delta.

    RuntimeError for a weight that is not finite; the old file stays then.
    """
    plain = {name: value.detach().contiguous().cpu() for name, value in weights.items()}
    bad = [name for name, value in plain.items() if not torch.isfinite(value).all()]
    if bad:
        raise RuntimeError(
            f"Expected finite weights but {bad[0]} is not; lower the learning rate and train again."
        )
    with replacing(path) as unfinished:
        save_file(plain, unfinished, dict(metadata or {}))
        unfinished.chmod(0o644)


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write all that a training needs to go on: tensors, numbers, text, lists and dictionaries.

    OSError, one sentence, where there is no room; the state that was there before stays.
    """
    try:
        with replacing(path) as unfinished:
            torch.save({"format": FORMAT, **state}, unfinished)
    except (OSError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise OSError(
            f"The state of the training could not be written to {path} ({reason}); make room there and start "
            "it again, and it goes on from the last state."
        ) from error


def load_state(path: Path) -> dict[str, Any] | None:
    """What `save_state` wrote, on the CPU; None where there is no file; RuntimeError for any other file."""
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise RuntimeError(f"{path} is no saved training; remove it to begin anew.") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise RuntimeError(f"{path} is a saved training of another version; remove it to begin anew.")
    return state


def random_state() -> dict[str, Any]:
    """The state of torch's random numbers on the CPU and on all GPUs."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def set_random_state(state: Mapping[str, Any]) -> None:
    """Go on with saved random numbers; those of GPUs only where there are as many."""
    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
