"""What a batch does to history: raise the compact revision, and delete what that has given up.

Rows of the table in `mvcc/execution.py`. `mvcc/compaction.py` decides when a step is taken and how
long it may be.

A step goes over the events from where the last one stopped, up to the compact revision. Each event
there supersedes its predecessor, which goes; a tombstone below the compact revision goes too, with
its head if the key is still deleted. Those at the compact revision stay for watchers: the next
compaction looks at that revision again.

How far it came is stored as a revision: all before it is done. One revision can be longer than a
step, so each step says in a `Place` where the next begins. A place that is lost, or does not fit
the store any more, costs going over that revision once more, which changes nothing where it has
been. That pruned and compact revision are equal says that all is done; until then the pruned one
stays below.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import Compacted, FutureRevision
from datastore.mvcc.alarms import check_intact
from datastore.mvcc.model import SUB_BITS
from datastore.mvcc.requests import Place, Revision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.mvcc.batch import BatchState
    from datastore.mvcc.model import Row
    from datastore.mvcc.requests import Compact, Prune

FIRST_PART, LARGEST_PART = 4, 1_024  # events; nobody knows how large what they replaced is


class Pruned(NamedTuple):
    """The revision before which rows are gone, whether that is all, and where to go on."""

    revision: int
    done: bool
    place: Place


def compact(batch: BatchState, request: Compact) -> Revision:
    """Raise the compact revision; nothing is deleted yet."""
    check_intact(batch)
    if request.revision <= batch.compact_revision:
        raise Compacted
    if request.revision > batch.revision:
        raise FutureRevision
    batch.compact_revision = request.revision
    batch.changes.compact_revision = request.revision
    return Revision(batch.revision)


def prune(batch: BatchState, request: Prune) -> Pruned:
    """Take one step; see the module."""
    target = batch.compact_revision
    if batch.pruned_revision == target:
        return Pruned(target, done=True, place=Place(target, target, target << SUB_BITS))
    batch.flush()
    event, done = _take_parts(batch, request)
    reached = target if done else min(event >> SUB_BITS, target - 1)
    batch.changes.pruned_revision = batch.pruned_revision = reached
    batch.flush()
    batch.base.clear()
    batch.known.clear()
    return Pruned(reached, done=done, place=Place(target, reached, event))


def _take_parts(batch: BatchState, request: Prune) -> tuple[int, bool]:
    """Go over events until the request's limit or time; return the next one, and if none is left.

    Parts grow while they are quick, so that a step is about a quarter of its time late at most;
    and while the least of the request is owed, however long that takes.
    """
    event, end = _start(batch, request.place), (batch.compact_revision + 1) << SUB_BITS
    began = time.monotonic()
    left, part, spent = request.limit, FIRST_PART, 0.0
    owed = request.least
    while left > 0 and (spent < request.seconds or owed > 0):
        size = min(part, left)
        rows = batch.tx.history(event, end, size)
        _drop(batch, rows)
        if len(rows) < size:
            return end, True
        event = rows[-1].id + 1
        left -= size
        owed -= size
        spent = time.monotonic() - began
        if spent < request.seconds / 4 or owed > 0:
            part = min(part * 2, LARGEST_PART)
    return event, False


def _start(batch: BatchState, place: Place | None) -> int:
    """Return the event to begin at: that of the place, if the store is as it was then."""
    if place and place[:2] == (batch.compact_revision, batch.pruned_revision):
        return place.event
    return max(batch.pruned_revision, 0) << SUB_BITS


def _drop(batch: BatchState, rows: Sequence[Row]) -> None:
    """Remove what some events replaced, and the tombstones among them that are passed."""
    tombstones = {
        row.id: row.key for row in rows if row.deleted and row.revision < batch.compact_revision
    }
    heads = batch.tx.heads(list(tombstones.values()))
    drop = tombstones.keys() | {row.prev_id for row in rows if row.prev_id}
    batch.changes.drop_rows = sorted(drop)
    batch.changes.drop_heads = [head for head in heads.values() if head.id in tombstones]
    batch.flush()
