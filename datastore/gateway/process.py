"""What Go's client of Prometheus tells of a process and Python's does not: limits, the network."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

UNLIMITED = (1 << 64) - 1  # as Go shows a limit that is none
_NETSTAT = Path("/proc/self/net/netstat")


class ProcessFacts(NamedTuple):
    """A process at one moment; the octets are those of its network namespace."""

    descriptors: int
    most_descriptors: int
    most_virtual_bytes: int
    received_octets: int
    sent_octets: int


def look() -> ProcessFacts:
    """Return the facts of this process."""
    octets = _ip_octets()
    return ProcessFacts(
        len(os.listdir("/proc/self/fd")),
        _limit(resource.RLIMIT_NOFILE),
        _limit(resource.RLIMIT_AS),
        octets.get("InOctets", 0),
        octets.get("OutOctets", 0),
    )


def _limit(which: int) -> int:
    soft = resource.getrlimit(which)[0]
    return UNLIMITED if soft == resource.RLIM_INFINITY else soft


def _ip_octets() -> dict[str, int]:
    """Return the counters under `IpExt`: a line of names, and below it one of values."""
    with suppress(OSError):
        lines = [line.split() for line in _NETSTAT.read_text().splitlines()]
        for names, values in zip(lines[::2], lines[1::2], strict=False):
            if names[0] == "IpExt:":
                return dict(zip(names[1:], map(int, values[1:]), strict=True))
    return {}
