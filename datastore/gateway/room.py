"""Whether there is room for one more connection: of HTTP's own share, and of file descriptors.

A descriptor is the lowest that is free, so the number of a new connection's tells how many are in
use, by whomever. HTTP leaves half of them: without descriptors nobody gets in, and the database
cannot be connected to again.
"""

from __future__ import annotations

import logging
import resource
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


QUIET_SECONDS = 60.0  # between two lines in the log


class Room:
    """Judges new connections; tells the log now and then that they are too many, not of each."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._descriptors = sys.maxsize if allowed == resource.RLIM_INFINITY else allowed // 2
        self._clock = clock
        self._quiet_until = clock()

    def is_for(self, transport: Any, connections: int) -> bool:
        """Say whether a connection may stay beside so many others."""
        descriptor = transport.get_extra_info("socket").fileno()
        if connections < self._most and descriptor < self._descriptors:
            return True
        if self._clock() >= self._quiet_until:
            self._quiet_until = self._clock() + QUIET_SECONDS
            log.warning(
                "too many connections: new ones are closed http=%d descriptors=%d",
                connections,
                descriptor,
            )
        return False
