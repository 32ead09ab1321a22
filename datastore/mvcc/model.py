"""The words of the store: rows, requests and results. Plain values, no behaviour but arithmetic.

A *revision* counts write transactions of the whole store. An event's id is
``revision << SUB_BITS | sub``, so that ids order events and one integer names each of them.
Tuples rather than dataclasses, because a busy server makes hundreds of thousands a second.

An operation carries who asks for it (`caller`); those inside a Txn are asked for by its caller.

A key range is ``(key, end)`` as on the wire: end ``b""`` means the key alone, ``b"\\0"`` every key
from `key` on, anything else the half-open range.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from datastore.mvcc.auth.model import NOBODY, Credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

SUB_BITS = 20
MAX_EVENTS = 1 << SUB_BITS  # events that one revision can number
EVENT_BYTES = 64  # of an event beside its keys and values
FROM_KEY = b"\0"
NEVER_COMPACTED = -1


class Row(NamedTuple):
    """One event of the history: a put, or a tombstone (`deleted` = 1, value and counters empty).

    prev_id is the id of the key's event before this one, 0 when there is none.
    """

    id: int
    key: bytes
    value: bytes
    create_revision: int
    version: int
    lease: int
    deleted: int
    prev_id: int

    @property
    def revision(self) -> int:
        """The revision of the transaction that made this event (mod_revision)."""
        return self.id >> SUB_BITS


class Head(NamedTuple):
    """The newest event of a key, without its value; a tombstone until compaction passes it."""

    id: int
    key: bytes
    create_revision: int
    version: int
    lease: int
    deleted: int


class Event:
    """A committed row for the watchers.

    prev is the key's row before it; None means that there is none, or that it was not fetched
    (`prev_known` tells). `wire` is for the edge, which keeps the encoded event there.
    """

    __slots__ = ("prev", "prev_known", "row", "wire")

    def __init__(self, row: Row, prev: Row | None = None, *, prev_known: bool = True) -> None:
        self.row = row
        self.prev = prev
        self.prev_known = prev_known
        self.wire: dict[bool, bytes] = {}

    @property
    def revision(self) -> int:
        """The revision of the event."""
        return self.row.id >> SUB_BITS

    @property
    def size(self) -> int:
        """About its bytes, in memory and on the wire: what it replaced counts too."""
        row, prev = self.row, self.prev
        size = len(row.key) + len(row.value) + EVENT_BYTES
        return size if prev is None else size + len(prev.key) + len(prev.value)


class State(NamedTuple):
    """What one snapshot of the database says about the store; now is milliseconds since 1970.

    auth is the auth revision while auth is on, 0 while it is off.
    """

    revision: int
    compact_revision: int
    pruned_revision: int
    now: int
    alarms: int
    auth: int = 0


class Lease(NamedTuple):
    """A lease: granted seconds, and the deadline in milliseconds on the database's clock."""

    id: int
    ttl: int
    deadline: int


class Member(NamedTuple):
    """A server of this store; heartbeat is milliseconds on the database's clock.

    peer_urls are what a client has stored for it, usually none.
    """

    id: int
    name: str
    client_urls: tuple[str, ...]
    heartbeat: int
    peer_urls: tuple[str, ...] = ()


class Lock(NamedTuple):
    """A job that one server does for all: its member id, until when (ms, database's clock)."""

    name: str
    owner: int
    until: int


class Alarm(NamedTuple):
    """An active alarm: the member that raised it, and 1 for NOSPACE or 2 for CORRUPT."""

    member_id: int
    alarm: int


class SortTarget(IntEnum):
    """What a range is sorted by."""

    KEY = 0
    VERSION = 1
    CREATE = 2
    MOD = 3
    VALUE = 4


class SortOrder(IntEnum):
    """How a range is sorted; NONE means key order, or ascending for a target but KEY."""

    NONE = 0
    ASCEND = 1
    DESCEND = 2


class CompareTarget(IntEnum):
    """Which field a compare looks at."""

    VERSION = 0
    CREATE = 1
    MOD = 2
    VALUE = 3
    LEASE = 4


class RangeQuery(NamedTuple):
    """A read. revision <= 0 is now; limit <= 0 is none; a min/max of 0 is off."""

    key: bytes
    end: bytes = b""
    limit: int = 0
    revision: int = 0
    order: int = 0
    target: int = 0
    keys_only: bool = False
    count_only: bool = False
    min_mod: int = 0
    max_mod: int = 0
    min_create: int = 0
    max_create: int = 0
    caller: Credentials = NOBODY

    @property
    def filtered(self) -> bool:
        """Whether any revision filter is on."""
        return bool(self.min_mod or self.max_mod or self.min_create or self.max_create)


class LeaseQuery(NamedTuple):
    """A question about a lease, and about its keys."""

    id: int
    keys: bool = False
    caller: Credentials = NOBODY


class LeasesQuery(NamedTuple):
    """A question about every lease."""

    caller: Credentials = NOBODY


class Put(NamedTuple):
    """A write of one key."""

    key: bytes
    value: bytes = b""
    lease: int = 0
    prev_kv: bool = False
    ignore_value: bool = False
    ignore_lease: bool = False
    caller: Credentials = NOBODY


class DeleteRange(NamedTuple):
    """A delete of every live key in the range."""

    key: bytes
    end: bytes = b""
    prev_kv: bool = False
    caller: Credentials = NOBODY


class Compare(NamedTuple):
    """One condition: every key in the range must stand in `result` to the operand."""

    result: int
    target: int
    key: bytes
    end: bytes
    operand: int | bytes


class Txn(NamedTuple):
    """Compares, and the operations for either outcome; None is an operation without a member."""

    compares: tuple[Compare, ...]
    success: tuple[Op | None, ...]
    failure: tuple[Op | None, ...]
    caller: Credentials = NOBODY


Op = RangeQuery | Put | DeleteRange | Txn


class RangeResult(NamedTuple):
    """Live rows; total counts the whole range, before limit and filters."""

    revision: int
    rows: Sequence[Row]
    more: bool
    total: int


class PutResult(NamedTuple):
    """The put's revision, and the row it replaced if that was asked for."""

    revision: int
    prev: Row | None


class DeleteResult(NamedTuple):
    """How many keys went, and their rows if they were asked for."""

    revision: int
    deleted: int
    prevs: Sequence[Row]


class TxnResult(NamedTuple):
    """The outcome of the compares, and one result for each operation of the branch taken."""

    revision: int
    succeeded: bool
    results: list[OpResult]


OpResult = RangeResult | PutResult | DeleteResult | TxnResult


def bare_row(head: Head, value: bytes = b"") -> Row:
    """Return a head as a row; the link to the event before it is not known."""
    return Row(head.id, head.key, value, *head[2:6], 0)


def upper_bound(key: bytes, end: bytes) -> bytes | None:
    """Return the exclusive end of a wire range, None for no end."""
    if end == b"":
        return key + b"\0"
    return None if end == FROM_KEY else end


def in_range(candidate: bytes, key: bytes, end: bytes) -> bool:
    """Say whether a key lies in a wire range."""
    if end == b"":
        return candidate == key
    return candidate >= key and (end == FROM_KEY or candidate < end)
