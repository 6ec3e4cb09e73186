"""Servers that misbehave: one sentence, the right exit status, in bounded time; files are saved if at all."""

from __future__ import annotations

import io
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recompose.cli import models, run, saving
from recompose.cli.comfy import client, connection
from recompose.tests.cli.misbehaving import (
    PICTURE,
    SUCCESS,
    Misbehaving,
    answer,
    endless,
    frame,
    silent,
    websocket,
)

BOUND = 60.0  # seconds, for waits that are shortened to about one
WORKFLOW = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 5}},
    "3": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}, "_meta": {"title": "Result"}},
}
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
ODD: list[Any] = [
    None,
    True,
    3,
    -1.5,
    "text",
    "",
    [],
    {},
    [[]],
    [None],
    {"a": None},
    [{"b": [1]}],
    [[1, 2], [3]],
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"POLL": 0.02, "GRACE": 0.3, "CONNECT": 0.5, "DRAIN": 0.1, "PATIENCE": 20.0}.items():
        monkeypatch.setattr(client, name, value)
    monkeypatch.setattr(client, "UNHEARD", 1)
    monkeypatch.setattr(client, "MOST_FILE", 1 << 20)
    monkeypatch.setattr(saving, "TRIAL", 10)
    monkeypatch.setattr(connection, "ANSWER", 1.5)
    monkeypatch.setattr(connection, "MOST_JSON", 1 << 20)


@pytest.fixture
def server() -> Iterator[Callable[..., Misbehaving]]:
    made = []

    def start(**routes: Any) -> Misbehaving:
        made.append(Misbehaving(**routes))
        return made[-1]

    yield start
    for each in made:
        each.stop()


@pytest.fixture
def workflow_file(tmp_path: Path) -> Path:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(WORKFLOW))
    return path


def call(file: Path, url: str, *more: str) -> int:
    begin = time.monotonic()
    status = run.main([str(file), "--server", url, "--out", str(file.parent / "out"), *more])
    assert time.monotonic() - begin < BOUND
    return status


def saved(file: Path) -> dict[str, bytes]:
    out = file.parent / "out"
    return {str(each.relative_to(out)): each.read_bytes() for each in out.rglob("*") if each.is_file()}


def sentence(text: str) -> str:
    """The one line that the command ends with; no control character and no traceback in all it said."""
    assert "Traceback" not in text
    assert all(mark.isprintable() or mark == "\n" for mark in text)
    (line,) = [each for each in text.splitlines() if each.startswith(("run: ", "models: "))]
    assert line.endswith((".", "?")) and len(line) < 2000, line
    return line


HELLO = b"HTTP/1.1 200 OK\r\n"
PINGS = frame(b"x", 0x89) * 500
BAD_ANSWERS = {
    "no HTTP": b"\x00\xff\x00 nonsense",
    "nothing": b"",
    "half a head": HELLO,
    "endless head": endless(HELLO, b"X-Filler: " + b"y" * 1000 + b"\r\n"),
    "endless line": endless(HELLO + b"X: ", b"y" * 65536),
    "endless body": endless(HELLO + b"\r\n", b" " * 65536),
    "cut body": answer({"a": 1}, Content_Length="500"),
    "negative length": answer({"a": 1}, Content_Length="-5"),
    "odd length": answer({"a": 1}, Content_Length="many"),
    "huge length": answer({"a": 1}, Content_Length="9" * 30),
    "broken chunks": HELLO + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "cut chunks": HELLO + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{}",
    "no JSON": answer(b"<html>\x1b[31m</html>"),
    "invalid UTF-8": answer(b'{"system": "\xff\xfe"}'),
    "deep": answer(DEEP),
    "a list": answer([1, 2]),
    "a number": answer(b"1e999"),
    "long number": answer(b'{"system": ' + b"9" * 6000 + b"}"),
    "error 500": answer({"error": "no"}, "500 Oh \x1b]0;no\x07"),
    "error 500 without JSON": answer(b"<html>", "500 Internal Server Error"),
    "error with an endless body": endless(b"HTTP/1.1 500 No\r\n\r\n", b"x" * 65536),
    "redirection": answer(b"", "302 Found", Location="http://user:secret@127.0.0.1:9/elsewhere"),
    "redirection to itself": answer(b"", "301 Moved", Location="/"),
    "redirection to a file": answer(b"", "302 Found", Location="file:///etc/passwd"),
    "redirection that keeps the method": answer(b"", "307 Temporary", Location="http://127.0.0.1:9/"),
    "redirection to no address": answer(b"", "302 Found", Location="http://[::1"),
    "password wanted": answer(b"", "401 Unauthorized", WWW_Authenticate='Digest realm="\x1b"'),
    "silence": silent,
}
# A length that is no number counts as none.
BORNE = ("odd length", "negative length")
NO_JSON = ("no JSON", "invalid UTF-8", "deep", "a list", "a number", "long number")
ROUTES = ("system_stats", "object_info", "prompt", "history")
BAD = [(name, route) for name in BAD_ANSWERS for route in ROUTES if name not in BORNE]


