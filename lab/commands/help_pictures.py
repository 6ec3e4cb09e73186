"""`help-pictures`: make the pictures of the help pages and templates by running them on the demo photo."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from PIL import Image

from ...cli import saving
from ...cli.comfy.client import Client
from ..evaluate.help import brush, concepts, exemplar, pages, scenes, sheet, sketch, smartbrush, templates
from ..places import DOCS, ROOT, WEIGHTS
from ..setup import models
from ..setup.environment import Environment
from ..setup.server import PrivateServer, demo_packs

FOLDER, TEMPLATES = ROOT / "js" / "docs" / "pictures", ROOT / "workflows"
PHOTO, POSE = DOCS / "demo" / "photo.png", DOCS / "demo" / "photo_pose.json"


def made(server: PrivateServer | Client, own: concepts.Made) -> dict[str, bytes]:
    """The file of every picture, by node id."""
    client, pose = getattr(server, "client", server), POSE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        painted = {}
        for name, picture in (scenes.masks(Image.open(PHOTO).size) | brush.photos()).items():
            path = Path(folder, f"help {name}.png")
            picture.save(path)
            painted[name] = client.upload(path)
        graph = scenes.build(client.upload(PHOTO), pose, painted)
    found = graph.run(server)
    shown = (
        pages.pages(found, pose)
        | concepts.pages(own)
        | exemplar.pages()
        | smartbrush.pages()
        | sketch.pages()
    )
    return {node: sheet.webp(picture) for node, picture in shown.items()}


def of_templates(server: PrivateServer | Client, own: concepts.Made) -> dict[str, bytes]:
    """The file of every template's picture that the demo models make, by the template's name."""
    client, pose = getattr(server, "client", server), POSE.read_text(encoding="utf-8")
    found = templates.made(client, client.upload(PHOTO), pose, own)
    return {name: templates.jpeg(picture) for name, picture in found.items()}


def main(arguments: list[str], environment: Environment) -> int:
    """Run the command and return its exit status."""
    options = argparse.ArgumentParser(prog="cli help-pictures", description=__doc__.partition(": ")[2])
    options.add_argument("--out", type=Path, help="instead of js/docs/pictures and workflows")
    options.add_argument(
        "--weights", type=Path, default=WEIGHTS, metavar="DIR", help="instead of lab/weights"
    )
    given = options.parse_args(arguments)
    out = given.out
    try:
        folder = models.assembled(environment.cache, given.weights)
        with PrivateServer(
            environment.python, environment.comfyui, environment.cache, demo_packs(), folder
        ) as server:
            own = concepts.made(server.client)
            pictures = [(f"{node}.webp", content) for node, content in made(server, own).items()]
            shown = [(f"{name}.jpg", content) for name, content in of_templates(server, own).items()]
        for target, files in ((out or FOLDER, pictures), (out or TEMPLATES, shown)):
            for path in saving.save(target, files, overwrite=True):
                print(f"{path.stat().st_size:7} {path}")
    except (RuntimeError, ValueError) as error:
        print(f"help-pictures: {error}", file=sys.stderr)
        return 1
    return 0
