"""Where the lab keeps what it commits."""

from __future__ import annotations

from pathlib import Path

LAB = Path(__file__).resolve().parent
ROOT = LAB.parent  # the checkout
DOCS = ROOT / "docs"
RESULTS = LAB / "results"  # measured rows, one file per measurement
WEIGHTS = LAB / "weights"  # of the toy models