@pytest.mark.parametrize(("name", "route"), [each for each in BAD if each != ("half a head", "prompt")])
def test_an_answer_that_is_none_is_one_sentence(server, workflow_file, capsys, name: str, route: str) -> None:
    bad = server(**{route: BAD_ANSWERS[name]})
    assert call(workflow_file, bad.url) == 1
    line = sentence(capsys.readouterr().err)
    assert bad.url in line or "The server refused the workflow" in line
    assert "secret" not in line
    assert not (workflow_file.parent / "out").exists()


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_file_that_does_not_come_is_named_with_its_place(server, workflow_file, capsys, name: str) -> None:
    bad = server(view=BAD_ANSWERS[name])
    if name in (*BORNE, *NO_JSON):
        assert call(workflow_file, bad.url) == 0
        return
    assert call(workflow_file, bad.url) == 1
    assert "1 file is only on the server" in sentence(capsys.readouterr().err)


def test_an_empty_and_a_cut_picture_are_no_pictures(server, workflow_file, capsys) -> None:
    for content, words in ((b"", "empty"), (b"\x89PNG\r\n\x1a\n" + bytes(99), "cut off")):
        assert call(workflow_file, server(view=answer(content)).url) == 1
        assert words in sentence(capsys.readouterr().err)
    assert saved(workflow_file) == {}


SOCKETS = {
    "endless head": endless(b"HTTP/1.1 101 Switching Protocols\r\n", b"X: " + b"y" * 60000 + b"\r\n"),
    "no head": b"",
    "silent head": silent,
    "another protocol": answer({}),
    "unfinished frame": websocket(b"\x81\x7f" + (1 << 24).to_bytes(8, "big"), b"x" * (1 << 20)),
    "huge frame": websocket(b"\x81\x7f" + b"\xff" * 8),
    "masked frame": websocket(b"\x81\x85abcdhello"),
    "reserved bits": websocket(b"\xf1\x01x"),
    "long ping": websocket(frame(b"x" * 300, 0x89)),
    "endless pings": websocket(PINGS, then=lambda: True),
    "endless fragments": websocket(frame(b"", 0x01), frame(b"y" * 9000, 0x00), then=lambda: True),
    "invalid UTF-8": websocket(frame(b"\xff\xfe{")),
    "deep JSON": websocket(frame(DEEP[:30000])),
    "closed at once": websocket(frame(b"", 0x88)),
    "binary": websocket(frame(b"\x00\x00\x00\x01", 0x82)),
}


