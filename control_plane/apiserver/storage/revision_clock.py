"""How far a cache has come, and waiting for it to come further."""

import asyncio


class RevisionClock:
    """The revision up to which a cache has seen everything; 0 until it has loaded.

    Many can wait for a revision; one dictionary of futures serves them all, so that an advance
    costs nothing when nobody waits.
    """

    def __init__(self) -> None:
        """Start unset."""
        self.revision = 0
        self._waiters: dict[asyncio.Future[None], int] = {}

    @property
    def is_set(self) -> bool:
        """Whether the cache has loaded."""
        return self.revision > 0

    def advance(self, revision: int) -> None:
        """Move forward to `revision` and wake those who waited for it; never moves back."""
        if revision <= self.revision:
            return
        self.revision = revision
        if self._waiters:
            for waiter, wanted in list(self._waiters.items()):
                if wanted <= revision and not waiter.done():
                    waiter.set_result(None)

    def reset(self) -> None:
        """Go back to unset: the cache is about to load again."""
        self.revision = 0

    async def reach(self, revision: int, within: float) -> bool:
        """Wait until `revision` has been reached; False when `within` seconds were not enough."""
        if self.is_set and self.revision >= revision:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = revision
        try:
            async with asyncio.timeout(within):
                await waiter
        except TimeoutError:
            return False
        finally:
            del self._waiters[waiter]
        return True
