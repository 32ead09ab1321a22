"""The store's core without a server: batches in, results out, on a database of its own."""

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.mvcc.auth.guard import Guard
from datastore.mvcc.auth.tokens import new_tokens
from datastore.mvcc.backend import BackendDown, Snapshot
from datastore.mvcc.batch import Server
from datastore.mvcc.committer import Committer, Outcome
from datastore.mvcc.counts import LiveCounts
from datastore.mvcc.history import Page, read_page
from datastore.mvcc.model import RangeQuery, RangeResult, Row, State
from datastore.mvcc.ranges import read_range
from datastore.mvcc.requests import Compact, Place, Prune, WriteRequest
from datastore.mvcc.snapshot_view import SnapshotView

T = TypeVar("T")
EVERYTHING = (b"\0", b"\0")


class Core:
    """A backend, one session, and the committer that the writer uses."""

    def __init__(self, database: str) -> None:
        self.backend = new_backend(database, Identity("test", ()))
        self.backend.open()
        self.session = self.backend.session(writer=True)
        self.guard = Guard(new_tokens("simple", 300))
        self._server = Server(self.backend.member_id, self.backend.longest_key, self.guard)
        self._committer = Committer(self._server)
        self._committer.seen = self.revision()
        self._place: Place | None = None  # where pruning goes on

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self.backend.close()

    def commit(self, *requests: WriteRequest, wants_values: bool = True) -> Sequence[Any]:
        """Commit one batch and return a result or an error for each request."""
        return self._committer.commit(self.session, requests, wants_values).results

    def attempt(self, *requests: WriteRequest) -> Outcome:
        """Commit one batch and return all that comes of it, errors among its results."""
        return self._committer.commit(self.session, requests, True)

    def count_by(self, counts: LiveCounts) -> None:
        """Let writes count ranges as those of a server do."""
        self._committer = Committer(self._server._replace(counts=counts))
        self._committer.seen = self.revision()

    def keep_newest(self) -> None:
        """Keep rows in memory as a server on a file does."""
        newest = self.backend.newest
        assert newest is not None
        newest.apply([], self.revision())
        self._committer = Committer(self._server._replace(newest=newest))
        self._committer.seen = self.revision()

    def has_heard(self, revision: int) -> None:
        """Note what the hub would have read of other servers' events."""
        self._committer.heard(revision)

    def revision(self) -> int:
        """Return the store's revision."""
        return self._state().revision

    def range(self, query: RangeQuery) -> RangeResult:
        """Answer a read."""
        return self._read(lambda tx: read_range(SnapshotView(tx, tx.state()), query))

    def live(self, revision: int = 0) -> list[tuple[bytes, bytes, int, int, int]]:
        """Return (key, value, create, mod, version) of every live key at a revision."""
        found = self.range(RangeQuery(*EVERYTHING, revision=revision))
        return [_seen(row) for row in found.rows]

    def events(self, first: int) -> list[tuple[Any, ...]]:
        """Return all events from a revision on as a watcher with prev_kv gets them."""
        found: list[tuple[Any, ...]] = []
        page = Page([], first - 1, first, -1)
        while page.last < page.revision:
            page = read_page(self.session, page.last + 1, prevs=True)
            for event in page.events:
                prev = _seen(event.prev) if event.prev else None
                found.append((event.revision, event.row.deleted, *_seen(event.row), prev))
        return found

    def compact(self, revision: int) -> None:
        """Raise the compact revision, without removing anything yet."""
        (result,) = self.commit(Compact(revision))
        assert not isinstance(result, Exception), result

    def compacted(self) -> int:
        """Return the compact revision."""
        return self._state().compact_revision

    def prune(self, limit: int = 3) -> int:
        """Remove what compaction gave up, in small steps; return how many it took."""
        steps = 1
        while not self.prune_step(limit):
            steps += 1
        return steps

    def prune_step(self, limit: int) -> bool:
        """Take one step over at most so many events; say whether it was the last."""
        (pruned,) = self.commit(Prune(limit, self._place))
        self._place = pruned.place
        return bool(pruned.done)

    def _state(self) -> State:
        return self._read(lambda tx: tx.state())

    def _read(self, ask: Callable[[Snapshot], T]) -> T:
        """Ask, and once more of a session that MySQL has ended while it rested, as lanes do."""
        try:
            with self.session.snapshot() as tx:
                return ask(tx)
        except BackendDown:
            with self.session.snapshot() as tx:
                return ask(tx)


def _seen(row: Row) -> tuple[bytes, bytes, int, int, int]:
    return row.key, row.value, row.create_revision, row.revision, row.version
