"""The membrane continuation of a picture beyond its border, fast for large canvases.

Away from the border a membrane is smooth, so it is solved on a coarse grid; what the coarse grid cannot show
of the border decays within a few of its cells and is added row by row in closed form.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..shapes import Padding
from .membrane import harmonic

# Cells on the longer side of the coarse grid.
GRID = 96
# How far detail of the border is continued, in coarse cells.
DETAIL = 2


def continue_smoothly(canvas: Tensor, padding: Padding, grid: int = GRID) -> None:
    """Fill what `padding` added to a canvas (B,C,H,W channels-last; changed in place) with a membrane.

    Laplace's equation with the picture's border pixels as boundary values and no flow across the canvas's
    border. Canvases of up to `grid` px a side are solved exactly; larger ones on about `grid` cells, and the
    border's remaining detail is continued by the half-plane's decay (see `_decayed`).
    """
    height, width = canvas.shape[-2:]
    cell = max(1.0, max(height, width) / grid)
    rows = Axis(padding.top, height - padding.top - padding.bottom, padding.bottom, cell)
    columns = Axis(padding.left, width - padding.left - padding.right, padding.right, cell)
    nodes = _solve_coarse(canvas, rows, columns)
    down, across = rows.interpolation().to(canvas.device), columns.interpolation().to(canvas.device)
    sides = [slice(0, padding.left), slice(width - padding.right, width)]
    _write(canvas, nodes, down, across, slice(padding.top, height - padding.bottom), sides)
    for part in (slice(0, padding.top), slice(height - padding.bottom, height)):
        _write(canvas, nodes, down, across, part, [slice(0, width)])
    if cell > 1:
        reach = round(DETAIL * cell)
        inner = slice(padding.top, height - padding.bottom)
        _add_detail(canvas.mT, nodes.mT, across, down, (padding.left, padding.right), inner, reach)
        _add_detail(canvas, nodes, down, across, (padding.top, padding.bottom), slice(0, width), reach)


class Axis:
    """Where the coarse grid's nodes lie on one axis: border pixels are nodes, steps are about `cell` px."""

    def __init__(self, before: int, inner: int, after: int, cell: float) -> None:
        self.before, self.inner, self.after = before, inner, after
        self.nodes_before, self.nodes_after = (round((side + 0.5) / cell - 0.5) for side in (before, after))
        self.nodes_before = max(self.nodes_before, int(before > 0))
        self.nodes_after = max(self.nodes_after, int(after > 0))
        self.nodes_inner = max(2, round((inner - 1) / cell) + 1) if inner > 1 else 1
        self.spacing = (inner - 1) / (self.nodes_inner - 1) if inner > 1 else 1.0

    def __len__(self) -> int:
        return self.nodes_before + self.nodes_inner + self.nodes_after

    def coordinates(self) -> Tensor:
        """The position of every pixel of the axis, counted in nodes."""
        place = torch.arange(self.before + self.inner + self.after, dtype=torch.float64) - self.before
        # The last node lies half a step inside the canvas's border, where nothing flows.
        left = (self.before + 0.5) / (self.nodes_before + 0.5)
        right = (self.after + 0.5) / (self.nodes_after + 0.5)
        beyond = place - (self.inner - 1)
        inside = place.clamp(0, self.inner - 1) / self.spacing
        return self.nodes_before + inside + place.clamp(max=0) / left + beyond.clamp(min=0) / right

    def interpolation(self) -> Tensor:
        """The matrix (pixels, nodes) of Catmull-Rom interpolation, mirrored at the canvas's border."""
        at = self.coordinates()
        first = at.floor().long()
        t = (at - first)[:, None]
        weights = torch.cat(
            [
                ((2 - t) * t - 1) * t / 2,
                ((3 * t - 5) * t * t + 2) / 2,
                ((4 - 3 * t) * t + 1) * t / 2,
                (t - 1) * t * t / 2,
            ],
            dim=1,
        )
        place = first[:, None] + torch.arange(-1, 3)
        place = torch.where(place < 0, -1 - place, place)
        place = torch.where(place >= len(self), 2 * len(self) - 1 - place, place).clamp(0, len(self) - 1)
        matrix = torch.zeros(len(at), len(self), dtype=torch.float64)
        return matrix.scatter_add_(1, place, weights).float()

    def nodes(self) -> Tensor:
        """The picture's pixels nearest to the nodes inside of it."""
        return (torch.arange(self.nodes_inner) * self.spacing).round().long()

    def averaging(self) -> Tensor:
        """The matrix (inner nodes, inner pixels) that averages the picture's border around every node."""
        pixel, node = torch.arange(self.inner), torch.arange(self.nodes_inner) * self.spacing
        weights = (1 - (pixel[None] - node[:, None]).abs() / self.spacing).clamp(min=0)
        return weights / weights.sum(1, keepdim=True)


