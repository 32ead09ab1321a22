"""Free TCP ports for servers that a test starts."""

import os
import random
import socket
from collections import deque
from pathlib import Path

LOWEST = 10_000
REMEMBERED = 1_000
EPHEMERAL = 32_768  # where the kernel's choice for outgoing connections starts, unless it says

_given: deque[int] = deque(maxlen=REMEMBERED)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago.

    It is none that the kernel gives to outgoing connections: such a one is soon taken again. Nor is
    it one that another of pytest's workers may choose before this one's server listens, or that was
    given not long ago: two may be asked for before either is used.
    """
    worker, workers = _turn()
    while True:
        port = random.randrange(LOWEST + worker, _first_ephemeral(), workers)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.append(port)
        return port


def _turn() -> tuple[int, int]:
    """Which of pytest's workers this process is, from 0, and how many there are."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return int(name.removeprefix("gw")) % count, count


def _first_ephemeral() -> int:
    limits = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(limits.read_text().split()[0]) if limits.exists() else EPHEMERAL
    return first if first > 2 * LOWEST else 1 << 16
