"""What calls of webhooks are counted as, by upstream's names. Written on the event loop alone.

Source: the admission metrics of apiserver v1.35.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    HistogramMetricFamily,
    Metric,
    UnknownMetricFamily,
)

from control_plane.apiserver.metrics.histogram import Histogram, Seen

SECONDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0, 25.0)
MAX_CODE = 600
_PREFIX = "apiserver_admission_webhook"

Labels = tuple[str, ...]


class WebhookCounts:
    """How often webhooks were called, how long that took, and what came of it."""

    def __init__(self) -> None:
        """Nothing has been called yet."""
        self._durations: dict[Labels, Histogram] = {}
        self._requests: Counter[Labels] = Counter()
        self._rejections: Counter[Labels] = Counter()
        self._fail_opens: Counter[Labels] = Counter()

    def called(
        self, name: str, kind: str, operation: str, code: int, seconds: float, rejected: bool
    ) -> None:
        """Count a call; `kind` is "admit" or "validating"."""
        shown = "true" if rejected else "false"
        labels = (name, kind, operation, shown)
        if labels not in self._durations:
            self._durations[labels] = Histogram(SECONDS)
        self._durations[labels].observe(seconds)
        self._requests[name, kind, operation, str(min(code, MAX_CODE)), shown] += 1

    def rejected(self, name: str, kind: str, operation: str, error: str, code: int) -> None:
        """Count a write that was refused because of a webhook."""
        self._rejections[name, kind, operation, error, str(min(code, MAX_CODE))] += 1

    def failed_open(self, name: str, kind: str) -> None:
        """Count a webhook that failed and was gone by."""
        self._fail_opens[name, kind] += 1

    def look(self) -> Callable[[], Iterable[Metric]]:
        """See how things are; what is returned puts it into words, in any thread."""
        durations = {labels: one.seen() for labels, one in self._durations.items()}
        counts = [dict(one) for one in (self._requests, self._rejections, self._fail_opens)]
        return lambda: _families(durations, *counts)


def _families(
    durations: dict[Labels, Seen],
    requests: dict[Labels, int],
    rejections: dict[Labels, int],
    fail_opens: dict[Labels, int],
) -> Iterator[Metric]:
    seconds = HistogramMetricFamily(
        f"{_PREFIX}_admission_duration_seconds",
        "Admission webhook latency, by name and type.",
        labels=("name", "type", "operation", "rejected"),
    )
    for labels, seen in durations.items():
        seconds.add_metric(labels, seen.buckets, seen.total)
    yield seconds
    counters = (
        ("request_total", "Calls.", ("name", "type", "operation", "code", "rejected"), requests),
        (
            "rejection_count",
            "Writes that were refused.",
            ("name", "type", "operation", "error_type", "rejection_code"),
            rejections,
        ),
        ("fail_open_count", "Failures that were gone by.", ("name", "type"), fail_opens),
    )
    for name, text, names, counts in counters:
        # a counter of Python's client is called ..._total, which upstream's is not always
        kind = CounterMetricFamily if name.endswith("_total") else UnknownMetricFamily
        family = kind(f"{_PREFIX}_{name}", text, labels=names)
        for labels, count in counts.items():
            family.add_metric(labels, count)
        yield family
