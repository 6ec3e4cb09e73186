"""Many prompts, resumable: what is done is kept and not done again. Standard library only.

A job has a key, for example (seed, method). When its prompt has run, its files are saved whole and then its
row is added to a journal, so that a row vouches for its files.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from .. import saving
from . import errors, workflow
from .connection import ServerError

Key = tuple[Any, ...]
Row = dict[str, Any]


class Journal:
    """Rows in a file of JSON lines, by the values of the columns `keys`; of several rows the last counts.

    A line that a kill has torn is left out, and its work is done again. Threads may add rows at once.
    """

    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        self.path, self.keys = path, tuple(keys)
        self.rows: dict[Key, Row] = {}
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.splitlines():
            row = _row(line)
            if row is not None:
                self.rows[self.key(row)] = row
        if len(whole) != len(content):
            os.truncate(path, len(whole))

    def key(self, row: Row) -> Key:
        """The key of a row; ValueError where it lacks a column."""
        missing = [name for name in self.keys if name not in row]
        if missing:
            raise ValueError(f"Expected a row with {', '.join(self.keys)}, got none of {missing[0]}; add it.")
        return tuple(row[name] for name in self.keys)

    def get(self, *key: Any) -> Row | None:
        """The row of a key, None while there is none."""
        return self.rows.get(key)

    def add(self, row: Row) -> None:
        """Append a row; it is on the disk when this returns."""
        key, line = self.key(row), json.dumps(row, ensure_ascii=False) + "\n"
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
            self.rows[key] = row


def _row(line: bytes) -> Row | None:
    """The row of a line, None of a torn one."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def fingerprint(prompt: dict) -> str:
    """A short name of exactly this prompt."""
    return hashlib.sha256(json.dumps(prompt, sort_keys=True).encode()).hexdigest()[:16]


class Server(Protocol):
    """What runs prompts: a Client, or a server of one's own."""

    def run(self, prompt: dict, /) -> dict: ...
    def fetch(self, file: dict, /) -> bytes: ...


class Outcome(NamedTuple):
    """The outputs by the titles of their nodes, and the seconds that the server worked."""

    outputs: dict[str, dict]
    seconds: float


def run(server: Server, prompt: dict) -> Outcome:
    """Run a prompt; ServerError says why it failed."""
    entry = server.run(prompt)
    failure = errors.failure(entry, prompt)
    if failure:
        raise ServerError(failure)
    times = {kind: data.get("timestamp", 0) for kind, data in entry["status"]["messages"]}
    seconds = (times["execution_success"] - times["execution_start"]) / 1000
    outputs = {workflow.title(prompt, node): output for node, output in entry["outputs"].items()}
    return Outcome(outputs, round(seconds, 2))


class Jobs:
    """A folder with the files and the journal of many jobs; the server may be another one for each."""

    def __init__(self, folder: Path, keys: Sequence[str], journal: str = "made.jsonl") -> None:
        self.folder = folder
        self.journal = Journal(folder / journal, keys)

    def done(self, key: Key, prompt: dict) -> bool:
        """Whether the result of the very same prompt is there, with all its files."""
        row = self.journal.get(*key)
        if row is None or row.get("asked") != fingerprint(prompt):
            return False
        return all((self.folder / name).is_file() for name in row.get("files", ()))

    def keep(self, server: Server, key: Key, prompt: dict, files: Mapping[str, dict], row: Row) -> Row:
        """Fetch and save files (the name here: the file on the server), then add and return the job's row."""
        contents = [(name, server.fetch(file)) for name, file in files.items()]
        saving.save(self.folder, contents, overwrite=True)
        named = dict(zip(self.journal.keys, key, strict=True))
        kept = {**named, "asked": fingerprint(prompt), "files": list(files), **row}
        self.journal.add(kept)
        return kept
