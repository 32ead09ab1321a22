"""What became of a batch whose COMMIT was not answered: SQLite knows it from the revision."""

import sqlite3
from typing import Any

import pytest

from datastore.mvcc.model import Put
from datastore.mvcc.requests import GrantLease
from tests.datastore.core import Core

REQUESTS = [Put(b"a", b"1"), GrantLease(7, 100)]


class Failing:
    """A connection whose next COMMIT fails, before or after it is done."""

    def __init__(self, connection: Any, *, done: bool) -> None:
        self._connection = connection
        self._done = done
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *parameters: Any) -> Any:
        if sql != "COMMIT" or self.failed:
            return self._connection.execute(sql, *parameters)
        self.failed = True
        self._connection.execute(sql if self._done else "ROLLBACK")
        raise sqlite3.OperationalError("interrupted")


@pytest.fixture
def database(tmp_path: Any) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("request_", REQUESTS)
def test_a_batch_is_done_once_whatever_its_commit_said(
    core: Core, request_: Any, done: bool
) -> None:
    """Done although it failed: told so. Not done: it is tried again, on the same connection."""
    core.commit(Put(b"before"))
    transaction: Any = getattr(core.session, "_transaction")  # noqa: B009  fails for this test
    failing = transaction._connection = Failing(transaction._connection, done=done)

    (result,) = core.commit(request_)

    assert failing.failed
    assert not isinstance(result, Exception), result
    assert core.revision() == (3 if isinstance(request_, Put) else 2)
    with core.session.snapshot() as snapshot:
        assert len(snapshot.leases(None)) == (0 if isinstance(request_, Put) else 1)
