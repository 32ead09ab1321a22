"""How the health checks have ended, as families of metrics. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from control_plane.apiserver.http.health import Result


def health_families(found: Iterable[tuple[str, Mapping[str, Result]]]) -> Iterator[Metric]:
    """The families of endpoints and the results of their checks."""
    last = GaugeMetricFamily(
        "kubernetes_healthcheck", "Result of a single health check.", labels=("name", "type")
    )
    total = CounterMetricFamily(
        "kubernetes_healthchecks_total",
        "Results of all health checks.",
        labels=("name", "status", "type"),
    )
    for endpoint, results in found:
        for name, result in results.items():
            last.add_metric((name, endpoint), not result.has_failed)
            total.add_metric((name, "success", endpoint), result.succeeded)
            if result.failed:
                total.add_metric((name, "error", endpoint), result.failed)
    yield from (last, total)
