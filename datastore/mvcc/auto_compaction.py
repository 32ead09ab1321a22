"""Auto-compaction: which revision history is given up to, and when. Off unless asked for.

The two modes are etcd's. *Periodic* keeps the revisions of the last P seconds: it notes the
revision ten times in P (in an hour, if that is less), and once P has passed compacts to the
revision of P ago, every P (or hour). *Revision* keeps the last K revisions, looking every five
minutes. A policy only decides; `AutoCompactor` waits and compacts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from datastore.errors import Compacted, DatastoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)
HOUR = 3600.0
SAMPLES = 10
REVISION_SECONDS = 300.0


class Policy(Protocol):
    """Decides from the clock (seconds) and the store's revision."""

    interval: float  # seconds between two looks

    def look(self, now: float, revision: int) -> int | None:
        """Return the revision to compact to now, None for nothing."""

    def compacted(self, now: float, revision: int) -> None:
        """Note that history is given up to a revision; otherwise the next look asks again."""


class Periodic:
    """Keep the revisions of the last `period` seconds; see the module."""

    def __init__(self, period: float, now: float, revision: int) -> None:
        self._every = min(period, HOUR)
        self.interval = self._every / SAMPLES
        kept = int(period / self.interval) + 1
        self._revisions = deque([revision], maxlen=kept)
        self._next = now + period
        self._last = 0

    def look(self, now: float, revision: int) -> int | None:
        """Return the revision of a period ago, if it is time and there is one."""
        oldest = self._revisions[0]
        self._revisions.append(revision)
        slack = self.interval / SAMPLES  # a timer may be a little early
        if now < self._next - slack or oldest == self._last:
            return None
        return oldest

    def compacted(self, now: float, revision: int) -> None:
        """Wait for the next time."""
        self._last = revision
        self._next = now + self._every


class ByRevision:
    """Keep the last `retention` revisions; see the module."""

    interval = REVISION_SECONDS

    def __init__(self, retention: int) -> None:
        self._retention = retention
        self._last = 0

    def look(self, now: float, revision: int) -> int | None:
        """Return the last revision that is not kept, if there is a new one."""
        del now
        target = revision - self._retention
        return target if target > 0 and target != self._last else None

    def compacted(self, now: float, revision: int) -> None:
        """Note how far."""
        del now
        self._last = revision


def policy(mode: str, retention: float, now: float, revision: int) -> Policy | None:
    """Return the policy of --auto-compaction-mode and its retention, None for no retention."""
    if retention <= 0:
        return None
    if mode == "revision":
        return ByRevision(int(retention))
    return Periodic(retention, now, revision)


class AutoCompactor:
    """Compacts as a policy says; `run` is its task."""

    def __init__(
        self,
        chosen: Policy,
        revision: Callable[[], int],
        compact: Callable[[int], Awaitable[object]],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._policy = chosen
        self._revision = revision
        self._compact = compact
        self._clock = clock
        self._sleep = sleep

    async def run(self) -> None:
        """Look at every interval until cancelled; what fails is tried again at the next."""
        while True:
            await self._sleep(self._policy.interval)
            target = self._policy.look(self._clock(), self._revision())
            if target is not None:
                await self._compact_to(target)

    async def _compact_to(self, target: int) -> None:
        try:
            await self._compact(target)
            log.info("compacted by itself revision=%d", target)
        except Compacted:
            log.debug("compacted already revision=%d", target)
        except DatastoreError as error:
            log.warning("auto-compaction will be tried again error=%s", error)
            return
        self._policy.compacted(self._clock(), target)
