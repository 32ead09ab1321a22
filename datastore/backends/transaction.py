"""`Snapshot` and `WriteTx` over SQL: what every database shares.

A subclass says how to run a statement (`run`), how to insert many rows at once (`insert`), and
how a transaction begins and ends. An old revision is read along the keys' chains: heads come in
key order, and only those newer than the revision are followed back, all of a page in one query.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import chain
from json import dumps, loads
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from datastore.backends import auth_tables, schema
from datastore.mvcc.backend import Prefetch, Wanted
from datastore.mvcc.model import SUB_BITS, Alarm, Head, Lease, Lock, Member, Row, State
from datastore.mvcc.packed_rows import PackedRows

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Table

    from datastore.backends.statements import Prepared, Statements
    from datastore.mvcc.auth.model import AuthTables, Token
    from datastore.mvcc.backend import Changes

_DELETED, _KEY = 4, 5  # columns of a walk
_BY_KEY = attrgetter("key")
CLOCK = 4  # the column of a state that has the database's time
WALK = 1_000  # heads a page, when an old revision is read


def packed(columns: list[Any]) -> PackedRows:
    """Return live rows whose columns a scan or a walk gave, none of them if there are no rows."""
    if not columns:
        return PackedRows.of(())
    ids, created, versions, leases, *_, keys, values = columns
    return PackedRows((ids, keys, values, created, versions, leases))


def told_state(columns: Sequence[Any], now: int) -> State:
    """Return the state that the columns of its statement tell."""
    newest, floor, compacted, pruned, _, alarms, auth = columns
    return State(max(newest >> SUB_BITS, floor), compacted, pruned, now, alarms, auth)


class SqlTransaction(ABC):
    """One transaction of either kind; the session that opened it begins and ends it."""

    statements: Statements
    member_id: int

    @abstractmethod
    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run a statement and return its rows, none if it has none."""

    @abstractmethod
    def insert(self, table: Table, rows: Sequence[Sequence[Any]], *, replace: bool) -> None:
        """Insert rows in the table's column order; `replace` overwrites by primary key."""

    @abstractmethod
    def begin(self) -> None:
        """Take the store's lock: the first statement of a write transaction."""

    def execute(self, prepared: Prepared, **values: Any) -> list[Any]:
        """Run a prepared statement."""
        return self.run(prepared.sql, prepared.bind(values))

    def columns(self, prepared: Prepared, **values: Any) -> list[Any]:
        """Run a prepared statement and return its columns, none if it finds nothing.

        Of scans and walks: integers, then a key, and last a value, which alone may be NULL.
        """
        return list(zip(*self.execute(prepared, **values), strict=True))

    def send(self, prepared: Prepared, **values: Any) -> None:
        """Run a prepared statement whose rows, if any, nobody wants."""
        self.run(prepared.sql, prepared.bind(values))

    def send_among(self, kind: str, wanted: Collection[Any], **values: Any) -> None:
        """Run a listed statement whose rows nobody wants, if the list has anything."""
        if not wanted:
            return
        for size, params in self.statements.lists.chunks(tuple(wanted)):
            self.send(self.statements.among(kind, size), **params, **values)

    def among(self, kind: str, wanted: Collection[Any], **values: Any) -> list[Any]:
        """Run a listed statement over as many chunks as the list needs."""
        rows: list[Any] = []
        if not wanted:
            return rows
        for size, params in self.statements.lists.chunks(tuple(wanted)):
            rows += self.execute(self.statements.among(kind, size), **params, **values)
        return rows

    # Snapshot

    def state(self) -> State:
        """Return revision, compaction and clock."""
        return self.state_of(self.execute(self.statements.state)[0])

    def state_of(self, columns: Sequence[Any]) -> State:
        """Return the state that its columns tell."""
        return told_state(columns, self.clock(columns[CLOCK]))

    @abstractmethod
    def allocated(self) -> int:
        """Return the bytes that the store allocates."""

    def short_of_space(self) -> bool:
        """Say no: a networked database looks after its own disk."""
        return False

    def clock(self, now: int) -> int:
        """Return the time in milliseconds, given what the database said."""
        return int(now)

    def heads(self, keys: Collection[bytes]) -> dict[bytes, Head]:
        """Return the heads of those keys that have one."""
        return {row[1]: Head._make(row) for row in self.among("heads", keys)}

    def live(self, keys: Collection[bytes]) -> dict[bytes, Row]:
        """Return the newest rows of those keys that are live."""
        return {row[1]: Row._make(row) for row in self.among("live_rows", keys)}

    def values(self, ids: Collection[int]) -> dict[int, bytes]:
        """Return the values of events by id."""
        return dict(self.among("values", ids))

    def rows(self, ids: Collection[int]) -> dict[int, Row]:
        """Return events by id."""
        return {row[0]: Row._make(row) for row in self.among("rows", ids)}

    def scan(
        self, key: bytes, end: bytes | None, limit: int, revision: int, *, values: bool
    ) -> Sequence[Row]:
        """Return live rows in key order."""
        if revision:
            return self._scan_past(key, end, limit, revision, values=values)
        scan = self.statements.scan(bounded=end is not None, limited=limit > 0, values=values)
        return packed(self.columns(scan, key=key, end=end, limit=limit))

    def count(self, key: bytes, end: bytes | None, revision: int) -> int:
        """Return the number of live keys."""
        bounded, bounds = end is not None, {"key": key, "end": end}
        if not revision:
            count = self.statements.count(bounded=bounded, past=False)
            return int(self.execute(count, **bounds)[0][0])
        count = self.statements.count(bounded=bounded, past=True)
        certain = self.execute(count, **bounds, revision=revision)[0][0]
        below = (revision + 1) << SUB_BITS
        uncertain = self.statements.uncertain(bounded=bounded)
        found = self.execute(uncertain, **bounds, below=below, revision=revision)
        earlier = self._earlier([Head._make(row) for row in found], below)
        return int(certain) + sum(int(row[0]) for row in self.among("live", earlier))

    def moved(self, key: bytes, end: bytes | None, first: int, last: int, limit: int) -> int | None:
        """Return creations less deletions in a key range, None for more events than limit."""
        moved = self.statements.moved(bounded=end is not None)
        bounds = {"key": key, "end": end, "first": first, "last": last}
        events, total = self.execute(moved, **bounds, limit=limit + 1)[0]
        return None if events > limit else int(total)

    def history(self, first: int, last: int, limit: int) -> list[Row]:
        """Return events by id, oldest first."""
        found = self.statements.history(limited=limit > 0)
        return list(map(Row._make, self.execute(found, first=first, last=last, limit=limit)))

    def leases(self, ids: Collection[int] | None) -> dict[int, Lease]:
        """Return the leases named, all of them for None."""
        if ids is None:
            found = self.execute(self.statements.all_leases)
        else:
            found = self.among("leases", ids)
        return {row[0]: Lease._make(row) for row in found}

    def due_leases(self, now: int, limit: int) -> list[Lease]:
        """Return leases whose deadline has come."""
        found = self.execute(self.statements.due_leases, now=now, limit=limit)
        return list(map(Lease._make, found))

    def lease_keys(self, lease: int) -> list[Head]:
        """Return the live heads attached to a lease."""
        return list(map(Head._make, self.execute(self.statements.lease_keys, lease=lease)))

    def leased_keys(self) -> list[bytes]:
        """Return every live key that has a lease."""
        return [key for (key,) in self.execute(self.statements.leased_keys)]

    def alarms(self) -> list[Alarm]:
        """Return the active alarms."""
        return list(map(Alarm._make, self.execute(self.statements.alarms)))

    def lock(self, name: str) -> Lock | None:
        """Return a lock row."""
        found = self.execute(self.statements.lock, name=name)
        return Lock._make(found[0]) if found else None

    def members(self) -> list[Member]:
        """Return every server known."""
        found = [
            Member(number, name, tuple(filter(None, urls.split(","))), beat, tuple(loads(peers)))
            for number, name, urls, beat, peers in self.execute(self.statements.members)
        ]
        return sorted(found, key=attrgetter("id"))

    def auth(self) -> AuthTables:
        """Return everything of auth but the tokens."""
        return auth_tables.read_tables(self)

    def token(self, digest: bytes) -> Token | None:
        """Return a token by its digest."""
        return auth_tables.read_token(self, digest)

    # WriteTx

    def state_at_start(self) -> State:
        """Return the state that a write transaction begins with."""
        return self.state()

    def prefetch(self, wanted: Wanted) -> Prefetch:
        """Take the lock, then read what the batch names."""
        self.begin()
        state = self.state_at_start()
        heads = self.heads(wanted.keys)
        values = dict(self.among("key_values", wanted.value_keys))
        return Prefetch(state, heads, values, self.leases(wanted.leases))

    def write(self, changes: Changes) -> None:
        """Write the changes in as few statements as there are kinds of them."""
        if changes.rows:
            self.insert(schema.history, changes.rows, replace=False)
        if changes.heads:
            self.insert(schema.kv, list(changes.heads.values()), replace=True)
        if changes.put_leases:
            self.insert(schema.lease, list(changes.put_leases.values()), replace=True)
        self.send_among("drop_leases", changes.drop_leases)
        self.send_among("drop_rows", changes.drop_rows)
        self.send_among("drop_heads", [head.key for head in changes.drop_heads])
        if changes.moment is not None:
            self.send(self.statements.put_moment, **changes.moment._asdict())
        self._write_settings(changes)

    def _write_settings(self, changes: Changes) -> None:
        if changes.put_alarms:
            self.insert(schema.alarm, list(changes.put_alarms), replace=True)
        for alarm in changes.drop_alarms:
            self.send(self.statements.drop_alarm, member=alarm.member_id, kind=alarm.alarm)
        self._write_bounds(changes)
        if changes.extend_leases is not None:
            self.send(self.statements.extend_leases, now=changes.extend_leases)
        if changes.put_lock is not None:
            self.insert(schema.lock, [changes.put_lock], replace=True)
        if changes.auth is not None:
            auth_tables.write_changes(self, changes.auth)
        for number, urls in changes.peer_urls.items():
            self.send(self.statements.set_peer_urls, member=number, urls=dumps(urls))
        self.send_among("drop_members", changes.drop_members)

    def _write_bounds(self, changes: Changes) -> None:
        if changes.compact_revision is not None:
            self.send(self.statements.set_compact, revision=changes.compact_revision)
        if changes.pruned_revision is not None:
            self.send(self.statements.set_pruned, revision=changes.pruned_revision)
            self._drop_moments(changes.pruned_revision)
        if changes.floor is not None:
            self.send(self.statements.set_floor, revision=changes.floor)

    def _drop_moments(self, revision: int) -> None:
        """Drop those before the one that tells the time of a revision."""
        last = self.execute(self.statements.moment_before, revision=revision)[0][0]
        if last is not None:
            self.send(self.statements.drop_moments, revision=last)

    # Old revisions

    def _scan_past(
        self, key: bytes, end: bytes | None, limit: int, revision: int, *, values: bool
    ) -> Sequence[Row]:
        """Walk the heads in key order, a page at a time, until there are enough live rows."""
        below = (revision + 1) << SUB_BITS
        found: list[Row] = []
        walk = self.statements.walk(bounded=end is not None, values=values)
        page = min(limit or WALK, WALK)
        while True:
            heads = self.columns(walk, key=key, end=end, limit=page, below=below)
            rows = self._rows_below(heads, below)
            walked: Sequence[bytes] = heads[_KEY] if heads else ()
            if len(walked) < page or 0 < limit <= len(found) + len(rows):
                rows = [*found, *rows] if found else rows
                return rows[:limit] if 0 < limit < len(rows) else rows
            found += rows
            key, page = walked[-1] + b"\0", WALK

    def _rows_below(self, columns: list[Any], below: int) -> Sequence[Row]:
        """Return the live rows below a bound of heads that were walked, in key order."""
        if not columns or (max(columns[0], default=0) < below and not any(columns[_DELETED])):
            return packed(columns)
        walked = list(zip(*columns, strict=True))
        live = [
            Row(number, key, value, created, version, lease, 0, 0)
            for number, created, version, lease, deleted, key, value in walked
            if number < below and not deleted
        ]
        newer = [
            Head(number, key, created, version, lease, deleted)
            for number, created, version, lease, deleted, key, _ in walked
            if number >= below
        ]
        if not newer:
            return live
        earlier = self.rows(self._earlier(newer, below)).values()
        return sorted(chain(live, (row for row in earlier if not row.deleted)), key=_BY_KEY)

    def _earlier(self, heads: list[Head], below: int) -> list[int]:
        """Return the newest event below a bound of each head's key, for those that have one."""
        names = {head.id: head.key for head in heads}
        earlier = []
        for head, at in self.among("chains", names, below=below):
            if at >= below:  # a long chain: scan back from the bound
                earlier += self._scan_back(names[head], below)
            elif at:
                earlier.append(at)
        return earlier

    def _scan_back(self, key: bytes, below: int) -> list[int]:
        """Return the newest event of a key below a bound, if there is one, without its chain."""
        found = self.execute(self.statements.scan_back, key=key, below=below)
        return [row[0] for row in found]
