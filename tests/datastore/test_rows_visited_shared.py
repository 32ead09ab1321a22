"""No hot statement's work grows with the store on PostgreSQL and MariaDB either: rows they visit.

Counted by the databases themselves, entries of an index as rows. Plans must not depend on what the
database knows of the tables: they are looked at before and after ANALYZE.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.mvcc.counts import LiveCounts
from tests.datastore import hot_statements as hot
from tests.datastore.hot_statements import LARGE, SMALL, UPDATES, WORK
from tests.support.large_tables import fill_tables
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

VISITS_A_ROW = 5  # entries of indexes, those of older versions among them, and rows
TIMES = 6  # after five PostgreSQL plans a statement for good
_POSTGRES = (
    "SELECT pg_stat_force_next_flush()",
    "SELECT (SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables)"
    " + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)",
)
_MARIADB = "SHOW SESSION STATUS LIKE 'Handler\\_read\\_%%'"


class Store:
    """A large or small store, one session, and what the database has counted for it."""

    def __init__(self, server: Postgres | Mariadb, database: str, pinned: int) -> None:
        self.pinned = pinned
        self._server, self._database = server, database
        self._backend = new_backend(server.url(database), Identity("default", ()))
        self._backend.open()
        self.session: Any = self._backend.session(writer=True)
        with self.session.snapshot() as snapshot:
            self.revision = snapshot.state().revision
        self.counts = LiveCounts(self.revision)

    def analyze(self) -> None:
        """Let the database look at its tables."""
        postgres = isinstance(self._server, Postgres)
        how = "VACUUM (ANALYZE, INDEX_CLEANUP on) {}" if postgres else "ANALYZE TABLE {}"
        self._server.run(*map(how.format, ("history", "kv")), database=self._database)

    def visited(self, work: Callable[[hot.Store], object]) -> int:
        """Return the rows that some work visits, when it has been done often."""
        for _ in range(TIMES):
            work(self)
        before = self._visits()
        nothing = self._visits() - before
        before = self._visits()
        work(self)
        return self._visits() - before - nothing

    def _visits(self) -> int:
        if isinstance(self._server, Mariadb):
            return sum(int(count) for _, count in self.session._asked(_MARIADB, ()))
        for statement in _POSTGRES:
            rows = self.session._asked(statement, ())
        return int(rows[0][0])

    def close(self) -> None:
        self.session.close()
        self._backend.close()


@contextmanager
def _opened(server: Postgres | Mariadb) -> Iterator[tuple[Store, Store]]:
    sizes = {"visited_small": SMALL, "visited_large": LARGE}
    # All before the first session is opened: MySQL ends one that is idle for so long.
    pinned = {name: fill_tables(server, name, keys, UPDATES) for name, keys in sizes.items()}
    stores = (
        Store(server, "visited_small", pinned["visited_small"]),
        Store(server, "visited_large", pinned["visited_large"]),
    )
    yield stores
    for store in stores:
        store.close()


@pytest.fixture(scope="module", params=["postgres", "mariadb"])
def stores(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Store]]:
    # A server of its own: autovacuum counts nothing in, nor looks at tables in between.
    own = Postgres(autovacuum="off") if request.param == "postgres" else Mariadb()
    with own as server, _opened(server) as opened:
        yield opened


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.timeout(600)
def test_a_million_keys_cost_what_two_thousand_do(
    stores: tuple[Store, Store], *, analyzed: bool
) -> None:
    if analyzed:
        for store in stores:
            store.analyze()
    visits = {name: [s.visited(work) for s in stores] for name, (_, work) in WORK.items()}
    grown = {name: both for name, both in visits.items() if both[1] > both[0] * 1.05 + 20}
    most = {name: (rows + 10) * VISITS_A_ROW for name, (rows, _) in WORK.items()}
    assert grown == {}
    assert {name: both for name, both in visits.items() if both[1] > most[name]} == {}
