"""Shape Guard: in a coarse mask only what the words of a thing cover is painted, the rest stays the photo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import comfy.utils
import torch
import torch.nn.functional as F
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...core.attention.record import Record, Records, nearest, rows_of
from ...core.attention.shape import Shaping
from ...core.attention.words import wanted
from ...core.mask.latent_cells import cut_grid
from ...core.shapes import Size
from .. import layouts
from ..latent import check_latent, check_model
from ..noise_mask import checked_mask
from ..notices import notice
from .blocks import unet_of
from .columns import words_in
from .guarding import WHO, Guarding, Task
from .install import RUN, Call, Options, Run, install
from .places import encoding
from .recorder import cell_of

MASK = "Shape Guard Mask"
KEY, CONCAT = "recompose_shape_guard", "recompose_shape_guard_concat"


class Words(NamedTuple):
    """What the thing is called, in the text that the positive prompt is made of."""

    clip: Any
    text: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Guarded(Record):
    """What a guarded run painted in its coarse mask; masks are rows,1,height,width, 0…1."""

    mask: Tensor  # of cells
    coarse: Tensor  # of cells
    given: Tensor  # the coarse mask in pixels of the photo


class Guards(Records):
    """The masks of the last runs of one guarded MODEL."""


def guard(
    model: Any, words: Words, latent: Any, mask: Tensor | None, start: float, shaping: Shaping
) -> tuple[Any, Guards]:
    """A MODEL that paints only a thing's shape in a coarse mask, and the masks of its runs.

    `latent` is the photo's; without `mask` (H,W or B,H,W px) its noise mask is the coarse one. The lengths of
    `shaping` are in pixels here. ValueError by a sentence.
    """
    task = task_of(model, words, latent, mask, start, shaping)
    found = Guards()
    return Patch(task, found).installed(model), found


def task_of(
    model: Any, words: Words, latent: Any, mask: Tensor | None, start: float, shaping: Shaping
) -> Task:
    """What is to be guarded; ValueError by a sentence."""
    samples = check_latent(latent, WHO)["samples"]
    check_model(samples, model, WHO)
    if mask is not None:
        layouts.check_mask(mask, f"{WHO}: mask")
        latent = {**latent, "noise_mask": mask}
    coarse = checked_mask(latent, WHO)
    if not coarse.any():
        notice(f"{WHO}: the mask is empty, so nothing is guarded; paint where the thing is to be.")
    network, cell = unet_of(model, WHO), cell_of(model)
    if not wanted(words.words):
        raise ValueError(f"{WHO}: words is empty; write what is to be painted, for example red ball.")
    found = words_in(words.clip, words.text, words.words, WHO)
    in_cells = shaping._replace(grow=shaping.grow / cell, feather=shaping.feather / cell)
    text = encoding(words.clip, words.clip.tokenize(words.text))
    return Task(network, cell, found, text, samples, coarse, start, in_cells)


class Patch:
    """The wrappers of one guarded MODEL; each run has a state of its own."""

    def __init__(self, task: Task, found: Guards) -> None:
        self.task, self.found, self.running = task, found, dict[int, Guarding]()

    def installed(self, model: Any) -> Any:
        """A clone of the MODEL with the wrappers."""
        clone = install(model, KEY, self.start, self.change, self.end)
        clone.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, KEY, self.run)
        clone.add_wrapper_with_key(WrappersMP.PREDICT_NOISE, KEY, self.predict)
        clone.add_wrapper_with_key(WrappersMP.APPLY_MODEL, CONCAT, self.apply)
        return clone

    def start(self, run: Run, _latent: Any) -> None:
        self.running[id(run)] = Guarding(self.task, run)

    def change(self, options: Options, call: Call) -> Options:
        found = self.running.get(id(call.run))
        return options if found is None else found.taking.patched(options, call)

    def end(self, run: Run, result: Tensor | None) -> None:
        found = self.running.pop(id(run), None)
        if found is not None and result is not None:
            found.notice_unguarded()
            kept, size = result.detach().float().cpu(), Size(run.shape[-1], run.shape[-2])
            given = comfy.utils.repeat_to_batch_size(in_photo(self.task, size), run.rows)
            mask, cell = found.of_thing(), self.task.cell
            self.found.add(
                Guarded(size, cell, run.steps, (), kept, mask=mask, coarse=found.coarse, given=given)
            )

    def of(self, options: Mapping[str, Any]) -> Guarding | None:
        """The state of the run that these model options or transformer options are of."""
        options = options.get("transformer_options", options)
        return self.running.get(id(options.get(RUN)))

    def run(
        self, execute: Callable[..., Tensor], guider: Any, sigmas: Tensor, *rest: Any, **named: Any
    ) -> Tensor:
        """Put the photo back exactly at the end: not all samplers end on the model's last answer."""
        found = self.of(guider.model_options)
        if found is None:
            return execute(guider, sigmas, *rest, **named)
        noise = named["noise"] if "noise" in named else rest[2]
        found.begin(guider.inner_model, noise.device)
        ends_clean = float(sigmas[-1]) == 0  # UniPC writes into the sigmas
        result = execute(guider, sigmas, *rest, **named)
        return found.restored(result) if ends_clean else result

    def predict(
        self, execute: Callable[..., Tensor], x: Tensor, sigma: Tensor, *rest: Any, **named: Any
    ) -> Tensor:
        """One answer of the model, after guidance: outside of the shape it is the photo."""
        found = self.of(execute.class_obj.model_options)  # pyright: ignore[reportFunctionMemberAccess]
        if found is None or not found.begun:
            return execute(x, sigma, *rest, **named)
        found.enter(float(sigma.flatten()[0]))
        answer = execute(x, sigma, *rest, **named)
        found.follow()
        return found.kept(answer)

    def apply(
        self,
        execute: Callable[..., Tensor],
        x: Tensor,
        t: Tensor,
        concat: Any = None,
        *rest: Any,
        **named: Any,
    ) -> Tensor:
        """One call of the network: an inpaint model gets the shape as its mask."""
        options = rest[2] if len(rest) > 2 else named.get("transformer_options", {})
        found = self.of(options)
        if found is not None and "c_concat" not in named:
            keys = getattr(execute.class_obj, "concat_keys", ())  # pyright: ignore[reportFunctionMemberAccess]
            concat = found.reduced(concat, keys)
        return execute(x, t, concat, *rest, **named)


