"""The tables of growth, rest, leases and the writer's batch: figures into text. Pure."""

from collections.abc import Callable, Mapping

from tests.bench.databases import MARIADB, POSTGRESQL
from tests.bench.growth import COSTS, MEMORY
from tests.bench.markdown import table
from tests.bench.results import Result
from tests.bench.speed import made_by, mark

GROWTH = 1.5  # times that the large store may be slower
LIMITS: Mapping[str, tuple[str, str, float]] = {
    "start_s": ("start after a clean stop", "s", 3.0),
    "start_after_kill_s": ("start after kill -9", "s", 3.0),
    "rest_mib": ("RSS at rest", "MiB", 200.0),
    "pages_mib": ("highest RSS while 200 MB are read in pages", "MiB", 300.0),
    "stream_mib": ("highest RSS while 200 MB are streamed", "MiB", 300.0),
    "idle_cpu": ("CPU at rest", "% of a core", 0.5),
}
IDLE_CPU, IDLE_CPU_ON_DATABASE, LEASES_CPU = 0.5, 1.0, 50.0
SATURATED = 3.0


def growth(result: Result) -> str:
    """Render both tables of growth.py, on SQLite."""
    return f"""## As the store grows

Ours with the native front. Keys have values of 1 KB, and each was written twice: there are as many
old revisions as keys. A page has 500 keys and the count of all; the old revision is the one at
which each key had been written once.

{_growth(result, LIMITS)}"""


def growth_on(database: str) -> Callable[[Result], str]:
    """Render the same on a database that servers share."""
    what, unit, _limit = LIMITS["idle_cpu"]
    limits = {**LIMITS, "idle_cpu": (what, unit, IDLE_CPU_ON_DATABASE)}
    return lambda result: (
        f"""## As the store grows, on {database}

The same on a database of the same machine, with {MEMORY}B of memory for its pages. Memory and CPU
are those of our server.

{_growth(result, limits)}"""
    )


def _growth(result: Result, allowed: Mapping[str, tuple[str, str, float]]) -> str:
    figures = dict(result.figures)
    costs = figures.pop(COSTS)
    rates = [_slower(work, r["small"], r["large"]) for work, r in figures.items()]
    head = [
        "work, 4 in flight",
        "10,000 keys, per s",
        "1,000,000 keys, per s",
        "slower",
        "must",
        "",
    ]
    limits = [
        [what, f"{costs[figure]:.2f} {unit}", f"{limit:g} {unit}", mark(costs[figure] <= limit)]
        for figure, (what, unit, limit) in allowed.items()
        if figure in costs
    ]
    return f"""{table(head, rates)}
With 1,000,000 keys and 1,000,000 old revisions:

{table(["cost", "measured", "must", ""], limits)}
{made_by([result])}"""


def _slower(work: str, small: float, large: float) -> list[str]:
    times = small / large
    met = mark(times <= GROWTH)
    return [work, f"{small:,.0f}", f"{large:,.0f}", f"{times:.2f}", f"{GROWTH:g}", met]


def idle(result: Result) -> str:
    """Render the table of idle servers."""
    return f"""## Servers with nothing to do

{_table(result, IDLE_CPU)}
{made_by([result])}"""


def leases(result: Result) -> str:
    """Render the table of leases."""
    return f"""## 100,000 leases with a TTL of 60 s, kept alive

Each is renewed every 20 s.

{_table(result, LEASES_CPU)}
{made_by([result])}"""


def batch(result: Result) -> str:
    """Render the writer's batch."""
    idle, saturated = result.figures["idle"], result.figures["saturated"]
    row = ["a batch of 64 puts", f"{idle:.2f} ms", f"{saturated:.2f} ms"]
    row += [f"{saturated / idle:.2f}", f"{SATURATED:g}", mark(saturated / idle <= SATURATED)]
    head = ["work", "event loop idle", "event loop saturated", "slower", "must", ""]
    return f"""## The writer beside a saturated event loop

{table(head, [row])}
{made_by([result])}"""


def _table(result: Result, limit: float) -> str:
    body = [
        [name, f"{f['cpu']:.2f}", f"{limit:g}", mark(f["cpu"] <= limit), f"{f['rss_mib']:.0f}"]
        for name, f in result.figures.items()
    ]
    return table(["server", "CPU, % of a core", "must", "", "RSS, MiB"], body)


SECTIONS: Mapping[str, Callable[[Result], str]] = {
    "growth": growth,
    "growth-postgresql": growth_on(POSTGRESQL),
    "growth-mariadb": growth_on(MARIADB),
    "idle": idle,
    "leases": leases,
    "batch": batch,
}
