"""Threads that do the database's blocking work.

A `Lane` is one or more threads, each with a session of its own, behind one queue. A call comes
from any thread and its outcome goes to an `Answer`: the event loop's answers go back to it
together, because a wake-up of the loop costs more than a point read; others get theirs in the
lane's thread at once. Overflow rule: more than `BOUND` calls waiting are refused with
TooManyRequests.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from datastore.errors import (
    DatastoreError,
    NoSpace,
    ServerStopped,
    TooManyRequests,
    Unavailable,
)
from datastore.mvcc.answer import Done, Nobody, complete_all, complete_here, on_loop
from datastore.mvcc.backend import (
    BackendBroken,
    BackendDown,
    BackendFailed,
    BackendFull,
    CommitUnknown,
    Session,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.mvcc.answer import Answer
    from datastore.mvcc.statement_times import StatementTimes

log = logging.getLogger(__name__)
BOUND = 10_000
T = TypeVar("T")
Call = tuple["Callable[[Session], Any]", "Answer"]


class Use(NamedTuple):
    """What the sessions of a lane are doing, and the times of what they have done."""

    name: str
    sessions: int
    busy: int
    waiting: int  # calls
    times: tuple[StatementTimes, ...]


def as_answered(error: Exception, lane: str) -> Exception:
    """Return an error as callers may see it: trouble with the database is Unavailable.

    The log has the driver's words.
    """
    if isinstance(error, DatastoreError):
        return error
    if isinstance(error, BackendDown | BackendFailed | BackendBroken | CommitUnknown):
        log.warning("database trouble lane=%s error=%s", lane, error)
        return NoSpace() if isinstance(error, BackendFull) else Unavailable()
    log.error("internal error lane=%s", lane, exc_info=error)
    return error


class Lane:
    """Runs calls on sessions in threads; see the module.

    A thread takes up to `together` calls at once. One that found its connection dead makes the
    call once more, on a new one. The sessions are opened here, so that whoever starts the store
    learns of one that cannot be.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Session],
        *,
        threads: int = 1,
        together: int = 1,
    ) -> None:
        self._name = name
        self._together = together
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._closed = False
        self._door = threading.Lock()  # nothing is put behind the signs that end the threads
        self._loop = asyncio.get_running_loop()
        sessions = [connect() for _ in range(threads)]
        self._times = tuple(session.times for session in sessions)
        self._at_work = [False] * threads
        self._threads = [
            threading.Thread(target=self._work, args=(n, each), name=f"{name}-{n}", daemon=True)
            for n, each in enumerate(sessions)
        ]
        for thread in self._threads:
            thread.start()

    def use(self) -> Use:
        """Return what its sessions are doing."""
        waiting = self._calls.qsize()
        return Use(self._name, len(self._threads), sum(self._at_work), waiting, self._times)

    async def call(self, function: Callable[[Session], T]) -> T:
        """Run a function of a session in the lane and return what it returns.

        A cancelled caller does not stop a call that has begun. A database in trouble is
        Unavailable, whatever the driver said; the log has the driver's words.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self.submit(function, future)
        return await future

    def submit(self, function: Callable[[Session], Any], answer: Answer) -> None:
        """Run a function of a session in the lane; the answer gets what it returns or raises."""
        if self._calls.qsize() >= BOUND:
            raise TooManyRequests
        if not self._put((function, answer)):
            raise ServerStopped

    def again(self, function: Callable[[Session], Any]) -> bool:
        """Run one more call, behind those that wait; say no if the lane closes and will not."""
        return self._put((function, Nobody()))

    def _put(self, call: Call) -> bool:
        with self._door:
            if not self._closed:
                self._calls.put(call)
            return not self._closed

    async def close(self) -> None:
        """Finish the calls that wait, close the sessions and end the threads."""
        with self._door:
            if not self._closed:
                for _ in self._threads:
                    self._calls.put(None)
            self._closed = True
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _work(self, number: int, session: Session) -> None:
        ending = False
        while not ending:
            self._at_work[number] = False
            batch = [self._calls.get()]
            self._at_work[number] = True
            with suppress(queue.Empty):
                while len(batch) < self._together:
                    batch.append(self._calls.get_nowait())
            ending = None in batch
            if batch.count(None) > 1:
                self._calls.put(None)  # another thread's sign
            self.deliver(
                [
                    (answer, self.run(function, session))
                    for function, answer in filter(None, batch)
                    if not answer.done()
                ]
            )
        session.close()

    def deliver(self, done: list[Done]) -> None:
        """Hand outcomes over, from a thread of the lane."""
        complete_here(done)
        if waiting := on_loop(done):
            with suppress(RuntimeError):  # the loop is gone: so are the callers
                self._loop.call_soon_threadsafe(complete_all, waiting)

    def run(self, call: Callable[[Session], Any], session: Session) -> Any:
        """Return the outcome of a call: what it returned, or the error it ended with."""
        try:
            try:
                return call(session)
            except BackendDown:
                return call(session)  # on a connection that is made anew
        except Exception as error:  # noqa: BLE001  the caller gets it; the lane goes on
            return as_answered(error, self._name)
