"""What a read sees: one snapshot, and nothing that could change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.model import upper_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.mvcc.backend import Snapshot
    from datastore.mvcc.model import Head, Row, State


class SnapshotView:
    """A read-only view of one snapshot; also what a read-only Txn is evaluated on."""

    def __init__(self, snapshot: Snapshot, state: State) -> None:
        self._snapshot = snapshot
        self.revision = state.revision
        self.next_revision = state.revision + 1
        self.compact_revision = state.compact_revision
        self.wants_values = False

    def scan(
        self, key: bytes, end: bytes, limit: int, revision: int, *, values: bool
    ) -> Sequence[Row]:
        """Return live rows in key order."""
        bound = upper_bound(key, end)
        if bound is not None and bound <= key:
            return []
        return self._snapshot.scan(key, bound, limit, revision, values=values)

    def count(self, key: bytes, end: bytes, revision: int) -> int:
        """Return the number of live keys."""
        bound = upper_bound(key, end)
        if bound is not None and bound <= key:
            return 0
        return self._snapshot.count(key, bound, revision)

    def head(self, key: bytes) -> Head | Row | None:
        """Return the newest event of a key."""
        return self._snapshot.heads([key]).get(key)

    def row(self, key: bytes) -> Row | None:
        """Return the live row of a key."""
        rows = self.scan(key, b"", 1, 0, values=True)
        return rows[0] if rows else None

    def has_lease(self, lease: int) -> bool:
        """Say whether a lease exists."""
        return bool(self._snapshot.leases([lease]))

    def put(self, key: bytes, value: bytes, lease: int) -> None:
        """Refuse: a read-only request never writes."""
        raise NotImplementedError(f"put of {key!r} in a read-only view")

    def delete(self, row: Row, *, complete: bool) -> None:
        """Refuse: a read-only request never writes."""
        raise NotImplementedError(f"delete of {row.key!r} in a read-only view")
