"""`cli run` against a server that refuses, fails, forgets, dies or lies; and nothing is left half-written."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from recompose.cli import run, saving
from recompose.cli.comfy import client, errors

PICTURE = {"filename": "x_00001_.png", "subfolder": "", "type": "output"}
PREVIEW = {"filename": "p.png", "subfolder": "", "type": "temp"}


@pytest.fixture
def ready(fake):
    """A fake server that has one picture and one preview to give."""
    fake.outputs = {"2": {"images": [PICTURE]}, "9": {"images": [PREVIEW], "animated": [False]}}
    fake.files = {"x_00001_.png": b"saved picture", "p.png": b"preview"}
    return fake


def call(workflow_file: Path, server: str, out: Path, *more: str) -> int:
    return run.main([str(workflow_file), "--server", server, "--out", str(out), *more])


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_saved_pictures_come_back_and_previews_stay(ready, workflow_file, tmp_path, capsys) -> None:
    assert call(workflow_file, ready.url, tmp_path / "out", "--set", "1.width=99") == 0
    assert files(tmp_path / "out") == {"x_00001_.png": b"saved picture"}
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "x_00001_.png")
    assert ready.prompts[0]["1"]["inputs"]["width"] == 99


def test_previews_come_on_request_and_nothing_is_overwritten(ready, workflow_file, tmp_path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "x_00001_.png").write_bytes(b"mine")
    assert call(workflow_file, ready.url, out, "--previews") == 0
    assert files(out) == {"x_00001_.png": b"mine", "x_00001_ (2).png": b"saved picture", "p.png": b"preview"}


def test_a_file_travels_to_the_server_and_its_name_there_into_the_prompt(
    ready, workflow_file, tmp_path
) -> None:
    photo = tmp_path / 'my "photo".png'
    photo.write_bytes(b"\x89PNG\r\n--binary\x00")
    assert call(workflow_file, ready.url, tmp_path / "out", "--set", f"Photo.image=@{photo}") == 0
    assert ready.prompts[0]["3"]["inputs"]["image"] == "up/stored.png"
    assert b"\x89PNG\r\n--binary\x00" in ready.uploads[0]
    assert b'filename="my _photo_.png"' in ready.uploads[0]


def test_names_from_the_server_cannot_lead_out_of_the_folder(ready, workflow_file, tmp_path) -> None:
    ready.files["../../evil.png"] = b"evil"
    ready.outputs = {
        "2": {"images": [{"filename": "../../evil.png", "subfolder": "/../a", "type": "output"}]}
    }
    assert call(workflow_file, ready.url, tmp_path / "out") == 0
    assert files(tmp_path / "out") == {"a/evil.png": b"evil"}


REFUSALS = [
    (
        {"type": "value_not_in_list", "input_name": "image", "input_config": [["a.png", "b.png"], {}]},
        "\"Photo\" (LoadImage, node 3), input image: expected one of a.png, b.png; got 'q'.",
    ),
    (
        {"type": "value_not_in_list", "input_name": "image", "input_config": ["COMBO", {"options": []}]},
        "expected a name from a list that is empty on this server, got 'q'.",
    ),
    (
        {"type": "value_bigger_than_max", "input_name": "image", "input_config": ["INT", {"max": 5}]},
        "expected at most 5, got q.",
    ),
    (
        {"type": "invalid_input_type", "input_name": "image", "input_config": ["INT", {}]},
        "expected INT, got 'q'.",
    ),
    ({"type": "required_input_missing", "input_name": "image"}, "input image: is needed, but missing."),
    (
        {
            "type": "return_type_mismatch",
            "input_name": "image",
            "input_config": ["MASK", {}],
            "received_type": "IMAGE",
            "linked_node": ["1", 0],
        },
        "expected MASK, got IMAGE from EmptyImage (node 1).",
    ),
    (
        {
            "type": "custom_validation_failed",
            "input_name": "image",
            "details": "image - Not a picture: q",
        },
        "input image: Not a picture: q.",
    ),
    (
        {"type": "exception_during_inner_validation", "input_name": "next", "details": "no such thing"},
        '"Photo" (LoadImage, node 3): cannot be checked (no such thing).',
    ),
    ({"type": "brand new", "message": "Odd", "details": "very"}, "Odd: very."),
]


@pytest.mark.parametrize(("error", "words"), REFUSALS, ids=[row[0]["type"] for row in REFUSALS])
def test_a_refusal_names_node_input_and_what_was_expected(
    ready, workflow_file, tmp_path, capsys, error: dict, words: str
) -> None:
    plain = {key: error.pop(key) for key in ("type", "message", "details") if key in error}
    problem = {"message": "m", "details": "d", **plain, "extra_info": {"received_value": "q", **error}}
    ready.refusal = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"},
        "node_errors": {"3": {"errors": [problem], "class_type": "LoadImage"}},
    }
    assert call(workflow_file, ready.url, tmp_path / "out") == 1
    assert words in capsys.readouterr().err
    assert files(tmp_path / "out") == {}


def test_an_unknown_node_is_named(ready, workflow_file, tmp_path, capsys) -> None:
    extra = {"node_id": "7", "class_type": "Unknown", "node_title": "Curve"}
    ready.refusal = {
        "error": {"type": "missing_node_type", "message": "m", "extra_info": extra},
        "node_errors": {},
    }
    assert call(workflow_file, ready.url, tmp_path / "out") == 1
    assert '"Curve" (Unknown, node 7): this server does not know the node' in capsys.readouterr().err


def test_a_workflow_refused_in_part_is_taken_off_the_server(ready, workflow_file, tmp_path, capsys) -> None:
    problem = {"type": "required_input_missing", "extra_info": {"input_name": "image"}}
    ready.node_errors = {"3": {"errors": [problem], "class_type": "LoadImage"}}
    assert call(workflow_file, ready.url, tmp_path / "out") == 1
    assert ready.cancelled == ready.jobs != []
    assert "is needed, but missing" in capsys.readouterr().err


def test_a_failing_node_is_named_with_its_own_words(ready, workflow_file, tmp_path, capsys) -> None:
    message = {
        "node_id": "2",
        "node_type": "SaveImage",
        "exception_type": "OSError",
        "exception_message": "[Errno 28] No space left on device\n",
    }
    ready.status = {"status_str": "error", "completed": False, "messages": [["execution_error", message]]}
    assert call(workflow_file, ready.url, tmp_path / "out") == 1
    words = '"Result v1.0" (SaveImage, node 2) failed: OSError: [Errno 28] No space left on device'
    assert words in capsys.readouterr().err
    assert files(tmp_path / "out") == {}


def test_a_blocked_node_is_a_failure_even_if_the_status_says_success() -> None:
    blocked = {
        "node_id": "1",
        "exception_type": "ExecutionBlocked",
        "exception_message": "Blocked: no",
    }
    entry = {"status": {"status_str": "success", "messages": [["execution_error", blocked]]}}
    assert "Blocked: no" in errors.failure(entry, {"1": {"class_type": "A", "inputs": {}}})


def test_an_interrupt_by_somebody_else_is_a_failure(ready, workflow_file, tmp_path, capsys) -> None:
    ready.status = {"status_str": "error", "messages": [["execution_interrupted", {"node_id": "1"}]]}
    assert call(workflow_file, ready.url, tmp_path / "out") == 1
    assert "interrupted at EmptyImage (node 1)" in capsys.readouterr().err


def test_nobody_at_the_address(workflow_file, tmp_path, capsys) -> None:
    assert call(workflow_file, "http://127.0.0.1:9", tmp_path / "out") == 1
    assert "No answer from the server at http://127.0.0.1:9" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("url", ["ftp://host", "http://", "127.0.0.1:port"])
def test_an_address_that_is_none(workflow_file, tmp_path, capsys, url: str) -> None:
    assert call(workflow_file, url, tmp_path / "out") == 1
    assert "is not the address of a server" in capsys.readouterr().err


def test_a_server_that_is_something_else(fake, workflow_file, tmp_path, capsys) -> None:
    fake.raw["/system_stats"] = b"<html>hello</html>"
    assert call(workflow_file, fake.url, tmp_path / "out") == 1
    assert "is not a ComfyUI server" in capsys.readouterr().err


def test_a_server_that_dies_half_way(ready, workflow_file, tmp_path, capsys) -> None:
    ready.polls, ready.on_poll = 1000, ready.die
    assert call(workflow_file, ready.url, tmp_path / "out") == 1
    assert "stopped answering during the work; nothing was saved" in capsys.readouterr().err
    assert files(tmp_path / "out") == {}


def test_a_server_that_forgot_the_workflow(ready, workflow_file, tmp_path, capsys) -> None:
    ready.forgets = True
    assert call(workflow_file, ready.url, tmp_path / "out") == 1
    assert "no longer knows the workflow" in capsys.readouterr().err


def test_a_picture_that_cannot_be_fetched_is_named_and_the_others_are_saved(
    ready, workflow_file, tmp_path, capsys
) -> None:
    gone = {"filename": "gone.png", "subfolder": "day 1", "type": "output"}
    ready.outputs = {"5": {"images": [gone]}, **ready.outputs}
    assert call(workflow_file, ready.url, tmp_path / "out") == 1
    words = capsys.readouterr().err
    assert "404" in words
    assert f"1 file is only on the server at {ready.url}, in its folder output: day 1/gone.png." in words
    assert files(tmp_path / "out") == {"x_00001_.png": b"saved picture"}


def test_a_file_in_place_of_the_folder_is_found_before_any_work(
    ready, workflow_file, tmp_path, capsys
) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    assert call(workflow_file, ready.url, tmp_path / "out") == 1
    assert "Cannot write into" in capsys.readouterr().err
    assert ready.prompts == []
    assert (tmp_path / "out").read_bytes() == b"mine"


def run_alone(workflow_file: Path, server: str, out: Path, **arguments: object) -> subprocess.Popen:
    """The command as a user calls it, with nothing but the standard library to import from."""
    cli = Path(run.__file__).parent
    command = [sys.executable, "-I", "-S", str(cli), "run", str(workflow_file), "--server", server]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*command, "--out", str(out)], **pipes, **arguments)


def test_the_standard_library_is_enough(ready, workflow_file, tmp_path) -> None:
    process = run_alone(workflow_file, ready.url, tmp_path / "out")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert files(tmp_path / "out") == {"x_00001_.png": b"saved picture"}


def test_a_write_that_breaks_off_leaves_nothing_half_written(ready, workflow_file, tmp_path) -> None:
    ready.files["x_00001_.png"] = bytes(3 * saving.TRIAL)
    ready.outputs["5"] = {"images": [{"filename": "small.png", "type": "output"}]}
    ready.files["small.png"] = b"small"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 * saving.TRIAL, 2 * saving.TRIAL))

    process = run_alone(workflow_file, ready.url, tmp_path / "out", preexec_fn=limit)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Cannot write" in errors and "nothing was left half-written" in errors
    assert "1 file is only on the server" in errors and "x_00001_.png." in errors
    assert files(tmp_path / "out") == {"small.png": b"small"}


def test_a_disk_without_room_is_noticed_before_the_work(ready, workflow_file, tmp_path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    process = run_alone(workflow_file, ready.url, tmp_path / "new" / "out", preexec_fn=limit)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Cannot write into" in errors and "choose another --out" in errors
    assert ready.prompts == [] and not (tmp_path / "new").exists()


def test_a_full_disk_keeps_the_older_file(tmp_path, monkeypatch) -> None:
    (tmp_path / "a.png").write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(saving.os, "fsync", full)
    with pytest.raises(saving.SavingError, match=r"a\.png: No space left on device"):
        saving.save(tmp_path, [("a.png", b"new")], overwrite=True)
    assert files(tmp_path) == {"a.png": b"old"}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_leaving_takes_only_our_own_workflow_off_the_server(
    ready, workflow_file, tmp_path, number: int, status: int
) -> None:
    ready.polls = 10**6
    ready.jobs.append("somebody else's")
    waits = threading.Event()
    ready.on_poll = waits.set
    process = run_alone(workflow_file, ready.url, tmp_path / "out")
    assert waits.wait(60)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == status, errors
    assert ready.cancelled == ready.jobs[1:]
    assert "Traceback" not in errors


def test_ctrl_c_while_files_come_says_where_the_others_are(ready, workflow_file, tmp_path) -> None:
    asked, original = threading.Event(), ready.get

    def get(path: str, query: dict) -> tuple:
        if path == "/view":
            asked.set()
            threading.Event().wait(20)
        return original(path, query)

    ready.get = get
    process = run_alone(workflow_file, ready.url, tmp_path / "out")
    assert asked.wait(60)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    words = (
        f"run: interrupted; 1 file is only on the server at {ready.url}, in its folder output: x_00001_.png."
    )
    assert errors.splitlines()[-1] == words
    assert not (tmp_path / "out").exists()


def test_an_older_server_is_interrupted_only_while_our_workflow_runs(fake) -> None:
    asked: list[tuple[str, dict]] = []
    original = fake.post

    def old(path: str, body: bytes) -> tuple[int, dict]:
        if path.startswith("/api/jobs"):
            return 404, {}
        if path in ("/queue", "/interrupt"):
            asked.append((path, json.loads(body)))
            return 200, {}
        return original(path, body)

    fake.post = old
    fake.jobs = ["another"]
    client.Client(fake.url).cancel("ours")
    assert asked == [("/queue", {"delete": ["ours"]})]
    fake.jobs = ["ours"]
    client.Client(fake.url).cancel("ours")
    assert asked[-1] == ("/interrupt", {"prompt_id": "ours"})
