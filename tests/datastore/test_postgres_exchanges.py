"""How often a server waits for PostgreSQL: exchanges on its connection, in libpq's own trace."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg import pq

from datastore.backends.postgres_session import PostgresSession
from datastore.mvcc.model import DeleteRange, Put
from tests.datastore.core import Core
from tests.support.postgres import Postgres

BATCH = 2  # begin, lock and read; write and commit
_databases = itertools.count(1)


@pytest.fixture
def core(postgres: Postgres) -> Iterator[Core]:
    with Core(postgres.url(f"exchanges{next(_databases)}")) as opened:
        opened.commit(*[Put(b"%d" % n, b"") for n in range(10)])
        yield opened


def exchanges(core: Core, work: Callable[[], object], trace: Path) -> int:
    """Return how often messages of the client are followed by ones of the database."""
    assert isinstance(core.session, PostgresSession)
    connection = core.session._connection
    assert connection is not None
    with trace.open("w") as file:
        connection.pgconn.trace(file.fileno())
        connection.pgconn.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
        work()
        connection.pgconn.untrace()
    senders = [line[0] for line in trace.read_text().splitlines() if line[:2] in ("F\t", "B\t")]
    return [sender for sender, _ in itertools.groupby(senders)].count("F")


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([Put(b"a", b"1")], id="put"),
        pytest.param([Put(b"%d" % n, b"1") for n in range(50)], id="fifty puts"),
        pytest.param([DeleteRange(b"1", b"")], id="delete"),
    ],
)
def test_a_batch_takes_as_many_as_one_request(
    core: Core, tmp_path: Path, requests: list[Put | DeleteRange]
) -> None:
    assert exchanges(core, lambda: core.commit(*requests), tmp_path / "trace") == BATCH


def test_a_snapshot_takes_two(core: Core, tmp_path: Path) -> None:
    assert exchanges(core, core.revision, tmp_path / "trace") == 2
