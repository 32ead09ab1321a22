"""What a request must satisfy before it runs: pure checks, each an exact etcd error.

A Txn is validated whole, both branches and nested ones, before anything of it is evaluated.
The duplicate-key rule is etcd's, with the two holes that its clients may rely on: a nested put
followed by a delete in a later sibling, and a delete whose end is ``\\0``, pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.errors import (
    DuplicateKey,
    EmptyKey,
    InvalidSortOption,
    KeyNotFound,
    LeaseProvided,
    TooManyOperations,
    ValueProvided,
)
from datastore.mvcc.model import DeleteRange, Op, Put, RangeQuery, Txn

if TYPE_CHECKING:
    from collections.abc import Iterable

Interval = tuple[bytes, bytes]  # half-open; an end of b"" is the key alone


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
    for branch in (txn.success, txn.failure):
        if len(branch) > 1 or (branch and isinstance(branch[0], Txn)):
            _changed_keys(branch)


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


def _changed_keys(ops: Iterable[Op | None]) -> tuple[set[bytes], list[Interval]]:
    """Return what one list puts and deletes, nested Txns included; raise DuplicateKey."""
    ops = tuple(ops)
    deletes = [(op.key, op.end) for op in ops if isinstance(op, DeleteRange)]
    puts: set[bytes] = set()
    nested_deletes: list[Interval] = []
    for txn in (op for op in ops if isinstance(op, Txn)):
        nested_puts, nested = _nested_keys(txn)
        if nested_puts & puts or _covers(nested_deletes, nested_puts):
            raise DuplicateKey
        puts |= nested_puts
        nested_deletes += nested
    if _covers(deletes, puts):
        raise DuplicateKey
    deletes += nested_deletes
    for put in (op for op in ops if isinstance(op, Put)):
        if put.key in puts or _covers(deletes, {put.key}):
            raise DuplicateKey
        puts.add(put.key)
    return puts, deletes


def _nested_keys(txn: Txn) -> tuple[set[bytes], list[Interval]]:
    success_puts, success_deletes = _changed_keys(txn.success)
    failure_puts, failure_deletes = _changed_keys(txn.failure)
    return success_puts | failure_puts, success_deletes + failure_deletes


def _covers(intervals: list[Interval], keys: set[bytes]) -> bool:
    return any(
        key == start if end == b"" else start <= key < end
        for start, end in intervals
        for key in keys
    )