@pytest.mark.parametrize("name", SOCKETS)
def test_progress_that_cannot_be_understood_changes_nothing(server, workflow_file, capsys, name: str) -> None:
    assert call(workflow_file, server(ws=SOCKETS[name]).url) == 0
    assert saved(workflow_file) == {"x.png": b"picture"}
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", SOCKETS)
def test_a_dead_worker_is_told_whatever_the_websocket_does(server, workflow_file, capsys, name: str) -> None:
    bad = server(ws=SOCKETS[name])
    bad.done = False
    assert call(workflow_file, bad.url, "--timeout", "0.4") == 1
    assert "showed no sign of work for 0.4 s; restart ComfyUI there" in sentence(capsys.readouterr().err)
    assert any(path == f"/api/jobs/{bad.job}/cancel" for path, _ in bad.asked)
    assert not (workflow_file.parent / "out").exists()


def messages(job: str) -> list[dict]:
    """Progress messages of one job whose parts have every odd shape."""
    kinds = ("executing", "execution_cached", "progress_state", "progress", "executed", "status", 7, None)
    odd = [{"type": kind, "data": value} for kind, value in itertools.product(kinds, ODD)]
    for kind, value, key in itertools.product(kinds, ODD, ("node", "display_node", "nodes")):
        odd.append({"type": kind, "data": {"prompt_id": job, key: value}})
    for value in [*ODD, float("nan"), float("inf"), 10**300, -5]:
        state = {"display_node_id": "1", "state": "running", "value": value, "max": value}
        odd.append({"type": "executing", "data": {"prompt_id": job, "node": "1"}})
        odd.append({"type": "progress_state", "data": {"prompt_id": job, "nodes": {"1": state}}})
    odd.append({"type": "executing", "data": {"prompt_id": job, "node": "\x1b[2J\u202e" * 500}})
    return odd


