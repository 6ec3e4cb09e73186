"""The figures as one HTML page, with the worst pictures of every metric; it needs no other file."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ....cli.plan import drawing, make
from ....cli.report import tinted
from ....core.shapes import Padding
from ..rows import pck
from . import poses
from .figures import Figures
from .measures import Look
from .report import cells, number
from .run import Row

LONGEST, QUALITY = 288, 88  # px and JPEG quality of a picture on the page
STRONGER = 8  # times the differences are shown
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#1e1e1e;"
    "background:#fafaf8}table{border-collapse:collapse}td,th{padding:.2em 1em .2em 0;text-align:left;"
    "border-bottom:1px solid #ddd;vertical-align:top}figure{display:inline-block;margin:0 .6em .6em 0}"
    "figcaption{font-size:13px;color:#555}img{display:block;height:240px}h3{margin:.8em 0 .2em}"
)


class Order(NamedTuple):
    """By which of a picture's values the worst are chosen, and whether the largest are."""

    title: str
    column: str
    value: Callable[[Any], float]
    largest: bool
    unit: str = ""


ORDERS = (
    Order("Changed pixels", "changed pixels", float, True, "px"),
    Order("PSNR", "PSNR", float, False, "dB"),
    Order("SSIM", "SSIM", float, False),
    Order("Seam ratio", "seam", lambda seam: seam["seam ratio"], True),
    Order("Step beyond the real one", "seam", lambda seam: abs(seam["step excess"]), True, "ΔE"),
    Order("LPIPS", "LPIPS", float, True),
    Order("CLIP score", "CLIP score", float, False),
    Order("PCK@0.1", "poses", lambda found: pck(found["distances"], 0.1), False),
    Order("OKS", "poses", lambda found: float(np.mean(found["OKS"])), False),
)


def worst(rows: Iterable[Row], order: Order, count: int) -> list[tuple[float, Row]]:
    """The worst pictures and their values; those that are as they should be are no worst ones."""
    found = [(order.value(value), row) for row in rows if (value := row.values.get(order.column)) is not None]
    if order.column == "changed pixels":
        found = [each for each in found if each[0] > 0]
    return sorted(found, key=lambda each: -each[0] if order.largest else each[0])[:count]


def encoded(picture: Image.Image) -> str:
    """The picture, small, as an address that holds it."""
    small = picture.convert("RGB")
    small.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def panels(row: Row) -> list[tuple[str, Image.Image]]:
    """Real and made, where they differ outside the mask, and the wanted pose on the made one."""
    look = Look(row.pair)
    real, made = Image.fromarray(look.real), Image.fromarray(look.made)
    mask = Image.fromarray(np.zeros(look.made.shape[:2], np.uint8) if look.mask is None else look.mask)
    found = [("real", real), ("made", made)]
    if real.size == made.size:
        apart = np.abs(look.real.astype(int) - look.made).clip(0, 255 // STRONGER).astype(np.uint8) * STRONGER
        apart[np.asarray(mask) > 0] = 0
        name = f"difference × {STRONGER}" + (", repainted in red" if row.pair.mask else "")
        found.append((name, tinted(Image.fromarray(apart), mask.convert("L"))))
    if row.pair.pose:
        people = [make.body(person) for person in poses.read(row.pair.pose, look.made)]
        found.append(("wanted pose", drawing.canvas_picture(made, people, Padding())))
    return found


def in_words(value: Any) -> str:
    """A setting as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} (SHA-256 {checksum})" for name, checksum in value.items()) or "none"
    return ", ".join(value) if isinstance(value, list) else str(value)


def shown(row: Row, said: str) -> str:
    """A picture's name, value and panels."""
    figures = "".join(
        f'<figure><img alt="{escape(f"{row.pair.stem}: {name}")}" src="{encoded(picture)}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for name, picture in panels(row)
    )
    caption = f"<p>{escape(row.pair.caption)}</p>" if row.pair.caption else ""
    return f"<h3>{escape(row.pair.stem)}: {escape(said)}</h3>{caption}{figures}"


def page(figures: Figures, rows: Sequence[Row], settings: dict[str, Any], count: int) -> str:
    """The whole page; the `count` worst pictures of each metric are on it."""
    head = "".join(f"<th>{escape(text)}" for text in ("", "value", "95 % interval", "pictures", ""))
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}" for text in cells(figure)) for figure in figures.lines
    )
    notes = "".join(f"<li>{escape(note)}" for note in figures.notes)
    asked = "".join(
        f"<tr><td>{escape(name)}<td>{escape(in_words(value))}" for name, value in settings.items()
    )
    sections = []
    paired = [row for row in rows if row.pair.real and row.pair.made]
    for order in ORDERS:
        entries = [
            shown(row, f"{number(value)} {order.unit}".strip()) for value, row in worst(paired, order, count)
        ]
        if entries:
            sections.append(f"<h2>{escape(order.title)}: the worst</h2>{''.join(entries)}")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>cli evaluate</title><style>{STYLE}</style><h1>Made pictures beside real ones</h1>"
        f"<table><tr>{head}{body}</table><ul>{notes}</ul>{''.join(sections)}"
        f"<h2>What was compared</h2><table>{asked}</table></html>\n"
    )
