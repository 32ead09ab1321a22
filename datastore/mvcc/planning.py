"""What a batch will read: pure, so that a backend can fetch it all in one exchange.

A key that is named alone is prefetched; whatever ranges touch is read when they run. Planning too
little costs a query, never a wrong answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.backend import Wanted
from datastore.mvcc.model import CompareTarget, DeleteRange, Put, RangeQuery, Txn
from datastore.mvcc.requests import GrantLease, RenewLease, RevokeLease, WriteRequest

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Plan:
    def __init__(self, *, wants_values: bool) -> None:
        self.wants_values = wants_values
        self.keys: set[bytes] = set()
        self.value_keys: set[bytes] = set()
        self.leases: set[int] = set()

    def add_key(self, key: bytes, *, value: bool) -> None:
        self.keys.add(key)
        if value:
            self.value_keys.add(key)

    def add(self, request: object) -> None:
        match request:
            case Put():
                needs = request.prev_kv or request.ignore_value or self.wants_values
                self.add_key(request.key, value=needs)
                if request.lease:
                    self.leases.add(request.lease)
            case Txn():
                self.add_txn(request)
            case DeleteRange(end=b""):
                self.add_key(request.key, value=request.prev_kv or self.wants_values)
            case RangeQuery(end=b"", revision=0):
                self.add_key(request.key, value=not (request.keys_only or request.count_only))
            case GrantLease() | RenewLease() | RevokeLease() if request.id:
                self.leases.add(request.id)

    def add_txn(self, txn: Txn) -> None:
        for compare in txn.compares:
            if not compare.end:
                self.add_key(compare.key, value=compare.target == CompareTarget.VALUE)
        for op in (*txn.success, *txn.failure):
            self.add(op)


def plan(requests: Iterable[WriteRequest], *, wants_values: bool) -> Wanted:
    """Return the keys and leases that the requests name.

    wants_values says that watchers will want what each write replaces.
    """
    wanted = _Plan(wants_values=wants_values)
    for request in requests:
        wanted.add(request)
    return Wanted(wanted.keys, wanted.value_keys, wanted.leases)
