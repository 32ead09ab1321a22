"""Two servers on one database: how soon one's write is seen at the other, and what they cost idle.

    python -m tests.bench.across                                 both databases, five minutes
    python -m tests.bench.across --databases MariaDB --puts 100 --firsts 3 --seconds 5

A delay is that from the call of Put at the first server to the event at a watcher of the second,
so the commit and both of the client's ways are in it. "Active" puts come 20 to 400 ms after each
other; a "first" one after REST_SECONDS without any. 1 is returned if a bar is missed.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.bench.contenders import Contender, data_directory, start_on
from tests.bench.databases import MARIADB, MARIADB_SETTINGS, POSTGRESQL
from tests.bench.machine import describe
from tests.bench.markdown import table
from tests.bench.processes import cpu_seconds
from tests.datastore.client import Client, client_of, events
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres
from tests.support.statement_count import COUNTING, Count, mariadb_count, postgres_count

REST_SECONDS = 6.0
ACTIVE_PAUSES = (0.02, 0.4)
SERVERS = ("first", "second")
ACTIVE_BARS = {POSTGRESQL: 20.0, MARIADB: 100.0}  # ms, p99
FIRST_BAR = 300.0  # ms, each
CPU_BAR, STATEMENTS_BAR = 1.0, 5.0  # percent of a core, and a second, of each server


class Figures(NamedTuple):
    """Delays in ms; CPU in percent of a core by server, statements a second of one on average."""

    active: Sequence[float]
    first: Sequence[float]
    cpu: Sequence[float]
    statements: float


@contextmanager
def _postgresql() -> Iterator[tuple[str, Count]]:
    with Postgres(**COUNTING) as cluster, postgres_count(cluster, "across") as count:
        yield cluster.url("across"), count


@contextmanager
def _mariadb() -> Iterator[tuple[str, Count]]:
    with Mariadb(**MARIADB_SETTINGS) as server, mariadb_count(server) as count:
        yield server.url("across"), count


DATABASES: Mapping[str, Callable[[], AbstractContextManager[tuple[str, Count]]]] = {
    POSTGRESQL: _postgresql,
    MARIADB: _mariadb,
}


def main() -> int:
    """Measure and print; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.across",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--databases", nargs="*", choices=DATABASES, default=list(DATABASES))
    add("--puts", type=int, default=300, help="active ones (300)")
    add("--firsts", type=int, default=10, help="puts after a rest (10)")
    add("--seconds", type=float, default=20.0, help="of idleness (20)")
    flags = parser.parse_args()
    found = {name: measure(name, flags) for name in flags.databases}
    _say("".join(f"* {line}\n" for line in describe()))
    _say(render(found))
    return int(any(missed(name, figures) for name, figures in found.items()))


def measure(name: str, flags: argparse.Namespace) -> Figures:
    """Start a database and two servers on it, and measure them."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(data_directory()))
        url, count = stack.enter_context(DATABASES[name]())
        servers = [start_on(server, url, directory / server) for server in SERVERS]
        for server in servers:
            stack.callback(server.process.kill)
        active, first = asyncio.run(_delays(servers, flags))
        return Figures(active, first, *_idle(servers, count, flags.seconds))


async def _delays(
    servers: Sequence[Contender], flags: argparse.Namespace
) -> tuple[list[float], list[float]]:
    noise = random.Random(1)
    pauses = [noise.uniform(*ACTIVE_PAUSES) for _ in range(flags.puts)]
    rests = [REST_SECONDS + noise.random() for _ in range(flags.firsts)]
    async with (
        client_of(servers[0].address) as here,
        client_of(servers[1].address) as there,
        there.watching() as stream,
    ):
        await _delay(here, stream, 0.0)  # warms up
        active = [await _delay(here, stream, pause) for pause in pauses]
        first = [await _delay(here, stream, pause) for pause in rests]
    return active, first


async def _delay(here: Client, stream: Any, pause: float) -> float:
    """Put after a pause; return the milliseconds until the event was there."""
    await asyncio.sleep(pause)
    began = time.perf_counter()
    put = asyncio.create_task(here.put(b"/registry/across", b"v" * 256))
    await events(stream, 1)
    seconds = time.perf_counter() - began
    await put
    return 1_000 * seconds


def _idle(servers: Sequence[Contender], count: Count, seconds: float) -> tuple[list[float], float]:
    """Leave the servers alone; return CPU by server, and the statements of one a second."""
    time.sleep(REST_SECONDS)
    before = [cpu_seconds(server.pid) for server in servers]
    asked, began = count(), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    statements = (count() - asked) / took / len(servers)
    spent = [cpu_seconds(server.pid) for server in servers]
    cpu = [100 * (now - then) / took for now, then in zip(spent, before, strict=True)]
    return cpu, statements


def missed(name: str, figures: Figures) -> list[str]:
    """Name the bars that are missed."""
    bars = {
        "active p99": (_at(figures.active, 0.99), ACTIVE_BARS[name]),
        "first": (max(figures.first, default=0.0), FIRST_BAR),
        "CPU": (max(figures.cpu), CPU_BAR),
        "statements": (figures.statements, STATEMENTS_BAR),
    }
    return [what for what, (found, bar) in bars.items() if found > bar]


def render(found: Mapping[str, Figures]) -> str:
    """Return the table."""
    head = [
        "database",
        "active p50, ms",
        "p99, ms (bar)",
        "first p50, ms",
        f"longest, ms ({FIRST_BAR:.0f})",
        f"idle CPU, % ({CPU_BAR:.0f})",
        f"statements/s of a server ({STATEMENTS_BAR:.0f})",
        "missed",
    ]
    return table(head, [_row(name, figures) for name, figures in found.items()])


def _row(name: str, figures: Figures) -> list[str]:
    return [
        name,
        f"{_at(figures.active, 0.5):.1f}",
        f"{_at(figures.active, 0.99):.1f} ({ACTIVE_BARS[name]:.0f})",
        f"{median(figures.first) if figures.first else 0:.1f}",
        f"{max(figures.first, default=0.0):.1f}",
        ", ".join(f"{percent:.2f}" for percent in figures.cpu),
        f"{figures.statements:.2f}",
        ", ".join(missed(name, figures)) or "none",
    ]


def _at(delays: Sequence[float], part: float) -> float:
    """Return the delay that this part of all do not exceed."""
    ordered = sorted(delays)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
