"""The tables of growth, rest, leases and the writer's batch: figures into text. Pure."""

from collections.abc import Callable, Mapping

from tests.bench.growth import COSTS
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
IDLE_CPU, LEASES_CPU = 0.5, 50.0
SATURATED = 3.0


def growth(result: Result) -> str:
    """Render both tables of growth.py."""
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
        for figure, (what, unit, limit) in LIMITS.items()
        if figure in costs
    ]
    return f"""## As the store grows

Ours with the native front. Keys have values of 1 KB, and each was written twice: there are as many
old revisions as keys. A page has 500 keys and the count of all; the old revision is the one at
which each key had been written once.

{table(head, rates)}
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
    "idle": idle,
    "leases": leases,
    "batch": batch,
}
