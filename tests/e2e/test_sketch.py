"""The sketch editor on its node in the real page, in each frontend and renderer."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image
from recompose.core.shapes import Size
from recompose.core.sketch import strokes
from recompose.core.sketch.draw import draw


def test_what_is_drawn_is_undone_reopened_and_run_to_the_pixel(pages: Any, graph: dict) -> None:
    result = pages.run("drawUndoReloadAndRun", **graph)
    found = np.array(Image.open(io.BytesIO(pages.server.client.fetch(result["image"]))))
    size = Size(graph["width"], graph["height"])
    drawing = strokes.parse(result["prompt"]["2"]["inputs"]["strokes"])
    assert drawing.size == size and len(drawing.strokes) == 4 and drawing.strokes[-1].erase
    wanted, before = (draw(some, size).sketch for some in (drawing.strokes, drawing.strokes[:-1]))
    np.testing.assert_array_equal(found[..., 0] > 127, wanted)
    assert wanted.any() and (before & ~wanted).any()
