"""What /metrics shows beside etcd's names: batches, lag, sessions, statements. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from datastore.gateway.grpc_families import add_histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from datastore.mvcc.counters import Histogram
    from datastore.mvcc.lane import Use
    from datastore.mvcc.statement_times import Spent
    from datastore.mvcc.store import Store


class OwnFacts(NamedTuple):
    """A server at one moment."""

    batches: Histogram
    lags: Histogram
    behind: int
    pruned_revision: int
    uses: Sequence[Use]
    statements: Mapping[str, Spent]


def look_at(store: Store) -> OwnFacts:
    """Return the facts of a store."""
    return OwnFacts(
        store.writer.counters.batches,
        store.hub.lags,
        store.hub.behind(),
        store.compactor.pruned_revision,
        store.uses(),
        store.statements(),
    )


HISTOGRAMS: tuple[tuple[str, str, Callable[[OwnFacts], Histogram]], ...] = (
    ("tapir_write_batch_requests", "Requests that shared a commit.", lambda f: f.batches),
    (
        "tapir_watch_lag_seconds",
        "From a commit here until its events are in the outboxes of watches.",
        lambda f: f.lags,
    ),
)
GAUGES: tuple[tuple[str, str, Callable[[OwnFacts], float]], ...] = (
    (
        "tapir_watch_behind_revisions",
        "Revisions that the slowest watcher is behind.",
        lambda f: f.behind,
    ),
    (
        "tapir_compaction_pruned_revision",
        "The compaction whose rows are all gone; -1 before the first.",
        lambda f: f.pruned_revision,
    ),
)
USES: tuple[tuple[str, str, Callable[[Use], int]], ...] = (
    ("tapir_database_sessions", "Sessions, a connection each once used.", lambda u: u.sessions),
    ("tapir_database_sessions_busy", "Sessions at work.", lambda u: u.busy),
    ("tapir_database_calls_waiting", "Calls that wait for one.", lambda u: u.waiting),
)
STATEMENTS: tuple[tuple[str, str, Callable[[Spent], float]], ...] = (
    ("tapir_statements_total", "Statements run, by name.", lambda s: s.runs),
    ("tapir_statement_seconds_total", "Seconds that they took.", lambda s: s.seconds),
)


def own_families(facts: OwnFacts) -> Iterator[Metric]:
    """Yield every family."""
    for name, about, histogram in HISTOGRAMS:
        family = HistogramMetricFamily(name, about)
        add_histogram(family, [], histogram(facts))
        yield family
    for name, about, value in GAUGES:
        yield GaugeMetricFamily(name, about, value(facts))
    for name, about, number in USES:
        gauge = GaugeMetricFamily(name, about, labels=["lane"])
        for use in facts.uses:
            gauge.add_metric([use.name], number(use))
        yield gauge
    for name, about, amount in STATEMENTS:
        counter = CounterMetricFamily(name, about, labels=["statement"])
        for statement, spent in facts.statements.items():
            counter.add_metric([statement], amount(spent))
        yield counter
