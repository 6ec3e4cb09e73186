"""`test`: run all tests; options are passed on to pytest.

pytest runs inside the environment, with the tools and the libraries to compare with at hand.
"""

from __future__ import annotations

import os
import sys

from ..places import ROOT
from ..setup.environment import Environment

NEEDS = "tests"


def main(arguments: list[str], environment: Environment) -> int:
    """Run the tests and return pytest's exit status; its closing line is the last that is printed."""
    os.environ.update(environment.variables())
    sys.dont_write_bytecode = True
    # Last on the path: where ComfyUI brings a library itself, its version is the one that is tested.
    sys.path.append(str(environment.tools))
    import pytest

    os.chdir(ROOT)
    return int(pytest.main(["-p", "no:cacheprovider", *arguments]))