def test_odd_progress_is_borne_and_shown_without_control_characters(
    server, workflow_file, monkeypatch, capsys
) -> None:
    monkeypatch.setattr("recompose.cli.comfy.progress.LOG_EVERY", 0.0)
    bad = server()
    bad.done = False

    def tell(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        while not bad.job:
            time.sleep(0.01)
        connection.sendall(b"".join(frame(json.dumps(each).encode()) for each in messages(bad.job)))
        bad.done = True
        connection.recv(1 << 16)

    bad.routes["/ws"] = tell
    assert call(workflow_file, bad.url) == 0
    said = capsys.readouterr().err
    assert all(mark.isprintable() or mark == "\n" for mark in said) and len(said.splitlines()) > 50


def odd_entries() -> list[Any]:
    """History entries with every odd value in every place."""
    sound = {"outputs": {"2": {"images": [PICTURE]}}, "status": SUCCESS, "meta": {}}
    entries: list[Any] = [value for value in ODD if value is not None]
    for path in (
        ("outputs",), ("status",), ("meta",), ("outputs", "2"), ("outputs", "2", "images"),
        ("outputs", "2", "recompose"), ("status", "messages"), ("status", "status_str"),
        ("outputs", "2", "images", 0), ("outputs", "2", "images", 0, "filename"),
        ("outputs", "2", "images", 0, "subfolder"), ("outputs", "2", "images", 0, "type"),
    ):  # fmt: skip
        for value in ODD:
            entry = json.loads(json.dumps(sound))
            place = entry
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
            entries.append(entry)
    for value in ODD:
        for kind in ("execution_error", "execution_interrupted", "execution_cached", value):
            status = {"status_str": "success", "messages": [[kind, value], value, [kind]]}
            entries.append({**sound, "status": status})
        data = {"node_id": value, "exception_type": value, "exception_message": value}
        entries.append({**sound, "status": {"status_str": "error", "messages": [["execution_error", data]]}})
        left = {"recompose": [{"notices": value, "padding": value}, value]}
        entries.append({**sound, "outputs": {"2": {**left, "images": [PICTURE]}}})
    return entries


def test_every_odd_history_ends_in_a_file_or_a_sentence(server, workflow_file, capsys) -> None:
    bad = server()
    for entry in random.Random(4).sample(odd_entries(), 90):
        bad.routes["/history"] = lambda there, entry=entry: there.sendall(answer({bad.job: entry}))
        status = call(workflow_file, bad.url, "--timeout", "0.3", "--report", str(workflow_file.parent / "r"))
        said = capsys.readouterr()
        assert status in (0, 1), entry
        assert status == 0 or sentence(said.err)
        assert "Traceback" not in said.err
    assert set(saved(workflow_file).values()) == {b"picture"}


def test_every_odd_answer_of_every_route_ends_in_a_sentence(server, workflow_file, capsys) -> None:
    bad, photo = server(), workflow_file.parent / "photo.png"
    photo.write_bytes(b"photo")
    definition = {"input": {"required": {"width": ["INT", {}]}}, "output": ["IMAGE"]}
    shapes: list[tuple[str, Any]] = []
    for value in ODD:
        shapes += [("/system_stats", {"system": value}), ("/object_info", {"EmptyImage": value})]
        shapes += [("/object_info", {"EmptyImage": {**definition, key: value}}) for key in definition]
        shapes += [("/object_info", {"EmptyImage": {"input": {"required": value}}})]
        shapes += [("/object_info", {"EmptyImage": {"input": {"required": {"width": value}}}})]
        shapes += [("/object_info", {"EmptyImage": {"input": {"required": {"width": ["COMBO", value]}}}})]
        kind, nested = "COMFY_DYNAMICCOMBO_V3", {"options": [value, {"key": 5, "inputs": value}]}
        shapes += [("/object_info", {"EmptyImage": {"input": {"required": {"width": [kind, nested]}}}})]
        shapes += [("/upload", {"name": value}), ("/upload", {"name": "a", "subfolder": value})]
        shapes += [("/prompt", {"prompt_id": value}), ("/prompt", {"node_errors": value})]
        shapes += [
            ("/prompt", {"node_errors": {"1": value}}),
            ("/prompt", {"error": value, "node_errors": 1}),
        ]
        shapes += [("/prompt", {"node_errors": {"1": {"errors": [value, {"extra_info": value}]}}})]
        for error in ("value_not_in_list", "value_smaller_than_min", "return_type_mismatch", "x"):
            extra = {
                "input_config": value,
                "received_value": value,
                "linked_node": value,
                "input_name": value,
            }
            told = {"type": error, "message": value, "details": value, "extra_info": extra}
            shapes += [("/prompt", {"node_errors": {"1": {"errors": [told]}}})]
    settings = itertools.cycle([[], ["--set", f"3.image=@{photo}"], ["--set", "1.width=7"]])
    for (route, content), more in zip(shapes, settings, strict=False):
        bad.routes = {route: answer(content)}
        upload = ["--set", f"3.image=@{photo}"] if route == "/upload" else more
        status = call(workflow_file, bad.url, "--timeout", "0.2", *upload)
        said = capsys.readouterr().err
        assert "Traceback" not in said and status in (0, 1, 2), (route, content)
        assert status == 0 or said.rstrip().splitlines()[-1].strip(), (route, content)
        if route in ("/system_stats", "/object_info"):
            models.main([str(workflow_file), "--server", bad.url])
            assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("value", ODD)
def test_an_odd_queue_is_no_job_of_ours(server, workflow_file, capsys, value: Any) -> None:
    bad = server(queue={"queue_running": value, "queue_pending": value}, history={})
    assert call(workflow_file, bad.url) == 1
    assert "no longer knows the workflow" in sentence(capsys.readouterr().err)


NAMES = {
    "control characters": "a\x1b[31m\x07\r\nb.png",
    "another direction": "gnp\u202e.exe",
    "half a character": "a\ud800b.png",
    "nothing but dots": "....",
    "no bytes": "a\x00b.png",
    "too long": "ä" * 400 + ".png",
    "long ending": "a." + "p" * 400,
    "out of the folder": "../../../../tmp/evil.png",
    "from the root": "/etc/passwd",
    "a drive": "C:\\windows\\system32\\evil.png",
    "a stream": "a.png:evil",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["filename", "subfolder"])
def test_a_file_with_any_name_is_saved_beside_the_others(
    server, workflow_file, capsys, name: str, key: str
) -> None:
    bad = server()
    odd = {**PICTURE, key: NAMES[name]}
    bad.outputs = {"2": {"images": [odd, {**PICTURE, "filename": "other.png"}]}}
    assert call(workflow_file, bad.url) == 0
    found = saved(workflow_file)
    assert len(found) == 2 and "other.png" in found
    assert all(part.isprintable() for part in found)
    assert all(mark.isprintable() or mark == "\n" for mark in capsys.readouterr().out)


def test_subfolders_without_end_are_cut(server, workflow_file) -> None:
    bad = server()
    bad.outputs = {"2": {"images": [{**PICTURE, "subfolder": "/".join(["deep" * 20] * 400)}]}}
    assert call(workflow_file, bad.url) == 0
    assert len(saved(workflow_file)) == 1


def test_what_a_server_says_reaches_the_terminal_as_plain_text(server, workflow_file, capsys) -> None:
    bad = server()
    evil = "\x1b]0;title\x07\r\n\u202eevil" * 100
    data = {"node_id": evil, "exception_type": evil, "exception_message": evil}
    bad.status = {"status_str": "error", "messages": [["execution_error", data]]}
    assert call(workflow_file, bad.url) == 1
    sentence(capsys.readouterr().err)
    bad.routes["/prompt"] = answer({"error": {"message": evil, "details": evil}}, "400 Bad")
    assert call(workflow_file, bad.url) == 1
    sentence(capsys.readouterr().err)


def test_the_password_is_sent_and_never_shown(server, workflow_file, capsys) -> None:
    bad = server()
    address = bad.url.replace("http://", "user:s%C3%A4cret@")
    assert call(workflow_file, address) == 0
    sent = {headers.get("Authorization") for _, headers in bad.asked}
    assert sent == {"Basic dXNlcjpzw6RjcmV0"}  # user:säcret in UTF-8
    assert {path.partition("?")[0] for path, _ in bad.asked} >= {"/ws", "/prompt", "/view"}
    bad.stop()
    assert call(workflow_file, address) == 1
    said = capsys.readouterr()
    assert "cret" not in said.err + said.out and "user" not in said.err


ADDRESSES = ["http://[::1", "http://", "ftp://a", "a b", "http://a:b:c", "http://:80", "http://x:99999",
             "http://" + "é" * 70, "user:secret@", "http://user:sec/ret@host:x", "http://h/?q=1", "http://h/#f",
             "\x1b[31m",
             "http://" + "a" * 300, "//", "http:///path", "[]", "http://[zz]:1", "http://a\x00b"]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none_is_told_without_a_password(workflow_file, capsys, address: str) -> None:
    assert call(workflow_file, address) == 1
    line = sentence(capsys.readouterr().err)
    assert "is not the address of a server" in line and "sec" not in line


def test_random_bytes_from_every_route_end_in_a_sentence(server, workflow_file, capsys) -> None:
    chance = random.Random(5)
    pieces = [b"HTTP/1.1 200 OK\r\n", b"\r\n", b"{", b"}", b"[", b'"', b"\x00", b"\xff",
              b"Content-Length: 3\r\n",
              b"HTTP/1.1 101 Switching\r\n\r\n", b"\x81\x05hello", b'{"prompt_id": 5}', b"null"]  # fmt: skip
    for _ in range(40):
        route = chance.choice(["system_stats", "object_info", "prompt", "history", "queue", "view", "ws"])
        sent = b"".join(chance.choices(pieces, k=chance.randrange(8)))
        status = call(workflow_file, server(**{route: sent}).url, "--timeout", "0.5")
        said = capsys.readouterr().err
        assert status in (0, 1) and "Traceback" not in said, sent
        assert status == 0 or sentence(said), sent


def test_a_reader_that_leaves_ends_the_command_quietly(server, workflow_file, monkeypatch, capsys) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return devnull.fileno()

    with Path("/dev/null").open("w") as devnull:
        monkeypatch.setattr("sys.stdout", Gone())
        assert call(workflow_file, server().url) == 1
    assert "Traceback" not in capsys.readouterr().err
