"""The progress bar: what share is done, which node works, how long each took."""

from __future__ import annotations

import io

import pytest
from recompose.cli.comfy import progress
from recompose.cli.comfy.progress import Progress

PROMPT = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "2": {"class_type": "KSampler", "inputs": {"steps": 6}, "_meta": {"title": "Outpaint"}},
    "3": {"class_type": "SaveImage", "inputs": {}},
}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time; change its only item."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def executing(node: str | None) -> dict:
    return {"type": "executing", "data": {"node": node, "display_node": node}}


def step(node: str, value: int, maximum: int) -> dict:
    state = {"display_node_id": node, "state": "running", "value": value, "max": maximum}
    return {"type": "progress_state", "data": {"nodes": {node: state}}}


def test_the_share_counts_samplers_by_their_steps(clock) -> None:
    bar = Progress(PROMPT, io.StringIO())
    shares = []
    for message in (
        {"type": "execution_cached", "data": {"nodes": ["1"]}},  # 1 of 8
        executing("2"),
        step("2", 3, 6),  # 1 + 3
        executing("3"),  # 1 + 6
        {"type": "execution_success", "data": {}},
    ):
        bar(message)
        shares.append(bar.line().split("%")[0].split()[-1])
    assert shares == ["12", "12", "50", "88", "100"]


def test_the_line_names_the_node_its_step_and_the_time(clock) -> None:
    bar = Progress(PROMPT, io.StringIO())
    bar(executing("2"))
    bar(step("2", 4, 6))
    clock[0] += 65
    assert bar.line() == "[############------------]  50% 1:05 Outpaint 4/6"


def test_seconds_are_kept_per_node(clock) -> None:
    bar = Progress(PROMPT, io.StringIO())
    for node, seconds in (("1", 2.0), ("2", 7.5), ("3", 0.25)):
        bar(executing(node))
        clock[0] += seconds
    bar({"type": "execution_success", "data": {}})
    assert bar.seconds == {"1": 2.0, "2": 7.5, "3": 0.25}


def test_a_log_gets_a_line_now_and_then_and_a_terminal_one_line_in_place(clock) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    log, terminal = io.StringIO(), Terminal()
    bars = [Progress(PROMPT, log), Progress(PROMPT, terminal)]
    for value in range(7):
        for bar in bars:
            bar(executing("2")) if value == 0 else bar(step("2", value, 6))
        clock[0] += 1
    for bar in bars:
        bar.finish(False)
    assert log.getvalue().count("\n") == 2 and "\r" not in log.getvalue()
    assert terminal.getvalue().count("\n") == 0 and terminal.getvalue().count("\r") == 8
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_log_ends_with_the_whole_even_when_not_every_node_was_needed(clock) -> None:
    log = io.StringIO()
    bar = Progress(PROMPT, log)
    bar(executing("1"))
    clock[0] += 1
    bar.finish(True)  # no message told of the end
    assert "100%" in log.getvalue().splitlines()[-1]
    assert "100%" not in log.getvalue().splitlines()[0]
