"""The writes that are not etcd operations on keys: leases, alarms, compaction, chores.

Each is one request in the writer's queue like a Put, so that its order among the others, its
durability and its outcome follow from the same transaction.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from datastore.mvcc.auth.model import NOBODY, Credentials
from datastore.mvcc.auth.requests import ManageAuth, RenewTokens, StoreToken
from datastore.mvcc.model import Alarm, DeleteRange, Put, Txn


class GrantLease(NamedTuple):
    """Grant a lease of `ttl` seconds; id 0 lets the store choose."""

    id: int
    ttl: int
    caller: Credentials = NOBODY


class RevokeLease(NamedTuple):
    """Remove a lease and its keys."""

    id: int
    caller: Credentials = NOBODY


class RenewLease(NamedTuple):
    """Give a lease its full time again; the result is its TTL, 0 when it is gone.

    If its deadline is not stored but in memory, only say whether the caller may renew it.
    """

    id: int
    caller: Credentials = NOBODY
    stored: bool = True


class ExpireLeases(NamedTuple):
    """Revoke leases whose deadline has come, each in a revision of its own."""

    limit: int


class EndLeases(NamedTuple):
    """Revoke those of the leases that are still there, each in a revision of its own."""

    ids: tuple[int, ...]


class ExtendLeases(NamedTuple):
    """Give every lease its full TTL and `grace` milliseconds again, as after a fail-over."""

    grace: int


class Compact(NamedTuple):
    """Raise the compact revision."""

    revision: int


class Place(NamedTuple):
    """Where pruning goes on, as long as compact and pruned revision are these."""

    compact_revision: int
    pruned_revision: int
    event: int


class Prune(NamedTuple):
    """Delete history that compaction has given up, in one step from a place on.

    It goes over at most `limit` events, and is about `seconds` long; longer for `least` of them.
    """

    limit: int
    place: Place | None = None
    seconds: float = math.inf
    least: int = 0


class RaiseAlarm(NamedTuple):
    """Activate an alarm."""

    alarm: Alarm


class DisarmAlarm(NamedTuple):
    """Deactivate an alarm."""

    alarm: Alarm


class DiskSpace(NamedTuple):
    """Say that the disk is about to be full, or that it has space again."""

    full: bool


class HoldLock(NamedTuple):
    """Take or keep a lock row for `milliseconds`; with `extend`, or if taken over, leases too."""

    name: str
    milliseconds: int
    extend: bool


class MoveLock(NamedTuple):
    """Give a lock row, which this server must hold, to another member for `milliseconds`."""

    name: str
    target: int
    milliseconds: int


class UpdateMember(NamedTuple):
    """Store the peer URLs of a member."""

    id: int
    peer_urls: tuple[str, ...]


class ForgetMembers(NamedTuple):
    """Remove the rows of servers that are gone for good; nothing where this one does not lead."""


WriteRequest = (
    Put
    | DeleteRange
    | Txn
    | GrantLease
    | RevokeLease
    | RenewLease
    | ExpireLeases
    | EndLeases
    | ExtendLeases
    | Compact
    | Prune
    | RaiseAlarm
    | DisarmAlarm
    | DiskSpace
    | HoldLock
    | MoveLock
    | UpdateMember
    | ForgetMembers
    | ManageAuth
    | StoreToken
    | RenewTokens
)


class Revision(NamedTuple):
    """The result of a request that answers with nothing but the store's revision."""

    revision: int