def shape_mask(found: Any, latent: Any) -> Tensor:
    """The MASK (B,H,W; photo's size) of what the run that made a LATENT painted; ValueError by a sentence."""
    if not isinstance(found, Guards):
        raise ValueError(
            f"{MASK} needs the guard of Shape Guard but got a {type(found).__name__}; connect it."
        )
    samples, held = check_latent(latent, MASK)["samples"], list(found.held)
    if not held:
        raise ValueError(
            f"{MASK}: nothing was guarded: the sampler has not run with the model of Shape Guard, or its "
            "result came from the cache; connect that model to it, or change its seed and run again."
        )
    record, rows = run_of(held, samples)
    made = in_pixels(record)
    return layouts.mask_to_comfy(made if rows is None else made[rows])


def run_of(held: Sequence[Any], samples: Any) -> tuple[Any, list[int] | None]:
    """The run that made a latent, and which of its rows that has; the last run, by a notice, if none did."""
    if not samples.is_nested:
        for record in reversed(held):
            if (rows := rows_of(record, samples)) is not None:
                return record, rows
        if (record := nearest(held, samples)) is not None:
            return record, None
    notice(
        f"{MASK}: the latent is not what the guarded run made, so the mask is that of the last run; connect "
        "the output of the sampler itself, or change its seed if it came from the cache."
    )
    return held[-1], None


def in_photo(task: Task, cells: Size) -> Tensor:
    """The coarse mask (rows or 1,1,H,W) in pixels of the photo: as it was given, if it is of that size."""
    given, cell = task.coarse.reshape(-1, 1, *task.coarse.shape[-2:]).float().cpu(), task.cell
    size = layouts.size_of(given)
    if (size.width // cell, size.height // cell) == cells:
        return given
    return F.interpolate(given, (cells.height * cell, cells.width * cell), mode="bilinear")


def in_pixels(record: Guarded) -> Tensor:
    """What was painted (rows,1,H,W) in pixels of the photo, within the coarse mask as it was given.

    Of the cells' values the share of the coarse mask's is taken, so that a thing at its edge does not fade.
    """
    size = layouts.size_of(record.given)
    grid = cut_grid(size, record.cell)
    box = grid.box
    painted, coarse = (
        F.interpolate(each, (box.height, box.width), mode="bilinear") for each in (record.mask, record.coarse)
    )
    share = torch.where(coarse > 0, painted / coarse.clamp(min=1e-6), 0.0).clamp(max=1)
    # A VAE leaves out the border that fills no cell.
    share = F.pad(share, (box.x, size.width - box.right, box.y, size.height - box.bottom))
    return torch.minimum(share, record.given)
