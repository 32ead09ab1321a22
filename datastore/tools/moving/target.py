"""The store that an import fills, on any backend, through the `Backend` protocol.

A lock row marks an import: its owner is the source's number, `until` the revision that is read, 0
once it is done. Until then the alarm CORRUPT is on, so that a server which is started too early
refuses writes. Keys come in key order, so the last one there tells where to go on.

What the store is to be at the end it is from the beginning: at the source's revision, compacted up
to it. Each key has one event in history, the one that made it what it is.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Self

from datastore.backends import new_backend, without_password
from datastore.backends.identity import Identity
from datastore.mvcc.alarms import CORRUPT
from datastore.mvcc.auth.model import AuthChanges
from datastore.mvcc.backend import (
    BackendBroken,
    BackendDown,
    BackendFailed,
    Changes,
    CommitUnknown,
    Wanted,
)
from datastore.mvcc.membership import ALIVE_MS
from datastore.mvcc.model import MAX_EVENTS, SUB_BITS, Alarm, Head, Lease, Lock, Row
from datastore.tools.moving.record import BATCH_BYTES, BATCH_ROWS, CannotMove, Record, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datastore.mvcc.auth.model import AuthTables
    from datastore.mvcc.backend import Snapshot, WriteTx
    from datastore.mvcc.model import State

MARK = "import"
NAME = "default"  # as a server without --name calls itself, which then takes this member's row
WALK = 5_000  # keys a page, when their values are not asked for
LOST = (BackendDown, BackendFailed, BackendBroken, CommitUnknown)


class Begun(NamedTuple):
    """Where an import stands: the revision it reads, 0 when it has none yet, and the last key."""

    revision: int
    after: bytes = b""


class Target:
    """A store that is being filled, a context manager. Only one thread uses it."""

    def __init__(self, endpoint: str) -> None:
        """Name it; ConfigError when the URL cannot be one."""
        self.name = without_password(endpoint)
        self._backend = new_backend(endpoint, Identity(NAME, ()))
        self._batch = 0
        self._revision = 0
        self._leases: set[int] = set()
        self._subs: dict[int, int] = {}  # how many events a revision has, of those with several

    def __enter__(self) -> Self:
        """Open it, and make its tables; StartError when that cannot be."""
        self._backend.open()
        try:
            self._session = self._backend.session(writer=True)
        except BaseException:
            self._backend.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
        self._backend.close()

    def begun(self, identity: str) -> Begun:
        """Say how far an import from this source has come; CannotMove if the store is not for it.

        Nothing is written.
        """
        with self._lost_named(), self._session.snapshot() as tx:
            state, mark, keys = tx.state(), tx.lock(MARK), tx.count(b"", None, 0)
            taken = state.revision > 1 or tx.auth().users or tx.leases(None)
            if not self._backend.exclusive:
                self._refuse_served(tx, state.now)
        if mark is None or not mark.until:
            if taken:
                raise CannotMove(
                    f"{self.name} holds a store already, of {keys} keys at revision "
                    f"{state.revision}: give an empty database"
                )
            return Begun(0)
        if mark.owner != number_of(identity):
            raise CannotMove(
                f"{self.name} holds an unfinished import of another source: name that one in "
                "--from, or give an empty database"
            )
        self._revision = mark.until
        return Begun(mark.until, self._last_key())

    def begin(self, identity: str, revision: int) -> None:
        """Mark the store, and drop what an import at an earlier revision has left."""
        while self._drop_some():
            pass
        self._revision = revision
        self._leases.clear()
        self._subs.clear()
        with self._changing() as (_, changes):
            changes.put_lock = Lock(MARK, number_of(identity), revision)
            changes.put_alarms.add(Alarm(self._backend.member_id, CORRUPT))
            changes.floor = changes.compact_revision = changes.pruned_revision = revision

    def put_leases(self, leases: dict[int, int]) -> None:
        """Grant leases, each for its full time from now on."""
        if not leases.keys() - self._leases:
            return
        with self._changing() as (now, changes):
            changes.put_leases = {
                lease: Lease(lease, ttl, now + ttl * 1000) for lease, ttl in leases.items()
            }
        self._leases.update(leases)

    def put_users(self, users: AuthTables) -> None:
        """Write users and roles, and whether they are asked for."""
        with self._changing() as (_, changes):
            changes.auth = AuthChanges(
                users.state, list(users.users.values()), put_roles=list(users.roles.values())
            )

    def put(self, records: Sequence[Record]) -> None:
        """Write keys, which come after all that are there, in one transaction."""
        for record in records:
            self._check(record)
        with self._writing() as tx:
            rows = self._rows(tx, records)
            heads = {row.key: Head(row.id, row.key, *row[3:7]) for row in rows}
            tx.write(Changes(rows=rows, heads=heads))
            self._commit(tx)
        self._backend.housekeep(self._session)

    def records(self) -> Iterator[Record]:
        """Yield every live key as a server would read it, in key order."""
        key, limit = b"", BATCH_ROWS
        while True:
            with self._lost_named(), self._session.snapshot() as tx:
                rows = list(tx.scan(key, None, limit, 0, values=True))
            found = [Record(row[1], row[2], row[3], row.revision, *row[4:6]) for row in rows]
            yield from found
            if len(rows) < limit:
                return
            key = rows[-1].key + b"\0"
            limit = max(1, min(BATCH_ROWS, BATCH_BYTES * limit // sum(r.size for r in found)))

    def count(self) -> int:
        """Return the number of live keys."""
        with self._lost_named(), self._session.snapshot() as tx:
            return tx.count(b"", None, 0)

    def leases(self) -> dict[int, int]:
        """Return the granted seconds of every lease."""
        with self._lost_named(), self._session.snapshot() as tx:
            return {lease.id: lease.ttl for lease in tx.leases(None).values()}

    def finish(self, identity: str) -> None:
        """Let servers write to it."""
        with self._lost_named(), self._session.snapshot() as tx:
            alarms = [alarm for alarm in tx.alarms() if alarm.alarm == CORRUPT]
        with self._changing() as (_, changes):
            changes.drop_alarms.update(alarms)
            changes.put_lock = Lock(MARK, number_of(identity), 0)

    def _refuse_served(self, tx: Snapshot, now: int) -> None:
        """See that no server is at work on a shared database; an import has no URLs."""
        for member in tx.members():
            if member.client_urls and now - member.heartbeat < ALIVE_MS:
                raise CannotMove(
                    f"{self.name} is served at {member.client_urls[0]}: stop that server, and try "
                    f"again after {ALIVE_MS // 1000} s"
                )

    def _check(self, record: Record) -> None:
        if len(record.key) > self._backend.longest_key:
            raise CannotMove(
                f"{self.name} takes keys of {self._backend.longest_key} bytes, and "
                f"{shown(record.key)} has {len(record.key)}: choose another database"
            )
        if not record.key or record.mod_revision > self._revision:
            raise CannotMove(f"the source has a key that cannot be: {shown(record.key)}")

    def _rows(self, tx: WriteTx, records: Sequence[Record]) -> list[Row]:
        """Number the events: keys of one revision come as they please, its events count up."""
        self._learn(tx, {record.mod_revision for record in records})
        rows, here = [], dict[int, int]()
        for record in records:
            key, value, create_revision, revision, version, lease = record
            sub = self._subs.get(revision, 0) or here.get(revision, 0)
            here[revision] = sub + 1
            if sub:
                self._subs[revision] = sub + 1
            if sub >= MAX_EVENTS:
                raise CannotMove(f"revision {revision} has more than {MAX_EVENTS} keys")
            event = revision << SUB_BITS | sub
            rows.append(Row(event, key, value, create_revision, version, lease, 0, 0))
        return rows

    def _learn(self, tx: WriteTx, revisions: set[int]) -> None:
        """Count the events of revisions that have some already."""
        asked = [revision << SUB_BITS for revision in revisions if revision not in self._subs]
        for first in tx.values(asked):
            events = tx.history(first, first + MAX_EVENTS, 0)
            self._subs[first >> SUB_BITS] = len(events)

    def _last_key(self) -> bytes:
        """Return the greatest key, b"" when there is none."""
        last = b""
        while True:
            with self._lost_named(), self._session.snapshot() as tx:
                rows = tx.scan(last + b"\0" if last else b"", None, WALK, 0, values=False)
            if not rows:
                return last
            last = rows[-1].key

    def _drop_some(self) -> bool:
        """Drop keys and leases of an import that has to start anew; say whether there were any."""
        with self._writing() as tx:
            rows = tx.scan(b"", None, WALK, 0, values=False)
            leases = set(tx.leases(None))
            if rows or leases:
                heads = [Head(row.id, row.key, *row[3:7]) for row in rows]
                ids = [row.id for row in rows]
                tx.write(Changes(drop_rows=ids, drop_heads=heads, drop_leases=leases))
                self._commit(tx)
        return bool(rows or leases)

    @contextmanager
    def _changing(self) -> Iterator[tuple[int, Changes]]:
        """Give the time and what to fill in, and write that."""
        with self._writing() as tx:
            changes = Changes()
            yield self._state.now, changes
            tx.write(changes)
            self._commit(tx)

    @contextmanager
    def _writing(self) -> Iterator[WriteTx]:
        with self._lost_named(), self._session.transaction() as tx:
            self._state: State = tx.prefetch(Wanted((), (), ())).state
            yield tx

    def _commit(self, tx: WriteTx) -> None:
        self._batch += 1
        tx.commit(self._batch, max(self._revision, self._state.revision))

    @contextmanager
    def _lost_named(self) -> Iterator[None]:
        try:
            yield
        except LOST as error:
            text = " ".join(str(error).split())
            raise CannotMove(
                f"{self.name}: {text}: mend that, and run the same command to go on"
            ) from error


def number_of(identity: str) -> int:
    """Return a source's number, which fits where a member's id does."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8]) >> 2 or 1
