"""`update-pins`: move all pinned versions to the newest and rewrite the locks."""

from __future__ import annotations

from ..setup.pins import main

__all__ = ["NEEDS", "main"]

NEEDS = "nothing"
