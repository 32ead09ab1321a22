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
from datastore.backends.statements import CHAIN_STEPS
from datastore.mvcc.counts import LiveCounts
from tests.datastore import hot_statements as hot
from tests.datastore.hot_statements import END, KEY, LARGE, PAGE, SMALL, UPDATES, WORK
from tests.support.large_store import make_store

VERSIONS = 100_000  # of one key
STEPS_A_ROW = 60


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

    def steps(self, work: Callable[[hot.Store], object]) -> int:
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


@pytest.mark.parametrize("name", WORK)
def test_a_million_keys_cost_what_two_thousand_do(stores: tuple[Store, Store], name: str) -> None:
    rows, work = WORK[name]
    small, large = (store.steps(work) for store in stores)
    assert large <= small * 1.05 + 20
    assert large <= (rows + 10) * STEPS_A_ROW


def _page_of(limit: int) -> Callable[[hot.Store], object]:
    return hot.reading(lambda snapshot, _: snapshot.scan(KEY, END, limit, 0, values=True))


def test_a_page_visits_its_rows_and_no_more(stores: tuple[Store, Store]) -> None:
    _, large = stores
    assert large.steps(_page_of(2 * PAGE)) < 2.2 * large.steps(_page_of(PAGE))


def test_an_old_read_of_a_key_with_very_many_versions_is_bounded(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db", 1, VERSIONS)
    middle = store.pinned + VERSIONS // 2

    def work(store: hot.Store) -> None:
        with store.session.snapshot() as snapshot:
            (row,) = snapshot.scan(KEY, END, 0, middle, values=True)
            assert row.revision == middle

    assert store.steps(work) <= (CHAIN_STEPS + 100) * STEPS_A_ROW
    store.close()
