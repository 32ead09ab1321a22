"""Ours with the native front on the databases that servers share, beside etcd and SQLite.

Each database is a server of Debian's with its own settings, on the same disk, durable at each
commit. Two servers on one PostgreSQL are loaded by two clients at a time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psycopg

from tests.bench.compiled_client import Load, run_loader
from tests.bench.contenders import ETCD, FRONTS, Contender, data_directory, start, start_on
from tests.bench.datastores import Plan, fill, measure_row
from tests.bench.rows import KEYS, ROWS, Row
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

POSTGRESQL, MARIADB = "PostgreSQL", "MariaDB"
SQLITE = FRONTS[0]
COMMITS, TWO = "commits", "two servers"
# Of MariaDB's own: what the tests' server spares its disk.
MARIADB_SETTINGS = {
    "innodb_flush_method": "O_DIRECT",
    "innodb_buffer_pool_size": "128M",
    "innodb_log_file_size": "96M",
}
MEASURED = tuple(row for row in ROWS if row.part in ("put", "range", "page"))
PUT_MANY = next(row for row in ROWS if row.part == "put" and row.flags["in_flight"] > 4)


class Database(NamedTuple):
    """A database that runs: its URL, and how many transactions it has committed."""

    url: str
    commits: Callable[[], int]


@contextmanager
def _postgresql() -> Iterator[Database]:
    with Postgres() as cluster:
        url = cluster.url("bench")
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:

            def commits() -> int:
                asked = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'bench'"
                row = connection.execute(asked).fetchone()
                assert row is not None
                return int(row[0])

            yield Database(url, commits)


@contextmanager
def _mariadb() -> Iterator[Database]:
    with Mariadb(**MARIADB_SETTINGS) as server:

        def commits() -> int:
            return int(server.run("SHOW GLOBAL STATUS LIKE 'Com_commit'")[0][1])

        yield Database(server.url("bench"), commits)


DATABASES = {POSTGRESQL: _postgresql, MARIADB: _mariadb}


def measure(plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """Return figures by row and contender; under COMMITS and TWO what only databases have."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(data_directory()))
        databases = {name: stack.enter_context(make()) for name, make in DATABASES.items()}
        servers = [_started(stack, start(name, directory / name)) for name in (ETCD, SQLITE)]
        on = {
            name: _started(stack, start_on(name, database.url, directory / name))
            for name, database in databases.items()
        }
        figures = _rows([*servers, *on.values()], plan, say)
        figures[COMMITS] = {
            name: {"per_put": _commits_per_put(server, databases[name], plan)}
            for name, server in on.items()
        }
        url = databases[POSTGRESQL].url
        second = _started(stack, start_on("second", url, directory / "second"))
        figures[TWO] = _two(on[POSTGRESQL], second, plan, say)
        return figures


def _started(stack: ExitStack, server: Contender) -> Contender:
    stack.callback(server.process.kill)
    return server


def _rows(
    servers: Sequence[Contender], plan: Plan, say: Callable[[str], None]
) -> dict[str, dict[str, dict[str, float]]]:
    filled: list[Mapping[str, Any]] = []
    figures = {}
    for row in MEASURED:
        if row.fill not in filled:
            fill(servers, row, say)
            filled.append(row.fill)
        figures[row.name] = measure_row(row, plan, servers, say)
    return figures


def _commits_per_put(server: Contender, database: Database, plan: Plan) -> float:
    before = database.commits()
    puts = _puts(server, PUT_MANY, plan.seconds).ops
    return (database.commits() - before) / puts


def _two(
    first: Contender, second: Contender, plan: Plan, say: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """Puts a second of one server alone and of two together, in turn."""
    alone, together = [], []
    with ThreadPoolExecutor(2) as clients:
        for _run in range(plan.runs):
            alone.append(_puts(first, PUT_MANY, plan.seconds).per_second)
            both = clients.map(lambda s: _puts(s, PUT_MANY, plan.seconds), (first, second))
            together.append(sum(load.per_second for load in both))
            say(f"{POSTGRESQL}: one server {alone[-1]:,.0f}/s, two {together[-1]:,.0f}/s")
    rates = {"one": median(alone), "two": median(together)}
    return {name: {"per_second": rate} for name, rate in rates.items()}


def _puts(server: Contender, row: Row, seconds: float) -> Load:
    return run_loader(server, row.work, seconds, **{**row.flags, **KEYS})
