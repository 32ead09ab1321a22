"""Which server holds the store's lock row, read in its database: the one that ends leases.

One process serves a SQLite file, and holds nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from datastore.backends import without_password
from datastore.backends.schema import lock, member
from datastore.mvcc.leadership import LOCK
from datastore.tools.read_only import CannotCheck, engine_of, snapshot
from datastore.tools.unreadable import SQLITE_UNREADABLE, in_one_line

# The database's own clock, in milliseconds, as the servers read it.
CLOCKS = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp()) * 1000",
    "mysql": "SELECT unix_timestamp(now(3)) * 1000",
}


class Holder(NamedTuple):
    """The member that holds the lock, 0 for none, its name, and for how long at most."""

    member: int = 0
    name: str = ""
    milliseconds: int = 0


def holder_of(endpoint: str) -> Holder | None:
    """Read it; None where there is no such lock. ConfigError when the store cannot be read."""
    engine = engine_of(endpoint)
    clock = CLOCKS.get(engine.dialect.name)
    if clock is None:
        return None
    held = select(lock.c.owner, lock.c.until, member.c.name).where(lock.c.name == LOCK)
    try:
        with engine.connect() as connection, snapshot(connection):
            now = int(connection.scalar(text(clock)))
            row = connection.execute(held.outerjoin_from(lock, member, lock.c.owner == member.c.id))
            return _judged(row.first(), now)
    except (DBAPIError, *SQLITE_UNREADABLE) as error:
        name = without_password(endpoint)
        raise CannotCheck(f"datastore {name}: {in_one_line(error)}: check the URL") from error
    finally:
        engine.dispose()


def _judged(row: tuple[int, int, str | None] | None, now: int) -> Holder:
    if row is None or row[1] <= now:
        return Holder()
    owner, until, name = row
    return Holder(owner % (1 << 64), name or "", until - now)
