"""HashKV: one number for the whole history up to a revision, equal to etcd's for equal histories.

It is the CRC-32C of etcd's bucket name and then, in the order of events, of each event as etcd
stores it: an 18-byte id (19 for a tombstone) and the encoded KeyValue. What compaction gives up
does not count: of the events up to the compact revision only the puts that are live at the revision
asked for do. So servers agree however far each has come with removing rows.

One difference: of each of its last ten compactions etcd remembers a hash made along the way, and
answers with that one (and the compact revision before it) when asked for exactly that revision.
Here every answer is made of the present history.
"""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, NamedTuple

from datastore.mvcc import crc32c
from datastore.mvcc.model import SUB_BITS
from datastore.mvcc.ranges import check_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datastore.mvcc.backend import Session, Snapshot
    from datastore.mvcc.model import Row, State

CHUNK_ROWS = 100
BUCKET = b"key"
TOMBSTONE = b"t"
_ID = struct.Struct(">qcq")
_SUB_MASK = (1 << SUB_BITS) - 1


class KeySpaceHash(NamedTuple):
    """A hash, and what it is of: equal only for equal (at, compact_revision)."""

    hash: int
    at: int
    revision: int
    compact_revision: int


def hash_key_space(session: Session, revision: int, encode: Callable[[Row], bytes]) -> KeySpaceHash:
    """Hash at a revision, 0 for now; Compacted or FutureRevision.

    `encode` makes a KeyValue of a row, of a tombstone one that holds its key alone.
    """
    with session.snapshot() as snapshot:
        state = snapshot.state()
        check_revision(revision, state.revision, state.compact_revision)
        at = revision or state.revision
        crc = hash_rows(snapshot, state, at, encode)
    return KeySpaceHash(crc, at, state.revision, state.compact_revision)


def hash_rows(snapshot: Snapshot, state: State, at: int, encode: Callable[[Row], bytes]) -> int:
    """Return the hash at a revision that can be read."""
    crc = crc32c.extend(0, BUCKET)
    for row in counted_rows(snapshot, state, at):
        crc = crc32c.extend(crc, row_id(row) + encode(row))
    return crc


def row_id(row: Row) -> bytes:
    """Return the name under which etcd stores an event."""
    name = _ID.pack(row.revision, b"_", row.id & _SUB_MASK)
    return name + TOMBSTONE if row.deleted else name


def counted_rows(snapshot: Snapshot, state: State, at: int) -> Iterator[Row]:
    """Yield what counts of the history up to a revision, oldest first."""
    end = (at + 1) << SUB_BITS
    boundary = min((state.compact_revision + 1) << SUB_BITS, end)
    kept = iter(_kept_ids(snapshot, state, at, boundary))
    next_kept = next(kept, end)
    for row in _rows(snapshot, 0, boundary):
        while next_kept < row.id:
            next_kept = next(kept, end)
        if row.id == next_kept:
            yield row
    yield from _rows(snapshot, max(boundary, 0), end)


def _kept_ids(snapshot: Snapshot, state: State, at: int, boundary: int) -> array[int]:
    """Return, in order, the ids below the boundary that count.

    When nothing at all is live at `at`, etcd counts what compaction has left: what was live at the
    compact revision. A key that the very revision asked for has deleted and then put again (a Txn
    may do that if it deletes from a key on, without an end) is not live to it then.
    """
    if boundary <= 0 or at < 0:
        return array("q")
    live = _live_ids(snapshot, state, at)
    if not live:
        live = _live_ids(snapshot, state, state.compact_revision)
    return array("q", sorted(number for number in live if number < boundary))


def _live_ids(snapshot: Snapshot, state: State, at: int) -> array[int]:
    """Return the ids of the puts that are live at a revision: eight bytes a key."""
    ids = array("q")
    again = _made_again(snapshot, at)
    revision = 0 if at == state.revision else at
    key = b""
    while page := snapshot.scan(key, None, CHUNK_ROWS, revision, values=False):
        ids.extend(row.id for row in page if row.id not in again)
        key = page[-1].key + b"\0"
    return ids


def _made_again(snapshot: Snapshot, at: int) -> set[int]:
    """Return the ids of the puts of a revision whose keys it has deleted before."""
    first, end = at << SUB_BITS, (at + 1) << SUB_BITS
    return {row.id for row in _rows(snapshot, first, end) if row.prev_id >= first}


def _rows(snapshot: Snapshot, first: int, end: int) -> Iterator[Row]:
    while page := snapshot.history(first, end, CHUNK_ROWS):
        yield from page
        first = page[-1].id + 1
