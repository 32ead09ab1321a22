"""The narrow waist: what the store asks of a database, and nothing else.

Everything here is synchronous and belongs to one thread: `Lane` gives each session a thread of
its own. A backend implements `Backend`, `Session` and `WriteTx`; whatever a revision, a lease
or a compaction *means* stays above. Any method may raise `BackendDown` (no connection: nothing of
the transaction was written) or `BackendFailed` (the database refused a statement: the same);
`WriteTx.commit` alone may also raise `CommitUnknown`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from datastore.mvcc.auth.model import AuthChanges, AuthTables, Token
    from datastore.mvcc.model import Alarm, Head, Lease, Lock, Member, Row, State
    from datastore.mvcc.newest import NewestRows
    from datastore.mvcc.statement_times import StatementTimes


class BackendDown(Exception):
    """The database cannot be reached; nothing of the transaction was written."""


class Overtaken(BackendDown):
    """Another server's transaction came before this one, of which nothing was written: try again.

    The database that says so is all right; where its nodes share no locks it will say so often.
    """


class BackendFailed(Exception):
    """The database refused a statement; nothing of the transaction was written."""


class BackendFull(BackendFailed):
    """There is no space left for what a transaction writes; nothing of it was written."""


class BackendBroken(Exception):
    """The database cannot be trusted any more: the server has to end and start anew."""


class CommitUnknown(Exception):
    """The connection broke at COMMIT: ask `Session.last_batch` what came of it."""


class Size(NamedTuple):
    """Bytes the store allocates, and those of them it uses."""

    allocated: int
    used: int


class Sighting(NamedTuple):
    """What a server sees of its database in passing.

    The clock in milliseconds, how far history is compacted and how far it is pruned, the next
    deadline of a lease, and the row of the lock that servers share.
    """

    now: int
    compact_revision: int
    pruned_revision: int
    deadline: int | None
    lock: Lock | None


class Prefetch(NamedTuple):
    """What a write transaction reads at its start, in one exchange with the database.

    `values` holds those of the keys in `value_keys`, by event id.
    """

    state: State
    heads: dict[bytes, Head]
    values: dict[int, bytes]
    leases: dict[int, Lease]


class Wanted(NamedTuple):
    """What a batch of requests names: keys, those whose value it needs, leases."""

    keys: Collection[bytes]
    value_keys: Collection[bytes]
    leases: Collection[int]

    def without(self, kept: Collection[bytes]) -> Wanted:
        """Return what is wanted beside the rows of some keys, which are at hand."""
        keys = [key for key in self.keys if key not in kept]
        return Wanted(keys, [key for key in self.value_keys if key not in kept], self.leases)


class Moment(NamedTuple):
    """A second of Unix time, and the first revision that was made in it."""

    time: int
    revision: int


@dataclass(slots=True)
class Changes:
    """Everything a transaction writes; None where a setting stays as it is."""

    rows: list[Row] = field(default_factory=list)
    heads: dict[bytes, Head] = field(default_factory=dict)
    moment: Moment | None = None  # of the rows, unless that second is known
    put_leases: dict[int, Lease] = field(default_factory=dict)
    drop_leases: set[int] = field(default_factory=set)
    put_alarms: set[Alarm] = field(default_factory=set)
    drop_alarms: set[Alarm] = field(default_factory=set)
    compact_revision: int | None = None
    pruned_revision: int | None = None
    floor: int | None = None  # the least revision that the store is at
    drop_rows: list[int] = field(default_factory=list)
    drop_heads: list[Head] = field(default_factory=list)
    extend_leases: int | None = None  # every deadline becomes at least now + ttl + this (ms)

    put_lock: Lock | None = None
    peer_urls: dict[int, tuple[str, ...]] = field(default_factory=dict)  # by member
    drop_members: list[int] = field(default_factory=list)
    auth: AuthChanges | None = None

    def empty(self) -> bool:
        """Say whether there is nothing to write."""
        return not (self.rows or self.heads) and self == _NOTHING

    def of_state(self) -> bool:
        """Say whether they change more of the store's `State` than its revision."""
        settings = (self.compact_revision, self.pruned_revision, self.floor, self.auth)
        return bool(self.put_alarms or self.drop_alarms) or settings != _AS_THEY_ARE


_NOTHING = Changes()
_AS_THEY_ARE = (None, None, None, None)


