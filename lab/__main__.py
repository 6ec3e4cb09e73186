"""`python3 lab COMMAND`, which is how `python3 cli COMMAND` starts a command of the lab."""

import sys


def start() -> int:
    """Make the checkout importable as `recompose` and run the command; needs only the standard library."""
    import signal
    from pathlib import Path
    from types import ModuleType

    # Whoever started this kept Ctrl-C waiting until there is somebody to answer it.
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    room = Path(__file__).resolve().parent
    # Python puts this folder first on the path, where its modules would shadow others of the same name.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != room]
    alias = ModuleType("recompose")
    alias.__path__ = [str(room.parent)]
    sys.modules["recompose"] = alias
    from recompose.lab.start import run

    return run(sys.argv[1:])


def main() -> int:
    """As `start`; Ctrl-C ends it with one line at any time."""
    try:
        return start()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
