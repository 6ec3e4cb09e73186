"""What a run has measured, kept in one file, so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ....cli.ending import Failure
from ....cli.words import line

NAME = "kept.sqlite"
ARRAY = b"\x93NUMPY"  # how numpy's files begin; JSON begins with none of these bytes
MISSING = object()  # None is a value: what a picture does not have
WAIT = 60.0  # seconds for another run that is writing
TABLES = (
    "CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS inputs (name TEXT PRIMARY KEY, content TEXT NOT NULL)",
)


def content(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(*parts: object) -> str:
    """A short name for all that a value depends on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Store:
    """Values by the key of all that they depend on: code, settings, weights and the files' contents."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        try:
            self.base = sqlite3.connect(self.path, timeout=WAIT)
            for table in TABLES:
                self.base.execute(table)
            self.base.commit()
        except sqlite3.Error as error:
            raise self.failure(error) from error

    def failure(self, error: sqlite3.Error) -> Failure:
        return Failure(
            f"Expected the values kept by earlier runs in {line(self.path)}, got: {error}; delete the file "
            "and run again, or choose another --out."
        )

    def get(self, key: str) -> Any:
        """The value under a key, MISSING where there is none."""
        try:
            row = self.base.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise self.failure(error) from error
        if row is None:
            return MISSING
        if row[0].startswith(ARRAY):
            return np.load(io.BytesIO(row[0]), allow_pickle=False)
        return json.loads(row[0])["value"]

    def put(self, key: str, value: Any) -> None:
        """Keep an array or a JSON value."""
        if isinstance(value, np.ndarray):
            file = io.BytesIO()
            np.save(file, value, allow_pickle=False)
            data = file.getvalue()
        else:
            data = json.dumps({"value": value}).encode()
        try:
            with self.base:
                self.base.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, data))
        except sqlite3.Error as error:
            raise self.failure(error) from error

    def renew(self, contents: Mapping[str, str]) -> list[str]:
        """Remember what the inputs hold by name, and return those that held something else before."""
        try:
            with self.base:
                known = dict(self.base.execute("SELECT name, content FROM inputs"))
                self.base.executemany("INSERT OR REPLACE INTO inputs VALUES (?, ?)", contents.items())
        except sqlite3.Error as error:
            raise self.failure(error) from error
        return [name for name, value in contents.items() if known.get(name, value) != value]

    def close(self) -> None:
        self.base.close()
