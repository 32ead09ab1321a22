"""The charges of one namespace's quotas that a server has under way, in their order.

Each begins when those before it have been sent, not when they have been answered: what it expects
of a quota is what they write. One that fails takes those after it along; then all have an end
before the next one begins, and they are one at a time again until some have succeeded.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

MOST_UNDER_WAY = 32


class QuotaLane:
    """`users` hold it or wait for it."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self.users = 0
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._under_way = 0
        self._window = 1
        self._is_broken = False

    @property
    def is_idle(self) -> bool:
        """Whether no charge is under way."""
        return not self._under_way

    @contextlib.asynccontextmanager
    async def turn(self, seconds: float) -> AsyncIterator[None]:
        """Wait for a turn to begin a charge; TimeoutError after so many seconds."""
        async with asyncio.timeout(seconds):
            await self._turn.acquire()
            try:
                while self._under_way and (self._is_broken or self._under_way >= self._window):
                    await self._wait()
            except BaseException:
                self._turn.release()
                raise
        try:
            yield
        finally:
            self._turn.release()

    async def drained(self) -> None:
        """Wait until no charge is under way."""
        while self._under_way:
            await self._wait()

    def begin(self) -> None:
        """A charge is under way; called within the turn."""
        self._under_way += 1

    def end(self, *, succeeded: bool) -> None:
        """It has an end."""
        self._under_way -= 1
        if not succeeded:
            self._is_broken, self._window = True, 1
        elif not self._is_broken:
            self._window = min(self._window + 1, MOST_UNDER_WAY)
        if not self._under_way:
            self._is_broken = False
        self._changed.set()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()
