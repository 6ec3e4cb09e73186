"""`python3 lab COMMAND`, which is how `python3 cli COMMAND` starts a command of the lab."""

import sys
from pathlib import Path
from types import ModuleType

ROOM = Path(__file__).resolve().parent


def main() -> int:
    """Make the checkout importable as `recompose` and run the command; needs only the standard library."""
    # Python puts this folder first on the path, where its modules would shadow others of the same name.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOM]
    alias = ModuleType("recompose")
    alias.__path__ = [str(ROOM.parent)]
    sys.modules["recompose"] = alias
    from recompose.lab.start import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
