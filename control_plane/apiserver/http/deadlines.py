"""Bounds how long requests take, all of them equally long, with one timer for all.

Every request has such a bound and hardly any meets it: a timer for each would cost more than what
many requests do. As all have the same time, who came first is due first.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

Result = TypeVar("Result")


class Deadlines:
    """The tasks that are bounded, and when their time is up."""

    def __init__(self, seconds: float) -> None:
        """Give each so many seconds."""
        self._seconds = seconds
        self._due: dict[asyncio.Task[Any], float] = {}  # bounded by the requests being served
        self._expired: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def bound(self, work: Awaitable[Result], task: asyncio.Task[Any] | None = None) -> Result:
        """Await something in the present task, which the caller may have at hand.

        Raises TimeoutError when its time is up.
        """
        loop = asyncio.get_running_loop()
        task = task or asyncio.current_task()
        assert task is not None
        self._due[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._expire)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._expired and task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            self._due.pop(task, None)
            self._expired.discard(task)

    def _expire(self) -> None:
        """Cancel those whose time is up, and come again when the next one's is."""
        loop = asyncio.get_running_loop()
        self._timer = None
        for task, due in list(self._due.items()):
            if due > loop.time():
                self._timer = loop.call_at(due, self._expire)
                return
            del self._due[task]
            self._expired.add(task)
            task.cancel()
