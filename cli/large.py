"""What `cli demo` does in another way for a large photo: decoding and saving it take longer than the work."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from .comfy import workflow

if TYPE_CHECKING:
    from PIL import Image

LARGE = 4_000_000  # pixels
PREVIEW = 1024  # px on the longer side of a preview
PREVIEWS = ("Extended canvas", "Repaint mask")  # of the photo's size, by title
# Modes that every Pillow turns into the same RGB; others ComfyUI converts in its own ways.
PLAIN = ("RGB", "RGBA", "L")
# Frames that Load Image makes 8-bit RGB of, as it does of a JPEG.
FRAMES = ("yuvj420p", "yuvj422p", "yuvj444p")


def size_of(image: Path) -> tuple[int, int] | None:
    """The size in pixels of a large photo; None for a smaller one and where it is not sure how it is read."""
    from PIL import Image

    with Image.open(image) as file:
        return file.size if file.width * file.height > LARGE and file.mode in PLAIN else None


class Readings:
    """A large photo as Load Image may show it, RGB: as PyAV reads it, where that is installed, and as Pillow.

    The two differ a little on a JPEG; which of them a server uses depends on its version. The first is
    decoded in the background while the server works.
    """

    def __init__(self, image: Path) -> None:
        self._decoded = _decoded(image)
        pool = ThreadPoolExecutor(1)
        self._first = pool.submit(next, self._decoded, None)
        pool.shutdown(wait=False)

    def __iter__(self) -> Iterator[Image.Image]:
        first = self._first.result()
        if first is not None:
            yield first
            yield from self._decoded


def _decoded(image: Path) -> Iterator[Image.Image]:
    from PIL import Image, ImageOps

    from . import report as reporting

    frame = _frame(image)
    if frame is not None:
        yield frame
    try:
        with Image.open(image) as file:
            file.load()
            ImageOps.exif_transpose(file, in_place=True)
    except (OSError, SyntaxError, ValueError):
        return  # the server may still read it
    yield reporting.rgb(file)


def _frame(image: Path) -> Image.Image | None:
    """The photo as PyAV decodes it; None without PyAV and for what it gives in other kinds of frames."""
    try:
        import av
    except ImportError:
        return None
    from PIL import Image

    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    try:
        with av.open(str(image)) as container:
            frame = next(container.decode(video=0))
            if frame.format.name not in FRAMES:
                return None
            picture = frame.to_image()
            turn = round(frame.rotation // 90) % 4
    except (av.FFmpegError, LookupError, StopIteration, ValueError):
        return None
    return picture.transpose(turns[turn - 1]) if turn else picture


def lighten(prompt: dict, size: tuple[int, int], reference: str) -> dict:
    """Scale the previews of a photo of `size` down and take the node `reference` out, in place.

    Returns the prompt of `reference` alone, which gives the photo as the server decodes it.
    """
    for title in PREVIEWS:
        inputs, name = prompt[workflow.find(prompt, title)]["inputs"], f"{title}, smaller"
        # The method "area" averages all pixels, which takes longer than most nodes; the strip averages again.
        scaling = {"upscale_method": "bilinear", "scale_by": PREVIEW / max(size)}
        prompt[name] = {
            "class_type": "ImageScaleBy",
            "inputs": {"image": inputs["images"], **scaling},
            "_meta": {"title": name},
        }
        inputs["images"] = [name, 0]
    loader = workflow.find(prompt, "Photo")
    return {loader: prompt[loader], reference: prompt.pop(reference)}
