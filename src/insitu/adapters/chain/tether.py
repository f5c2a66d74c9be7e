"""Run a program that gets SIGTERM when its parent dies: ``python tether.py <parent's pid> program …``.

This is a separate file because the child itself must make the request (prctl PR_SET_PDEATHSIG), and running Python code
between fork and exec in a process with threads is not safe.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ask for the signal, make sure that the parent has not died already, and become the program."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    os.execv(command[0], command)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
