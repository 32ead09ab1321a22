"""Group commit: the one way in for every write.

Requests queue here; whatever waits when the database becomes free is one batch, one transaction,
one commit. A batch is answered only after its commit, and the watch hub has its events before any
caller is answered. Bounds: `QUEUE` requests and `QUEUE_BYTES` wait at most, more are refused with
TooManyRequests; a batch takes at most `BATCH` requests and `BATCH_BYTES`, except that one larger
request goes alone. A request whose caller has gone away leaves the queue unexecuted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from datastore.errors import DatastoreError, ServerStopped, TooManyRequests, Unavailable
from datastore.mvcc.backend import BackendDown, BackendFailed, CommitUnknown, Session, WriteTx
from datastore.mvcc.execution import execute
from datastore.mvcc.history import with_prevs
from datastore.mvcc.model import SUB_BITS, Event, State
from datastore.mvcc.planning import plan
from datastore.mvcc.views import BatchState, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from datastore.mvcc.lane import Lane
    from datastore.mvcc.requests import WriteRequest

log = logging.getLogger(__name__)
QUEUE = 10_000
QUEUE_BYTES = 256 << 20
BATCH = 1_000
BATCH_BYTES = 4 << 20
ASK_TIMES, ASK_SECONDS = 5, 0.5  # how often, and how far apart, an unclear commit is asked about
FOREIGN = 1_000  # events of other servers that a batch reads along


class Pending(NamedTuple):
    """A request in the queue."""

    request: WriteRequest
    size: int
    answer: asyncio.Future[Any]


class Outcome(NamedTuple):
    """What a batch came to: a result or an error for each request, and what to publish.

    `first` is the revision that `events` start after; older ones are for the hub to read.
    """

    results: list[Any]
    first: int
    events: list[Event]
    revision: int
    compact_revision: int


class Writer:
    """Queues writes and commits them in batches."""

    def __init__(
        self,
        lane: Lane,
        server: Server,
        publish: Callable[[Outcome], None],
        wants_values: Callable[[], bool],
    ) -> None:
        self._lane = lane
        self._publish = publish
        self._wants_values = wants_values
        self._queue: deque[Pending] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._committer = Committer(server)

    async def submit(self, request: WriteRequest, size: int = 0) -> Any:
        """Write, and return the result after the commit that made it durable."""
        if self._closing:
            raise ServerStopped
        if len(self._queue) >= QUEUE or self._queued_bytes + size > QUEUE_BYTES:
            raise TooManyRequests
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append(Pending(request, size, answer))
        self._queued_bytes += size
        self._wake.set()
        return await answer

    def start_from(self, revision: int) -> None:
        """Say up to which revision the hub has read the history before the first batch."""
        self._committer.seen = revision

    async def run(self) -> None:
        """Commit batches until `close`; then finish the queue and return."""
        while self._queue or not self._closing:
            await self._wake.wait()
            batch = self._take()
            if batch:
                await self._commit(batch)
            elif not self._closing:
                self._wake.clear()

    def close(self) -> None:
        """Refuse new requests; `run` returns when the queue is empty."""
        self._closing = True
        self._wake.set()

    def _take(self) -> list[Pending]:
        batch: list[Pending] = []
        size = 0
        while self._queue and len(batch) < BATCH:
            if batch and size + self._queue[0].size > BATCH_BYTES:
                break
            pending = self._queue.popleft()
            self._queued_bytes -= pending.size
            if not pending.answer.done():
                size += pending.size
                batch.append(pending)
        return batch

    async def _commit(self, batch: list[Pending]) -> None:
        requests = [pending.request for pending in batch]
        wants_values = self._wants_values()
        try:
            outcome = await self._lane.call(
                lambda session: self._committer.commit(session, requests, wants_values)
            )
        except Exception as error:  # noqa: BLE001  the callers get it; the writer goes on
            for pending in batch:
                if not pending.answer.done():
                    pending.answer.set_exception(error)
            return
        self._publish(outcome)
        for pending, result in zip(batch, outcome.results, strict=True):
            _answer(pending.answer, result)


def _answer(answer: asyncio.Future[Any], result: Any) -> None:
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)


class Committer:
    """The writer's half in the database's thread: run, commit, and find out what became of it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.seen = 0  # every revision up to this one has been published or left to the hub
        self._batch = 0

    def commit(
        self, session: Session, requests: Sequence[WriteRequest], wants_values: bool
    ) -> Outcome:
        """Commit the requests together; one by one if the database refuses them together."""
        try:
            return self._with_retry(session, requests, wants_values)
        except BackendFailed as error:
            if len(requests) == 1:
                raise
            log.warning("batch refused, one by one requests=%d error=%s", len(requests), error)
        return self._one_by_one(session, requests, wants_values)

    def _one_by_one(
        self, session: Session, requests: Sequence[WriteRequest], wants_values: bool
    ) -> Outcome:
        first = expected = self.seen
        results: list[Any] = []
        events: list[Event] = []
        outcome = Outcome([], first, [], first, -1)
        for request in requests:
            try:
                outcome = self._with_retry(session, [request], wants_values)
            except (BackendDown, BackendFailed, CommitUnknown) as error:
                log.warning("request refused by the database error=%s", error)
                results.append(Unavailable())
                continue
            results += outcome.results
            if outcome.first > expected:  # the hub has to read what lies between
                first, events = outcome.first, []
            events += outcome.events
            expected = outcome.revision
        return Outcome(results, first, events, outcome.revision, outcome.compact_revision)

    def _with_retry(
        self, session: Session, requests: Sequence[WriteRequest], wants_values: bool
    ) -> Outcome:
        """Try again once on a connection that turned out to be dead: nothing was written."""
        try:
            return self._attempt(session, requests, wants_values)
        except BackendDown as error:
            log.info("reconnecting error=%s", error)
            return self._attempt(session, requests, wants_values)

    def _attempt(
        self, session: Session, requests: Sequence[WriteRequest], wants_values: bool
    ) -> Outcome:
        self._batch += 1
        outcome: Outcome | None = None
        try:
            with session.transaction() as tx:
                prefetch = tx.prefetch(plan(requests, wants_values=wants_values))
                batch = BatchState(tx, prefetch, self._server, wants_values=wants_values)
                first, foreign = self._foreign(tx, prefetch.state, wants_values)
                results = [_run(batch, request) for request in requests]
                changed = self._finish(batch)
                events = foreign + batch.events
                outcome = Outcome(results, first, events, batch.revision, batch.compact_revision)
                if changed:
                    tx.commit(self._batch, batch.revision)
        except CommitUnknown as error:
            if not self._committed(session, error):
                raise BackendDown(f"not committed: {error}") from error
        assert outcome is not None  # only `commit` says CommitUnknown, and it comes last
        self.seen = outcome.revision
        return outcome

    def _committed(self, session: Session, error: CommitUnknown) -> bool:
        """Ask the database, on a new connection and under the lock, what became of the batch.

        CommitUnknown again when it cannot be asked: then nobody may say, nor try once more.
        """
        for attempt in range(ASK_TIMES):
            try:
                return session.last_batch() == self._batch
            except (BackendDown, BackendFailed) as trouble:
                log.warning("commit unclear attempt=%d error=%s", attempt, trouble)
                time.sleep(ASK_SECONDS)
        raise CommitUnknown(str(error)) from error

    def _finish(self, batch: BatchState) -> bool:
        """Flush; say whether the transaction has written anything at all."""
        wrote = bool(batch.events) or batch.flushed or not batch.changes.empty()
        batch.flush()
        return wrote

    def _foreign(self, tx: WriteTx, state: State, wants_values: bool) -> tuple[int, list[Event]]:
        """Read what other servers committed since the last batch, if it is not too much."""
        if state.revision <= self.seen:
            return state.revision, []
        first, last = (self.seen + 1) << SUB_BITS, (state.revision + 1) << SUB_BITS
        rows = tx.history(first, last, FOREIGN + 1)
        if len(rows) > FOREIGN or state.compact_revision > self.seen:
            return state.revision, []
        if not wants_values:
            return self.seen, [Event(row, prev_known=False) for row in rows]
        return self.seen, with_prevs(tx, rows, state.compact_revision)


def _run(batch: BatchState, request: WriteRequest) -> Any:
    try:
        return execute(batch, request)
    except DatastoreError as error:
        return error
