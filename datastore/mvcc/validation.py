"""What a request must satisfy before it runs: pure checks, each an exact etcd error.

A Txn is validated whole, both branches and nested ones, before anything of it is evaluated.
The duplicate-key rule is etcd's, with the two holes that its clients may rely on: a nested put
followed by a delete in a later sibling, and a delete whose end is ``\\0``, pass
(`duplicate_keys.py`).
"""

from __future__ import annotations

from datastore.errors import (
    EmptyKey,
    InvalidSortOption,
    KeyNotFound,
    LeaseProvided,
    TooManyOperations,
    ValueProvided,
)
from datastore.mvcc.duplicate_keys import check_changes
from datastore.mvcc.model import DeleteRange, Op, Put, RangeQuery, Txn


def check_range(query: RangeQuery) -> None:
    """Refuse a read without a key or with an unknown sort option."""
    if not query.key:
        raise EmptyKey
    if not (0 <= query.order <= 2 and 0 <= query.target <= 4):
        raise InvalidSortOption


def check_put(put: Put) -> None:
    """Refuse a put without a key, or with a value or a lease that it says to ignore."""
    if not put.key:
        raise EmptyKey
    if put.ignore_value and put.value:
        raise ValueProvided
    if put.ignore_lease and put.lease:
        raise LeaseProvided


def check_delete(delete: DeleteRange) -> None:
    """Refuse a delete without a key."""
    if not delete.key:
        raise EmptyKey


def check_txn(txn: Txn, limit: int) -> None:
    """Refuse a Txn with too many operations, a bad operation or a key changed twice."""
    _check_shape(txn, limit)
    check_changes(txn.success)
    check_changes(txn.failure)


def is_read_only(txn: Txn) -> bool:
    """Say whether the Txn holds nothing but reads (a nested Txn counts as a write)."""
    return all(isinstance(op, RangeQuery) for op in (*txn.success, *txn.failure))


def _check_shape(txn: Txn, limit: int) -> None:
    used = max(len(txn.compares), len(txn.success), len(txn.failure))
    if used > limit:
        raise TooManyOperations
    if any(not compare.key for compare in txn.compares):
        raise EmptyKey
    for op in (*txn.success, *txn.failure):
        if isinstance(op, Txn):
            _check_shape(op, limit - used)
        else:
            _check_op(op)


def _check_op(op: Op | None) -> None:
    match op:
        case RangeQuery():
            check_range(op)
        case Put():
            check_put(op)
        case DeleteRange():
            check_delete(op)
        case _:
            raise KeyNotFound
