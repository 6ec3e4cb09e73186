"""What `cli demo` leaves out for a large photo: full-size previews take longer than the work itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .comfy import workflow

if TYPE_CHECKING:
    from PIL import Image

LARGE = 4_000_000  # pixels
PREVIEW = 1024  # px on the longer side of a preview
# Modes that every Pillow turns into the same RGB; others ComfyUI converts in its own ways.
PLAIN = ("RGB", "RGBA", "L")


def decoded(image: Path) -> Image.Image | None:
    """A large photo as Load Image shows it, RGB; None for a smaller one and where that is not sure."""
    from PIL import Image, ImageOps

    with Image.open(image) as file:
        if file.width * file.height <= LARGE or file.mode not in PLAIN:
            return None
        return ImageOps.exif_transpose(file).convert("RGB")


def lighten(prompt: dict, photo: Image.Image, previews: tuple[str, ...], reference: str) -> dict:
    """Scale the previews (titles) down and take the node `reference` out, in place.

    Returns the prompt of `reference` alone, which gives the photo as the server decodes it.
    """
    for title in previews:
        inputs, name = prompt[workflow.find(prompt, title)]["inputs"], f"{title}, smaller"
        scaling = {"upscale_method": "area", "scale_by": PREVIEW / max(photo.size)}
        prompt[name] = {
            "class_type": "ImageScaleBy",
            "inputs": {"image": inputs["images"], **scaling},
            "_meta": {"title": name},
        }
        inputs["images"] = [name, 0]
    loader = workflow.find(prompt, "Photo")
    return {loader: prompt[loader], reference: prompt.pop(reference)}
