"""The metrics of flow control under upstream's names.

`facts_of` looks at the levels on the event loop, in one go; `families` puts it into words, in
whatever thread. Source: the flow control metrics of v1.35.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from control_plane.apiserver.flow_control.priority_level import PriorityLevel
from control_plane.apiserver.metrics.histogram import Histogram, Seen

PREFIX = "apiserver_flowcontrol_"
FLOW = ("priority_level", "flow_schema")
LEVEL_GAUGES = {
    "nominal_limit_seats": "Seats that the level has by its share.",
    "request_concurrency_limit": "Seats that the level has by its share.",
    "lower_limit_seats": "The fewest seats that lending leaves.",
    "upper_limit_seats": "The most seats that borrowing may give.",
    "current_limit_seats": "Seats that the level has now.",
    "demand_seats_high_watermark": "The most seats that were wanted in the last period.",
    "demand_seats_smoothed": "Smoothed demand for seats.",
}
PRESENT = {
    "current_executing_requests": "Requests that are being served.",
    "current_executing_seats": "Seats that they take.",
    "current_inqueue_requests": "Requests that wait.",
    "current_inqueue_seats": "Seats that they wait for.",
}


class FlowFacts(NamedTuple):
    """One schema at one level."""

    schema: str
    dispatched: int
    rejected: Mapping[str, int]
    present: Mapping[str, int]
    waits: Mapping[str, Seen]
    executions: Mapping[str, Seen]


class LevelFacts(NamedTuple):
    """One level at one moment; `gauges` are those of LEVEL_GAUGES."""

    name: str
    gauges: Mapping[str, float]
    flows: list[FlowFacts]


def facts_of(levels: Iterable[PriorityLevel]) -> list[LevelFacts]:
    """Look at all levels."""
    return [LevelFacts(level.spec.name, _gauges(level), _flows(level)) for level in levels]


def _gauges(level: PriorityLevel) -> dict[str, float]:
    bounds, demand = level.bounds, level.demand
    seats = (
        bounds.nominal, bounds.nominal, bounds.least, bounds.most, level.queues.limit,
        demand.peak, demand.smoothed,
    )  # fmt: skip
    return dict(zip(LEVEL_GAUGES, seats, strict=True))


def _flows(level: PriorityLevel) -> list[FlowFacts]:
    present: dict[str, Counter[str]] = {name: Counter() for name in PRESENT}
    for ticket in level.holders:
        present["current_executing_requests"][ticket.schema] += 1
        present["current_executing_seats"][ticket.schema] += ticket.seats
    for _, ticket in level.queues.tickets():
        present["current_inqueue_requests"][ticket.schema] += 1
        present["current_inqueue_seats"][ticket.schema] += ticket.seats
    return [
        FlowFacts(
            schema,
            one.dispatched,
            dict(one.rejected),
            {name: numbers[schema] for name, numbers in present.items()},
            _seen({"true": one.waits, "false": one.lost_waits}),
            _seen({"regular": one.executions, "watch": one.watch_executions}),
        )
        for schema, one in level.counts.items()
    ]


def _seen(histograms: Mapping[str, Histogram]) -> dict[str, Seen]:
    return {label: one.seen() for label, one in histograms.items() if one.count}


def families(levels: list[LevelFacts]) -> Iterator[Metric]:
    """The facts as families of metrics. Pure."""
    for name, text in LEVEL_GAUGES.items():
        gauge = GaugeMetricFamily(PREFIX + name, text, labels=FLOW[:1])
        for level in levels:
            gauge.add_metric((level.name,), level.gauges[name])
        yield gauge
    flows = [((level.name, flow.schema), flow) for level in levels for flow in level.flows]
    for name, text in PRESENT.items():
        gauge = GaugeMetricFamily(PREFIX + name, text, labels=FLOW)
        for labels, flow in flows:
            gauge.add_metric(labels, flow.present[name])
        yield gauge
    yield from _counters(flows)
    yield from _histograms(flows)


def _counters(flows: list[tuple[tuple[str, str], FlowFacts]]) -> Iterator[Metric]:
    dispatched = CounterMetricFamily(
        f"{PREFIX}dispatched_requests_total", "Requests that were served.", labels=FLOW
    )
    rejected = CounterMetricFamily(
        f"{PREFIX}rejected_requests_total",
        "Requests that were turned away.",
        labels=(*FLOW, "reason"),
    )
    for labels, flow in flows:
        dispatched.add_metric(labels, flow.dispatched)
        for reason, count in flow.rejected.items():
            if count:
                rejected.add_metric((*labels, reason), count)
    yield from (dispatched, rejected)


def _histograms(flows: list[tuple[tuple[str, str], FlowFacts]]) -> Iterator[Metric]:
    waits = HistogramMetricFamily(
        f"{PREFIX}request_wait_duration_seconds",
        "How long requests waited for their seats.",
        labels=(*FLOW, "execute"),
    )
    executions = HistogramMetricFamily(
        f"{PREFIX}request_execution_seconds",
        "How long requests held their seats.",
        labels=(*FLOW, "type"),
    )
    for labels, flow in flows:
        for label, seen in flow.waits.items():
            waits.add_metric((*labels, label), seen.buckets, seen.total)
        for label, seen in flow.executions.items():
            executions.add_metric((*labels, label), seen.buckets, seen.total)
    yield from (waits, executions)
