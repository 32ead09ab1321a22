"""The tie of a child process to the `tapir up` that started it: it ends when that is gone.

`tapir up` names itself in the child's environment, and the child asks the kernel for SIGTERM at its
parent's end (Linux). Called by `tapir datastore` before it opens anything.
"""

import ctypes
import os
import signal

PARENT = "TAPIR_PARENT"  # the parent's process id; a process without it is nobody's child
_PR_SET_PDEATHSIG = 1


def tie_to_parent() -> None:
    """Have this process stopped when its parent ends; end at once if it has already."""
    parent = os.environ.pop(PARENT, "")
    if not parent:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if str(os.getppid()) != parent:
        os.kill(os.getpid(), signal.SIGTERM)
