"""A LATENT as a batch whose rows get the same noise."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..latent import check_latent

WHO = "Same Noise"


def same_noise(latent: Any, rows: int) -> dict[str, Any]:
    """A LATENT of `rows` rows that ComfyUI gives equal noise; one row is repeated.

    ValueError, one sentence, for another number of rows, nested latents, and as in `check_latent`.
    """
    samples = check_latent(latent, WHO)["samples"]
    if not isinstance(samples, Tensor):
        raise ValueError(f"{WHO} needs a latent of pictures but it is nested; connect one without sound.")
    if len(samples) not in (1, rows):
        raise ValueError(
            f"{WHO}: the latent has {len(samples)} rows but {rows} are asked for; connect one of one row "
            f"or set rows to {len(samples)}."
        )
    found = dict(latent)
    if len(samples) == 1:
        found["samples"] = samples.expand(rows, *samples.shape[1:]).clone()
    # A row's noise is drawn by its number: the first row's is that of the latent without this node.
    found["batch_index"] = [latent.get("batch_index", [0])[0]] * rows
    return found
