"""The table of ours on the databases that servers share: figures into text. Pure."""

from collections.abc import Mapping
from typing import Any

from tests.bench.contenders import ETCD
from tests.bench.databases import COMMITS, MARIADB, POSTGRESQL, SQLITE, TWO
from tests.bench.markdown import table
from tests.bench.results import Result
from tests.bench.speed import made_by, mark

MUST: Mapping[str, float] = {  # ratios to etcd's rate
    "Put, 4 in flight": 0.25,
    "Put, 256 in flight": 0.45,
    "Range of one key, 4 in flight": 0.25,
    "Range of one key, 256 in flight": 0.3,
    "500-key page, 10,000 keys": 0.4,
}
COMMITS_PER_PUT, TWO_SERVERS = 0.1, 0.8
HEAD = ["work", "etcd", "SQLite", POSTGRESQL, "ratio", "must", "", MARIADB, "ratio", "must", ""]


def databases(result: Result) -> str:
    """Render what databases.py measured."""
    rows = dict(result.figures)
    commits, two = rows.pop(COMMITS), rows.pop(TWO)
    return f"""## On PostgreSQL and MariaDB

Ours with the native front; the databases run on the same machine with the settings that they come
with, durable at each commit. Operations per second, medians of runs taken in turn.

{table(HEAD, [_line(work, figures) for work, figures in rows.items()])}
{table(["at 256 puts in flight", "measured", "must", ""], [*_commits(commits), _two(two)])}
{made_by([result])}"""


def _line(work: str, figures: Mapping[str, Any]) -> list[str]:
    rates = {name: figures[name]["per_second"] for name in (ETCD, SQLITE, POSTGRESQL, MARIADB)}
    cells = [work, f"{rates[ETCD]:,.0f}", f"{rates[SQLITE]:,.0f}"]
    for name in (POSTGRESQL, MARIADB):
        ratio, must = rates[name] / rates[ETCD], MUST[work]
        cells += [f"{rates[name]:,.0f}", f"{ratio:.2f}", f"{must:g}", mark(ratio >= must)]
    return cells


def _commits(figures: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    return [
        [
            f"commits of {name} per put",
            f"{figure['per_put']:.3f}",
            f"at most {COMMITS_PER_PUT:g}",
            mark(figure["per_put"] <= COMMITS_PER_PUT),
        ]
        for name, figure in figures.items()
    ]


def _two(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    ratio = figures["two"]["per_second"] / figures["one"]["per_second"]
    what = f"two servers on one {POSTGRESQL}, to one"
    return [what, f"{ratio:.2f}", f"at least {TWO_SERVERS:g}", mark(ratio >= TWO_SERVERS)]
