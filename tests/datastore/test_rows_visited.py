"""No hot statement's work grows with the store: SQLite's own steps at 1,000,000 keys and at 2,000.

A step is an instruction of SQLite's virtual machine: a row that is visited costs some, whatever
index or plan led there, so a statement that visits more rows in the larger store takes more.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.backends.sqlite_session import SqliteSession
from datastore.backends.sqlite_transaction import SqliteTransaction
from datastore.backends.statements import CHAIN_STEPS
from datastore.mvcc.backend import Changes, Wanted
from datastore.mvcc.counts import CountedView, LiveCounts
from datastore.mvcc.history import read_page
from datastore.mvcc.model import SUB_BITS, Head, Lease, Row
from tests.support.large_store import key_of, make_store

SMALL, LARGE = 2_000, 1_000_000
VERSIONS = 100_000  # of one key
UPDATES = 1_000  # of the first keys, so that a pinned page has to look behind them
PAGE = 500
STEPS_A_ROW = 60
KEY, END = b"/registry/bench/", b"/registry/bench0"
LEASE = 77


class Store:
    """A large or small store, one session, and a counter of SQLite's steps."""

    def __init__(self, path: Path, keys: int, updates: int) -> None:
        self.pinned = make_store(path, keys, updates, b"v" * 16)
        self._backend = new_backend(f"sqlite:///{path}", Identity("default", ()))
        self._backend.open()
        session = self._backend.session(writer=True)
        assert isinstance(session, SqliteSession)
        self.session = session
        self._steps = 0
        with session.snapshot() as snapshot:
            self.revision = snapshot.state().revision
            self._connection = snapshot._connection
        self.counts = LiveCounts(self.revision)

    def steps(self, work: Callable[["Store"], object]) -> int:
        """Return the steps of some work, once it has been done before."""
        work(self)
        self._steps = 0
        self._connection.set_progress_handler(self._step, 1)
        work(self)
        self._connection.set_progress_handler(None, 0)
        return self._steps

    def _step(self) -> int:
        self._steps += 1
        return 0

    def close(self) -> None:
        self.session.close()
        self._backend.close()


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    directory = tmp_path_factory.mktemp("stores")
    opened = (
        Store(directory / "small.db", SMALL, UPDATES),
        Store(directory / "large.db", LARGE, UPDATES),
    )
    yield opened
    for store in opened:
        store.close()


def _read(what: Callable[[SqliteTransaction, Store], object]) -> Callable[[Store], object]:
    def work(store: Store) -> object:
        with store.session.snapshot() as snapshot:
            return what(snapshot, store)

    return work


def _written(what: Callable[[SqliteTransaction, Store], object]) -> Callable[[Store], object]:
    """Do it in a write transaction, which is rolled back: the next does the same."""

    def work(store: Store) -> object:
        with store.session.transaction() as tx:
            return what(tx, store)

    return work


def _count_again(snapshot: SqliteTransaction, store: Store) -> int:
    view = CountedView(snapshot, snapshot.state(), store.counts)
    return view.count(KEY, END, 0) + view.count(KEY, END, store.pinned)


def _put(tx: SqliteTransaction, store: Store) -> None:
    event, key = (store.revision + 1) << SUB_BITS, key_of(1500)
    head = tx.heads([key])[key]
    row = Row(event, key, b"new", head.create_revision, head.version + 1, LEASE, 0, head.id)
    changes = Changes(rows=[row], heads={key: Head(event, key, *row[3:7])})
    changes.put_leases[LEASE] = Lease(LEASE, 60, 1)
    tx.write(changes)
    assert [found.key for found in tx.lease_keys(LEASE)] == [key]


WORK: dict[str, tuple[int, Callable[[Store], object]]] = {
    "state": (2, _read(lambda snapshot, _: snapshot.state())),
    "point read": (8, _read(lambda snapshot, _: snapshot.live([key_of(1700)]))),
    "point read, the row alone": (8, lambda store: store.session.live_row(key_of(1700))),
    "point read, with the state": (8, lambda store: store.session.look([key_of(1700)])),
    "page, newest": (
        PAGE,
        _read(lambda s, _: s.scan(KEY, END, PAGE, 0, values=True)),
    ),
    "page, keys only": (
        PAGE,
        _read(lambda s, _: s.scan(KEY, END, PAGE, 0, values=False)),
    ),
    "page, old and changed since": (
        3 * PAGE,
        _read(lambda s, store: s.scan(KEY, END, PAGE, store.pinned, values=True)),
    ),
    "page, old and as it was": (
        2 * PAGE,
        _read(lambda s, store: s.scan(key_of(1200), END, PAGE, store.pinned, values=True)),
    ),
    "count, after the first": (8, _read(_count_again)),
    "prefetch of a put": (
        16,
        _written(lambda tx, _: tx.prefetch(Wanted([key_of(9), key_of(1999)], [key_of(9)], [1]))),
    ),
    "put with a lease, and its keys": (24, _written(_put)),
    "lease": (8, _read(lambda snapshot, _: snapshot.leases([LEASE]))),
    "leases that are due": (8, _read(lambda snapshot, _: snapshot.due_leases(1, 500))),
    "history for a watcher": (
        3 * PAGE,
        lambda store: read_page(store.session, store.revision - 99, prevs=True),
    ),
}


@pytest.mark.parametrize("name", WORK)
def test_a_million_keys_cost_what_two_thousand_do(stores: tuple[Store, Store], name: str) -> None:
    rows, work = WORK[name]
    small, large = (store.steps(work) for store in stores)
    assert large <= small * 1.05 + 20
    assert large <= (rows + 10) * STEPS_A_ROW


def _page_of(limit: int) -> Callable[[Store], object]:
    return _read(lambda snapshot, _: snapshot.scan(KEY, END, limit, 0, values=True))


def test_a_page_visits_its_rows_and_no_more(stores: tuple[Store, Store]) -> None:
    _, large = stores
    assert large.steps(_page_of(2 * PAGE)) < 2.2 * large.steps(_page_of(PAGE))


def test_an_old_read_of_a_key_with_very_many_versions_is_bounded(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db", 1, VERSIONS)
    middle = store.pinned + VERSIONS // 2

    def work(store: Store) -> None:
        with store.session.snapshot() as snapshot:
            (row,) = snapshot.scan(KEY, END, 0, middle, values=True)
            assert row.revision == middle

    assert store.steps(work) <= (CHAIN_STEPS + 100) * STEPS_A_ROW
    store.close()
