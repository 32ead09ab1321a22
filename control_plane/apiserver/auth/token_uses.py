"""How often service-account tokens were taken, by upstream's names.

Written on the event loop alone.

A token that a cache remembers is not counted again. Source: the metrics of pkg/serviceaccount of
Kubernetes v1.35.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, Metric

_TEXTS = {
    "legacy": "Cumulative legacy service account tokens used",
    "stale": "Cumulative stale projected service account tokens used",
    "valid": "Cumulative valid projected service account tokens used",
}


@dataclass(slots=True)
class TokenUses:
    """Old tokens of secrets; pods' tokens, past the time to replace them (`stale`) or before it."""

    legacy: int = 0
    stale: int = 0
    valid: int = 0

    def look(self) -> Callable[[], Iterable[Metric]]:
        """See how things are; what is returned puts it into words, in any thread."""
        seen = {"legacy": self.legacy, "stale": self.stale, "valid": self.valid}
        return lambda: [
            CounterMetricFamily(f"serviceaccount_{kind}_tokens_total", text, value=seen[kind])
            for kind, text in _TEXTS.items()
        ]
