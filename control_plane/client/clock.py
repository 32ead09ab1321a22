"""Time as an argument: what anything that waits or stamps in the client and the controllers uses.

`LoopClock` is the real one; tests pass a clock that they move by hand, so that no test sleeps.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """A pending call that can still be called off."""

    def cancel(self) -> None:
        """Call it off; does nothing when it has run already."""


class Clock(Protocol):
    """Monotonic seconds for waiting, wall-clock time for stamping objects."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment; never goes back."""

    def now(self) -> datetime:
        """Return the time of day, in UTC and aware of it."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the event loop once `monotonic()` reaches `when`."""

    async def sleep(self, seconds: float) -> None:
        """Wait; 0 and less only yields to other tasks."""


class LoopClock:
    """The clock of the running event loop."""

    def monotonic(self) -> float:
        """Return the event loop's time in seconds."""
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        """Return the system's time of day in UTC."""
        return datetime.now(UTC)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Schedule `callback` on the running loop."""
        return asyncio.get_running_loop().call_at(when, callback)

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(seconds)


LOOP_CLOCK = LoopClock()
