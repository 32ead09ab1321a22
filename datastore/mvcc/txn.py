"""Evaluating writes: pure decisions over a `View`, which holds the state and takes the changes.

A Txn runs in three steps: all compares, nested ones too, are judged against the state before it;
the operations of the branches taken are checked against that same state; then they run in order,
each seeing those before it. Any error means that nothing of the request may be kept: the caller
drops the view's changes.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from datastore.errors import Compacted, FutureRevision, KeyNotFound, LeaseNotFound
from datastore.mvcc.model import (
    SUB_BITS,
    Compare,
    CompareTarget,
    DeleteRange,
    DeleteResult,
    Head,
    Op,
    OpResult,
    Put,
    PutResult,
    RangeQuery,
    Row,
    Txn,
    TxnResult,
)
from datastore.mvcc.ranges import RangeView, check_revision, read_range

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class View(RangeView, Protocol):
    """The state that one request sees, its own changes included."""

    @property
    def revision(self) -> int:
        """The store's revision, or that of this request once it changed something."""

    @property
    def next_revision(self) -> int:
        """The revision that this request's changes get."""

    @property
    def wants_values(self) -> bool:
        """Whether watchers will ask for the value that a delete removes."""

    def head(self, key: bytes) -> Head | Row | None:
        """Return the newest event of a key, a tombstone too."""

    def row(self, key: bytes) -> Row | None:
        """Return the live row of a key, with its value."""

    def has_lease(self, lease: int) -> bool:
        """Say whether a lease exists."""

    def put(self, key: bytes, value: bytes, lease: int) -> None:
        """Add a put event."""

    def delete(self, row: Row, *, complete: bool) -> None:
        """Add a tombstone for a live row; `complete` says that the row carries its value."""


class Path(NamedTuple):
    """Which branch a Txn takes, and the paths of the nested Txns in it, in order."""

    succeeded: bool
    nested: tuple[Path, ...]


def run_range(view: View, query: RangeQuery) -> OpResult:
    """Answer a read inside a write."""
    return read_range(view, query)


def run_put(view: View, put: Put) -> PutResult:
    """Write one key; LeaseNotFound, or KeyNotFound when there is nothing to keep."""
    _check_lease(view, put)
    _check_kept(view, put)
    prev = view.row(put.key) if put.prev_kv or put.ignore_value else None
    head = view.head(put.key)
    lease = head.lease if put.ignore_lease and head else put.lease
    view.put(put.key, prev.value if put.ignore_value and prev else put.value, lease)
    return PutResult(view.revision, prev if put.prev_kv else None)


def _check_lease(view: View, put: Put) -> None:
    if put.lease and not view.has_lease(put.lease):
        raise LeaseNotFound


def _check_kept(view: View, put: Put) -> None:
    """Refuse to keep the value or the lease of a key that is not there."""
    if put.ignore_value or put.ignore_lease:
        head = view.head(put.key)
        if head is None or head.deleted:
            raise KeyNotFound


def run_delete(view: View, delete: DeleteRange) -> DeleteResult:
    """Delete every live key in the range, in key order."""
    values = delete.prev_kv or view.wants_values
    rows = view.scan(delete.key, delete.end, 0, 0, values=values)
    for row in rows:
        view.delete(row, complete=values)
    return DeleteResult(view.revision, len(rows), rows if delete.prev_kv else [])


def run_txn(view: View, txn: Txn) -> TxnResult:
    """Run a validated Txn."""
    path = choose(view, txn)
    _check_branch(view, txn, path)
    return _run_branch(view, txn, path)


def choose(view: View, txn: Txn) -> Path:
    """Judge every compare of the Txn and of the Txns nested in the branch it takes."""
    succeeded = all(holds(view, compare) for compare in txn.compares)
    branch = txn.success if succeeded else txn.failure
    return Path(succeeded, tuple(choose(view, op) for op in branch if isinstance(op, Txn)))


def holds(view: View, compare: Compare) -> bool:
    """Say whether a compare is true: of every key in its range, or of a missing key."""
    rows: Sequence[Head | Row]
    if compare.end or compare.target == CompareTarget.VALUE:
        needs_value = compare.target == CompareTarget.VALUE
        rows = view.scan(compare.key, compare.end, 0, 0, values=needs_value)
    else:
        head = view.head(compare.key)
        rows = [] if head is None or head.deleted else [head]
    if not rows:
        return compare.target != CompareTarget.VALUE and _relates(compare, 0)
    return all(_relates(compare, _field(compare.target, row)) for row in rows)


def _field(target: int, row: Head | Row) -> int | bytes | None:
    if target == CompareTarget.VALUE and isinstance(row, Row):
        return row.value
    read = _FIELDS.get(target)
    return read(row) if read else None


_FIELDS: dict[int, Callable[[Head | Row], int]] = {
    CompareTarget.VERSION: lambda row: row.version,
    CompareTarget.CREATE: lambda row: row.create_revision,
    CompareTarget.MOD: lambda row: row.id >> SUB_BITS,
    CompareTarget.LEASE: lambda row: row.lease,
}

_RELATIONS: dict[int, Callable[..., bool]] = {
    0: operator.eq,
    1: operator.gt,
    2: operator.lt,
    3: operator.ne,
}


def _relates(compare: Compare, stored: int | bytes | None) -> bool:
    """Relate stored to given; as in etcd an unknown target is equal, an unknown relation true."""
    relation = _RELATIONS.get(compare.result)
    if relation is None:
        return True
    if stored is None or compare.target not in CompareTarget.__members__.values():
        return relation(0, 0)
    return relation(stored, compare.operand)


def _check_branch(view: View, txn: Txn, path: Path) -> None:
    nested = iter(path.nested)
    for op in txn.success if path.succeeded else txn.failure:
        match op:
            case Put():
                _check_kept(view, op)  # in a Txn the key comes before the lease
                _check_lease(view, op)
            case RangeQuery():
                _check_txn_revision(view, op.revision)
            case Txn():
                _check_branch(view, op, next(nested))


def _check_txn_revision(view: View, asked: int) -> None:
    """Check a read's revision as a Txn does: a negative one is compacted, not now."""
    if asked < 0 and asked < view.compact_revision:
        raise Compacted
    if asked > view.revision:
        raise FutureRevision
    check_revision(asked, view.revision, view.compact_revision)


def _run_branch(view: View, txn: Txn, path: Path) -> TxnResult:
    nested = iter(path.nested)
    results: list[OpResult] = []
    for op in txn.success if path.succeeded else txn.failure:
        if isinstance(op, Txn):
            results.append(_run_branch(view, op, next(nested)))
        elif op is not None:
            results.append(run_op(view, op))
    return TxnResult(view.revision, path.succeeded, results)


def run_op(view: View, op: Op) -> OpResult:
    """Run any operation that is not a Txn."""
    match op:
        case Put():
            return run_put(view, op)
        case DeleteRange():
            return run_delete(view, op)
        case RangeQuery():
            return run_range(view, op)
        case _:
            return run_txn(view, op)
