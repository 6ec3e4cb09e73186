"""Load Exemplar Model: MODEL, VAE and EXEMPLAR_ENCODER of one file or folder."""

from __future__ import annotations

from typing import Any

from . import files
from .encoder import ExemplarEncoder, encoder_of
from .network import model_of, vae_of


def load_exemplar(name: str, vision: str | None = None) -> tuple[Any, Any, ExemplarEncoder]:
    """MODEL, VAE and encoder of a file or folder; ValueError by a sentence for anything else."""
    parts = files.load(name, vision)
    model, vae, encoder = model_of(parts, name), vae_of(parts.vae, name), encoder_of(parts, name)
    encoder.takes_sketch = bool(model.model.sketch_channels)
    encoder.antialias = parts.stated.get("antialias") is True
    return model, vae, encoder
