"""Put generated pixels into the original and leave every other pixel alone."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..batch import broadcast, common_batch
from ..mask.bounds import bounds_of_mask
from ..mask.feather import Direction, Profile, feather
from ..mask.values import without_traces
from ..memory import empty_picture
from ..shapes import Box, Region, Size
from .crop import Context, uncrop_mask
from .fit import placed
from .resample import Resized
from .tone import REACH, Source, Tone, tiles

log = logging.getLogger("recompose")


class Plan(NamedTuple):
    """The canvas, where the photo lies on it, and the crop (None = the whole canvas)."""

    canvas: Size
    region: Region
    context: Context | None

    @property
    def box(self) -> Box:
        return self.context.box if self.context else Box(0, 0, *self.canvas)


def plan(original: Size, region: Region | None, context: Context | None) -> Plan:
    """Find the canvas that original, region and context agree on; raises ValueError where they do not."""
    canvas = region.canvas if region else context.canvas if context else original
    if context is not None and context.canvas != canvas:
        raise ValueError(
            f"The context belongs to a canvas of {context.canvas} but the region to one of {canvas}; "
            "connect both from the same Extend Canvas."
        )
    whole = region or Region(0, 0, *canvas, *canvas)
    if original not in (canvas, whole.box.size):
        raise ValueError(
            f"The original is {original} but the canvas is {canvas} and the photo on it {whole.box.size}; "
            "connect one of these two."
        )
    return Plan(canvas, whole, context)


def repaint_mask(mask: Tensor | None, job: Plan, has_region: bool) -> Tensor:
    """The mask (B,1,H,W) on the canvas of what shall come from the generated picture.

    `mask` has the canvas's size or the crop's working size. Without one, everything outside the photo; raises
    ValueError if there is no region either.
    """
    if mask is None and not has_region:
        raise ValueError(
            "Stitch Back needs a mask or a region to know what may change; connect one of Extend Canvas's."
        )
    if mask is None:
        return outside_photo(job)
    return mask if mask.shape[-2:] == (job.canvas.height, job.canvas.width) else _onto_canvas(mask, job)


def outside_photo(job: Plan) -> Tensor:
    """The mask (1,1,H,W) on the canvas of what the photo does not show."""
    outside = torch.ones(1, 1, job.canvas.height, job.canvas.width)
    box = job.region.box
    outside[..., box.y : box.bottom, box.x : box.right] = 0
    return outside


def _onto_canvas(mask: Tensor, job: Plan) -> Tensor:
    """Bring a mask of the crop's working size back to its place on the canvas."""
    assert job.context is not None
    shown = uncrop_mask(mask, job.context)
    result = mask.new_zeros(len(shown), 1, job.canvas.height, job.canvas.width)
    target, _ = overlap(job.box, job.canvas)
    result[target] = shown
    return result


def overlap(box: Box, canvas: Size) -> tuple[tuple, tuple]:
    """Slices of the canvas inside `box`, and of a picture of the box's size inside the canvas."""
    left, top = max(0, box.x), max(0, box.y)
    right, bottom = min(canvas.width, box.right), min(canvas.height, box.bottom)
    return (
        (..., slice(top, bottom), slice(left, right)),
        (..., slice(top - box.y, bottom - box.y), slice(left - box.x, right - box.x)),
    )


def stitch(original: Tensor, generated: Tensor, mask: Tensor, job: Plan, blend: int | None) -> Tensor:
    """The original (B,C,H,W) on the canvas with `generated` where `mask` (B,1,H,W on the canvas) says.

    `generated` has the canvas's size or, with a context, its working size; `fit.placed` says which others
    fit. Where the mask is 0 the original's pixels come back bit for bit; where it is between 0 and 1 the two
    are mixed. With `blend` None (*strict*) the generated side is matched to the known pixels along the seam,
    see `tone.Tone`. With `blend` px the mask instead fades out over that many known pixels. Raises ValueError
    for sizes or batches that do not fit.
    """
    return stitch_and_tell(original, generated, mask, job, blend)[0]


