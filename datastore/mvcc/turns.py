"""Taking turns on a prefix: the key created first is the owner, the others wait in that order.

What etcd's locks and elections are made of. Nothing polls: each waiter watches the one key that was
created just before its own, so an owner that leaves wakes one waiter, however many there are.
Called by the Lock and Election services; everything goes through the store's ordinary reads, writes
and watches (`Keys`), so nothing here knows a database.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple, Protocol

from datastore.mvcc.model import (
    FROM_KEY,
    Compare,
    CompareTarget,
    DeleteRange,
    DeleteResult,
    Put,
    RangeQuery,
    RangeResult,
    Row,
    SortOrder,
    SortTarget,
    Txn,
    TxnResult,
)
from datastore.mvcc.watch import NODELETE, NOPUT, WatchQuery

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from datastore.mvcc.model import Event
    from datastore.mvcc.watch import WatchStream

EQUAL = 0
ENVELOPE = 64  # bytes that a write counts beside its key and value


class Keys(Protocol):
    """What turns need of a store; `Store` is one."""

    async def range(self, query: RangeQuery) -> RangeResult:
        """Answer a read."""

    async def txn(self, txn: Txn, size: int) -> TxnResult:
        """Run a Txn."""

    async def delete_range(self, delete: DeleteRange, size: int) -> DeleteResult:
        """Delete keys."""

    def watch_stream(self) -> WatchStream:
        """Open a stream of watches."""


class Ticket(NamedTuple):
    """A place in the queue: its key and the revision that created it.

    `revision` is that of the store when it was taken. `value` is what the key held already, None
    for a key that did not exist. `first` is the create revision of the owner.
    """

    key: bytes
    created: int
    revision: int
    value: bytes | None
    first: int


def prefix_end(prefix: bytes) -> bytes:
    """Return the wire's range end for a prefix."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else FROM_KEY


def ticket_key(prefix: bytes, lease: int) -> bytes:
    """Return the key of a lease's place: its number in hexadecimal, as Go writes it."""
    return prefix + f"{lease:x}".encode()


async def enter(keys: Keys, prefix: bytes, lease: int, value: bytes) -> Ticket:
    """Take a place in the queue, or find the one that the lease has already.

    A caller that is cancelled meanwhile does not leave a new place behind.
    """
    entering = asyncio.ensure_future(_enter(keys, prefix, lease, value))
    try:
        return await asyncio.shield(entering)
    except asyncio.CancelledError:
        ticket = await entering
        if ticket.value is None:
            await leave(keys, ticket.key, ticket.created)
        raise


async def _enter(keys: Keys, prefix: bytes, lease: int, value: bytes) -> Ticket:
    key = ticket_key(prefix, lease)
    owner = _first(prefix)
    missing = Compare(EQUAL, CompareTarget.CREATE, key, b"", 0)
    txn = Txn((missing,), (Put(key, value, lease), owner), (RangeQuery(key), owner))
    result = await keys.txn(txn, len(key) + len(value) + ENVELOPE)
    found, owners = result.results
    assert isinstance(owners, RangeResult)  # the second operation of either branch
    first = owners.rows[0].create_revision
    if result.succeeded:
        return Ticket(key, result.revision, result.revision, None, first)
    assert isinstance(found, RangeResult)  # the first operation of the branch for a known key
    row = found.rows[0]
    return Ticket(key, row.create_revision, result.revision, row.value, first)


async def wait(keys: Keys, prefix: bytes, created: int) -> None:
    """Return once no key under the prefix is left that was created before that revision."""
    end = prefix_end(prefix)
    order, target = SortOrder.DESCEND, SortTarget.CREATE
    before = RangeQuery(
        prefix, end, 1, 0, order, target, keys_only=True, max_create=max(created - 1, 1)
    )
    while (found := await keys.range(before)).rows:
        await _next_event(keys, WatchQuery(found.rows[0].key, b"", found.revision + 1), NOPUT)


async def leave(keys: Keys, key: bytes, created: int) -> TxnResult:
    """Give a place up, if it is still the one created at that revision."""
    mine = Compare(EQUAL, CompareTarget.CREATE, key, b"", created)
    return await keys.txn(Txn((mine,), (DeleteRange(key),), ()), len(key) + ENVELOPE)


async def announce(keys: Keys, key: bytes, created: int, put: Put) -> TxnResult:
    """Write the key if it is still the one created at that revision."""
    mine = Compare(EQUAL, CompareTarget.CREATE, key, b"", created)
    return await keys.txn(Txn((mine,), (put,), ()), len(key) + len(put.value) + ENVELOPE)


async def owner(keys: Keys, prefix: bytes) -> RangeResult:
    """Return the key created first under the prefix, if there is one."""
    return await keys.range(_first(prefix))


async def observe(keys: Keys, prefix: bytes) -> AsyncGenerator[tuple[int, Row], None]:
    """Yield (revision, row) of the owner, of each later put to its key, then of the next owner."""
    while True:
        found = await owner(keys, prefix)
        revision, row = found.revision, found.rows[0] if found.rows else None
        if row is None:
            fresh = WatchQuery(prefix, prefix_end(prefix), revision + 1)
            event = await _next_event(keys, fresh, NODELETE)
            if event is None:
                continue
            revision, row = event.revision, event.row
        yield revision, row
        async with aclosing(_events(keys, WatchQuery(row.key, b"", revision + 1))) as events:
            async for event in events:
                if event.row.deleted:
                    break
                yield event.revision, event.row


def _first(prefix: bytes) -> RangeQuery:
    return RangeQuery(prefix, prefix_end(prefix), 1, 0, SortOrder.ASCEND, SortTarget.CREATE)


async def _next_event(keys: Keys, query: WatchQuery, unwanted: int) -> Event | None:
    """Return the next event but for those unwanted; None if compaction has taken it."""
    query = query._replace(filters=frozenset({unwanted}))
    async with aclosing(_events(keys, query)) as events:
        return await anext(events, None)


async def _events(keys: Keys, query: WatchQuery) -> AsyncGenerator[Event, None]:
    """Yield events until compaction takes some of them."""
    stream = keys.watch_stream()
    try:
        stream.create(query)
        while not (notice := await stream.take()).canceled:
            for event in notice.events:
                yield event
    finally:
        stream.close()