def _solve_coarse(canvas: Tensor, rows: Axis, columns: Axis) -> Tensor:
    """The membrane on the nodes (B,C,rows,columns), held at the picture's border."""
    top, bottom = rows.before, rows.before + rows.inner
    left, right = columns.before, columns.before + columns.inner
    across, down = columns.averaging().to(canvas.device), rows.averaging().to(canvas.device)
    values = canvas.new_zeros(*canvas.shape[:2], len(rows), len(columns))
    known = torch.zeros(1, 1, len(rows), len(columns), dtype=torch.bool, device=canvas.device)
    last, end = rows.nodes_inner - 1, columns.nodes_inner - 1
    inside = (..., slice(rows.nodes_before, rows.nodes_before + last + 1))
    inside += (slice(columns.nodes_before, columns.nodes_before + end + 1),)
    known[inside] = True
    frame = values[inside]
    frame.copy_(canvas[..., top + rows.nodes(), :][..., left + columns.nodes()])
    for node, pixel in ((0, left), (end, right - 1)):
        frame[..., node] = canvas[..., top:bottom, pixel] @ down.mT
    for node, pixel in ((0, top), (last, bottom - 1)):
        frame[..., node, :] = canvas[..., pixel, left:right] @ across.mT
    exact = len(rows) == canvas.shape[-2] and len(columns) == canvas.shape[-1]
    return harmonic(values, known, iterations=10 if exact else 2)


def _write(
    canvas: Tensor, nodes: Tensor, down: Tensor, across: Tensor, rows: slice, parts: list[slice]
) -> None:
    """Interpolate the nodes into the given rows and column ranges of the canvas."""
    if not len(range(*rows.indices(canvas.shape[-2]))):
        return
    for part in parts:
        width = len(range(*part.indices(canvas.shape[-1])))
        for picture, grid in zip(canvas, nodes, strict=True) if width else ():
            strip = (across[part] @ grid.permute(1, 2, 0)).flatten(1)
            target = picture[:, rows, part].permute(1, 2, 0)
            if target.is_contiguous():
                torch.mm(down[rows], strip, out=target.view(len(target), -1))
            else:
                target.copy_((down[rows] @ strip).view(target.shape))


def _add_detail(
    canvas: Tensor,
    nodes: Tensor,
    down: Tensor,
    across: Tensor,
    pads: tuple[int, int],
    along: slice,
    reach: int,
) -> None:
    """Continue above and below the picture what the coarse grid misses of its first and last row."""
    for row, pad, upward in ((pads[0], pads[0], True), (canvas.shape[-2] - pads[1] - 1, pads[1], False)):
        count = min(pad, reach)
        if count:
            coarse = (nodes.mT @ down[row]) @ across[along].mT
            detail = _decayed(canvas[..., row, along] - coarse, count)
            if upward:
                canvas[..., row - count : row, along] += detail.flip(-2)
            else:
                canvas[..., row + 1 : row + 1 + count, along] += detail


def _decayed(border: Tensor, count: int) -> Tensor:
    """The `count` rows (B,C,count,L) beyond a border (B,C,L) of the membrane that vanishes far away.

    A cosine of frequency w along the border shrinks by z per row, with z + 1/z = 4 - 2 cos w (the five-point
    stencil); both ends are mirrored. The last rows fade out, so that the cut leaves no edge.
    """
    length = border.shape[-1]
    spectrum = torch.fft.rfft(torch.cat([border, border.flip(-1)], -1))
    frequency = torch.arange(length + 1, dtype=torch.float64, device=border.device) * torch.pi / length
    half = 2 - torch.cos(frequency)
    shrink = half - (half * half - 1).sqrt()
    row = torch.arange(1, count + 1, device=border.device)[:, None]
    weights = (shrink**row * (1 - row / (count + 1))).float()
    return torch.fft.irfft(spectrum[..., None, :] * weights, n=2 * length)[..., :length]
