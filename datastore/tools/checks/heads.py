"""kv against history: the head of each key is its newest event, and no event is without a head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from datastore.backends.schema import history, kv
from datastore.tools.checks.check import Check, at, each, place, shown

if TYPE_CHECKING:
    from sqlalchemy import Row, Select

    from datastore.tools.checks.bounds import Bounds

COPIED = ("create_revision", "version", "lease", "deleted")
REBUILD = "make kv again from history (docs/howto/check.md), or restore a snapshot"


def _heads(bounds: Bounds) -> Select[Any]:
    differs = [kv.c[name] != history.c[name] for name in COPIED]
    both = [column for name in COPIED for column in (kv.c[name], history.c[name])]
    return (
        select(kv.c.key, kv.c.id, history.c.key.label("event_key"), *both)
        .select_from(kv.outerjoin(history, history.c.id == kv.c.id))
        .where(kv.c.id >= bounds.first)
        .where(or_(history.c.id.is_(None), history.c.key != kv.c.key, *differs))
    )


def _head(row: Row[Any]) -> tuple[str, str]:
    key, event, event_key, *values = tuple(row)
    if event_key is None:
        return at(key, event), "kv names an event that history does not have"
    if event_key != key:
        return at(key, event), f"kv names an event of key {shown(event_key)}"
    pairs = zip(COPIED, values[::2], values[1::2], strict=True)
    wrong = [f"{name} {ours} (history: {theirs})" for name, ours, theirs in pairs if ours != theirs]
    return at(key, event), f"kv has {', '.join(wrong)}"


def _events(bounds: Bounds) -> Select[Any]:
    return (
        select(history.c.key, history.c.id, kv.c.id.label("head"))
        .select_from(history.outerjoin(kv, kv.c.key == history.c.key))
        .where(history.c.id >= bounds.first)
        .where(or_(kv.c.id.is_(None), kv.c.id < history.c.id))
    )


def _event(row: Row[Any]) -> tuple[str, str]:
    if row.head is None:
        return at(row.key, row.id), "history has an event of a key that kv does not have"
    return at(row.key, row.id), f"kv is behind history: it names revision {place(row.head)}"


HEADS = (
    Check(
        "heads",
        "each row of kv is a copy of the history event that it names",
        REBUILD,
        _heads,
        each(_head),
    ),
    Check(
        "newest",
        "each event of history has a head in kv, which is not older than the event",
        REBUILD,
        _events,
        each(_event),
    ),
)
