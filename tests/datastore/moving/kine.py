"""A database as kine writes it, by SQL: its table, its way of changing a key, and what it leaves.

The statements that differ by database are its own tables; each change is one row, whose id is the
revision. `compact` does what kine's compaction does: superseded rows and old tombstones go, and the
row `compact_rev_key` remembers up to where.
"""

from typing import Any, Protocol

TABLES = {
    "sqlite": (
        "CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER,"
        " deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER,"
        " value BLOB, old_value BLOB)"
    ),
    "postgresql": (
        'CREATE TABLE kine (id BIGSERIAL PRIMARY KEY, name text COLLATE "C", created INTEGER,'
        " deleted INTEGER, create_revision BIGINT, prev_revision BIGINT, lease INTEGER,"
        " value bytea, old_value bytea)"
    ),
    "mysql": (
        "CREATE TABLE kine (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,"
        " name VARCHAR(630) CHARACTER SET ascii, created INTEGER, deleted INTEGER,"
        " create_revision BIGINT UNSIGNED, prev_revision BIGINT UNSIGNED, lease INTEGER,"
        " value MEDIUMBLOB, old_value MEDIUMBLOB)"
    ),
}
INDEXES = (
    "CREATE INDEX kine_name_index ON kine (name)",
    "CREATE INDEX kine_name_id_index ON kine (name, id)",
    "CREATE UNIQUE INDEX kine_name_prev_revision_uindex ON kine (name, prev_revision)",
)
APISERVERS = "compact_rev_key_apiserver"  # kube-apiserver's compact_rev_key
COLUMNS = "id, name, created, deleted, create_revision, prev_revision, lease, value, old_value"


class Connection(Protocol):
    """What a driver gives, as far as it is used here."""

    def cursor(self) -> Any: ...

    def commit(self) -> Any: ...


class Kine:
    """The table of one database, and its keys as kine keeps count of them."""

    def __init__(self, kind: str, connection: Connection) -> None:
        self._mark = "?" if kind == "sqlite" else "%s"
        self._connection = connection
        self._newest: dict[str, tuple[int, int, int, bytes]] = {}  # id, created at, lease, value
        self.revision = 0
        for statement in (TABLES[kind], *INDEXES):
            self._run(statement)
        self._row("compact_rev_key", 1, 0, 0, 0, 0, b"", b"")

    def put(self, key: str, value: bytes, lease: int = 0) -> int:
        """Create or update a key."""
        before = self._newest.get(key)
        if before is None:
            self._row(key, 1, 0, 0, 0, lease, value, None)
        else:
            self._row(key, 0, 0, before[1], before[0], lease, value, before[3])
        begun = self.revision if before is None else before[1]
        self._newest[key] = (self.revision, begun, lease, value)
        return self.revision

    def delete(self, key: str) -> None:
        """Delete a key: a row that holds what it was."""
        event, begun, lease, value = self._newest.pop(key)
        self._row(key, 0, 1, begun, event, lease, value, value)

    def gap(self) -> None:
        """Leave an id to nobody, which a row fills that was never a key."""
        self._row(f"gap-{self.revision + 1}", 0, 1, 0, 0, 0, None, None)

    def compact(self, revision: int) -> None:
        """Do as kine's compaction up to a revision."""
        superseded = (
            "SELECT id FROM (SELECT kp.prev_revision AS id FROM kine AS kp WHERE"
            f" kp.name <> 'compact_rev_key' AND kp.prev_revision <> 0 AND kp.id <= {revision}"
            f" UNION SELECT kd.id AS id FROM kine AS kd WHERE kd.deleted <> 0"
            f" AND kd.id <= {revision}) AS gone"
        )
        self._run(f"DELETE FROM kine WHERE id IN ({superseded})")
        self._run(f"UPDATE kine SET prev_revision = {revision} WHERE name = 'compact_rev_key'")

    def expected(self) -> dict[bytes, tuple[bytes, int, int, int]]:
        """Return value, create revision, mod revision and lease of every live key of a client."""
        return {
            key.encode(): (value, begun, event, lease)
            for key, (event, begun, lease, value) in self._newest.items()
            if key != APISERVERS
        }

    def _row(self, *row: Any) -> None:
        self.revision += 1
        marks = ", ".join([self._mark] * 9)
        self._run(f"INSERT INTO kine ({COLUMNS}) VALUES ({marks})", (self.revision, *row))

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        cursor = self._connection.cursor()
        cursor.execute(statement, values)
        cursor.close()
        self._connection.commit()


def fill(kine: Kine) -> None:
    """Make a small cluster's worth of keys, with everything that kine leaves behind."""
    kine.put(APISERVERS, b"3|17")
    for name in ("default", "kube-system", "kube-public", "gone"):
        kine.put(f"/registry/namespaces/{name}", b"k8s\0" + name.encode())
    kine.gap()
    for n in range(3):
        kine.put("/registry/minions/one", b"status %d" % n)
    kine.delete("/registry/namespaces/gone")
    kine.put("/registry/masterleases/10.0.0.1", b"k8s\0lease", 15)
    kine.put("/registry/events/default/a", b"k8s\0event", 3_660)
    kine.put("/registry/events/default/b", b"k8s\0event", 3_660)
    kine.compact(kine.revision - 2)
    kine.put("/registry/namespaces/gone", b"again")
    kine.delete("/registry/namespaces/gone")
    kine.put("/registry/secrets/default/Z", bytes(range(256)))
    kine.put("/registry/secrets/default/a", b"")
    kine.put("/registry/minions/one", b"status 3")
    kine.put("/registry/namespaces/new", b"x" * 100_000)
    kine.gap()
    kine.delete("/registry/namespaces/new")
    kine.gap()
