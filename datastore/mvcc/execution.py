"""Running one request of a batch: the table from request type to what it does.

Every function takes the batch and its request and returns the result, or raises a DatastoreError
after which nothing of the request remains.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from datastore.errors import (
    Compacted,
    FutureRevision,
    LeaseExists,
    LeaseNotFound,
    LeaseTTLTooLarge,
    MemberNotFound,
)
from datastore.mvcc.alarms import (
    check_grant,
    check_intact,
    check_operation,
    disarm,
    disk_space,
    raise_alarm,
)
from datastore.mvcc.auth.execution import check_write, manage_auth, renew_tokens, store_token
from datastore.mvcc.auth.requests import ManageAuth, RenewTokens, StoreToken
from datastore.mvcc.draft import Draft
from datastore.mvcc.model import (
    SUB_BITS,
    DeleteRange,
    Lease,
    Lock,
    OpResult,
    Put,
    PutResult,
    Row,
    Txn,
    bare_row,
)
from datastore.mvcc.requests import (
    Compact,
    DisarmAlarm,
    DiskSpace,
    EndLeases,
    ExpireLeases,
    ExtendLeases,
    GrantLease,
    Heartbeat,
    HoldLock,
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

MAX_TTL = 9_000_000_000


class Revision(NamedTuple):
    """The result of a request that answers with nothing but the store's revision."""

    revision: int


class Granted(NamedTuple):
    """A lease as granted."""

    revision: int
    lease: Lease


class Renewed(NamedTuple):
    """A renewal: the lease's TTL, 0 when there is no such lease."""

    revision: int
    ttl: int


class Expired(NamedTuple):
    """The leases that ended, and whether more may be due."""

    leases: list[int]
    more: bool


class Pruned(NamedTuple):
    """The revision up to which rows are gone, and whether that is all of them."""

    revision: int
    done: bool


class Held(NamedTuple):
    """Until when a lock row is ours (ms, database's clock); 0 when another server has it."""

    until: int


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


def _grant(batch: BatchState, request: GrantLease) -> Granted:
    if batch.auth:
        check_write(batch, request)
    check_grant(batch)
    if request.ttl > MAX_TTL:
        raise LeaseTTLTooLarge
    if request.id and batch.lease(request.id):
        raise LeaseExists
    ttl = max(request.ttl, batch.server.least_ttl)
    lease = Lease(request.id or _unused_lease(batch), ttl, batch.now + ttl * 1000)
    batch.put_lease(lease)
    return Granted(batch.revision, lease)


def _unused_lease(batch: BatchState) -> int:
    while True:
        candidate = secrets.randbits(63)
        if candidate and batch.lease(candidate) is None:
            return candidate


def _revoke(batch: BatchState, request: RevokeLease) -> Revision:
    check_intact(batch)
    if batch.auth:
        check_write(batch, request)
    if batch.lease(request.id) is None:
        raise LeaseNotFound
    end_lease(batch, request.id)
    return Revision(batch.revision)


def end_lease(batch: BatchState, lease: int) -> None:
    """Delete a lease and all its keys, in one revision."""
    batch.flush()
    draft = Draft(batch)
    heads = batch.tx.lease_keys(lease)
    if batch.wants_values:
        batch.values.update(batch.tx.values([head.id for head in heads]))
    for head in heads:
        row = bare_row(head, batch.values.get(head.id, b""))
        draft.delete(row, complete=batch.wants_values)
    batch.merge(draft)
    batch.drop_lease(lease)


def _renew(batch: BatchState, request: RenewLease) -> Renewed:
    """Renew a lease; one past its deadline ends here and is never resurrected."""
    if batch.auth:
        check_write(batch, request)
    revision = batch.revision
    lease = batch.lease(request.id)
    if lease is None or not request.stored:
        return Renewed(revision, lease.ttl if lease else 0)
    if lease.deadline <= batch.now:
        end_lease(batch, lease.id)
        return Renewed(revision, 0)
    batch.put_lease(lease._replace(deadline=batch.now + lease.ttl * 1000))
    return Renewed(revision, lease.ttl)


def _expire(batch: BatchState, request: ExpireLeases) -> Expired:
    batch.flush()
    due = batch.tx.due_leases(batch.now, request.limit)
    for lease in due:
        end_lease(batch, lease.id)
    return Expired([lease.id for lease in due], more=len(due) == request.limit)


