"""The `grpc_server_*` families of /metrics, with the labels that Go's interceptor gives. Pure."""

from __future__ import annotations

from functools import cache
from itertools import accumulate, chain
from typing import TYPE_CHECKING, NamedTuple

from grpc_health.v1 import health_pb2
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from datastore.gateway.statuses import STATUSES
from proto.etcd import election_pb2, lock_pb2, rpc_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from datastore.mvcc.counters import Histogram
    from datastore.rpc.counting import MethodCounts

    Known = Sequence[tuple[tuple[str, str, str], MethodCounts]]  # the labels of a method, its calls

LABELS = ["grpc_type", "grpc_service", "grpc_method"]
KINDS = {
    (False, False): "unary",
    (True, False): "client_stream",
    (False, True): "server_stream",
    (True, True): "bidi_stream",
}
PER_METHOD: tuple[tuple[str, str, Callable[[MethodCounts], int]], ...] = (
    ("grpc_server_started_total", "Calls begun.", lambda c: c.started),
    ("grpc_server_msg_received_total", "Messages received.", lambda c: c.received),
    ("grpc_server_msg_sent_total", "Messages sent.", lambda c: c.sent),
)


class Described(NamedTuple):
    """A method as `/package.Service/Method`, and its labels."""

    path: str
    labels: tuple[str, str, str]


@cache
def described_methods() -> tuple[Described, ...]:
    """Return every method of etcd's services."""
    files = (
        rpc_pb2.DESCRIPTOR,
        lock_pb2.DESCRIPTOR,
        election_pb2.DESCRIPTOR,
        health_pb2.DESCRIPTOR,
    )
    services = chain.from_iterable(file.services_by_name.values() for file in files)
    return tuple(
        Described(
            f"/{service.full_name}/{method.name}",
            (
                KINDS[method.client_streaming, method.server_streaming],
                service.full_name,
                method.name,
            ),
        )
        for service in services
        for method in service.methods
    )


def grpc_families(methods: Mapping[str, MethodCounts], *, extensive: bool) -> Iterator[Metric]:
    """Yield the families of the methods that a server has."""
    known = [
        (described.labels, methods[described.path])
        for described in described_methods()
        if described.path in methods
    ]
    for name, about, value in PER_METHOD:
        family = CounterMetricFamily(name, about, labels=LABELS)
        for labels, counts in known:
            family.add_metric(labels, value(counts))
        yield family
    yield _handled(known)
    if extensive:
        yield _seconds(known)


def _handled(known: Known) -> Metric:
    family = CounterMetricFamily(
        "grpc_server_handled_total", "Calls ended, by code.", labels=[*LABELS, "grpc_code"]
    )
    for labels, counts in known:
        for code in STATUSES:
            family.add_metric([*labels, go_name(code)], counts.handled[code])
    return family


def _seconds(known: Known) -> Metric:
    family = HistogramMetricFamily(
        "grpc_server_handling_seconds", "Seconds that calls took.", labels=LABELS
    )
    for labels, counts in known:
        add_histogram(family, labels, counts.seconds)
    return family


def go_name(code: str) -> str:
    """Return a gRPC code's name in Go: `NotFound`, `OK`, and `Canceled` with one l."""
    special = {"OK": "OK", "CANCELLED": "Canceled"}
    return special.get(code) or code.replace("_", " ").title().replace(" ", "")


def add_histogram(
    family: HistogramMetricFamily, labels: Sequence[str], histogram: Histogram
) -> None:
    """Add a histogram to a family."""
    bounds = [*(str(bound).removesuffix(".0") for bound in histogram.bounds), "+Inf"]  # as Go's
    buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
    family.add_metric(labels, buckets, histogram.sum)
