"""A signal unwinds the stack wherever it finds the program."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from recompose.cli import signals

BEGIN = """
import os, signal, sys, time
from types import ModuleType
alias = ModuleType("recompose")
alias.__path__ = [sys.argv[1]]
sys.modules["recompose"] = alias
from recompose.cli import signals
number = int(sys.argv[2])
class Closing:
    def __del__(self):
        os.kill(os.getpid(), number)
        for _ in range(100):
            pass
"""
IN_THE_OPEN = """
try:
    with signals.as_exit():
        os.kill(os.getpid(), number)
        time.sleep(1000)
finally:
    print("cleaned up")
"""
IN_A_DESTRUCTOR = """
try:
    with signals.as_exit():
        Closing()
        time.sleep(1000)
finally:
    print("cleaned up")
"""


@pytest.mark.parametrize("program", [IN_THE_OPEN, IN_A_DESTRUCTOR], ids=["in the open", "in a destructor"])
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, -signal.SIGINT)]
)
def test_a_signal_cleans_up_and_sets_the_status(root: Path, program: str, number: int, status: int) -> None:
    command = [sys.executable, "-c", BEGIN + program, str(root), str(int(number))]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (finished.returncode, finished.stdout) == (status, "cleaned up\n"), finished.stderr


IN_AN_IMPORT = """
import os, runpy, signal, sys
cli, name = sys.argv[1:]
class Hook:
    def find_spec(self, wanted, *_):
        if wanted == name:
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                pass
sys.meta_path.insert(0, Hook())
sys.argv = [cli, "run", "nowhere.json"]
runpy.run_path(cli, run_name="__main__")
"""


@pytest.mark.parametrize("name", ["cli.main", "cli.run", "cli.comfy.workflow", "cli.signals"])
def test_ctrl_c_while_the_program_loads_is_one_line(root: Path, name: str) -> None:
    command = [sys.executable, "-c", IN_AN_IMPORT, str(root / "cli"), f"recompose.{name}"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (finished.returncode, finished.stderr) == (130, "interrupted.\n")


def test_an_ignored_hangup_stays_ignored_and_handlers_come_back() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    terminate, hook = signal.getsignal(signal.SIGTERM), sys.unraisablehook
    try:
        with signals.as_exit():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is signals.leave
        assert signal.getsignal(signal.SIGTERM) is terminate
        assert sys.unraisablehook is hook
    finally:
        signal.signal(signal.SIGHUP, before)
