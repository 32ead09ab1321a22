"""Bounds how long requests take, all of them equally long, with one timer for all.

Every request has such a bound and hardly any meets it: a timer for each would cost more than what
many requests do. As all have the same time, who came first is due first.
"""

import asyncio
from typing import Any


class Bound:
    """The time of one task, which is the present one and which the caller has at hand.

    Within `with`, TimeoutError is raised when the time is up.
    """

    __slots__ = ("_deadlines", "_task")

    def __init__(self, deadlines: "Deadlines", task: asyncio.Task[Any]) -> None:
        """Begin nothing yet."""
        self._deadlines = deadlines
        self._task = task

    def __enter__(self) -> None:
        """Begin: the task is cancelled when its time is up."""
        deadlines = self._deadlines
        loop = asyncio.get_running_loop()
        deadlines.due[self._task] = loop.time() + deadlines.seconds
        if deadlines.timer is None:
            deadlines.timer = loop.call_later(deadlines.seconds, deadlines.expire)

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        """End; a cancellation that was for this becomes TimeoutError."""
        task, deadlines = self._task, self._deadlines
        if deadlines.due.pop(task, None) is not None:
            return
        if kind is asyncio.CancelledError and task.uncancel() == 0:
            raise TimeoutError from error


class Deadlines:
    """The tasks that are bounded, and when their time is up: what `Bound` shares."""

    def __init__(self, seconds: float) -> None:
        """Give each so many seconds."""
        self.seconds = seconds
        self.due: dict[asyncio.Task[Any], float] = {}  # bounded by the requests being served
        self.timer: asyncio.TimerHandle | None = None

    def expire(self) -> None:
        """Cancel those whose time is up, and come again when the next one's is."""
        loop = asyncio.get_running_loop()
        self.timer = None
        for task, due in list(self.due.items()):
            if due > loop.time():
                self.timer = loop.call_at(due, self.expire)
                return
            del self.due[task]
            task.cancel()
