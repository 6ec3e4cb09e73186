"""Become the given command, in a process that the kernel kills when its parent dies, however it dies.

Called as `python guard.py PARENT_PID COMMAND...`; Linux only. The request outlives execve.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for the signal, make sure that the parent has not died before, become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit("The kernel refused to tie the server to its starter.")
    if os.getppid() != parent:
        sys.exit("The starter of the server is gone.")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
