"""How far off the guesses are: standard deviations in pixels, fitted to photographs."""

from __future__ import annotations

import numpy as np

from ..skeleton import POINTS
from .body import LEFT, RIGHT, Body
from .stance import Stance

# In statures: a joint next to a seen one and each joint further away; and what motion adds.
SURE, _FURTHER, _BENT = 0.04, 0.015, 0.2
# A detector squeezes what it sees of a cut body into the picture.
_SQUEEZED = 0.02


def of(body: Body, found: Stance, detected: bool) -> np.ndarray:
    """24 standard deviations per axis in pixels of the points placed; 0 for measured ones.

    `detected` says that a detector made the points, whose scores are known.
    """
    result, more = np.zeros(POINTS), _BENT * found.bent + (_SQUEEZED if detected else 0.0)
    for leg, foot in ((LEFT, slice(18, 21)), (RIGHT, slice(21, 24))):
        spread = 0.0
        for joint in leg:
            spread = 0.0 if body.measured[joint] else (spread + _FURTHER if spread else SURE)
            result[joint] = spread
        result[[joint for joint in leg[1:] if not body.measured[joint]]] += more
        result[foot] = np.where(body.measured[foot], 0.0, result[leg[2]])
    return result * body.q
