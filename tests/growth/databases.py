"""The databases that are churned, and what each says of its size."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

MIB = 1 << 20
_INNODB = (
    "SELECT SUM(file_size) FROM information_schema.innodb_sys_tablespaces WHERE name LIKE %s",
    "SELECT SUM(file_size) FROM information_schema.innodb_sys_tablespaces "
    "WHERE name = 'innodb_system' OR name LIKE 'innodb_undo%%'",
    "SELECT count FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'",
)


class Sizes(NamedTuple):
    """Bytes of the store, bytes beside it that the churn makes, and a count of what waits."""

    store: int
    beside: int = 0
    waiting: int = 0


class Database(NamedTuple):
    """One to churn: its URL, and how its sizes are asked for.

    `beside` and `waiting` say what those of `Sizes` are.
    """

    url: str
    sizes: Callable[[], Sizes]
    beside: str
    waiting: str


@contextmanager
def sqlite() -> Iterator[Database]:
    """A file."""
    with tempfile.TemporaryDirectory(prefix="tapir-growth-") as directory:
        yield sqlite_at(Path(directory) / "store.db")


def sqlite_at(path: Path) -> Database:
    """The file at a path."""
    log = path.with_name(f"{path.name}-wal")
    return Database(
        f"sqlite:///{path}",
        lambda: Sizes(path.stat().st_size, log.stat().st_size if log.exists() else 0),
        "write-ahead log",
        "",
    )


@contextmanager
def postgresql() -> Iterator[Database]:
    """A cluster whose autovacuum looks as often in this day as it does in a real one, or nearly."""
    with Postgres(autovacuum_naptime="1s") as cluster:
        url = cluster.url("growth")
        with psycopg.connect(url, autocommit=True) as connection:

            def sizes() -> Sizes:
                row = connection.execute(
                    "SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint,"
                    " (SELECT sum(size)::bigint FROM pg_ls_waldir()),"
                    " coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables"
                ).fetchone()
                assert row is not None
                return Sizes(*row)

            yield Database(url, sizes, "write-ahead log", "dead rows")


@contextmanager
def mysql() -> Iterator[Database]:
    """A server."""
    with Mariadb(innodb_log_file_size="96M", innodb_buffer_pool_size="128M") as server:
        url = server.url("growth")

        def sizes() -> Sizes:
            store, undo, waiting = _INNODB
            return Sizes(
                int(server.run(store.replace("%s", "'growth/%'"))[0][0] or 0),
                int(server.run(undo.replace("%%", "%"))[0][0] or 0),
                int(server.run(waiting)[0][0]),
            )

        yield Database(url, sizes, "system tablespace and undo", "transactions to purge")


DATABASES: Mapping[str, Callable[[], AbstractContextManager[Database]]] = {
    "sqlite": sqlite,
    "postgresql": postgresql,
    "mariadb": mysql,
}