def stitch_and_tell(
    original: Tensor, generated: Tensor, mask: Tensor, job: Plan, blend: int | None
) -> tuple[Tensor, Tensor]:
    """`stitch`, and the mask (B,1,H,W) with its band, within the crop, of what the generated picture gave."""
    batch = common_batch({"original": original, "generated": generated, "mask": mask})
    canvas = _base(original, job, batch)
    target, _ = overlap(job.box, job.canvas)
    return canvas, _put(canvas, generated, _within(mask, target), job, blend)


class Patch(NamedTuple):
    """A generated crop (B,C,H,W) and its mask (B,1,H,W), each of the crop's working size or the canvas's."""

    generated: Tensor
    mask: Tensor
    context: Context


def stitch_patches(canvas: Tensor, patches: list[Patch], blend: int | None) -> Iterator[Tensor]:
    """Put patches into `canvas` (B,C,H,W), which changes in place, one after the other.

    Gives after each the mask of what it repainted within its crop; a later patch sees what earlier ones left.
    Beside the canvas only memory of the size of one crop is needed. Raises ValueError as `stitch` does.
    """
    size = Size(canvas.shape[-1], canvas.shape[-2])
    for patch in patches:
        job = plan(size, None, patch.context)
        target, _ = overlap(job.box, size)
        if patch.mask.shape[-2:] == canvas.shape[-2:]:
            alpha = _within(patch.mask, target)
        else:
            alpha = uncrop_mask(patch.mask, patch.context)
        yield _put(canvas, patch.generated, alpha, job, blend)


def _put(canvas: Tensor, generated: Tensor, mask: Tensor, job: Plan, blend: int | None) -> Tensor:
    """Change the canvas where the mask (of what the crop shows of it) says; gives that mask with its band."""
    place_of(generated, job)
    target, inner = overlap(job.box, job.canvas)
    alpha = mask
    if blend is not None:
        alpha = torch.maximum(alpha, _band(mask, blend, job))
    area = bounds_of_mask(alpha)
    if area is not None:
        part = _grown(area, Size(alpha.shape[-1], alpha.shape[-2]))
        shown = canvas[target][part]

        top, left = (inside.start + grown.start for inside, grown in zip(inner[1:], part[1:], strict=True))
        source = _source(_whole(generated, job), job.box.size, top, left, shown)
        _paste(shown, source, alpha[part].to(canvas), match_tone=blend is None)
    return alpha


def _band(mask: Tensor, width: int, job: Plan) -> Tensor:
    """What fades out around the crop's mask: over `width` px, or over as many as the crop leaves."""
    band = without_traces(feather(mask, 0, width, Direction.OUTWARD, Profile.COSINE))
    border = _to_border(job, mask)
    if border is None:
        return band
    distance = (1 - feather(mask, 0, width, Direction.OUTWARD, Profile.LINEAR)) * width
    room = distance + border
    short = 0.5 + 0.5 * torch.cos(distance / room * torch.pi)
    return torch.where(room < width, without_traces(short), band)


def _to_border(job: Plan, mask: Tensor) -> Tensor | None:
    """The distance (H,W, px) to the crop's border where the canvas goes on beyond it; None if nowhere."""
    box, canvas = job.box, job.canvas
    height, width = mask.shape[-2:]
    rows, columns = (torch.arange(side, device=mask.device) + 0.5 for side in (height, width))
    found = [
        distance
        for distance, inside in (
            (columns[None, :], box.x > 0),
            (columns.flip(0)[None, :], box.right < canvas.width),
            (rows[:, None], box.y > 0),
            (rows.flip(0)[:, None], box.bottom < canvas.height),
        )
        if inside
    ]
    return functools.reduce(torch.minimum, found) if found else None


def _within(mask: Tensor, target: tuple) -> Tensor:
    """The mask inside the crop; what it covers outside stays original, with a warning."""
    alpha = mask[target]
    if any(torch.count_nonzero(part) for part in around(mask, target)):
        log.warning("Stitch Back: the mask reaches beyond the crop; what lies outside stays as it was.")
    return alpha


