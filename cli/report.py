"""The strip that shows the main job at a glance, and the figures in words."""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageDraw, ImageFont

HEIGHT, GAP, LABEL, FONT = 512, 12, 34, 20
BAND = 32  # rows compared at a time: of a large picture they stay in the processor's cache
PAPER, INK, TINT, TINT_SHARE = (250, 250, 248), (30, 30, 30), (235, 60, 60), 0.45


def rgb(picture: Image.Image) -> Image.Image:
    """The picture as RGB; the same one if it is, for `convert` would copy it."""
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def tinted(canvas: Image.Image, mask: Image.Image) -> Image.Image:
    """The canvas with the area to repaint (white in `mask`, same size) coloured."""
    share = mask.convert("L").point(lambda value: round(value * TINT_SHARE))
    return Image.composite(Image.new("RGB", canvas.size, TINT), rgb(canvas), share)


def changed_pixels(saved: Image.Image, original: Image.Image, region: dict[str, int]) -> int:
    """Count the original's pixels that differ in any channel inside the saved picture, both 8-bit RGB.

    `region` says where the original lies on the saved picture (x, y, width, height in pixels). ValueError
    when sizes do not fit together.
    """
    x, y, width, height = (region[key] for key in ("x", "y", "width", "height"))
    inside = x >= 0 and y >= 0 and x + width <= saved.width and y + height <= saved.height
    if original.size != (width, height) or not inside:
        raise ValueError(
            f"Expected an original of {width}×{height} at ({x}, {y}) on a picture of {saved.width}×"
            f"{saved.height}, got one of {original.width}×{original.height}; use this picture's region."
        )
    saved, original, changed = rgb(saved), rgb(original), 0
    for top in range(0, height, BAND):
        bottom = min(top + BAND, height)
        part = saved.crop((x, y + top, x + width, y + bottom))
        difference = ImageChops.difference(part, original.crop((0, top, width, bottom)))
        if difference.getbbox():
            red, green, blue = difference.split()
            largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
            changed += width * (bottom - top) - largest.histogram()[0]
    return changed


def strip(panels: list[tuple[str, Image.Image]]) -> Image.Image:
    """The labelled pictures side by side, all brought to the same height."""
    font = ImageFont.load_default(FONT)
    pictures = []
    for label, picture in panels:
        width = max(round(picture.width * HEIGHT / picture.height), 1)
        scaled = rgb(picture).resize((width, HEIGHT), Image.Resampling.LANCZOS, reducing_gap=3.0)
        pictures.append((label, scaled, max(width, round(font.getlength(label)))))
    total = sum(width for _, _, width in pictures) + GAP * (len(pictures) + 1)
    sheet = Image.new("RGB", (total, HEIGHT + LABEL + 2 * GAP), PAPER)
    pen, x = ImageDraw.Draw(sheet), GAP
    for label, picture, width in pictures:
        pen.text((x + width / 2, GAP + LABEL / 2), label, INK, font, anchor="mm")
        sheet.paste(picture, (x + (width - picture.width) // 2, GAP + LABEL))
        x += width + GAP
    return sheet


def png(picture: Image.Image) -> bytes:
    """The picture as the bytes of a PNG file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def lines(report: dict) -> list[str]:
    """The figures of a report in words."""
    added = report["pixels_added"]
    ratio, scale = report["seam_ratio"], report["scale"]
    seconds = report["seconds"]
    phases = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items() if name != "total")
    return [
        f"Caption: {report['caption']}",
        "Pixels added: " + ", ".join(f"{side} {count}" for side, count in added.items()),
        f"Changed pixels of the original: {report['changed_pixels']}",
        f"Seam ratio: {'nothing was repainted' if ratio is None else f'{ratio:.2f}'}",
        f"Photo pixels per generated pixel: {'nothing was repainted' if scale is None else f'{scale:.3f}'}",
        f"Seconds: {seconds['total']:.1f} ({phases})",
    ]
