"""What auditing is counted as, by upstream's names. Written on the event loop alone.

Source: the audit metrics of apiserver v1.35.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, Metric

_PREFIX = "apiserver_audit"


class AuditCounts:
    """Events, the levels of requests, events that went wrong, requests refused for that."""

    def __init__(self) -> None:
        """Nothing has been recorded yet."""
        self.events = 0
        self.rejected = 0
        self._levels: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    def request(self, level: str) -> None:
        """Count a request by the level that the policy has for it."""
        self._levels[level] += 1

    def lost(self, plugin: str, events: int = 1) -> None:
        """Count events that `plugin` has not delivered."""
        self._lost[plugin] += events

    def look(self) -> Callable[[], Iterable[Metric]]:
        """See how things are; what is returned puts it into words, in any thread."""
        events, rejected = self.events, self.rejected
        levels, lost = dict(self._levels), dict(self._lost)
        return lambda: _families(events, rejected, levels, lost)


def _families(
    events: int, rejected: int, levels: dict[str, int], lost: dict[str, int]
) -> Iterator[Metric]:
    yield CounterMetricFamily(
        f"{_PREFIX}_event_total",
        "Counter of audit events generated and sent to the audit backend.",
        value=events,
    )
    yield CounterMetricFamily(
        f"{_PREFIX}_requests_rejected_total",
        "Counter of apiserver requests rejected due to an error in audit logging backend.",
        value=rejected,
    )
    by_level = CounterMetricFamily(
        f"{_PREFIX}_level_total",
        "Counter of policy levels for audit events (1 per request).",
        labels=("level",),
    )
    errors = CounterMetricFamily(
        f"{_PREFIX}_error_total",
        "Counter of audit events that failed to be audited properly.",
        labels=("plugin",),
    )
    for family, counts in ((by_level, levels), (errors, lost)):
        for label, count in counts.items():
            family.add_metric((label,), count)
        yield family
