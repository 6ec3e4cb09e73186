"""`python3 cli COMMAND` from the top folder, or `python3 path/to/checkout/cli COMMAND` from anywhere."""

import sys


def start() -> int:
    """Make the checkout importable as `recompose` and run the command; needs only the standard library."""
    if sys.version_info < (3, 10):  # noqa: UP036 - the sentence for those who have an older one
        sys.stderr.write("Recompose needs Python 3.11, 3.12 or 3.13; start it with python3.12 cli instead.\n")
        return 2
    # Imports take a while, and Ctrl-C may come in the midst of them: they are all below `main`.
    from pathlib import Path
    from types import ModuleType

    room = Path(__file__).resolve().parent
    # Python puts this folder first on the path, where its modules would shadow others of the same name.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != room]
    alias = ModuleType("recompose")
    alias.__path__ = [str(room.parent)]
    sys.modules["recompose"] = alias
    from recompose.cli.main import main

    return main(sys.argv[1:])


def main() -> int:
    """As `start`; Ctrl-C ends it with one line at any time."""
    try:
        return start()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
