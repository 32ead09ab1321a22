"""Facts as families of metrics. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from control_plane.apiserver.metrics.requests import RequestLabels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.apiserver.metrics.facts import Facts

REQUEST_LABELS = RequestLabels._fields
PLAIN_LABELS = tuple(name for name in REQUEST_LABELS if name != "dry_run")


def families(facts: Facts, build: Mapping[str, str]) -> Iterator[Metric]:
    """Everything but what is known of the process; `build` is what /version says."""
    yield from _requests(facts)
    yield from _present(facts)
    yield from _terminated(facts)
    yield from _caches(facts)
    yield from _watches(facts)
    yield from _store_calls(facts)
    yield _build_info(build)


def _requests(facts: Facts) -> Iterator[Metric]:
    total = CounterMetricFamily(
        "apiserver_request_total",
        "Counter of apiserver requests broken out for each verb, dry run value, group, version, "
        "resource, scope, component, and HTTP response code.",
        labels=(*REQUEST_LABELS, "code"),
    )
    seconds = HistogramMetricFamily(
        "apiserver_request_duration_seconds",
        "Response latency distribution in seconds.",
        labels=REQUEST_LABELS,
    )
    sizes = HistogramMetricFamily(
        "apiserver_response_sizes", "Response size distribution in bytes.", labels=PLAIN_LABELS
    )
    for one in facts.requests:
        for code, count in one.codes.items():
            total.add_metric((*one.labels, str(code)), count)
        seconds.add_metric(one.labels, one.seconds.buckets, one.seconds.total)
        if one.sizes is not None:
            sizes.add_metric(one.labels.without_dry_run, one.sizes.buckets, one.sizes.total)
    service = HistogramMetricFamily(
        "apiserver_request_sli_duration_seconds",
        "Response latency distribution in seconds, without the wait for a turn.",
        labels=PLAIN_LABELS,
    )
    for labels, seen in facts.service.items():
        service.add_metric(labels, seen.buckets, seen.total)
    yield from (total, seconds, sizes, service)


def _present(facts: Facts) -> Iterator[Metric]:
    long_running = GaugeMetricFamily(
        "apiserver_longrunning_requests",
        "Gauge of all active long-running apiserver requests.",
        labels=PLAIN_LABELS,
    )
    for labels, count in facts.long_running.items():
        long_running.add_metric(labels, count)
    in_flight = GaugeMetricFamily(
        "apiserver_current_inflight_requests",
        "Requests that are being served, by kind; upstream has the most of the last second.",
        labels=("request_kind",),
    )
    for kind, count in facts.in_flight.items():
        in_flight.add_metric((kind,), count)
    deprecated = GaugeMetricFamily(
        "apiserver_requested_deprecated_apis",
        "Deprecated APIs that have been requested.",
        labels=("group", "version", "resource", "subresource", "removed_release"),
    )
    for api in facts.deprecated:
        deprecated.add_metric((*api, ""), 1)
    yield from (long_running, in_flight, deprecated)


def _terminated(facts: Facts) -> Iterator[Metric]:
    terminated = CounterMetricFamily(
        "apiserver_request_terminations_total",
        "Requests that the server ended in self-defence.",
        labels=(*PLAIN_LABELS, "code"),
    )
    for (labels, code), count in facts.terminated.items():
        terminated.add_metric((*labels, str(code)), count)
    yield terminated


def _caches(facts: Facts) -> Iterator[Metric]:
    names = ("group", "resource")
    stored = GaugeMetricFamily(
        "apiserver_storage_objects", "Number of stored objects.", labels=("resource",)
    )
    objects = GaugeMetricFamily(
        "apiserver_resource_objects", "Number of stored objects.", labels=names
    )
    sizes = GaugeMetricFamily(
        "apiserver_resource_size_estimate_bytes", "Estimated size of stored objects.", labels=names
    )
    revisions = GaugeMetricFamily(
        "apiserver_watch_cache_resource_version", "How new the watch cache is.", labels=names
    )
    received = CounterMetricFamily(
        "apiserver_watch_cache_events_received_total",
        "Events that the watch cache got from the store.",
        labels=names,
    )
    cut = CounterMetricFamily(
        "apiserver_terminated_watchers_total",
        "Watches that were ended because their client did not read.",
        labels=names,
    )
    for labels, one in {(one.group, one.resource): one for one in facts.caches}.items():
        stored.add_metric((".".join(filter(None, (one.resource, one.group))),), one.objects)
        objects.add_metric(labels, one.objects)
        sizes.add_metric(labels, one.encoded_bytes)
        revisions.add_metric(labels, one.revision)
        received.add_metric(labels, one.received)
        cut.add_metric(labels, one.cut_watches)
    yield from (stored, objects, sizes, revisions, received, cut)


def _watches(facts: Facts) -> Iterator[Metric]:
    names = ("group", "version", "resource")
    total = CounterMetricFamily(
        "apiserver_watch_events_total", "Number of events sent in watches.", labels=names
    )
    sizes = HistogramMetricFamily(
        "apiserver_watch_events_sizes", "Size of events sent in watches.", labels=names
    )
    for one in facts.caches:
        if one.events_sent:
            labels = (one.group, one.version, one.resource)
            total.add_metric(labels, one.events_sent)
            sizes.add_metric(labels, one.events.buckets, one.events.total)
    yield from (total, sizes)


def _store_calls(facts: Facts) -> Iterator[Metric]:
    names = ("operation", "group", "resource")
    seconds = HistogramMetricFamily(
        "etcd_request_duration_seconds", "Latency of calls to the store.", labels=names
    )
    total = CounterMetricFamily("etcd_requests_total", "Calls to the store.", labels=names)
    failed = CounterMetricFamily(
        "etcd_request_errors_total", "Calls to the store that failed.", labels=names
    )
    for one in facts.calls:
        seconds.add_metric(one.labels, one.seconds.buckets, one.seconds.total)
        total.add_metric(one.labels, one.made)
        failed.add_metric(one.labels, one.failed)
    yield from (seconds, total, failed)


def _build_info(build: Mapping[str, str]) -> Metric:
    labels = {
        "major": "major", "minor": "minor", "git_version": "gitVersion",
        "git_commit": "gitCommit", "git_tree_state": "gitTreeState", "build_date": "buildDate",
        "go_version": "goVersion", "compiler": "compiler", "platform": "platform",
    }  # fmt: skip
    info = GaugeMetricFamily(
        "kubernetes_build_info", "What this server is built of.", labels=tuple(labels)
    )
    info.add_metric([build[name] for name in labels.values()], 1)
    return info
