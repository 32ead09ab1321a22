"""A store of ours as the source of an import: any database, or a snapshot file; users come along.

It may be served meanwhile: what is read is one state of it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import func, select, text

from datastore.backends.auth_tables import AuthStatements, read_tables
from datastore.backends.migration import VERSION_TABLE, known_versions
from datastore.backends.schema import history, kv, lease, lock, meta
from datastore.mvcc.model import SUB_BITS, Row
from datastore.tools.moving.record import CannotMove, Record, SourceCompacted, batched
from datastore.tools.moving.sql_source import SqlSource
from datastore.tools.moving.target import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import FromClause, Select

    from datastore.backends.statements import Prepared
    from datastore.backends.transaction import SqlTransaction
    from datastore.mvcc.auth.model import AuthTables


class StoreSource(SqlSource):
    """See the module, and `Source`."""

    def look(self) -> None:
        """Learn its cluster id; CannotMove when it is of another version."""
        found = self.one(text(f"SELECT version_num FROM {VERSION_TABLE}"))
        if found != known_versions()[-1]:
            raise CannotMove(
                f"{self.name} has schema {found}, this program reads {known_versions()[-1]}: "
                "start a server of this version on it once"
            )
        if self.one(select(lock.c.until).where(lock.c.name == MARK)):
            raise CannotMove(f"{self.name} holds an unfinished import: end that first")
        self.identity = f"tapir {self.one(select(meta.c.cluster_id))}"
        self._users = read_tables(cast("SqlTransaction", self))
        self.auth_on = self._users.state.enabled
        self._revision = 0

    # What `read_tables` asks of a transaction: the statements as SQLAlchemy has them.

    statements = SimpleNamespace(auth=AuthStatements(lambda statement: cast("Prepared", statement)))

    def execute(self, statement: Any) -> list[tuple[Any, ...]]:
        """Return a statement's rows."""
        return [tuple(row) for row in self._connection.execute(statement)]

    def newest(self) -> int:
        """Return the store's revision."""
        event = self.one(select(func.coalesce(func.max(history.c.id), 0)))
        return max(int(event) >> SUB_BITS, int(self.one(select(meta.c.floor))))

    def pin(self, revision: int) -> int:
        """Read at this revision."""
        if self.one(select(meta.c.compact_revision)) > revision:
            raise SourceCompacted
        if self.newest() < revision:
            raise CannotMove(f"{self.name} is older than when the import began: empty the target")
        self._revision = revision
        live = self._live().subquery()
        return int(self.one(select(func.count()).select_from(live)))

    def records(self, after: bytes) -> Iterator[list[Record]]:
        """Yield the live keys."""
        rows = self._live().where(history.c.key > after).order_by(history.c.key)
        return batched(map(_record, self.stream(rows)))

    def events(self) -> Iterator[Row]:
        """Yield all of history, in order of revision."""
        for row in self.stream(select(*history.c).order_by(history.c.id)):
            yield Row(row[0], bytes(row[1]), bytes(row[2]), *row[3:])

    def count_events(self) -> int:
        """Return how many events history has."""
        return int(self.one(select(func.count()).select_from(history)))

    def compacted(self) -> int:
        """Return the compact revision, less than 1 when there is none."""
        return int(self.one(select(meta.c.compact_revision)))

    def leases(self) -> dict[int, int]:
        """Return every lease."""
        return dict(map(tuple, self.stream(select(lease.c.id, lease.c.ttl))))

    def users(self) -> AuthTables:
        """Return users, roles and whether they are asked for."""
        return self._users

    def _live(self) -> Select[Any]:
        """Select the rows that live at the pinned revision."""
        newest: FromClause = kv
        if self._revision < self.newest():
            below = history.c.id < (self._revision + 1) << SUB_BITS
            by_key = select(func.max(history.c.id).label("id")).where(below)
            newest = by_key.group_by(history.c.key).subquery()
        return (
            select(*history.c)
            .select_from(history.join(newest, newest.c.id == history.c.id))
            .where(history.c.deleted == 0)
        )


def _record(row: Sequence[Any]) -> Record:
    event, key, value, create_revision, version, lease_id = row[:6]
    revision = int(event) >> SUB_BITS
    return Record(bytes(key), bytes(value), create_revision, revision, version, lease_id)