def _end_all(batch: BatchState, request: EndLeases) -> Expired:
    ended = [lease for lease in request.ids if batch.lease(lease) is not None]
    for lease in ended:
        end_lease(batch, lease)
    return Expired(ended, more=False)


def _extend(batch: BatchState, request: ExtendLeases) -> Revision:
    batch.flush()
    batch.leases.clear()
    batch.changes.extend_leases = batch.now + request.grace
    batch.flush()
    return Revision(batch.revision)


def _compact(batch: BatchState, request: Compact) -> Revision:
    check_intact(batch)
    if request.revision <= batch.compact_revision:
        raise Compacted
    if request.revision > batch.revision:
        raise FutureRevision
    batch.compact_revision = request.revision
    batch.changes.compact_revision = request.revision
    return Revision(batch.revision)


def _prune(batch: BatchState, request: Prune) -> Pruned:
    """Take one step over the events from where the last stopped, up to the compact revision.

    The pruned revision is the next to look at; the compact revision itself is looked at again by
    the next compaction, which takes the tombstones that had to stay.

    Each event there supersedes its predecessor; a tombstone below the compact revision goes too,
    with its head if the key is still deleted. The one at the compact revision stays for watchers.
    """
    target = batch.compact_revision
    batch.flush()
    first = max(batch.pruned_revision, 0) << SUB_BITS
    rows = _whole_revisions(batch, first, request.limit)
    tombstones = [row for row in rows if row.deleted and row.revision < target]
    drop = {row.prev_id for row in rows if row.prev_id} | {row.id for row in tombstones}
    heads = batch.tx.heads([row.key for row in tombstones])
    gone = {row.id for row in tombstones}
    done = len(rows) < request.limit or rows[-1].revision >= target
    reached = target if done else rows[-1].revision + 1
    batch.changes.drop_rows = sorted(drop)
    batch.changes.drop_heads = [head for head in heads.values() if head.id in gone]
    batch.changes.pruned_revision = batch.pruned_revision = reached
    batch.flush()
    batch.base.clear()
    batch.known.clear()
    return Pruned(reached, done=done)


def _whole_revisions(batch: BatchState, first: int, limit: int) -> list[Row]:
    """Return events from `first`, at least `limit` when there are so many, no revision cut.

    The compact revision never stays alone for the next step, so a pruned revision that equals it
    says that all is done.
    """
    end = (batch.compact_revision + 1) << SUB_BITS
    rows = batch.tx.history(first, end, limit)
    if len(rows) == limit:
        after_last = (rows[-1].revision + 1) << SUB_BITS
        last = end if after_last >> SUB_BITS == batch.compact_revision else after_last
        rows += batch.tx.history(rows[-1].id + 1, last, 0)
    return rows


def _hold(batch: BatchState, request: HoldLock) -> Held:
    held = batch.tx.lock(request.name)
    if held and held.owner != batch.server.member_id and held.until > batch.now:
        return Held(0)
    kept = held is not None and held.owner == batch.server.member_id and held.until > batch.now
    until = batch.now + request.milliseconds
    batch.flush()
    batch.changes.put_lock = Lock(request.name, batch.server.member_id, until)
    if request.extend or not kept:
        _extend(batch, ExtendLeases(0))
    batch.flush()
    return Held(until)


def _heartbeat(batch: BatchState, _: Heartbeat) -> Revision:
    batch.changes.heartbeat = batch.now
    return Revision(batch.revision)


def _update_member(batch: BatchState, request: UpdateMember) -> Revision:
    if request.id not in {member.id for member in batch.tx.members()}:
        raise MemberNotFound
    batch.changes.peer_urls[request.id] = request.peer_urls
    return Revision(batch.revision)


_EXECUTORS: dict[type, Callable[[BatchState, Any], Any]] = {
    Put: _put,
    DeleteRange: _operation,
    Txn: _operation,
    GrantLease: _grant,
    RevokeLease: _revoke,
    RenewLease: _renew,
    ExpireLeases: _expire,
    EndLeases: _end_all,
    ExtendLeases: _extend,
    Compact: _compact,
    Prune: _prune,
    RaiseAlarm: raise_alarm,
    DisarmAlarm: disarm,
    DiskSpace: disk_space,
    HoldLock: _hold,
    Heartbeat: _heartbeat,
    UpdateMember: _update_member,
    ManageAuth: manage_auth,
    StoreToken: store_token,
    RenewTokens: renew_tokens,
}
