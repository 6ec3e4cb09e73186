"""The pictures that the page's list of templates shows."""

from __future__ import annotations

import io

from PIL import Image

from ....cli.comfy import workflow
from ....cli.comfy.client import Client
from ...toy import coarse_brush, templates
from . import brush, concepts
from .sheet import GAP, PAPER, over, tinted
from .shown import shown

HEIGHT, WIDTH, QUALITY = 426, 1000, 88


def made(client: Client, photo: str, pose: str, own: concepts.Made) -> dict[str, Image.Image]:
    """The picture of every template here, by its name; `photo` lies in the server's input folder."""
    prompts = {name: templates.compose(name, photo, pose) for name in templates.NAMES}
    rows = shown(client, prompts[templates.SAME], {}).pictures["saved"]
    hand = prompts[templates.POSED]
    posed = shown(client, hand, {"pose": [workflow.find(hand, "Edit Pose"), 1]}).pictures
    edit = prompts[templates.EDITED]
    links = {
        "photo": [workflow.find(edit, "Photo"), 0],
        "pose": [workflow.find(edit, "Edit Pose"), 1],
    }
    edited = shown(client, edit, links).pictures
    found = prompts[templates.FOUND]
    links = {
        "photo": [workflow.find(found, "Photo"), 0],
        "mask": [workflow.find(found, "Mask as Picture"), 0],
    }
    repainted = shown(client, found, links).pictures
    watched = prompts[templates.WATCHED]
    maps = shown(client, watched, {"maps": [workflow.find(watched, "Attention Maps"), 0]}).pictures
    return {
        **{name: strip(*pictures) for name, pictures in concepts.strips(own).items()},
        templates.FOUND: strip(
            repainted["photo"][0], tinted(repainted["photo"][0], repainted["mask"][0]), repainted["saved"][0]
        ),
        templates.WATCHED: strip(maps["saved"][0], *maps["maps"]),
        coarse_brush.NAME: strip(*brush.template(client)),
        templates.SAME: strip(*rows),
        templates.PACKED: strip(*rows),
        templates.POSED: strip(posed["saved"][0], posed["pose"][0], posed["saved"][1]),
        templates.EDITED: strip(
            edited["photo"][0], over(edited["photo"][0], edited["pose"][0]), edited["saved"][0]
        ),
    }


def strip(*pictures: Image.Image) -> Image.Image:
    """The pictures side by side, all brought to the same height, on a page of WIDTH at most."""
    gaps = GAP * (len(pictures) - 1)
    aspects = sum(each.width / each.height for each in pictures)
    height = min(HEIGHT, int((WIDTH - gaps - len(pictures)) / aspects))
    scaled = [
        each.resize((round(each.width * height / each.height), height), Image.Resampling.LANCZOS)
        for each in pictures
    ]
    page = Image.new("RGB", (sum(each.width for each in scaled) + gaps, height), PAPER)
    x = 0
    for each in scaled:
        page.paste(each, (x, 0))
        x += each.width + GAP
    return page


def jpeg(picture: Image.Image) -> bytes:
    """The picture as the bytes of a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()
