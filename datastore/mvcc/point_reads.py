"""Reads of one key at its newest, many in one query.

Whatever waits while a query runs is the next query: one snapshot and one statement for all of
them, in the lane's thread. A front's thread that takes calls many at once (`serve_here`) answers
those of each turn itself (`reads_here.py`).

A read sees every write that was acknowledged before it was asked, because its snapshot is opened
later. Bounds: `WAITING` reads wait at most, more are refused with TooManyRequests; a query takes
at most `TOGETHER`, `HERE` in a front's thread.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from datastore.errors import DatastoreError, TooManyRequests
from datastore.mvcc.answer import Answer, Nobody
from datastore.mvcc.model import RangeQuery, RangeResult, Row, State
from datastore.mvcc.ranges import arrange
from datastore.mvcc.reads_here import ReadsHere

if TYPE_CHECKING:
    from datastore.mvcc.auth.guard import Guard
    from datastore.mvcc.backend import Session
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.newest import NewestRows

WAITING = 10_000
TOGETHER = 512
HERE = 16  # that a front's own thread reads at once


class Found(NamedTuple):
    """What a snapshot holds for some reads, and why some of them are refused."""

    state: State
    rows: dict[bytes, Row]
    refused: dict[RangeQuery, DatastoreError] | None


def is_point_read(query: RangeQuery) -> bool:
    """Say whether a query is for one key at its newest."""
    return not query.end and query.revision <= 0


class PointReads:
    """Gathers point reads in front of a lane.

    `here` is a session for the threads that serve their reads themselves, None where reading goes
    over a network.
    """

    def __init__(
        self, lane: Lane, guard: Guard, newest: NewestRows | None, here: Session | None = None
    ) -> None:
        self._newest = newest
        self._lane = lane
        self._guard = guard
        self._waiting: deque[tuple[RangeQuery, Answer]] = deque()
        self._lock = threading.Lock()
        self._scheduled = False  # a call in the lane is going to look at `_waiting`
        self._here = ReadsHere(here, lane, newest)

    def read(self, query: RangeQuery, answer: Answer) -> None:
        """Answer one read with a RangeResult: here, if the row is in memory."""
        at_hand = self._newest.read(query.key) if self._newest else None
        if at_hand is not None:
            revision, row = at_hand
            answer.set_result(_found(revision, [row], query))
            return
        with self._lock:
            if len(self._waiting) >= WAITING:
                raise TooManyRequests
            self._waiting.append((query, answer))
        if not self._here.is_here:
            self._ask_lane()

    def serve_here(self) -> None:
        """Be told that this thread will call `serve` after every few reads."""
        self._here.begin()

    def read_here(self, key: bytes) -> tuple[int, Row] | None:
        """Read a key that is not in memory in this thread: the store's revision and its live row.

        None if this thread does not serve its reads, or that is not so simple: `read` is.
        """
        return self._here.read(key)

    def serve(self) -> None:
        """Answer some of what waits in this thread; what is more, or was slow, is the lane's."""
        if not self._waiting:
            self._here.begin()
            return
        self._here.turn(self._serve)
        if self._waiting:
            self._ask_lane()

    def _serve(self, session: Session) -> None:
        batch = self._take(HERE)
        if batch:
            self._answer(batch, session)

    def _ask_lane(self) -> None:
        with self._lock:
            scheduled, self._scheduled = self._scheduled, True
        if not scheduled:
            self._schedule()

    def _schedule(self) -> None:
        """Have the lane look at what waits; what it refuses to look at is refused, all of it."""
        try:
            self._lane.submit(self._answer_some, Nobody())
        except DatastoreError as error:
            with self._lock:
                refused = [answer for _, answer in self._waiting]
                self._waiting.clear()
                self._scheduled = False  # the next read tries again
            self._lane.deliver([(answer, error) for answer in refused])

    def _answer_some(self, session: Session) -> None:
        """Answer what waits; whatever came meanwhile is another call, behind those of others."""
        more = self._answer_batch(session)
        while more and not self._lane.again(self._answer_some):
            more = self._answer_batch(session)

    def _answer_batch(self, session: Session) -> bool:
        """Answer one query's worth of reads, and say whether more wait."""
        batch = self._take(TOGETHER)
        if batch:
            self._answer(batch, session)
        with self._lock:
            self._scheduled = bool(self._waiting)
            return self._scheduled

    def _answer(self, batch: list[tuple[RangeQuery, Answer]], session: Session) -> None:
        queries = [query for query, _ in batch]
        outcome = self._lane.run(lambda session: self._results(session, queries), session)
        failed = isinstance(outcome, Exception)
        results = [outcome] * len(batch) if failed else outcome
        answers = [answer for _, answer in batch]
        self._lane.deliver(list(zip(answers, results, strict=True)))

    def _results(self, session: Session, queries: list[RangeQuery]) -> list[Any]:
        """Return a result, or why it is refused, for each of some reads."""
        found = self._read(session, queries)
        return [_result(found, query) for query in queries]

    def _read(self, session: Session, queries: list[RangeQuery]) -> Found:
        keys = {query.key for query in queries}
        state, rows = session.look(keys)
        if state.auth:
            return self._read_judged(session, queries, keys)
        if self._newest is not None:
            self._newest.learn(rows.values(), state.revision)
        return Found(state, rows, None)

    def _read_judged(self, session: Session, queries: list[RangeQuery], keys: set[bytes]) -> Found:
        """Read and judge in one snapshot, while auth is on."""
        with session.snapshot() as snapshot:
            state = snapshot.state()
            refused = self._guard.refusals(snapshot, state, queries) if state.auth else None
            return Found(state, snapshot.live(keys), refused)

    def _take(self, most: int) -> list[tuple[RangeQuery, Answer]]:
        with self._lock:
            count = min(len(self._waiting), most)
            batch = [self._waiting.popleft() for _ in range(count)]
        return [(query, answer) for query, answer in batch if not answer.done()]


def _result(found: Found, query: RangeQuery) -> RangeResult | DatastoreError:
    state, rows, refused = found
    if refused and query in refused:
        return refused[query]
    row = rows.get(query.key)
    return _found(state.revision, [row] if row else [], query)


def _found(revision: int, found: list[Row], query: RangeQuery) -> RangeResult:
    if query.count_only:
        return RangeResult(revision, [], more=False, total=len(found))
    kept, more = arrange(found, query)
    return RangeResult(revision, kept, more, len(found))
