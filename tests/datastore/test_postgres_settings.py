"""What sessions of PostgreSQL are held to: time-outs, how many there are; when one is tried."""

import asyncio
import itertools

import psycopg
import pytest

from datastore.backends.back_off import BackOff
from datastore.backends.postgres_session import PostgresSession
from datastore.mvcc.backend import BackendDown
from tests.datastore.client import client_of
from tests.datastore.core import Core
from tests.support.datastore import Datastore
from tests.support.postgres import Postgres

MOST_CONNECTIONS = 9  # writer, 3 for ranges, and one each for points, watches, chores, upkeep, ear
_databases = itertools.count(1)


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.url(f"settings{next(_databases)}")


def shown(session: object, name: str) -> str:
    assert isinstance(session, PostgresSession)
    with session.snapshot() as tx:
        return str(tx.run(f"SHOW {name}")[0][0])


@pytest.mark.parametrize("parameters", ["", "?schema=own"])
def test_what_the_roles_defaults_say_does_not_end_a_commit(url: str, parameters: str) -> None:
    """A COMMIT that waits for a standby and is cancelled is durable here alone."""
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} SET statement_timeout = '2s'".encode())
        admin.execute(f"ALTER DATABASE {name} SET idle_session_timeout = '2s'".encode())
    with Core(url + parameters) as core:
        reader = core.backend.session()
        found = {
            "writer": shown(core.session, "statement_timeout"),
            "reader": shown(reader, "statement_timeout"),
            "idle": shown(core.session, "idle_session_timeout"),
            "lock": shown(core.session, "lock_timeout"),
            "in transaction": shown(core.session, "idle_in_transaction_session_timeout"),
        }
        reader.close()

    assert found == {
        "writer": "0", "reader": "1min", "idle": "0", "lock": "5s", "in transaction": "5s",
    }  # fmt: skip


def test_a_read_that_takes_too_long_is_ended(url: str) -> None:

    def sleep() -> None:
        assert isinstance(reader, PostgresSession)
        with reader.snapshot() as tx:
            tx.queue("SET LOCAL statement_timeout = '50ms'")
            tx.run("SELECT pg_sleep(60)")

    with Core(url) as core:
        reader = core.backend.session()
        with pytest.raises(BackendDown, match="statement timeout"):
            sleep()
        reader.close()


async def test_a_server_under_load_has_few_connections(url: str) -> None:
    with Datastore(url) as server:
        async with client_of(server.address) as client:
            for _ in range(3):
                await asyncio.gather(*(client.put(b"%d" % n) for n in range(100)))
                await asyncio.gather(*(client.everything() for _ in range(20)))
        with psycopg.connect(url) as admin:
            found = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tapir' "
                "AND datname = current_database()"
            ).fetchone()

    assert found is not None
    assert 2 <= found[0] <= MOST_CONNECTIONS


def test_pauses_grow_and_are_never_in_step() -> None:
    now = [0.0]
    chances = itertools.cycle([0.0, 1.0])
    back_off = BackOff(0.25, 2.0, clock=lambda: now[0], chance=lambda: next(chances))

    pauses = [back_off.failed() for _ in range(6)]
    left = back_off.left()
    now[0] = 1.5
    later = back_off.left()
    back_off.succeeded()

    assert pauses == [0.125, 0.5, 0.5, 2.0, 1.0, 2.0]
    assert (left, later, back_off.left()) == (2.0, 0.5, 0.0)
    assert back_off.failed() == 0.125


def test_a_database_that_is_away_is_not_stormed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are refused at once between attempts, which the sessions of a server share."""
    attempts: list[int] = []

    def refuse(*_: object, **__: object) -> None:
        attempts.append(1)
        raise psycopg.OperationalError("connection refused")

    with Core(url) as core:
        sessions = [core.backend.session() for _ in range(4)]
        monkeypatch.setattr("datastore.backends.postgres_session.connect", refuse)
        for _ in range(50):
            for session in sessions:
                with pytest.raises(BackendDown, match="refused"), session.snapshot():
                    pass

    assert 3 <= len(attempts) <= 10
