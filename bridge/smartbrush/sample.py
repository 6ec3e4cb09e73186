"""SmartBrush Sampler and SmartBrush Object from the nodes' inputs to their outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import comfy.sample
import comfy.utils
import latent_preview
import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.batch import broadcast
from ...core.mask.latent_cells import Grid, cut_grid, to_cells
from ...core.sampling.checks import check_descent
from ...core.smartbrush.following import Rules
from ...core.smartbrush.thing import BrushObject
from .. import layouts
from ..latent import check_latent, check_model
from ..mask import ratio_of
from .network import SmartBrushModel
from .painting import BrushGuider, Thing
from .precision import painted

WHO, OBJECT = "SmartBrush Sampler", "SmartBrush Object"


def thing_of(words: Any, mask: Tensor, precision: int) -> BrushObject:
    """A thing to be painted; ValueError for an empty mask."""
    return BrushObject(words, painted(mask, OBJECT), precision)


def sample(
    model: Any, given: Mapping[str, BrushObject], negative: Any, latent: Any, sampler: Any, sigmas: Tensor,
    cfg: float, seed: int, rules: Rules,
) -> tuple[dict[str, Any], Tensor]:  # fmt: skip
    """The LATENT with the things, and the MASK (B,H,W; photo's size) of what was painted; ValueError by a
    sentence."""
    check_descent(sigmas.tolist(), WHO)
    objects = [each for each in given.values() if each is not None]
    samples = checked(model, objects, latent)
    things = [of_cells(each, samples) for each in objects]
    guider = BrushGuider(model, things, negative, cfg, rules)
    noise = comfy.sample.prepare_noise(samples, seed, latent.get("batch_index"))
    made = guider.sample(
        noise, samples, sampler, sigmas, callback=latent_preview.prepare_callback(model, len(sigmas) - 1),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED, seed=seed,
    )  # fmt: skip
    rest = {name: value for name, value in latent.items() if name != "noise_mask"}
    result = {**rest, "samples": made.to(samples.device)}
    return result, layouts.mask_to_comfy(in_pixels(guider, objects, samples))


def checked(model: Any, objects: Sequence[BrushObject], latent: Any) -> Tensor:
    """The photo's latent; ValueError where model, things and latent do not belong together."""
    if not isinstance(model.model, SmartBrushModel):
        raise ValueError(
            f"{WHO} needs a model of Load SmartBrush or Train SmartBrush, got {type(model.model).__name__}; "
            "connect one, or take Shape Guard, which works with other models."
        )
    if not objects:
        raise ValueError(f"{WHO} has nothing to paint; connect SmartBrush Object.")
    sizes = sorted({str(layouts.size_of(each.mask)) for each in objects})
    if len(sizes) > 1:
        raise ValueError(f"{WHO}: the masks are {' and '.join(sizes)} px; make all of them on one photo.")
    samples = check_latent(latent, WHO)["samples"]
    check_model(samples, model, WHO)
    for each in objects:
        if len(each.mask) not in (1, len(samples)):
            raise ValueError(
                f"{WHO}: an object has {len(each.mask)} masks and the latent {len(samples)} rows; connect "
                "one mask, or one for each row."
            )
    return samples


def grid_of(mask: Tensor, samples: Tensor) -> Grid:
    """How the latent's cells lie on the photo; ValueError for a mask of another picture."""
    return cut_grid(layouts.size_of(mask), ratio_of(mask, samples))


def of_cells(each: BrushObject, samples: Tensor) -> Thing:
    """A thing with its mask in cells, all that it touches; ValueError where they do not fit."""
    cells = broadcast(to_cells(each.mask, grid_of(each.mask, samples)), len(samples), f"{WHO}: mask")
    if not cells.flatten(1).any(1).all():
        raise ValueError(f"{WHO}: a mask lies in the border that the VAE cuts off; move it inwards.")
    return Thing(each.words, cells, each.precision)


def in_pixels(guider: BrushGuider, objects: Sequence[BrushObject], samples: Tensor) -> Tensor:
    """What was painted (B,1,H,W) in pixels of the photo, softly, within the masks as they were given."""
    found = []
    for cells, each in zip(guider.painted(), objects, strict=True):
        grid, size = grid_of(each.mask, samples), layouts.size_of(each.mask)
        box = grid.box
        soft = F.interpolate(cells.float().cpu(), (box.height, box.width), mode="bilinear")
        if torch.equal(cells.cpu(), to_cells(each.mask.cpu(), grid).expand_as(cells)):
            soft = torch.ones_like(soft)  # nothing was left out
        soft = F.pad(soft, (box.x, size.width - box.right, box.y, size.height - box.bottom))
        found.append(torch.minimum(soft, each.mask.cpu()))
    return torch.stack(found).amax(0)
