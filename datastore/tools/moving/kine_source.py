"""kine's and rhino's database as the source of an import: SQLite, PostgreSQL, MySQL or MariaDB.

Both keep one table of events, `kine`. A row's id is its revision, its name the key; the newest row
of a name tells whether it lives. No key of a client are: the row that remembers the compaction (its
prev_revision is the compact revision), kube-apiserver's own such key, kept under another name and
with a version of its own making, and the deleted rows `gap-N` that stand for unused ids.

They know no versions: a key that was not changed since its creation gets 1, any other 2. A lease is
its number of seconds there: keys of one number get one lease of that id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import TextClause, text

from datastore.tools.moving.record import CannotMove, Record, SourceCompacted, batched
from datastore.tools.moving.sql_source import SqlSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datastore.mvcc.auth.model import AuthTables

TABLE = "kine"
NOT_KEYS = "'compact_rev_key', 'compact_rev_key_apiserver'"
FIRST = 2  # an event's least revision: an empty store is at 1, an empty table at 0
# The bytes of a name, which are what etcd orders keys by, whatever the column's collation.
BYTES = {
    "sqlite": "CAST({} AS BLOB)",
    "postgresql": "convert_to({}, 'UTF8')",
    "mysql": "CAST({} AS BINARY)",
    "mariadb": "CAST({} AS BINARY)",
}
REVISION = "SELECT coalesce(max(id), 0) FROM kine"
COMPACTED = "SELECT coalesce(max(prev_revision), 0) FROM kine WHERE name = 'compact_rev_key'"
LEASES = "SELECT DISTINCT lease FROM kine WHERE lease > 0 AND deleted = 0"


class KineSource(SqlSource):
    """See the module, and `Source`."""

    def look(self) -> None:
        """Learn what its bytes are called here."""
        self.identity = f"kine {self.name}"
        self._bytes = BYTES[self._connection.dialect.name]
        self._revision = 0

    def newest(self) -> int:
        """Return the greatest id; what compaction has seen counts too."""
        return max(int(self.one(text(REVISION))), int(self.one(text(COMPACTED))), 1)

    def pin(self, revision: int) -> int:
        """Read at this revision."""
        if self.one(text(COMPACTED)) > revision:
            raise SourceCompacted
        if self.newest() < revision:
            raise CannotMove(f"{self.name} is older than when the import began: empty the target")
        self._revision = revision
        return int(self.one(self._live("count(*)"), revision=revision, after=b""))

    def records(self, after: bytes) -> Iterator[list[Record]]:
        """Yield the live keys."""
        name = self._bytes.format("k.name")
        columns = f"{name}, k.value, k.id, k.created, k.create_revision, k.lease"
        rows = self.stream(
            self._live(columns, f"ORDER BY {name}"), revision=self._revision, after=after
        )
        return batched(map(_record, rows))

    def leases(self) -> dict[int, int]:
        """Return a lease for each number of seconds."""
        return {int(row[0]): int(row[0]) for row in self.stream(text(LEASES))}

    def users(self) -> AuthTables | None:
        """Return none: there are none."""
        return None

    def _live(self, columns: str, order: str = "") -> TextClause:
        """Select from the newest row of each name up to a revision, if it is not deleted."""
        inner, name = self._bytes.format("name"), self._bytes.format("k.name")
        return text(
            f"SELECT {columns} FROM kine AS k JOIN (SELECT max(id) AS id FROM kine "
            f"WHERE id <= :revision AND name NOT IN ({NOT_KEYS}) GROUP BY {inner}) AS newest "
            f"ON newest.id = k.id WHERE k.deleted = 0 AND {name} > :after {order}"
        )


def _record(row: Sequence[Any]) -> Record:
    name, value, event, created, create_revision, lease = row
    revision = max(int(event), FIRST)
    begun = int(create_revision or 0)
    first = bool(created) or not 0 < begun < revision
    return Record(
        bytes(name),
        value.encode() if isinstance(value, str) else bytes(value or b""),
        revision if first else max(begun, FIRST),
        revision,
        1 if first else 2,
        max(int(lease or 0), 0),
    )
