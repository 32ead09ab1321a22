"""What a batch does to leases: grant, renew, revoke, and end those whose time is over.

Every function is a row of the table in `mvcc/execution.py`: it takes the batch and its request and
returns the result, or raises a DatastoreError after which nothing of the request remains. A lease
ends with all its keys, in a revision of its own (more when these are too many for one).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import LeaseExists, LeaseNotFound, LeaseTTLTooLarge
from datastore.mvcc.alarms import check_grant, check_intact
from datastore.mvcc.auth.execution import check_write
from datastore.mvcc.draft import Draft
from datastore.mvcc.model import MAX_EVENTS, Lease, bare_row
from datastore.mvcc.requests import Revision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.mvcc.batch import BatchState
    from datastore.mvcc.model import Head
    from datastore.mvcc.requests import (
        EndLeases,
        ExpireLeases,
        ExtendLeases,
        GrantLease,
        RenewLease,
        RevokeLease,
    )

MAX_TTL = 9_000_000_000  # seconds


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


def grant(batch: BatchState, request: GrantLease) -> Granted:
    """Make a lease, with an id of its own if the request has none."""
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


def revoke(batch: BatchState, request: RevokeLease) -> Revision:
    """End a lease because a client says so."""
    check_intact(batch)
    if batch.auth:
        check_write(batch, request)
    if batch.lease(request.id) is None:
        raise LeaseNotFound
    end_lease(batch, request.id)
    return Revision(batch.revision)


def end_lease(batch: BatchState, lease: int) -> None:
    """Delete a lease and all its keys: in one revision, or in as few as hold so many."""
    batch.flush()
    heads = batch.tx.lease_keys(lease)
    for start in range(0, len(heads), MAX_EVENTS):
        _delete(batch, heads[start : start + MAX_EVENTS])
    batch.drop_lease(lease)


def _delete(batch: BatchState, heads: Sequence[Head]) -> None:
    draft = Draft(batch)
    if batch.wants_values:
        batch.values.update(batch.tx.values([head.id for head in heads]))
    for head in heads:
        row = bare_row(head, batch.values.get(head.id, b""))
        draft.delete(row, complete=batch.wants_values)
    batch.merge(draft)


def renew(batch: BatchState, request: RenewLease) -> Renewed:
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


def expire(batch: BatchState, request: ExpireLeases) -> Expired:
    """End the leases whose stored deadline has come, at most `request.limit`."""
    batch.flush()
    due = batch.tx.due_leases(batch.now, request.limit)
    for lease in due:
        end_lease(batch, lease.id)
    return Expired([lease.id for lease in due], more=len(due) == request.limit)


def end_all(batch: BatchState, request: EndLeases) -> Expired:
    """End leases by id. One that is gone already is said to be, though not counted again."""
    ended = [lease for lease in request.ids if batch.lease(lease) is not None]
    for lease in request.ids:
        end_lease(batch, lease)
    return Expired(ended, more=False)


def extend(batch: BatchState, request: ExtendLeases) -> Revision:
    """Give every lease its whole time again, from now."""
    batch.flush()
    batch.leases.clear()
    batch.changes.extend_leases = batch.now + request.grace
    batch.flush()
    return Revision(batch.revision)
