"""The order of the whole store: revisions without gap, and what compaction has left of them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select

from datastore.backends.schema import history, meta
from datastore.mvcc.model import SUB_BITS
from datastore.tools.checks.check import Check, at, each, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Row, Select

    from datastore.tools.checks.bounds import Bounds

RESTORE = "restore a snapshot from before the damage"
_later = history.alias("later")


def _meta(_: Bounds) -> Select[Any]:
    return select(*meta.c)


def judge_meta(rows: Iterable[Any], bounds: Bounds) -> Iterator[tuple[str, str]]:
    """See that there is one row, and that its revisions can be."""
    found = list(rows)
    if [row.id for row in found] != [1]:
        yield "meta", f"has {len(found)} rows, not the one of id 1"
        return
    if found[0].cluster_id <= 0:
        yield "meta", f"cluster_id is {found[0].cluster_id}"
    if bounds.floor < 1:
        yield "meta", f"floor is {bounds.floor}, less than the revision of an empty store"
    if not -1 <= bounds.compacted <= bounds.revision:
        yield "meta", f"compact_revision {bounds.compacted} is beyond revision {bounds.revision}"
    if not -1 <= bounds.pruned <= bounds.compacted:
        yield (
            "meta",
            f"pruned_revision {bounds.pruned} is beyond compact_revision {bounds.compacted}",
        )


def kept_from(bounds: Bounds) -> int:
    """Return the first event id from which history must be complete."""
    return (max(bounds.compacted, bounds.floor, 1) + 1) << SUB_BITS


def _ids(bounds: Bounds) -> Select[Any]:
    first = max(kept_from(bounds), bounds.first)
    return select(history.c.id).where(history.c.id >= first).order_by(history.c.id)


def gaps(rows: Iterable[Any], bounds: Bounds) -> Iterator[tuple[str, str]]:
    """Yield the revisions that are missing or whose events are not numbered 0, 1, 2 …"""
    expected = max(kept_from(bounds), bounds.first) >> SUB_BITS
    for revision, events in groupby((row[0] for row in rows), key=lambda event: event >> SUB_BITS):
        if revision != expected:
            missing = f"{expected} to {revision - 1}" if revision - expected > 1 else str(expected)
            yield f"revision {missing}", "missing: no event, though it was not compacted"
        first = revision << SUB_BITS
        wrong = next((event for n, event in enumerate(events) if event != first + n), None)
        if wrong is not None:
            yield f"revision {revision}", f"event {place(wrong)} comes where another should be"
        expected = revision + 1


def _superseded(bounds: Bounds) -> Select[Any]:
    return (
        select(history.c.key, history.c.id, _later.c.id.label("later"))
        .select_from(history.join(_later, _later.c.prev_id == history.c.id))
        .where(_later.c.id < bounds.looked_at, history.c.id < bounds.looked_at)
    )


def _superseded_event(row: Row[Any]) -> tuple[str, str]:
    return at(
        row.key, row.id
    ), f"compaction left it, though revision {place(row.later)} replaced it"


def _tombstones(bounds: Bounds) -> Select[Any]:
    """Tombstones that compaction has passed: the one at the compact revision stays."""
    gone = history.c.id < max(bounds.pruned, 0) << SUB_BITS
    return select(history.c.key, history.c.id).where(and_(history.c.deleted != 0, gone))


def _tombstone(row: Row[Any]) -> tuple[str, str]:
    return at(row.key, row.id), "compaction left the tombstone of a key that is gone"


def _cells(_: Bounds) -> Select[Any]:
    """Events whose flags are not flags or whose ids cannot be."""
    flag = history.c.deleted.in_((0, 1))
    return select(history.c.key, history.c.id).where(or_(~flag, history.c.id < 2 << SUB_BITS))


def _cell(row: Row[Any]) -> tuple[str, str]:
    return at(row.key, row.id), "an event that cannot be: revision below 2, or deleted not 0 or 1"


TAKE_IT = "harmless but for its space: delete the row (docs/howto/check.md)"

REVISIONS = (
    Check(
        "meta",
        "meta has one row, whose revisions are in order",
        RESTORE,
        _meta,
        judge_meta,
    ),
    Check(
        "revisions",
        "above the compact revision no revision is missing and events are numbered 0, 1, 2 …",
        RESTORE,
        _ids,
        gaps,
    ),
    Check(
        "events",
        "each event is a put or a tombstone at a revision above 1",
        RESTORE,
        _cells,
        each(_cell),
        whole=True,
    ),
    Check(
        "compacted",
        "nothing that another event at or below the pruned revision replaced is left",
        TAKE_IT,
        _superseded,
        each(_superseded_event),
    ),
    Check(
        "tombstones",
        "no tombstone below the pruned revision is left",
        TAKE_IT,
        _tombstones,
        each(_tombstone),
    ),
)
