"""The operations on keys, from the edge to where they run: check, route, hand on.

Nothing here blocks or needs the event loop, so that a front may start an operation in whichever
thread has read it; the answer gets its outcome in the thread that has it (`answer.py` says how).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from datastore.mvcc import validation
from datastore.mvcc.counts import read_counted
from datastore.mvcc.point_reads import is_point_read
from datastore.mvcc.ranges import pages
from datastore.mvcc.snapshot_view import SnapshotView
from datastore.mvcc.txn import run_txn

if TYPE_CHECKING:
    from datastore.mvcc.answer import Answer
    from datastore.mvcc.auth.guard import Guard
    from datastore.mvcc.backend import Session
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.model import DeleteRange, Put, RangeQuery, Row, Txn, TxnResult
    from datastore.mvcc.point_reads import PointReads
    from datastore.mvcc.store import Store
    from datastore.mvcc.writer import Writer

log = logging.getLogger(__name__)
LONGEST_PAGE = 1_000  # rows


class Reads(NamedTuple):
    """Where reads run: those of one key, pages, and all others."""

    points: PointReads
    pages: Lane
    ranges: Lane


class KeySpace:
    """The keys of a store; see the module. Every method raises what refuses its request."""

    def __init__(self, store: Store, reads: Reads, writer: Writer) -> None:
        self._store = store
        self._points, self._pages, self._ranges = reads
        self._writer = writer
        self._operations = store.limits.txn_operations

    def range(self, query: RangeQuery, answer: Answer) -> None:
        """Start a Range, all of it from one snapshot; the result is a RangeResult."""
        validation.check_range(query)
        if is_point_read(query):
            self._points.read(query, answer)
        else:
            counts = self._store.hub.counts
            guard = self._store.guard
            lane = self._pages if _is_short(query) else self._ranges
            lane.submit(lambda session: read_counted(session, query, counts, guard), answer)

    def serve_here(self) -> None:
        """Be told that this thread will call `serve` after every few operations."""
        self._points.serve_here()

    def read_here(self, key: bytes) -> tuple[int, Row] | None:
        """Read a key in this thread, if it serves its reads and that is simple; else None."""
        return self._points.read_here(key)

    def serve(self) -> None:
        """Answer the reads of one key that this thread has started; it raises nothing."""
        try:
            self._points.serve()
        except Exception:  # the reads' callers have been told; the thread goes on
            log.exception("internal error while reading")

    def put(self, put: Put, size: int, answer: Answer) -> None:
        """Start a write of one key; the result is a PutResult. `size` is the request's bytes."""
        validation.check_put(put)
        self._write(put, size, answer)

    def delete_range(self, delete: DeleteRange, size: int, answer: Answer) -> None:
        """Start a delete of a range; the result is a DeleteResult."""
        validation.check_delete(delete)
        self._write(delete, size, answer)

    def txn(self, txn: Txn, size: int, answer: Answer) -> None:
        """Start a Txn, on a snapshot if it only reads; the result is a TxnResult."""
        validation.check_txn(txn, self._operations)
        if validation.is_read_only(txn):
            guard = self._store.guard
            self._ranges.submit(lambda session: _read_txn(session, txn, guard), answer)
        else:
            self._write(txn, size, answer)

    def _write(self, request: Put | DeleteRange | Txn, size: int, answer: Answer) -> None:
        self._writer.enqueue(request, size, answer)


def _is_short(query: RangeQuery) -> bool:
    """Say whether a read ends soon, whatever the range holds: a page, whose count is known."""
    return query.limit <= LONGEST_PAGE and pages(query) and not query.count_only


def _read_txn(session: Session, txn: Txn, guard: Guard) -> TxnResult:
    with session.snapshot() as snapshot:
        state = snapshot.state()
        if state.auth:
            guard.check(snapshot, state, txn)
        return run_txn(SnapshotView(snapshot, state), txn)
