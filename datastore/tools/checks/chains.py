"""The chain of each key's events along prev_id, and the counters that grow along it.

`links` looks from each event back at the one before it; `successors` sees that no event is left
out of its key's chain: each is either the key's newest or the one before exactly one other.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, literal, or_, select, union_all

from datastore.backends.schema import history, kv
from datastore.mvcc.model import MAX_EVENTS, SUB_BITS
from datastore.tools.checks.check import Check, at, each, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import ColumnElement, Row, Select

    from datastore.tools.checks.bounds import Bounds

RESTORE = "restore a snapshot from before the damage"
EVENT, BEFORE_ANOTHER, NEWEST = range(3)

_prev = history.alias("prev")
_revision = history.c.id // MAX_EVENTS
_put = history.c.deleted == 0
_tombstone = history.c.deleted != 0
_has_prev = _prev.c.id.is_not(None)


_not_deleted = and_(_has_prev, _prev.c.deleted == 0)
_after_tombstone = and_(_has_prev, _prev.c.deleted != 0)
_created = and_(history.c.version == 1, history.c.create_revision == _revision)
_continued = and_(
    history.c.create_revision == _prev.c.create_revision,
    history.c.version == _prev.c.version + 1,
)
_counted = and_(
    history.c.version >= 1,
    history.c.create_revision >= 1,
    history.c.create_revision <= _revision,
)
_blank = and_(
    history.c.create_revision == 0,
    history.c.version == 0,
    history.c.lease == 0,
    func.length(history.c.value) == 0,
)

# Every way in which an event and the one before it can disagree, whatever compaction has done.
ALWAYS_BROKEN = {
    "its key is empty": func.length(history.c.key) == 0,
    "prev_id names an event that is not older": history.c.prev_id >= history.c.id,
    "prev_id names an event of another key": and_(_has_prev, _prev.c.key != history.c.key),
    "create_revision or version do not continue the event before it": and_(
        _put, _not_deleted, ~_continued
    ),
    "create_revision and version cannot be": and_(_put, ~_counted),
    "a tombstone has a value, a lease or counters": and_(_tombstone, ~_blank),
}


def _broken(bounds: Bounds) -> dict[str, ColumnElement[bool]]:
    """Every way, those too that depend on how far compaction has come."""
    lost = and_(history.c.prev_id != 0, _prev.c.id.is_(None), history.c.id >= bounds.passed)
    was_deleted = and_(history.c.prev_id < bounds.passed, _put, _created)
    first = and_(history.c.prev_id == 0, history.c.id >= (bounds.compacted + 1) << SUB_BITS)
    key_was_gone = or_(first, _after_tombstone)
    return ALWAYS_BROKEN | {
        "the event before it is gone, and not by compaction": and_(lost, ~was_deleted),
        "a key that was not there does not begin at version 1": and_(_put, key_was_gone, ~_created),
        "a tombstone of a key that was not there": and_(_tombstone, key_was_gone),
    }


def _links(bounds: Bounds) -> Select[Any]:
    broken = _broken(bounds)
    which = case(*[(condition, literal(what)) for what, condition in broken.items()])
    return (
        select(history.c.key, history.c.id, history.c.prev_id, which.label("what"))
        .select_from(history.outerjoin(_prev, _prev.c.id == history.c.prev_id))
        .where(history.c.id >= bounds.first)
        .where(or_(*broken.values()))
    )


def _link(row: Row[Any]) -> tuple[str, str]:
    before = f" (prev_id is revision {place(row.prev_id)})" if row.prev_id else ""
    return at(row.key, row.id), row.what + before


def _mentions(bounds: Bounds) -> Any:
    """Every event, and every mention of one, by id: a sort that the database does on disk."""
    return union_all(
        select(history.c.id.label("id"), literal(EVENT).label("as")).where(
            history.c.id >= bounds.first
        ),
        select(history.c.prev_id, literal(BEFORE_ANOTHER)).where(
            history.c.prev_id >= max(bounds.first, 1)
        ),
        select(kv.c.id, literal(NEWEST)).where(kv.c.id >= bounds.first),
    ).order_by("id")


def unmatched(rows: Iterable[Any], bounds: Bounds) -> Iterator[tuple[str, str]]:
    """Yield the events that are not their key's newest nor the one before exactly one other.

    `rows` are (id, EVENT | BEFORE_ANOTHER | NEWEST), ordered by id.
    """
    del bounds
    for event, mentions in groupby(rows, key=itemgetter(0)):
        kinds = [kind for _, kind in mentions]
        if EVENT not in kinds:  # `links` and `heads` judge what points to nothing
            continue
        if len(kinds) == 1:
            yield f"revision {place(event)}", "no event follows it, and it is not its key's newest"
        elif len(kinds) > 2:
            yield f"revision {place(event)}", f"{len(kinds) - 1} events claim to follow it"


CHAINS = (
    Check(
        "links",
        "prev_id reaches the key's event before, whose counters the event continues, "
        "unless compaction took that one",
        RESTORE,
        _links,
        each(_link),
    ),
    Check(
        "successors",
        "each event is its key's newest or the one before exactly one other",
        RESTORE,
        _mentions,
        unmatched,
    ),
)
