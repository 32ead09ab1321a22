"""The time of revisions: kept to the second, at most once in each, and dropped with history."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from datastore.mvcc.counts import LiveCounts
from datastore.mvcc.model import Put
from tests.datastore.core import Core

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql", "mysql"], indirect=True)
DRIVERS = {"postgresql://": "postgresql+psycopg://", "mysql://": "mysql+pymysql://"}


def ask(database: str, *statements: str) -> Sequence[Any]:
    """Run statements, and return the rows of the last if it has any."""
    for scheme, driver in DRIVERS.items():
        database = database.replace(scheme, driver)
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        for statement in statements:
            done = connection.execute(sa.text(statement))
        rows = [tuple(row) for row in done] if done.returns_rows else []
    engine.dispose()
    return rows


def moments(database: str) -> Sequence[Any]:
    return ask(database, "SELECT time, revision FROM moment ORDER BY time")


def test_the_first_revision_of_a_second_is_kept(database: str, core: Core) -> None:
    began = int(time.time())
    for number in range(5):
        core.commit(Put(b"a", b"%d" % number), Put(b"b", b""))
    core.count_by(LiveCounts(0))  # as another server, which does not know of those seconds
    core.commit(Put(b"a", b"last"))
    ended = int(time.time())

    found = moments(database)

    assert found[0][1] == 2
    assert began - 1 <= found[0][0] <= found[-1][0] <= ended + 1
    assert len({second for second, _ in found}) == len(found)
    assert {revision for _, revision in found} <= {*range(2, 12, 2), 12}


def test_a_batch_without_revisions_has_no_time(database: str, core: Core) -> None:
    core.commit(Put(b"a", b""))
    before = moments(database)
    core.compact(2)

    assert moments(database) == before


def test_compaction_takes_the_times_along(database: str, core: Core) -> None:
    """Those before the one that tells when the compact revision was made, that is."""
    for number in range(7):
        core.commit(Put(b"%d" % (number % 2), b"{}"))
    core.commit(Put(b"/registry/pods/a/b", b"{}"))
    values = "(1000, 2), (1001, 4), (1002, 6), (1003, 9)"
    ask(database, "DELETE FROM moment", f"INSERT INTO moment (time, revision) VALUES {values}")
    core.compact(5)

    core.prune()

    assert moments(database) == [(1001, 4), (1002, 6), (1003, 9)]
    seen = dict(ask(database, "SELECT revision, time FROM changes"))
    assert seen.keys() == {4, 5, 6, 7, 8, 9}
    assert seen[4] == seen[5] != seen[6] == seen[7] == seen[8] != seen[9]
    assert ask(database, "SELECT time FROM objects") == [(seen[9],)]


def test_what_is_older_than_all_times_has_none(database: str, core: Core) -> None:
    core.commit(Put(b"/registry/pods/a/b", b"{}"))
    ask(database, "DELETE FROM moment")

    assert ask(database, "SELECT revision, time FROM changes") == [(2, None)]
    assert ask(database, "SELECT revision, time FROM objects") == [(2, None)]
