"""`test`: run all tests, or with --quick those of a few minutes; other options are passed on to pytest.

pytest runs inside the environment, with the tools and the libraries to compare with at hand.
"""

from __future__ import annotations

import os
import sys

from ..places import ROOT
from ..setup.environment import Environment

NEEDS = "tests"
# What needs no running ComfyUI and no browser: style and types, architecture, core, training, JavaScript.
QUICK = (
    "tests/test_style.py",
    "tests/test_architecture.py",
    "tests/test_portability.py",
    "tests/core",
    "tests/training",
    "tests/test_javascript.py",
    "tests/test_js.py",
    "tests/test_js_parity.py",
)
SPACE = "\n" + 12 * " "
HELP = f"""usage: python3 cli test [--quick] [pytest's options]

  --quick   style and types, architecture, core, training and JavaScript, in at most 3 minutes on 2 cores:
            {SPACE.join(QUICK)}

All other options go to pytest, which describes them here:
"""


def chosen(arguments: list[str]) -> list[str]:
    """pytest's arguments for those of the command."""
    if "--quick" not in arguments:
        return arguments
    return [*QUICK, *(argument for argument in arguments if argument != "--quick")]


def main(arguments: list[str], environment: Environment) -> int:
    """Run the tests and return pytest's exit status; its closing line is the last that is printed."""
    os.environ.update(environment.variables())
    sys.dont_write_bytecode = True
    # Last on the path: where ComfyUI brings a library itself, its version is the one that is tested.
    sys.path.append(str(environment.tools))
    import pytest

    os.chdir(ROOT)
    if {"-h", "--help"} & set(arguments):
        print(HELP, flush=True)
    return int(pytest.main(["-p", "no:cacheprovider", *chosen(arguments)]))
