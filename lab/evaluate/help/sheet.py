"""Put the pictures of one help page side by side, small enough to be committed."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from math import log

from PIL import Image, ImageChops, ImageDraw, ImageFont

HEIGHT, GAP, LABEL, FONT = 288, 10, 32, 22  # the help panel is narrow, so labels are large
PAPER, INK, TINT, AXIS = (250, 250, 248), (30, 30, 30), (235, 60, 60), (170, 170, 170)
LINES = ((30, 110, 200), (220, 120, 20))
DIM, TINT_SHARE = 0.45, 0.45
QUALITY, LIMIT = 80, 40_000  # WebP, and bytes per file

Panel = tuple[str, Image.Image]


def sheet(*panels: Panel) -> Image.Image:
    """The labelled pictures side by side, all brought to the same height."""
    font = ImageFont.load_default(FONT)
    pictures = [(label, scaled(picture)) for label, picture in panels]
    widths = [max(picture.width, round(font.getlength(label))) for label, picture in pictures]
    page = Image.new("RGB", (sum(widths) + GAP * (len(widths) + 1), HEIGHT + LABEL + 2 * GAP), PAPER)
    pen, x = ImageDraw.Draw(page), GAP
    for (label, picture), width in zip(pictures, widths, strict=True):
        pen.text((x + width / 2, GAP + LABEL / 2 - 4), label, INK, font, anchor="mm")
        page.paste(picture, (x + (width - picture.width) // 2, GAP + LABEL))
        x += width + GAP
    return page


def scaled(picture: Image.Image) -> Image.Image:
    """The picture at the sheet's height; small ones show their pixels as they are."""
    width = max(round(picture.width * HEIGHT / picture.height), 1)
    how = Image.Resampling.LANCZOS if picture.height > HEIGHT // 4 else Image.Resampling.NEAREST
    return picture.convert("RGB").resize((width, HEIGHT), how)


def tinted(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture with the masked area (white in `mask`, same size) coloured."""
    share = mask.convert("L").point(lambda value: round(value * TINT_SHARE))
    return Image.composite(Image.new("RGB", picture.size, TINT), picture.convert("RGB"), share)


def over(picture: Image.Image, skeleton: Image.Image) -> Image.Image:
    """The dimmed picture with a drawn skeleton (black elsewhere, same size) on it."""
    return ImageChops.lighter(picture.point(lambda value: round(value * DIM)), skeleton)


def boxed(picture: Image.Image, box: Sequence[int]) -> Image.Image:
    """The picture, enlarged, with a frame around a box of it (left, top, right, bottom)."""
    large = picture.resize((4 * picture.width, 4 * picture.height), Image.Resampling.LANCZOS)
    frame = [
        min(max(4 * side, 3), limit) for side, limit in zip(box, (*large.size, *large.size), strict=True)
    ]
    ImageDraw.Draw(large).rectangle(frame, outline=TINT, width=5)
    return large


def gridded(mask: Image.Image, cell: int, times: int = 4) -> Image.Image:
    """The mask, enlarged, with lines between the latent's cells."""
    large = mask.resize((times * mask.width, times * mask.height), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(large)
    for x in range(0, large.width, cell * times):
        pen.line([(x, 0), (x, large.height)], (90, 90, 90))
    for y in range(0, large.height, cell * times):
        pen.line([(0, y), (large.width, y)], (90, 90, 90))
    return large


def written(text: str, columns: int = 22) -> Image.Image:
    """A panel that shows a text."""
    return listed(textwrap.wrap(text, columns), 236)


def listed(lines: Sequence[str], width: int) -> Image.Image:
    """A panel of a width that shows lines."""
    page = Image.new("RGB", (width, HEIGHT), (255, 255, 255))
    pen = ImageDraw.Draw(page)
    pen.multiline_text((10, 10), "\n".join(lines), INK, ImageFont.load_default(18), spacing=7)
    return page


def chart(curves: dict[str, list[float]]) -> Image.Image:
    """Noise levels by step as lines, on a logarithmic scale from 0.02 to 20."""
    width, margin, bounds = 2 * HEIGHT, 34, (log(0.02), log(20))
    page = Image.new("RGB", (width, HEIGHT), (255, 255, 255))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(18)

    def at(step: float, value: float) -> tuple[float, float]:
        share = (log(value) - bounds[0]) / (bounds[1] - bounds[0])
        return margin + 14 + step * (width - 2 * margin), HEIGHT - margin - share * (HEIGHT - 1.5 * margin)

    for value in (0.1, 1, 10):
        pen.line([at(0, value), at(1, value)], AXIS)
        pen.text((margin + 8, at(0, value)[1]), f"{value:g}", INK, font, anchor="rm")
    pen.text((width / 2, HEIGHT - 14), "step", INK, font, anchor="mm")
    for index, (name, values) in enumerate(curves.items()):
        shown = [value for value in values if value > 0]
        points = [at(step / len(shown), value) for step, value in enumerate(shown)]
        pen.line(points, LINES[index], 2)
        for x, y in points:
            pen.ellipse([x - 2, y - 2, x + 2, y + 2], LINES[index])
        pen.text((width - 3 * margin, 20 + 24 * index), name, LINES[index], font, anchor="mm")
    return page


def webp(picture: Image.Image) -> bytes:
    """The picture as the bytes of a WebP file; ValueError where that is too large to be committed."""
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, method=6)
    content = file.getvalue()
    if len(content) > LIMIT:
        raise ValueError(
            f"Expected at most {LIMIT} bytes, got {len(file.getvalue())}; show less in the picture."
        )
    return file.getvalue()
