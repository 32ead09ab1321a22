"""How many statements a database server has run for its clients, BEGIN and COMMIT among them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

Count = Callable[[], int]
COUNTING: dict[str, Any] = {"shared_preload_libraries": "pg_stat_statements"}
_CALLS = (
    "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements "
    "JOIN pg_database ON oid = dbid WHERE datname = %s"
)


@contextmanager
def postgres_count(cluster: Postgres, database: str) -> Iterator[Count]:
    """Count those in one database of a cluster that was started with COUNTING."""
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

        def count() -> int:
            row = connection.execute(_CALLS, (database,)).fetchone()
            assert row is not None
            return int(row[0])

        yield count


@contextmanager
def mariadb_count(server: Mariadb) -> Iterator[Count]:
    """Count those of all clients; what the counting itself asks is left out."""
    asked = 0

    def count() -> int:
        nonlocal asked
        before = int(_questions(server))
        asked += int(_questions(server)) - before
        return before - asked

    yield count


def _questions(server: Mariadb) -> str:
    return str(server.run("SHOW GLOBAL STATUS LIKE 'Questions'")[0][1])
