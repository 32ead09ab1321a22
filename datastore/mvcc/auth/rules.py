"""What each request of the store needs: the literal table RULES. Pure.

A request that is in no table cannot be checked, and is refused by a KeyError: nothing passes
because it was forgotten. What the other calls need is in `datastore/rpc/rules.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datastore.mvcc.auth.model import Access
from datastore.mvcc.model import DeleteRange, LeaseQuery, LeasesQuery, Put, RangeQuery, Txn
from datastore.mvcc.requests import GrantLease, RenewLease, RevokeLease

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.mvcc.auth.guard import Judge


def check(judge: Judge, request: Any) -> None:
    """Refuse a request that the caller may not make, whatever would come of it."""
    RULES[type(request)](judge, request)


def _range(judge: Judge, query: RangeQuery) -> None:
    judge.read(query.key, query.end)


def _put(judge: Judge, put: Put) -> None:
    """A lease may be attached by those alone who could revoke it."""
    judge.write(put.key)
    if put.lease:
        judge.lease(Access.WRITE, put.lease)
    if put.prev_kv:
        judge.read(put.key)


def _delete(judge: Judge, delete: DeleteRange) -> None:
    judge.write(delete.key, delete.end)
    if delete.prev_kv:
        judge.read(delete.key, delete.end)


def _txn(judge: Judge, txn: Txn) -> None:
    """Every compare, and every operation of both branches, nested ones included."""
    for compare in txn.compares:
        judge.read(compare.key, compare.end)
    for op in (*txn.success, *txn.failure):
        check(judge, op)


def _grant(judge: Judge, _: GrantLease) -> None:
    judge.user()


def _lease(judge: Judge, request: RevokeLease | RenewLease) -> None:
    judge.user()
    judge.lease(Access.WRITE, request.id)


def _ask(judge: Judge, query: LeaseQuery) -> None:
    judge.user()
    if query.keys:
        judge.lease(Access.READ, query.id)


def _ask_all(judge: Judge, _: LeasesQuery) -> None:
    judge.user()
    judge.every_lease(Access.READ)


RULES: dict[type, Callable[[Judge, Any], None]] = {
    RangeQuery: _range,
    Put: _put,
    DeleteRange: _delete,
    Txn: _txn,
    GrantLease: _grant,
    RevokeLease: _lease,
    RenewLease: _lease,
    LeaseQuery: _ask,
    LeasesQuery: _ask_all,
}
