"""A clock that moves only when the test says so."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class HandTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class HandClock:
    """Starts at 0 s on 2026-01-02; `advance` runs what becomes due, in order."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._timers: list[tuple[float, int, HandTimer]] = []
        self._numbers = itertools.count()
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return START + timedelta(seconds=self._elapsed)

    def call_at(self, when: float, callback: Callable[[], None]) -> HandTimer:
        timer = HandTimer(callback)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        woken = asyncio.Event()
        self.call_at(self._elapsed + seconds, woken.set)
        await woken.wait()

    def advance(self, seconds: float) -> None:
        until = self._elapsed + seconds
        while self._timers and self._timers[0][0] <= until:
            when, _, timer = heapq.heappop(self._timers)
            self._elapsed = max(self._elapsed, when)
            if timer.callback is not None:
                timer.callback()
        self._elapsed = until


class RestlessClock(HandClock):
    """Never lets anybody wait: a sleep passes at once, and time with it; `slept` counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.slept.release()
        self.advance(seconds)
        await asyncio.sleep(0)
