"""Resumable jobs: what a kill tore is done again, what is whole is not; a row vouches for its files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from recompose.cli.comfy.client import ServerError
from recompose.cli.comfy.jobs import Jobs, Journal, fingerprint, run
from recompose.cli.saving import SavingError

ROOT = Path(__file__).resolve().parents[2]
PROMPT = {"7": {"class_type": "SaveImage", "inputs": {}, "_meta": {"title": "Result"}}}


def test_a_journal_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    first = Journal(tmp_path / "deep" / "made.jsonl", ("seed", "method"))
    rows = [{"seed": seed, "method": "c", "words": "Füße"} for seed in range(4)]
    for row in rows[:3]:
        first.add(row)
    whole = first.path.read_bytes()
    first.path.write_bytes(whole + b'{"seed": 3, "meth')
    again = Journal(first.path, ("seed", "method"))
    assert again.rows == {(row["seed"], "c"): row for row in rows[:3]} and again.get(3, "c") is None
    again.add(rows[3])
    assert first.path.read_bytes().startswith(whole)
    assert Journal(first.path, ("seed", "method")).rows[3, "c"] == rows[3]


@pytest.mark.parametrize("kept", range(1, 40, 4))
def test_no_place_of_the_tear_loses_a_whole_row(tmp_path: Path, kept: int) -> None:
    journal = Journal(tmp_path / "x", ["what"])
    for what in "ab":
        journal.add({"what": what, "value": "ä" * 9})
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(lines[0] + lines[1][:kept])
    assert list(Journal(journal.path, ["what"]).rows) == [("a",)]


def test_a_torn_line_that_others_followed_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('{"what": "a"}\n{"what": "b", "va{"what": "c"}\n17\n{"what": "d"}\n')
    journal = Journal(path, ["what"])
    assert list(journal.rows) == [("a",), ("d",)] and journal.get("b") is None


def test_a_killed_writer_leaves_a_journal_that_goes_on(tmp_path: Path) -> None:
    code = (
        "import sys; from types import ModuleType; alias = ModuleType('recompose');"
        f"alias.__path__ = [{str(ROOT)!r}]; sys.modules['recompose'] = alias;"
        "from pathlib import Path; from recompose.cli.comfy.jobs import Journal;"
        "journal = Journal(Path(sys.argv[1]), ['n']); print('begun', flush=True); n = 0\n"
        "while True: journal.add({'n': n, 'text': 'x' * 5000}); n += 1"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "made.jsonl")]
    before: set = set()
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stdout.readline() == "begun\n"
            while not (tmp_path / "made.jsonl").exists() or (tmp_path / "made.jsonl").stat().st_size < 50_000:
                assert process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
        rows = Journal(tmp_path / "made.jsonl", ["n"]).rows
        assert all(row["text"] == "x" * 5000 for row in rows.values())
        assert before <= set(rows) and (0,) in rows
        before = set(rows)


def test_the_last_row_of_a_key_counts_and_a_row_without_its_key_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "x", ["seed"])
    for value in (1, 2):
        journal.add({"seed": 0, "value": value})
    assert Journal(journal.path, ["seed"]).rows[(0,)]["value"] == 2
    with pytest.raises(ValueError, match="Expected a row with seed, got none of seed"):
        journal.add({"value": 3})


def test_threads_add_whole_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "x", ["n"])

    def some(first: int) -> None:
        for n in range(first, first + 20):
            journal.add({"n": n, "text": "y" * 3000})

    threads = [threading.Thread(target=some, args=(20 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Journal(journal.path, ["n"]).rows) == [(n,) for n in range(80)]


class FakeServer:
    """Answers every prompt with one file."""

    def __init__(self) -> None:
        self.ran = 0
        self.files = {"a.png": b"picture"}

    def run(self, prompt: dict) -> dict:
        self.ran += 1
        messages = [["execution_start", {"timestamp": 1000}], ["execution_success", {"timestamp": 3500}]]
        outputs = {"7": {"images": [{"filename": "a.png"}]}}
        return {"outputs": outputs, "status": {"status_str": "success", "messages": messages}}

    def fetch(self, file: dict) -> bytes:
        if file["filename"] not in self.files:
            raise ServerError("no such file")
        return self.files[file["filename"]]


def made(jobs: Jobs, server: FakeServer, key: tuple, prompt: dict) -> dict:
    outputs, seconds = run(server, prompt)
    files = {"result.png": outputs["Result"]["images"][0]}
    return jobs.keep(server, key, prompt, files, {"seconds": seconds})


def test_a_job_is_done_when_the_same_prompt_has_its_row_and_its_files(tmp_path: Path) -> None:
    jobs, server, key = Jobs(tmp_path, ("seed", "method")), FakeServer(), (3, "c")
    assert not jobs.done(key, PROMPT)
    row = made(jobs, server, key, PROMPT)
    assert row == {
        "seed": 3, "method": "c", "asked": fingerprint(PROMPT), "files": ["result.png"], "seconds": 2.5,
    }  # fmt: skip
    assert (tmp_path / "result.png").read_bytes() == b"picture"
    again = Jobs(tmp_path, ("seed", "method"))
    assert again.done(key, PROMPT) and not again.done((4, "c"), PROMPT)
    other = json.loads(json.dumps(PROMPT)) | {"8": {"class_type": "PreviewImage", "inputs": {}}}
    assert not again.done(key, other)
    (tmp_path / "result.png").unlink()
    assert not again.done(key, PROMPT)


def test_no_row_vouches_for_a_file_that_could_not_be_had(tmp_path: Path) -> None:
    jobs, server = Jobs(tmp_path, ["seed"]), FakeServer()
    server.files = {}
    with pytest.raises(ServerError):
        made(jobs, server, (1,), PROMPT)
    server.files = {"a.png": b"picture"}
    (tmp_path / "result.png").mkdir()
    with pytest.raises(SavingError):
        made(jobs, server, (1,), PROMPT)
    assert not jobs.journal.rows and Jobs(tmp_path, ["seed"]).journal.rows == {}


def test_a_failed_prompt_says_why(tmp_path: Path) -> None:
    server = FakeServer()
    data = {"node_id": "7", "exception_type": "ValueError", "exception_message": "no"}
    entry = {"outputs": {}, "status": {"status_str": "error", "messages": [["execution_error", data]]}}
    server.run = lambda prompt: entry
    with pytest.raises(ServerError, match="failed: no"):
        run(server, PROMPT)
