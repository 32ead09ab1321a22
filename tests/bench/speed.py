"""The tables beside etcd: turns the figures of datastores.py into text. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from tests.bench.contenders import ETCD, FRONTS
from tests.bench.markdown import table
from tests.bench.results import Result
from tests.bench.rows import ROWS, SEVERAL, Goal, Row

Figures = Mapping[str, Mapping[str, float]]
HEAD = [
    *("work", "etcd"),
    *(h for front in FRONTS for h in (f"{front} front", "ratio", "must / aim", "")),
    *("p50 / p99 ms", "server µs per op", "client cores"),
]


def render(results: Sequence[Result], delay: str) -> str:
    """Return the section of one sync delay ("" for none)."""
    measured: dict[str, tuple[Result, Figures]] = {}
    for result in results:
        measured |= {name: (result, figures) for name, figures in result.figures.items()}
    body = [
        _line(row, measured[row.name][1], judged=not (delay and row.is_latency))
        for row in ROWS
        if row.name in measured
    ]
    title = f", each sync {delay} longer" if delay else ""
    return f"""## The datastore beside etcd{title}

etcd with its fsync on; ours on a SQLite file with synchronous=FULL. Medians of runs taken in turn.
Operations per second. The last three columns are of etcd and of each front, in their order: the
latencies, the CPU time that the server spent on one operation, and the cores that the client used.
4 requests in flight share a connection, 256 share {SEVERAL}; pages are read by 4 callers on one;
the watchers are on 10, the writer has one put in flight.

{table(HEAD, body)}
{made_by(results)}"""


def _line(row: Row, figures: Figures, *, judged: bool) -> list[str]:
    """Return a row's cells; the limits of latencies are for a disk as it is."""
    rate = "p50_ms" if row.is_latency else "per_second"
    cells = [row.name, _number(figures[ETCD][rate])]
    for front in FRONTS:
        if front in figures:
            ratio, *goals = _judged(row, front, figures)
            cells += [_number(figures[front][rate]), ratio, *(goals if judged else ("", ""))]
        else:
            cells += ["", "", "", ""]
    names = [name for name in (ETCD, *FRONTS) if name in figures]
    latencies = ", ".join(_latencies(figures[n]) for n in names)
    cost = ", ".join(_cost(figures[n]) for n in names)
    client = ", ".join(f"{figures[n]['client_cpu']:.2f}" for n in names)
    return [*cells, latencies, cost, client]


def _latencies(figures: Mapping[str, float]) -> str:
    """Return p50 and p99, or what h2load has: the mean alone."""
    p50, p99 = figures["p50_ms"], figures["p99_ms"]
    return f"{p50:.3g} / {p99:.3g}" if p99 else f"mean {p50:.3g}"


def _cost(figures: Mapping[str, float]) -> str:
    """Return the microseconds of CPU that the server spent on an operation."""
    return _number(figures["server_cpu"] / figures["per_second"] * 1e6)


def _judged(row: Row, front: str, figures: Figures) -> list[str]:
    """Return ratio, goals, and whether they are met."""
    ours, etcd = figures[front], figures[ETCD]
    if row.is_latency:
        p50, p99 = row.goals[front], row.p99[front]
        met = ours["p50_ms"] <= p50.must and ours["p99_ms"] <= p99.must
        best = ours["p50_ms"] <= (p50.aim or 0) and ours["p99_ms"] <= (p99.aim or 0)
        goals = f"{p50.must:g}, {p99.must:g} ms / {p50.aim:g}, {p99.aim:g} ms"
        return [f"{ours['p50_ms'] / etcd['p50_ms']:.2f}", goals, mark(met, best)]
    ratio = ours["per_second"] / etcd["per_second"]
    goal = row.goals[front]
    best = goal.aim is not None and ratio >= goal.aim
    return [f"{ratio:.2f}", _goal(goal), mark(ratio >= goal.must, best)]


def _goal(goal: Goal) -> str:
    return f"{goal.must:g}" if goal.aim is None else f"{goal.must:g} / {goal.aim:g}"


def mark(met: bool, best: bool = False) -> str:
    """Say whether what must be is met, and whether the aim is."""
    return ("aim met" if best else "met") if met else "**not met**"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def made_by(results: Iterable[Result]) -> str:
    """Return for each part the command that made it and the machine."""
    return "".join(f"* {r.part}: `{r.command}`; {'; '.join(r.machine)}\n" for r in results)