def around(mask: Tensor, part: tuple) -> tuple[Tensor, ...]:
    """What lies above, below, left and right of a part of a mask, given by its slices (…, rows, columns)."""
    _, rows, columns = part
    beside = mask[..., rows, :]
    return (
        mask[..., : rows.start, :],
        mask[..., rows.stop :, :],
        beside[..., : columns.start],
        beside[..., columns.stop :],
    )


def _grown(area: Box, size: Size) -> tuple:
    """Slices of the area and of the known pixels around it that tell the tone."""
    return (
        ...,
        slice(max(0, area.y - REACH), min(size.height, area.bottom + REACH)),
        slice(max(0, area.x - REACH), min(size.width, area.right + REACH)),
    )


def _base(original: Tensor, job: Plan, batch: int) -> Tensor:
    """A copy of the original on the canvas, channels-last; 0 and opaque where it does not reach."""
    _, channels, height, width = original.shape
    canvas = empty_picture(batch, channels, job.canvas, original.device)
    if (width, height) == job.canvas:
        return canvas.copy_(original)
    canvas.zero_()[:, 3:] = 1
    box = job.region.box
    canvas[..., box.y : box.bottom, box.x : box.right] = original
    return canvas


def place_of(generated: Tensor, job: Plan) -> Box:
    """Where the generated picture lies on its canvas or crop, by `fit.placed`; ValueError if nowhere."""
    size = Size(generated.shape[-1], generated.shape[-2])
    expected = job.context.working if job.context else job.canvas
    found = placed(size, expected)
    if found is None:
        hint = (
            "the crop's working size"
            if job.context
            else "the canvas; connect the context if it was cropped, and crop before VAE Encode, which cuts "
            "off what fills no latent cell"
        )
        raise ValueError(f"The generated picture is {size} but must be {expected}, {hint}.")
    return found


def _whole(generated: Tensor, job: Plan) -> Tensor:
    """The generated picture with the rim that the VAE cut off, where its edge is repeated."""
    expected, place = job.context.working if job.context else job.canvas, place_of(generated, job)
    if place.size == expected:
        return generated
    right, bottom = expected.width - place.right, expected.height - place.bottom
    return F.pad(generated, (place.x, right, place.y, bottom), mode="replicate")


def _source(generated: Tensor, size: Size, top: int, left: int, canvas: Tensor) -> Source:
    """The generated picture at the size of the box, by rows and columns from `top` and `left` on.

    It has the batch, the channels and the device of `canvas`; a channel of opacity that it lacks is 1.
    """
    resized, channels = Resized(generated, size), canvas.shape[1]

    def source(rows: slice, columns: slice) -> Tensor:
        down, across = (
            slice(start + part.start, start + part.stop) for start, part in ((top, rows), (left, columns))
        )
        pixels = resized.part(down, across).to(canvas)[:, :channels]
        opaque = F.pad(pixels, (0, 0, 0, 0, 0, channels - pixels.shape[1]), value=1.0)
        return broadcast(opaque, len(canvas), "generated")

    return source


def _paste(canvas: Tensor, source: Source, alpha: Tensor, match_tone: bool) -> None:
    """Mix a source into `canvas` (a view, in place); nothing changes where alpha is 0.

    Tile by tile, for temporary pictures of the whole size would take most time and memory.
    """
    alpha = broadcast(alpha, len(canvas), "mask")
    tone = Tone(canvas[:, :3], lambda *place: source(*place)[:, :3], alpha == 0) if match_tone else None
    for rows, columns in tiles(*canvas.shape[-2:]):
        share = alpha[..., rows, columns]
        if not share.amax() > 0:
            continue
        new = source(rows, columns)
        if tone is not None:
            matched = tone.correction(rows, columns).add(new[:, :3]).clamp_(0, 1)
            new = torch.cat([matched, new[:, 3:]], 1) if new.shape[1] > 3 else matched
        _mix(canvas[..., rows, columns], new, share)


def _mix(old: Tensor, new: Tensor, alpha: Tensor) -> None:
    """Exactly `old`, which changes in place, where alpha is 0, and exactly `new` where it is 1."""
    if alpha.amin() == 1:
        old.copy_(new)
        return
    mixed = torch.lerp(old, new, alpha)
    old.copy_(torch.where(alpha > 0, torch.where(alpha == 1, new, mixed), old))
