"""Statements are counted under their names, on every database."""

import pytest

from datastore.mvcc.model import Put
from datastore.mvcc.statement_times import Spent, total
from tests.datastore.core import Core


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def database(request: pytest.FixtureRequest, tmp_path: object) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    name = {"postgresql": "postgres", "mysql": "mariadb"}[request.param]
    return str(request.getfixturevalue(name).url("statement_times"))


def test_a_batch_and_a_read(database: str) -> None:
    with Core(database) as core:
        before = total([core.session.times])
        core.commit(Put(b"needle", b"needle"))
        core.live()
        after = total([core.session.times])

    new = {name: spent.runs - before.get(name, Spent(0, 0.0)).runs for name, spent in after.items()}
    assert new["commit"] == 1
    assert new["state"] > 0
    assert "other" not in after
    assert all(spent.seconds > 0 for spent in after.values())
    assert not any("needle" in name for name in after)


def test_sums_are_of_all_sessions(database: str) -> None:
    with Core(database) as core:
        core.live()
        times = core.session.times
        once, twice = total([times]), total([times, times])

    assert {name: spent.runs for name, spent in twice.items()} == {
        name: 2 * spent.runs for name, spent in once.items()
    }
