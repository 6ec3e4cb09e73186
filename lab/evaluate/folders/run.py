"""Measures all pictures, keeping each value, and says how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import store
from .inputs import Pair
from .measures import Look, Measure, inputs_of

QUIET, LIVE = 10.0, 0.5  # seconds between two lines of progress: in a log, on a terminal


class Row(NamedTuple):
    """A picture's values by column."""

    pair: Pair
    values: dict[str, Any]


class Progress:
    """Lines on standard error."""

    def __init__(self, total: int) -> None:
        self.total, self.begun, self.live = total, time.monotonic(), sys.stderr.isatty()
        self.shown, self.measured = 0.0, 0

    def show(self, done: int, fresh: int) -> None:
        """Say how many pictures are done, of which `fresh` were measured now, and how long the rest takes."""
        now, last = time.monotonic(), done == self.total
        if not last and now - self.shown < (LIVE if self.live else QUIET):
            return
        self.shown = now
        left = (now - self.begun) / fresh * (self.total - done) if fresh else 0
        rest = f"; about {left / 60:.0f} min to go" if left >= 30 else ""
        text = f"evaluate: picture {done} of {self.total}{rest}"
        end = "\n" if last or not self.live else ""
        sys.stderr.write(f"\r{text:<78}{end}" if self.live else f"{text}\n")
        sys.stderr.flush()


class Runner:
    """Measures pictures; what an earlier run kept in the folder is not measured again."""

    def __init__(self, folder: Path, measures: Sequence[Measure]) -> None:
        self.kept, self.measures = store.Store(folder), measures
        self.contents: dict[Path, str] = {}

    def content(self, value: Path | str | None) -> str | None:
        """What tells one input from another: a file's SHA-256, or the caption."""
        if not isinstance(value, Path):
            return value
        if value not in self.contents:
            self.contents[value] = store.content(value)
        return self.contents[value]

    def run(self, pairs: Sequence[Pair]) -> tuple[list[Row], list[str]]:
        """The rows of all pictures, and the names of those whose files changed since the last run."""
        progress, fresh, rows = Progress(len(pairs)), 0, []
        changed = self.changed(pairs)
        for done, pair in enumerate(pairs, 1):
            look, new = Look(pair), False
            values = {}
            for measure in self.measures:
                if not _has(pair, measure):
                    continue
                values[measure.column], measured = self.value(measure, look)
                new |= measured
            fresh += new
            rows.append(Row(pair, values))
            progress.show(done, fresh)
        return rows, changed

    def value(self, measure: Measure, look: Look) -> tuple[Any, bool]:
        """The value of a picture, and whether it was measured only now."""
        inputs = inputs_of(look.pair, measure.reads)
        key = store.key_of(measure.version, [self.content(value) for value in inputs.values()])
        value = self.kept.get(key)
        if value is not store.MISSING:
            return value, False
        value = measure.look(look)
        self.kept.put(key, value)
        return value, True

    def changed(self, pairs: Sequence[Pair]) -> list[str]:
        """The pictures one of whose files or whose caption is not what it was in the last run."""
        reads = sorted({name for measure in self.measures for name in measure.reads})
        contents = {}
        for pair in pairs:
            for name, value in inputs_of(pair, reads).items():
                found = self.content(value)
                if found is not None:
                    contents[f"{name} {pair.stem}"] = store.key_of(found)
        return sorted({name.partition(" ")[2] for name in self.kept.renew(contents)})


def _has(pair: Pair, measure: Measure) -> bool:
    """Whether the picture has what the measure reads; a single one of a set lacks its counterpart."""
    return all(getattr(pair, name) is not None for name in measure.reads if name in ("real", "made"))
