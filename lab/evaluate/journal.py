"""One JSON line per finished piece of work, so that whatever is killed goes on where it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Journal:
    """Rows by (seed, method) in a file of JSON lines; a line torn by a kill is cut off and done again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[tuple[int, str], Row] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.splitlines():
            row = json.loads(line)
            self.rows[row["seed"], row["method"]] = row
        if len(whole) != len(content):
            os.truncate(path, len(whole))

    def get(self, seed: int, method: str) -> Row | None:
        """The row of a seed and method, None while it is not done."""
        return self.rows.get((seed, method))

    def add(self, row: Row) -> None:
        """Append a row with `seed` and `method`; it is on the disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.rows[row["seed"], row["method"]] = row
