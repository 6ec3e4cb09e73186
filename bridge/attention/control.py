"""ControlNets that act on some rows of a batch only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from comfy.controlnet import ControlBase
from torch import Tensor

from ...core.attention import ranges
from ..notices import notice

WHO = "Control Rows"


def control_rows(
    positive: Sequence[Any], negative: Sequence[Any], text: str
) -> tuple[list[list[Any]], list[list[Any]]]:
    """Both CONDITIONING with their ControlNets on the rows that a text names; ValueError by a sentence."""
    ranges.split(text, f"{WHO}: rows")
    # Prompts run as one batch only if they share their ControlNet, so each becomes one object in both.
    limited: dict[int, RowControl] = {}

    def entry(given: Sequence[Any]) -> list[Any]:
        control = given[1].get("control")
        if control is None:
            return [given[0], dict(given[1])]
        return [given[0], {**given[1], "control": limited.setdefault(id(control), RowControl(control, text))}]

    found = tuple([entry(each) for each in conditioning] for conditioning in (positive, negative))
    if not limited:
        raise ValueError(
            f"{WHO}: neither conditioning has a ControlNet; connect Apply ControlNet before it, with a "
            "strength above 0."
        )
    return found[0], found[1]


class RowControl(ControlBase):
    """A chain of ControlNets that sees and changes some rows of each prompt in the batch."""

    def __init__(self, inner: Any, rows: str) -> None:
        super().__init__()
        self.inner, self.rows = inner, rows
        self.noticed = False  # in this run, that no row is chosen
        self.multigpu_clones = inner.multigpu_clones

    def get_control(
        self, x_noisy: Tensor, t: Tensor, cond: dict[str, Any], batched_number: int, transformer_options: Any
    ) -> dict[str, list[Tensor | None]] | None:
        total = len(x_noisy)
        rows = total // batched_number
        chosen = ranges.chosen(self.rows, rows, f"{WHO}: rows")
        if len(chosen) == rows:
            return self.inner.get_control(x_noisy, t, cond, batched_number, transformer_options)
        if not chosen:
            self.notice_none(rows)
            return None
        numbers = torch.tensor([chunk * rows + row for chunk in range(batched_number) for row in chosen])

        def some(value: Any) -> Any:
            if isinstance(value, Tensor) and value.ndim and len(value) == total:
                return value[numbers.to(value.device)]
            return [some(each) for each in value] if isinstance(value, list) else value

        seen = {key: some(value) for key, value in cond.items()}
        found = self.inner.get_control(some(x_noisy), some(t), seen, batched_number, transformer_options)
        if found is None:
            return None
        return {key: [spread(each, numbers, total) for each in values] for key, values in found.items()}

    def notice_none(self, rows: int) -> None:
        """Give notice, once a run, that the ControlNets act on none of the batch's rows."""
        if not self.noticed:
            notice(
                f'{WHO}: rows "{ranges.shown(self.rows)}" names none of the batch\'s rows 0 to {rows - 1}, '
                "so the ControlNets change nothing; name some of them."
            )
        self.noticed = True

    def pre_run(self, model: Any, percent_to_timestep_function: Any) -> None:
        self.noticed = False
        self.inner.pre_run(model, percent_to_timestep_function)

    def cleanup(self) -> None:
        self.inner.cleanup()

    def get_models(self) -> list[Any]:
        return self.inner.get_models()

    def get_models_only_self(self) -> list[Any]:
        return self.inner.get_models()

    def get_extra_hooks(self) -> list[Any]:
        return self.inner.get_extra_hooks()

    def inference_memory_requirements(self, dtype: torch.dtype) -> float:
        return self.inner.inference_memory_requirements(dtype)

    def get_instance_for_device(self, device: torch.device) -> ControlBase:
        return RowControl(self.inner.get_instance_for_device(device), self.rows)

    def deepclone_multigpu(self, load_device: torch.device, autoregister: bool = False) -> ControlBase:
        return RowControl(self.inner.deepclone_multigpu(load_device, autoregister), self.rows)

    def copy(self) -> ControlBase:
        return RowControl(self.inner.copy(), self.rows)


def spread(some: Tensor | None, numbers: Tensor, total: int) -> Tensor | None:
    """What a ControlNet adds to the rows `numbers`, as what it adds to all `total`: zeros to the others."""
    if some is None:
        return None
    out = some.new_zeros((total, *some.shape[1:]))
    out[numbers.to(some.device)] = some  # one for all rows is spread over them
    return out
