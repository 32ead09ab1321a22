"""What can only be seen by looking at all of it: the views for people, and the file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import column, func, select, table, text

from datastore.backends.schema import kv
from datastore.tools.checks.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Executable

    from datastore.tools.checks.check import Bounds

OBJECTS = 100_000  # the view takes SQLite 30 µs an object

_keys = table("keys", column("key"), column("size"))
_objects = table("objects", column("resource"), column("name"), column("value"))


def _shown_keys(_: Bounds) -> Executable:
    live = select(func.count()).select_from(kv).where(kv.c.deleted == 0).scalar_subquery()
    return select(func.count(_keys.c.key).label("shown"), live.label("live"))


def judge_keys(rows: Iterable[Any], _: Bounds) -> Iterator[tuple[str, str]]:
    """See that the view `keys` shows every live key."""
    for shown, live in rows:
        if shown != live:
            yield "view keys", f"shows {shown} keys of {live} that live"


def _shown_objects(_: Bounds) -> Executable:
    """Evaluate every column of objects; how many have a value depends on who wrote them."""
    some = select(_objects.c.name, _objects.c.value).limit(OBJECTS).subquery()
    return select(func.count(some.c.name), func.count(some.c.value))


def judge_objects(rows: Iterable[Any], _: Bounds) -> Iterator[tuple[str, str]]:
    """Be content that the query ran: a row that breaks it is an error of the database."""
    list(rows)
    yield from ()


def _integrity(_: Bounds) -> Executable:
    return text("PRAGMA integrity_check(100)")


def judge_integrity(rows: Iterable[Any], _: Bounds) -> Iterator[tuple[str, str]]:
    """Yield what SQLite says of its file, unless it is `ok`."""
    for (said,) in rows:
        if said != "ok":
            yield "database file", " ".join(str(said).split())


SAME_VERSION = "make the view again as datastore/migrations has it, or restore into a new database"

WHOLE = (
    Check(
        "keys",
        "the view `keys` works and shows every live key",
        SAME_VERSION,
        _shown_keys,
        judge_keys,
        whole=True,
    ),
    Check(
        "objects",
        "the view `objects` works: the first 100,000 of them are looked at",
        SAME_VERSION,
        _shown_objects,
        judge_objects,
        whole=True,
    ),
    Check(
        "file",
        "SQLite finds its file in order (PRAGMA integrity_check)",
        "the disk or a copy of the file is damaged: restore a snapshot on a sound disk",
        _integrity,
        judge_integrity,
        whole=True,
        only="sqlite",
    ),
)