class Snapshot(Protocol):
    """Reads that all see one state of the database. Bounds: end None means no end.

    revision 0 means now; any other must lie between compact_revision and the store's revision.
    """

    def state(self) -> State:
        """Return revision, compaction and clock."""

    def heads(self, keys: Collection[bytes]) -> dict[bytes, Head]:
        """Return the heads of those keys that have one, tombstones included."""

    def live(self, keys: Collection[bytes]) -> dict[bytes, Row]:
        """Return the newest rows of those keys that are live."""

    def values(self, ids: Collection[int]) -> dict[int, bytes]:
        """Return the values of events by id."""

    def scan(
        self, key: bytes, end: bytes | None, limit: int, revision: int, *, values: bool
    ) -> Sequence[Row]:
        """Return live rows in key order, at most limit (0: all); no values if not asked for."""

    def count(self, key: bytes, end: bytes | None, revision: int) -> int:
        """Return the number of live keys."""

    def moved(self, key: bytes, end: bytes | None, first: int, last: int, limit: int) -> int | None:
        """Return creations less deletions of a range's keys by events with first <= id < last.

        None when these are more than limit events, of whatever keys.
        """

    def history(self, first: int, last: int, limit: int) -> list[Row]:
        """Return events with first <= id < last, oldest first, at most limit."""

    def rows(self, ids: Collection[int]) -> dict[int, Row]:
        """Return events by id, those that compaction took left out."""

    def leases(self, ids: Collection[int] | None) -> dict[int, Lease]:
        """Return the leases named, all of them for None."""

    def due_leases(self, now: int, limit: int) -> list[Lease]:
        """Return leases whose deadline has come, the oldest first."""

    def lease_keys(self, lease: int) -> list[Head]:
        """Return the live heads attached to a lease, in key order."""

    def leased_keys(self) -> list[bytes]:
        """Return every live key that has a lease."""

    def alarms(self) -> list[Alarm]:
        """Return the active alarms."""

    def lock(self, name: str) -> Lock | None:
        """Return a lock row."""

    def members(self) -> list[Member]:
        """Return every server known, the longest known first."""

    def auth(self) -> AuthTables:
        """Return everything of auth but the tokens."""

    def token(self, digest: bytes) -> Token | None:
        """Return a simple token by its digest."""


class WriteTx(Snapshot, Protocol):
    """The one write transaction, which holds the store's lock."""

    def prefetch(self, wanted: Wanted) -> Prefetch:
        """Take the lock, then read what the batch names."""

    def allocated(self) -> int:
        """Return the bytes that the store allocates, as of this very moment."""

    def short_of_space(self) -> bool:
        """Say whether the disk is about to be full, so that nothing should be added."""

    def write(self, changes: Changes) -> None:
        """Write the changes; later reads of this transaction see them."""

    def commit(self, batch: int, revision: int) -> None:
        """Make it durable, and let other servers know the revision.

        `batch` is stored in this server's member row; CommitUnknown when the answer was lost.
        """


class Session(Protocol):
    """One connection, used by one thread. It reconnects by itself at the next use.

    `times` are those of its statements: where several go in one exchange, the exchange's, under the
    one that was waited for.
    """

    times: StatementTimes

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open a read-only view of one state."""

    def look(self, keys: Collection[bytes]) -> tuple[State, dict[bytes, Row]]:
        """Return the state and the live rows of keys, both of one moment: what a read needs."""

    def live_row(self, key: bytes) -> Row | None:
        """Return the live row of a key, as of a moment within the call."""

    def transaction(self) -> AbstractContextManager[WriteTx]:
        """Open a write transaction; leaving it without `commit` rolls back."""

    def last_batch(self) -> int:
        """Return, under the lock, the number of this server's last committed batch."""

    def size(self) -> Size:
        """Return the size of the store."""

    def say_alive(self) -> None:
        """Say to the servers that share the database that this one is alive."""

    def keep_lock(self, milliseconds: int) -> None:
        """Keep the lock that they share for so long, if this server holds it now."""

    def shrink(self) -> bool:
        """Give some free space back in a short step of its own; say whether there is more."""

    def copy_to(self, path: Path) -> None:
        """Write one state of the database into a new SQLite file; writers do not wait."""

    def close(self) -> None:
        """Close the connection."""


class Backend(Protocol):
    """A database. `exclusive` says that no other server can write to it.

    Then `newest` may hold rows in memory, and every snapshot's state is told to it.
    """

    exclusive: bool
    newest: NewestRows | None
    cluster_id: int
    member_id: int
    longest_key: int  # bytes of a key that can be indexed
    warnings: tuple[str, ...]

    def open(self) -> None:
        """Check, migrate and register this server; StartError when that cannot be."""

    def fill(self, write: Callable[[Path], None]) -> None:
        """Make the store, instead of opening one, of the SQLite file that `write` writes.

        StartError, with nothing changed, when there is a store already.
        """

    def session(self, *, writer: bool = False) -> Session:
        """Return a new session for one thread; StartError when it cannot be had."""

    def housekeep(self, session: Session) -> None:
        """Do the database's own chores; called about once a second in a thread of its own."""

    @property
    def disk_turns(self) -> int:
        """How often the disk has become full and has had space again: odd while it is full."""

    @property
    def broken(self) -> str:
        """Why the database cannot be trusted any more; empty while it can."""

    def listen(
        self,
        heard: Callable[[], None],
        stopped: Callable[[], bool],
        saw: Callable[[Sighting], None],
    ) -> None:
        """Block, calling `heard` at every sign of a commit elsewhere, until `stopped()`.

        Several times a second `saw` is told what there is to see; by a thread of the backend.
        """

    def close(self) -> None:
        """Leave the database in order: sessions are closed already."""
