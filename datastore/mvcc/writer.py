"""Group commit: the one way in for every write.

Requests queue here, from any thread; whatever waits when the database becomes free is one batch,
one transaction, one commit. The writer is a thread of its own: it sleeps while nothing waits, and
never needs the event loop to go on. A batch is answered only after its commit, and the watch hub
has its events before any caller is answered, so that whatever a caller does next comes after them.

Bounds: `QUEUE` requests and `QUEUE_BYTES` wait at most, more are refused with TooManyRequests; a
batch takes at most `BATCH` requests and `BATCH_BYTES`, except that one larger request goes alone.
A request whose caller has gone away leaves the queue unexecuted.

After a batch whose callers wait on the event loop the writer pauses for as long as the loop takes
to answer them and to read what they ask next (`LOOP_SECONDS` each). It would only fight the loop
for the interpreter, for one small batch after the other.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from datastore.errors import ServerStopped, TooManyRequests
from datastore.mvcc.answer import Done, complete_all, complete_here, on_loop
from datastore.mvcc.committer import Committer, Outcome
from datastore.mvcc.lane import Use, as_answered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from datastore.mvcc.answer import Answer
    from datastore.mvcc.backend import Session
    from datastore.mvcc.batch import Server
    from datastore.mvcc.model import Lease
    from datastore.mvcc.requests import WriteRequest

QUEUE = 10_000
QUEUE_BYTES = 256 << 20
BATCH = 1_000
BATCH_BYTES = 4 << 20
LOOP_SECONDS, LONGEST_PAUSE = 0.0002, 0.02
FEW = 8  # callers: no pause is made for them, and the loop is woken before they are answered


class Watching(NamedTuple):
    """What the writer is told about watchers, and tells them."""

    offer: Callable[[Outcome], bool]
    catch_up: Callable[[], None]
    note_leases: Callable[[Mapping[int, Lease | None]], None]
    wants_values: Callable[[], bool]
    reached: Callable[[], int]  # the revision up to which they have had everything


Pending = tuple["WriteRequest", int, "Answer"]  # the request, its bytes, who waits


class Writer:
    """Queues writes and commits them in batches."""

    def __init__(self, connect: Callable[[], Session], server: Server, hub: Watching) -> None:
        self._at_work = False
        self._session = connect()  # here, so that whoever starts the store learns of trouble
        self._hub = hub
        self._committer = Committer(server)
        self.counters = self._committer.counters
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Pending] = deque()
        self._lock = threading.Lock()
        self._bytes_in = self._bytes_out = 0
        self._asleep = False
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._closing = False

    async def submit(self, request: WriteRequest, size: int = 0) -> Any:
        """Write, and return the result after the commit that made it durable."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.enqueue(request, size, answer)
        return await answer

    def enqueue(self, request: WriteRequest, size: int, answer: Answer) -> None:
        """Queue a write of so many bytes; ServerStopped or TooManyRequests if it cannot wait."""
        with self._lock:
            if self._closing:
                raise ServerStopped
            waiting = self._bytes_in - self._bytes_out
            if len(self._queue) >= QUEUE or waiting + size > QUEUE_BYTES:
                raise TooManyRequests
            self._bytes_in += size
            self._queue.append((request, size, answer))
        if self._asleep:
            self._rouse()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._queue)

    def use(self) -> Use:
        """Return what its session is doing."""
        return Use("writes", 1, int(self._at_work), self.waiting, (self._session.times,))

    @property
    def reached(self) -> int:
        """The revision that the store had after the last batch."""
        return self._committer.seen

    def start_from(self, revision: int) -> None:
        """Say up to which revision the hub has read the history before the first batch."""
        self._committer.seen = revision

    async def run(self) -> None:
        """Commit batches until `close`; then finish the queue and return."""
        ended: asyncio.Future[None] = self._loop.create_future()
        thread = threading.Thread(target=self._work, args=(ended,), name="writer", daemon=True)
        thread.start()
        await ended
        thread.join()

    def close(self) -> None:
        """Refuse new requests; `run` returns when the queue is empty."""
        with self._lock:
            self._closing = True
        self._rouse()

    def _rouse(self) -> None:
        self._asleep = False
        self._wake.put(None)

    def _work(self, ended: asyncio.Future[None]) -> None:
        while True:
            batch = self._take()
            if batch:
                self._at_work = True
                callers = self._commit(self._session, batch)
                self._at_work = False
                _let_loop_work(callers)
            elif self._closing and not self._queue:
                break
            else:
                self._sleep()
        self._tell_loop(ended.set_result, None)
        self._session.close()

    def _sleep(self) -> None:
        """Wait for a request; one that came while falling asleep has not seen it and is looked for.

        A token too many in `_wake` only makes one look at an empty queue.
        """
        self._asleep = True
        if not self._queue and not self._closing:
            self._wake.get()
        self._asleep = False

    def _take(self) -> list[Pending]:
        batch: list[Pending] = []
        waiting = self._queue
        size = 0
        while waiting and len(batch) < BATCH:
            if batch and size + waiting[0][1] > BATCH_BYTES:
                break
            pending = waiting.popleft()
            self._bytes_out += pending[1]
            if not pending[2].done():
                size += pending[1]
                batch.append(pending)
        return batch

    def _commit(self, session: Session, batch: list[Pending]) -> int:
        """Commit and answer a batch; return how many of its callers wait on the loop."""
        requests = [pending[0] for pending in batch]
        self._committer.heard(self._hub.reached())
        try:
            outcome = self._committer.commit(session, requests, self._hub.wants_values())
        except Exception as error:  # noqa: BLE001  the callers get it; the writer goes on
            trouble = as_answered(error, "writes")
            self.counters.failed += len(batch)
            return self._answer(None, [(pending[2], trouble) for pending in batch])
        self.counters.batches.observe(len(batch))
        self.counters.put_bytes += sum([pending[1] for pending in batch])
        answers = [pending[2] for pending in batch]
        return self._answer(outcome, list(zip(answers, outcome.results, strict=True)))

    def _answer(self, outcome: Outcome | None, done: list[Done]) -> int:
        """Leave a batch with the hub, then answer it: here, or on the loop once that has it.

        The loop is told first if it has time to wake up while the few others are answered.
        """
        leases = outcome.leases if outcome else {}
        urgent = outcome is not None and self._hub.offer(outcome)
        waiting = on_loop(done)
        tells = urgent or bool(leases or waiting)
        first = tells and len(done) < FEW
        if first:
            self._tell_loop(self._deliver, leases, waiting)
        complete_here(done)
        if tells and not first:
            self._tell_loop(self._deliver, leases, waiting)
        return len(waiting)

    def _deliver(self, leases: Mapping[int, Lease | None], done: list[Done]) -> None:
        try:
            if leases:
                self._hub.note_leases(leases)
            self._hub.catch_up()
        finally:
            complete_all(done)

    def _tell_loop(self, function: Callable[..., object], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop is gone: so are the callers
            self._loop.call_soon_threadsafe(function, *arguments)


def _let_loop_work(callers: int) -> None:
    if callers >= FEW:
        time.sleep(min(callers * LOOP_SECONDS, LONGEST_PAUSE))
