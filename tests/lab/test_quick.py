"""`cli test --quick` runs a part of the tests that is named in one place; all else goes to pytest."""

from __future__ import annotations

from pathlib import Path

import pytest
from recompose.lab.commands import test as command

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("arguments", [[], ["-q", "tests/core"], ["-m", "slow", "-x"]])
def test_without_the_option_all_goes_to_pytest(arguments: list[str]) -> None:
    assert command.chosen(arguments) == arguments


def test_the_option_stands_for_the_quick_tests_and_keeps_the_others() -> None:
    assert command.chosen(["-x", "--quick", "-q"]) == [*command.QUICK, "-x", "-q"]


def test_the_quick_tests_exist_and_need_neither_comfyui_nor_a_browser() -> None:
    files = {file for name in command.QUICK for file in [ROOT / name, *(ROOT / name).rglob("*.py")]}
    assert all((ROOT / name).exists() for name in command.QUICK)
    assert {"tests/core", "tests/training", "tests/test_style.py"} <= set(command.QUICK)
    assert {file.relative_to(ROOT / "tests").parts[0] for file in files}.isdisjoint({"in_comfyui", "e2e"})
