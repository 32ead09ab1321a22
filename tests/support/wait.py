"""Waiting for something that nobody announces."""

import time
from collections.abc import Callable

SECONDS = 90.0
PAUSE_SECONDS = 0.1


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Return once `holds()`; fail, naming `what`, when it does not in time."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited {SECONDS:.0f} s in vain for {what}"
        time.sleep(PAUSE_SECONDS)
