"""How often service-account tokens were taken, by upstream's names.

Written on the event loop alone.

A token that a cache remembers is not counted again. Source: the metrics of pkg/serviceaccount of
Kubernetes v1.35.
"""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, Metric

_FAMILIES = {
    "legacy": ("legacy_tokens", "Cumulative legacy service account tokens used"),
    "legacy_automatic": (
        "legacy_auto_token_uses",
        "Cumulative auto-generated legacy tokens used",
    ),
    "legacy_manual": (
        "legacy_manual_token_uses",
        "Cumulative manually created legacy tokens used",
    ),
    "legacy_invalid": (
        "invalid_legacy_auto_token_uses",
        "Cumulative invalid auto-generated legacy tokens used",
    ),
    "stale": ("stale_tokens", "Cumulative stale projected service account tokens used"),
    "valid": ("valid_tokens", "Cumulative valid projected service account tokens used"),
}


@dataclass(slots=True)
class TokenUses:
    """Old tokens of secrets; pods' tokens, past the time to replace them (`stale`) or before it."""

    legacy: int = 0
    legacy_automatic: int = 0
    legacy_manual: int = 0
    legacy_invalid: int = 0
    stale: int = 0
    valid: int = 0

    def look(self) -> Callable[[], Iterable[Metric]]:
        """See how things are; what is returned puts it into words, in any thread."""
        seen = dataclasses.asdict(self)
        return lambda: [
            CounterMetricFamily(f"serviceaccount_{name}_total", text, value=seen[field])
            for field, (name, text) in _FAMILIES.items()
        ]
