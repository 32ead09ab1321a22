"""The operations on keys, from the edge to where they run: check, route, hand on.

Nothing here blocks or needs the event loop, so that a front may start an operation in whichever
thread has read it; the answer gets its outcome in the thread that has it (`answer.py` says how).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc import validation
from datastore.mvcc.answer import Nobody
from datastore.mvcc.execution import NOSPACE, puts_something
from datastore.mvcc.model import Alarm, DeleteRange, Op, Put, RangeQuery, RangeResult, Txn
from datastore.mvcc.point_reads import is_point_read
from datastore.mvcc.ranges import check_revision, read_range
from datastore.mvcc.requests import RaiseAlarm
from datastore.mvcc.txn import run_txn
from datastore.mvcc.views import SnapshotView

if TYPE_CHECKING:
    from datastore.mvcc.answer import Answer
    from datastore.mvcc.backend import Session
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.model import TxnResult
    from datastore.mvcc.point_reads import PointReads
    from datastore.mvcc.store import Store
    from datastore.mvcc.writer import Writer


class KeySpace:
    """The keys of a store; see the module. Every method raises what refuses its request."""

    def __init__(self, store: Store, *, points: PointReads, ranges: Lane, writer: Writer) -> None:
        self._store = store
        self._points = points
        self._ranges = ranges
        self._writer = writer
        self._operations = store.limits.txn_operations
        self._quota = store.limits.quota

    def range(self, query: RangeQuery, answer: Answer) -> None:
        """Start a Range, all of it from one snapshot; the result is a RangeResult."""
        validation.check_range(query)
        if is_point_read(query):
            self._points.read(query, answer)
        else:
            self._ranges.submit(lambda session: read_snapshot(session, query), answer)

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
            self._ranges.submit(lambda session: _read_txn(session, txn), answer)
        else:
            self._write(txn, size, answer)

    def check_quota(self, cost: int) -> None:
        """Raise the NOSPACE alarm if so many bytes do not fit: the writer then refuses them."""
        if cost and 0 < self._quota <= self._store.size.allocated + cost:
            alarm = Alarm(self._store.backend.member_id, NOSPACE)
            self._writer.enqueue(RaiseAlarm(alarm), 0, Nobody())

    def _write(self, request: Put | DeleteRange | Txn, size: int, answer: Answer) -> None:
        if self._store.size.allocated + size >= self._quota > 0 and puts_something(request):
            self.check_quota(put_cost(request))
        self._writer.enqueue(request, size, answer)


def put_cost(request: Op | None) -> int:
    """Return what etcd's quota counts for a request: the dearer branch of a Txn."""
    match request:
        case Put():
            return 256 + len(request.key) + len(request.value)
        case Txn():
            return max(
                sum(put_cost(op) for op in request.success),
                sum(put_cost(op) for op in request.failure),
            )
        case _:
            return 0


def read_snapshot(session: Session, query: RangeQuery) -> RangeResult:
    """Answer a Range from a snapshot of its own."""
    with session.snapshot() as snapshot:
        state = snapshot.state()
        check_revision(query.revision, state.revision, state.compact_revision)
        return read_range(SnapshotView(snapshot, state), query)


def _read_txn(session: Session, txn: Txn) -> TxnResult:
    with session.snapshot() as snapshot:
        return run_txn(SnapshotView(snapshot, snapshot.state()), txn)
