"""Maps as pictures: heat colours, heat over a picture, and sheets of many small maps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..shapes import Size
from .maps import scaled

# From nothing to most, each brighter than the one before: black, violet, red, orange, light yellow.
COLOURS = torch.tensor([[0, 0, 0], [75, 15, 110], [185, 45, 80], [250, 145, 30], [252, 250, 170]]) / 255
# What of a picture is left where a map is highest, and how bright it is where the map is 0.
LEFT, DIMMED = 0.35, 0.45
# Longest side of a tile in pixels, and the gap between two.
TILE, GAP = 256, 2
# Height of a label's letters as a share of the picture's height, and at least so many pixels.
LETTERS, LEAST_LETTERS = 1 / 32, 10


def heat(found: Tensor) -> Tensor:
    """Maps (rows, height, width; 0…1) in colours (rows, 3, height, width)."""
    place = found.clamp(0, 1) * (len(COLOURS) - 1)
    low = place.floor().long().clamp(max=len(COLOURS) - 2)
    colours = COLOURS.to(found.device)
    return torch.lerp(colours[low], colours[low + 1], (place - low)[..., None]).movedim(-1, 1)


def over(found: Tensor, picture: Tensor) -> Tensor:
    """Heat over a picture (rows, 3 or more, height, width), which is dark where the map is low."""
    share = found.clamp(0, 1)[:, None]
    shown = picture[:, :3]
    return shown * (DIMMED + (LEFT - DIMMED) * share) + (1 - LEFT) * share * heat(found)


def sheet(tiles: Sequence[Tensor], size: Size) -> Tensor:
    """Maps (height, width; 0…1) side by side in rows, in colours (3, height, width).

    Each is a tile of the aspect of `size`, at most 256 px along its longer side.
    """
    scale = min(1.0, TILE / max(size))
    tile = Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))
    across = math.ceil(math.sqrt(len(tiles)))
    down = math.ceil(len(tiles) / across)
    drawn = [F.pad(heat(scaled(each[None], tile))[0], (0, GAP, 0, GAP), value=1.0) for each in tiles]
    empty = torch.ones_like(drawn[0])
    drawn += [empty] * (across * down - len(drawn))
    rows = [torch.cat(drawn[n * across : (n + 1) * across], -1) for n in range(down)]
    return torch.cat(rows, -2)[:, :-GAP, :-GAP]


def labelled(picture: Tensor, text: str) -> Tensor:
    """A picture (3, height, width; 0…1) with a short text at its upper left, on a dark ground."""
    drawn = Image.fromarray((picture.movedim(0, -1) * 255).round().byte().cpu().numpy())
    size = max(LEAST_LETTERS, round(LETTERS * drawn.height))
    font, draw = ImageFont.load_default(size), ImageDraw.Draw(drawn)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    margin = max(1, size // 4)
    draw.rectangle((0, 0, right - left + 2 * margin, bottom - top + 2 * margin), fill=(0, 0, 0))
    draw.text((margin - left, margin - top), text, fill=(255, 255, 255), font=font)
    box = (slice(None), slice(0, bottom - top + 2 * margin + 1), slice(0, right - left + 2 * margin + 1))
    result = picture.clone()
    result[box] = torch.from_numpy(np.array(drawn)).movedim(-1, 0)[box].to(picture) / 255
    return result
