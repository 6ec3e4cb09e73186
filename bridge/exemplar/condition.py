"""Exemplar Conditioning: reference pictures, a photo and its mask become what an exemplar model takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...core.batch import broadcast
from ...core.exemplar import photo as holes
from ...core.exemplar import reference
from ...core.exemplar import sketch as sketches
from ...core.exemplar.sketch import BLANK, GREY
from ...core.mask.latent_cells import Grid, cut_grid, to_pixels
from ...core.shapes import Size
from .. import choices, layouts
from ..choices import AVERAGED
from ..notices import notice
from .encoder import ExemplarEncoder
from .network import PLAN, SKETCH

WHO = "Exemplar Conditioning"
LATENT = 4  # channels of the latents of Stable Diffusion 1


class Sketch(NamedTuple):
    """A sketch B,H,W,C, white lines on black, or none; the share of steps that see it; what others see."""

    picture: Tensor | None = None
    until: float = 1.0
    after: str = choices.GREY


NO_SKETCH = Sketch()


def condition(
    encoder: ExemplarEncoder, references: Tensor, photo: Tensor, mask: Tensor, vae: Any, several: str,
    reference_mask: Tensor | None = None, sketch: Sketch = NO_SKETCH,
) -> tuple[Any, Any, dict[str, Tensor]]:  # fmt: skip
    """Positive and negative conditioning, and the photo's latent with its noise mask; ValueError by a
    sentence."""
    check_sketch(encoder, sketch.picture)
    grid = grid_of(photo, vae)
    lines = lines_of(sketch.picture, layouts.size_of(photo.movedim(-1, 1)))
    pictures, known = photo_of(photo, mask, grid)
    seen = references_of(references, reference_mask)
    counts = {
        "references": 1 if several == AVERAGED else len(seen),
        "photo": len(pictures),
        "mask": len(known),
    }
    rows = rows_of(counts | ({} if lines is None else {"sketch": len(lines)}))
    words = encoder.encode(torch.stack([reference.seen(each, encoder.side) for each in seen]))
    if several == AVERAGED:
        words = words.mean(0, keepdim=True)
    cells = holes.holes(known, grid)
    shown = holes.without_holes(pictures, cells, Grid(grid.ratio, 0, 0, grid.cells))
    more: dict[str, Any] = {"concat_latent_image": encoded(vae, shown), "concat_mask": cells}
    if lines is not None:
        after = BLANK if sketch.after == choices.BLANK else GREY
        more |= {SKETCH: sketch_cells(lines, cells, grid, encoder.antialias), PLAN: (sketch.until, after)}
    latent = repeated(encoded(vae, pictures), rows)
    positive, negative = ([[each, dict(more)]] for each in (words, encoder.null))
    return positive, negative, {"samples": latent, "noise_mask": repeated(cells, rows)}


def check_sketch(encoder: ExemplarEncoder, sketch: Tensor | None) -> None:
    """ValueError for a sketch that the model cannot take; a notice where it misses one."""
    if sketch is not None and not encoder.takes_sketch:
        raise ValueError(
            f"{WHO}: the model of this encoder takes no sketch; load one of Paint by Sketch, which has 12 "
            "input channels, or take the sketch away."
        )
    if sketch is None and encoder.takes_sketch:
        notice(
            f"{WHO}: the model of this encoder takes a sketch and there is none, so it paints as if nothing "
            "were drawn; connect one to sketch."
        )


def lines_of(sketch: Tensor | None, size: Size) -> Tensor | None:
    """The lines of sketches (B,1,H,W); ValueError for those of another size than the photo's."""
    if sketch is None:
        return None
    lines = layouts.image_from_comfy(sketch, f"{WHO}: sketch")[:, :3].mean(1, keepdim=True)
    if layouts.size_of(lines) != size:
        raise ValueError(
            f"{WHO}: the sketch is {layouts.size_of(lines)} px and the photo {size} px; connect a sketch of "
            "this photo."
        )
    return lines


def sketch_cells(lines: Tensor, cells: Tensor, grid: Grid, antialias: bool) -> Tensor:
    """The sketch within the masked cells, as the network takes it."""
    box = grid.box
    held = lines[..., box.y : box.bottom, box.x : box.right]
    hole = to_pixels(cells, Grid(grid.ratio, 0, 0, grid.cells), box.size)
    return sketches.cells_of(held, hole, grid.cells, antialias)


def grid_of(photo: Tensor, vae: Any) -> Grid:
    """The cells of the photo's latent; ValueError for a VAE of another kind of latents."""
    channels = getattr(vae, "latent_channels", LATENT)
    if channels != LATENT:
        raise ValueError(
            f"{WHO}: the VAE makes latents of {channels} channels and an exemplar model takes {LATENT}; "
            "connect the VAE of Load Exemplar Model."
        )
    size = layouts.size_of(layouts.image_from_comfy(photo, f"{WHO}: photo"))
    grid = cut_grid(size, int(vae.spacial_compression_encode()))
    if grid.box.size != size:
        notice(
            f"{WHO}: the photo is cut from {size} to {grid.box.size} px, whole latent cells; crop it to "
            f"multiples of {grid.ratio} px first (Crop to Region)."
        )
    return grid


def photo_of(photo: Tensor, mask: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """The photos that the cells hold (P,3,H,W), and the whole photo's masks (M,1,H,W) as large as the cells
    know them; ValueError for an empty mask."""
    pictures = layouts.image_from_comfy(photo, f"{WHO}: photo")[:, :3]
    known = layouts.mask_from_comfy(mask, layouts.size_of(pictures), f"{WHO}: mask")
    if known is None:
        raise ValueError(f"{WHO}: {layouts.NO_ALPHA}")
    box = grid.box
    held = known[..., box.y : box.bottom, box.x : box.right]
    if not bool(held.flatten(1).any(1).all()):
        raise ValueError(f"{WHO}: the mask is empty; paint where the object is to be.")
    layouts.notice_coverage(held, WHO)
    return pictures[..., box.y : box.bottom, box.x : box.right], known


def references_of(references: Tensor, mask: Tensor | None) -> list[Tensor]:
    """The objects of reference pictures, 3,H,W each; ValueError by a sentence."""
    pictures = layouts.image_from_comfy(references, f"{WHO}: references")[:, :3].cpu()
    size = layouts.size_of(pictures)
    masks = layouts.mask_from_comfy(mask, size, f"{WHO}: reference_mask")
    some: Any = [None] * len(pictures)
    if masks is not None:
        some = broadcast(masks.cpu(), len(pictures), f"{WHO}: reference_mask")
    try:
        return [reference.cut(*each) for each in zip(pictures, some, strict=True)]
    except ValueError as error:
        raise ValueError(f"{WHO}: {error}") from error


def rows_of(counts: dict[str, int]) -> int:
    """How many pictures there will be, one fitting any; ValueError where they do not fit together."""
    rows = max(counts.values())
    if any(count not in (1, rows) for count in counts.values()):
        given = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ValueError(
            f"{WHO}: there must be one of each, or as many of one as of the other, but they are {given}; "
            "connect a reference for each row, or choose averaged to make one of several."
        )
    return rows


def encoded(vae: Any, pictures: Tensor) -> Tensor:
    """The latents of pictures B,3,H,W."""
    return vae.encode(pictures.movedim(1, -1))


def repeated(values: Tensor, rows: int) -> Tensor:
    """A batch of one as one of so many rows; others as they are."""
    return values if len(values) == rows else values.repeat(rows, 1, 1, 1)
