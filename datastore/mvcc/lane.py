"""Threads that do the database's blocking work for the event loop.

A `Lane` is one or more threads, each with a session of its own, behind one queue. A thread that
wakes takes every call that waits, up to `together`, and hands all results back to the loop at
once: a wake-up of the loop costs more than a point read, so it is shared. Overflow rule: more
than `bound` calls waiting are refused with TooManyRequests.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from datastore.errors import DatastoreError, ServerStopped, TooManyRequests, Unavailable
from datastore.mvcc.backend import BackendDown, BackendFailed, CommitUnknown, Session

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
T = TypeVar("T")
Call = tuple["Callable[[Session], Any]", "asyncio.Future[Any]"]


class Lane:
    """Runs calls on sessions in threads; see the module.

    With `retry` a call that found its connection dead is made once more, on a new one.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Session],
        *,
        threads: int = 1,
        together: int = 1,
        retry: bool = True,
    ) -> None:
        self._name = name
        self._connect = connect
        self._together = together
        self._retry = retry
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._bound = 10_000
        self._waiting = 0
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def call(self, function: Callable[[Session], T]) -> T:
        """Run a function of a session in the lane and return what it returns.

        A cancelled caller does not stop a call that has begun. A database in trouble is
        Unavailable, whatever the driver said; the log has the driver's words.
        """
        if self._closed:
            raise ServerStopped
        if self._waiting >= self._bound:
            raise TooManyRequests
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting += 1
        self._calls.put((function, future))
        return await future

    async def close(self) -> None:
        """Finish the calls that wait, close the sessions and end the threads."""
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _work(self) -> None:
        session = self._connect()
        ending = False
        while not ending:
            batch = [self._calls.get()]
            with suppress(queue.Empty):
                while len(batch) < self._together:
                    batch.append(self._calls.get_nowait())
            ending = None in batch
            if batch.count(None) > 1:
                self._calls.put(None)  # another thread's sign
            done = [(future, *self._run(call, session)) for call, future in filter(None, batch)]
            with suppress(RuntimeError):  # the loop is gone: so are the callers
                self._loop.call_soon_threadsafe(self._deliver, done)
        session.close()

    def _run(
        self, call: Callable[[Session], Any], session: Session
    ) -> tuple[Any, BaseException | None]:
        try:
            try:
                return call(session), None
            except BackendDown:
                if not self._retry:
                    raise
                return call(session), None  # on a connection that is made anew
        except DatastoreError as error:
            return None, error
        except (BackendDown, BackendFailed, CommitUnknown) as error:
            log.warning("database trouble lane=%s error=%s", self._name, error)
            return None, Unavailable()
        except Exception as error:
            log.exception("internal error lane=%s", self._name)
            return None, error

    def _deliver(self, done: list[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
        self._waiting -= len(done)
        for future, result, error in done:
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
