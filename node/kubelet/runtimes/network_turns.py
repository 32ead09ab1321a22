"""Taking turns at the engine's networks, for engines that two sandboxes at once can hang.

Docker Engine before 23.0 takes two locks in one order when a container joins or leaves a network
and in the other order when it forgets one that has left. Where that happens at the same moment
the engine never starts, stops or inspects a container with a network again, until it is restarted.
So with such an engine one sandbox at a time is started, stopped or removed; it costs little,
since an engine does most of this work one by one.

Called by runtimes/docker.py.
Source: moby issue 46661, fixed by moby pull requests 42545 and 42569.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

FIRST_SAFE_MAJOR = 23


def hangs_on_network_changes(version: str) -> bool:
    """Whether the engine of this version is one that needs turns; an unreadable one is not."""
    major = version.partition(".")[0]
    return major.isascii() and major.isdigit() and int(major) < FIRST_SAFE_MAJOR


class NetworkTurns:
    """`async with turns.one():` around whatever makes a sandbox join or leave its network."""

    def __init__(self, version: str) -> None:
        self._lock = asyncio.Lock() if hangs_on_network_changes(version) else None

    def one(self) -> AbstractAsyncContextManager[None]:
        """Wait for a turn, where turns are needed."""
        return nullcontext() if self._lock is None else self._lock
