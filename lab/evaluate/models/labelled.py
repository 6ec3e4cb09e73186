"""Results of the main job whose feet were counted by eye, before the evaluator was asked.

`labelled.png` and `labelled_fresh.png` show a hundred each in rows of 20, as `python3 cli quality` saved
them: the first (a1) of the seeds 0–32, (b) of 33–65, (c) of 66–99, on which the evaluator's rule was chosen;
the second (c) of all hundred, painted and counted later. A foot counts that is visible, has an outline and
hangs on a leg of the person. Where two people could differ (legs that melt, feet that merge or hide) the
label is not sure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...places import RESULTS

HEIGHT, WIDTH, COLUMNS = 208, 128, 20


@dataclass(frozen=True)
class Labelled:
    """A picture H,W,3 uint8, whose it is, how many feet it shows (3 for more), and whether that is sure."""

    seed: int
    method: str
    feet: int
    sure: bool
    image: np.ndarray


def labelled(name: str) -> list[Labelled]:
    """All of one sheet."""
    sheet = np.asarray(Image.open(RESULTS / f"{name}.png").convert("RGB"))
    found = []
    for place, row in enumerate(json.loads((RESULTS / f"{name}.json").read_text())):
        top, left = HEIGHT * (place // COLUMNS), WIDTH * (place % COLUMNS)
        image = sheet[top : top + row["height"], left : left + WIDTH]
        found.append(Labelled(row["seed"], row["method"], row["feet"], row["sure"], image))
    return found
