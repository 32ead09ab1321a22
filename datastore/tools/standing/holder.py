"""What the database itself knows of its servers: who holds the lock row, and who was last heard.

The one that holds it leads, and ends leases. One process serves a SQLite file, and holds nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from datastore.backends import without_password
from datastore.backends.pulse import CLOCKS
from datastore.backends.schema import lock, member
from datastore.mvcc.leadership import LOCK
from datastore.tools.read_only import CannotCheck, engine_of, snapshot
from datastore.tools.unreadable import SQLITE_UNREADABLE, in_one_line


class Beat(NamedTuple):
    """A server that the database knows, and how long ago it said that it is alive."""

    member: int
    name: str
    milliseconds: int


class Holder(NamedTuple):
    """The member that holds the lock, 0 for none, its name, and for how long at most; all beats."""

    member: int = 0
    name: str = ""
    milliseconds: int = 0
    beats: tuple[Beat, ...] = ()


def holder_of(endpoint: str) -> Holder | None:
    """Read it; None where there is no such lock. ConfigError when the store cannot be read."""
    engine = engine_of(endpoint)
    clock = CLOCKS.get(engine.dialect.name)
    if clock is None:
        return None
    held = select(lock.c.owner, lock.c.until, member.c.name).where(lock.c.name == LOCK)
    try:
        with engine.connect() as connection, snapshot(connection):
            now = int(connection.scalar(text(f"SELECT {clock}")))
            row = connection.execute(held.outerjoin_from(lock, member, lock.c.owner == member.c.id))
            holder = _judged(row.first(), now)
            known = connection.execute(select(member.c.id, member.c.name, member.c.heartbeat))
            beats = [Beat(number, name, now - beat) for number, name, beat in known]
            return holder._replace(beats=tuple(sorted(beats)))
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
