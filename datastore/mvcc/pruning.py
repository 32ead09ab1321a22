"""What a batch does to history: raise the compact revision, and delete what that has given up.

Rows of the table in `mvcc/execution.py`. `mvcc/compaction.py` decides when a step is taken and how
long it may be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import Compacted, FutureRevision
from datastore.mvcc.alarms import check_intact
from datastore.mvcc.model import SUB_BITS
from datastore.mvcc.requests import Revision

if TYPE_CHECKING:
    from datastore.mvcc.batch import BatchState
    from datastore.mvcc.model import Row
    from datastore.mvcc.requests import Compact, Prune


class Pruned(NamedTuple):
    """The revision up to which rows are gone, and whether that is all of them."""

    revision: int
    done: bool


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
