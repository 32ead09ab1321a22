"""What can only be seen by looking at all of it: the views for people, and the file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    LargeBinary,
    String,
    column,
    func,
    literal,
    or_,
    select,
    table,
    text,
    union_all,
)

from datastore.backends.schema import kv, metadata
from datastore.tools.checks.check import Check
from datastore.tools.checks.revisions import RESTORE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Column, Executable, Table

    from datastore.tools.checks.bounds import Bounds

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


def _storage(of: Column[Any]) -> str:
    """What SQLite calls the values of a column, when each is of the column's type."""
    if isinstance(of.type, LargeBinary):
        return "blob"
    return "text" if isinstance(of.type, String) else "integer"


def _foreign_types(_: Bounds) -> Executable:
    """How many rows of each table have a value that its column is not for."""

    def counted(of: Table) -> Any:
        foreign = or_(*[func.typeof(each) != _storage(each) for each in of.c])
        rows = select(func.count()).select_from(of).where(foreign).scalar_subquery()
        return select(literal(of.name).label("name"), rows.label("rows"))

    return union_all(*map(counted, metadata.sorted_tables))


def judge_types(rows: Iterable[Any], _: Bounds) -> Iterator[tuple[str, str]]:
    """Yield the tables that have such rows."""
    for name, foreign in rows:
        if foreign:
            yield f"table {name}", f"{foreign} rows have a value of another type than its column"


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
        "types",
        "each value is of the type of its column, which SQLite itself does not ask",
        RESTORE,
        _foreign_types,
        judge_types,
        whole=True,
        only="sqlite",
    ),
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
