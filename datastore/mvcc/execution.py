"""Running one request of a batch: the table from request type to what it does.

Every function takes the batch and its request and returns the result, or raises a DatastoreError
after which nothing of the request remains. Those of a subject are in a file of their own: leases,
the lock, members, alarms, history (`pruning.py`), auth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datastore.errors import LeaseNotFound
from datastore.mvcc.alarms import check_operation, disarm, disk_space, raise_alarm
from datastore.mvcc.auth.execution import check_write, manage_auth, renew_tokens, store_token
from datastore.mvcc.auth.requests import ManageAuth, RenewTokens, StoreToken
from datastore.mvcc.draft import Draft
from datastore.mvcc.leadership import hold, move
from datastore.mvcc.leases import end_all, expire, extend, grant, renew, revoke
from datastore.mvcc.membership import forget, update
from datastore.mvcc.model import DeleteRange, OpResult, Put, PutResult, Txn
from datastore.mvcc.pruning import compact, prune
from datastore.mvcc.requests import (
    Compact,
    DisarmAlarm,
    DiskSpace,
    EndLeases,
    ExpireLeases,
    ExtendLeases,
    ForgetMembers,
    GrantLease,
    HoldLock,
    MoveLock,
    Prune,
    RaiseAlarm,
    RenewLease,
    RevokeLease,
    UpdateMember,
    WriteRequest,
)
from datastore.mvcc.txn import run_op

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.mvcc.batch import BatchState


def execute(batch: BatchState, request: WriteRequest) -> Any:
    """Run one request; its changes join the batch only if it succeeds."""
    return _EXECUTORS[type(request)](batch, request)


def _put(batch: BatchState, put: Put) -> OpResult:
    """Run a put; the plain kind, which is most of a busy server's work, needs no draft."""
    if put.prev_kv or put.ignore_value or put.ignore_lease or batch.auth:
        return _operation(batch, put)
    check_operation(batch, put)
    if put.lease and batch.lease(put.lease) is None:
        raise LeaseNotFound
    return PutResult(batch.put(put.key, put.value, put.lease), None)


def _operation(batch: BatchState, request: Put | DeleteRange | Txn) -> OpResult:
    check_operation(batch, request)
    if batch.auth:
        check_write(batch, request)
    draft = Draft(batch)
    result = run_op(draft, request)
    batch.merge(draft)
    return result


_EXECUTORS: dict[type, Callable[[BatchState, Any], Any]] = {
    Put: _put,
    DeleteRange: _operation,
    Txn: _operation,
    GrantLease: grant,
    RevokeLease: revoke,
    RenewLease: renew,
    ExpireLeases: expire,
    EndLeases: end_all,
    ExtendLeases: extend,
    Compact: compact,
    Prune: prune,
    RaiseAlarm: raise_alarm,
    DisarmAlarm: disarm,
    DiskSpace: disk_space,
    HoldLock: hold,
    MoveLock: move,
    UpdateMember: update,
    ForgetMembers: forget,
    ManageAuth: manage_auth,
    StoreToken: store_token,
    RenewTokens: renew_tokens,
}
