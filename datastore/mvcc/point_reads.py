"""Reads of one key at its newest, many in one query.

Whatever waits while a query runs is the next query: one snapshot, one statement and one hand-over
to the database's thread for all of them. A read sees every write that was acknowledged before it
was asked, because its snapshot is opened later. Bounds: `WAITING` reads wait at most, more are
refused with TooManyRequests; a query takes at most `TOGETHER`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from datastore.errors import DatastoreError, ServerStopped, TooManyRequests
from datastore.mvcc.model import RangeQuery, RangeResult, Row, State
from datastore.mvcc.ranges import arrange

if TYPE_CHECKING:
    from datastore.mvcc.backend import Session
    from datastore.mvcc.lane import Lane

WAITING = 10_000
TOGETHER = 512


def is_point_read(query: RangeQuery) -> bool:
    """Say whether a query is for one key at its newest."""
    return not query.end and query.revision <= 0


class PointReads:
    """Gathers point reads; `run` is its task."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._waiting: deque[tuple[RangeQuery, asyncio.Future[RangeResult]]] = deque()
        self._wake = asyncio.Event()
        self._closed = False

    async def read(self, query: RangeQuery) -> RangeResult:
        """Answer one read."""
        if self._closed:
            raise ServerStopped
        if len(self._waiting) >= WAITING:
            raise TooManyRequests
        answer: asyncio.Future[RangeResult] = asyncio.get_running_loop().create_future()
        self._waiting.append((query, answer))
        self._wake.set()
        return await answer

    async def run(self) -> None:
        """Answer reads until cancelled; those that then wait are told that the server stops."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self._answer()
        finally:
            self._closed = True
            for _, answer in self._waiting:
                if not answer.done():
                    answer.set_exception(ServerStopped())

    async def _answer(self) -> None:
        count = min(len(self._waiting), TOGETHER)
        batch = [self._waiting.popleft() for _ in range(count)]
        keys = {query.key for query, answer in batch if not answer.done()}
        try:
            state, rows = await self._lane.call(lambda session: _read(session, keys))
        except (DatastoreError, asyncio.CancelledError) as error:
            stopped = isinstance(error, asyncio.CancelledError)
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(ServerStopped() if stopped else error)
            if stopped:
                raise
            return
        for query, answer in batch:
            if not answer.done():
                answer.set_result(_result(state, rows.get(query.key), query))


def _read(session: Session, keys: set[bytes]) -> tuple[State, dict[bytes, Row]]:
    with session.snapshot() as snapshot:
        return snapshot.state(), snapshot.live(keys)


def _result(state: State, row: Row | None, query: RangeQuery) -> RangeResult:
    found = [row] if row else []
    if query.count_only:
        return RangeResult(state.revision, [], more=False, total=len(found))
    kept, more = arrange(found, query)
    return RangeResult(state.revision, kept, more, len(found))
